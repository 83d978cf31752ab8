# SPDX-License-Identifier: Apache-2.0
"""The questions of the page of deliveries have the same answers in both databases, and none of other people's DAGs."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from airflow_provider_yandex_orders.journal.records import TaskKey
from airflow_provider_yandex_orders.journal.store import Journal
from airflow_provider_yandex_orders.ui import questions
from airflow_provider_yandex_orders.ui.questions import Filter
from tests.unit.journal.journal_support import ORDERS, judge, plan, send

SEEN = ["mine"]
ALL = Filter()


@pytest.fixture(autouse=True)
def deliveries(journal: Journal) -> None:
    """One that is done, one that waits, and those of a DAG that is not seen."""
    for dag_id, run_id in (("mine", "done"), ("mine", "waits"), ("theirs", "done")):
        delivery = journal.begin(ORDERS, TaskKey(dag_id, run_id, "upload")).id
        part = send(journal, [(f"{dag_id}-{run_id}", "red", "")], run_id=run_id, dag_id=dag_id)
        result = {"rows_read": 3, "rows_sent": 1, "rows_rejected": 2, "money": {"RUB": "0.10"}, "rejected_path": "/r"}
        journal.sent(delivery, result, {"bad_date": 2})
        if run_id == "done":
            judge(journal, part, good=True)
            journal.complete(ORDERS, TaskKey(dag_id, run_id, "upload"))
    journal.linked(ORDERS, date.today() - timedelta(days=1), linked_orders=1, sent_orders=2)


def test_the_period_is_told(journal: Journal) -> None:
    (day,) = questions.by_day(journal, ALL, SEEN).values()
    told = {name: day[name] for name in ("deliveries", "rows_read", "rows_sent", "rows_rejected", "accepted")}
    assert told == {"deliveries": 2, "rows_read": 6, "rows_sent": 2, "rows_rejected": 4, "accepted": 2}
    assert questions.reasons(journal, ALL, SEEN) == [("bad_date", 4)]
    assert questions.money(journal, ALL, SEEN) == {"RUB": Decimal("0.20")}
    (waiting,) = questions.waited_for(journal, ALL, SEEN)
    assert (waiting["state"], waiting["parts"], waiting["rows"]) == ("accepted", 1, 1)
    ((name, line),) = questions.linked(journal, ALL, SEEN).items()
    assert name == "counter 101, orders"
    assert [one["share"] for one in line.values()] == [0.5]
    assert questions.options(journal, ALL, SEEN)["dag_id"] == ["mine"]
    assert questions.linked(journal, ALL, []) == {}


@pytest.mark.parametrize(
    ("chosen", "runs"),
    [
        (ALL, ["waits", "done"]),
        (Filter(outcome="open"), ["waits"]),
        (Filter(outcome="rejected"), ["waits", "done"]),
        (Filter(outcome="bad"), []),
        (Filter(counter="102"), []),
        (Filter(dag_id="theirs"), []),
        (Filter(service="metrica", counter="101", entity="orders", task_id="upload"), ["waits", "done"]),
    ],
)
def test_the_list_is_what_was_chosen(journal: Journal, chosen: Filter, runs: list[str]) -> None:
    found = questions.page_of(journal, chosen, SEEN)
    assert [delivery.run_id for delivery in found] == runs
    states = {"waits": ("waiting", "open"), "done": ("done, with rejects", "told")}
    assert [delivery.state for delivery in found] == [states[run] for run in runs]


@pytest.mark.parametrize(
    ("chosen", "lines"),
    [
        (Filter(service="metrica", counter="101", entity="orders", dag_id="mine", task_id="upload"), 1),
        (Filter(service="another"), 0),
        (Filter(counter="another"), 0),
        (Filter(entity="another"), 0),
        (Filter(dag_id="another"), 0),
        (Filter(task_id="another"), 0),
    ],
)
def test_shares_are_those_of_what_was_chosen(journal: Journal, chosen: Filter, lines: int) -> None:
    assert len(questions.linked(journal, chosen, SEEN)) == lines


def test_a_day_that_begins_between_two_questions_is_told_by_the_next_answer(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = journal.ask

    def asked(question: str, **given: Any) -> list[Any]:
        return [] if "count(*) AS deliveries" in question else ask(question, **given)

    monkeypatch.setattr(journal, "ask", asked)
    assert questions.by_day(journal, ALL, SEEN) == {}


def test_one_delivery_is_told_to_those_who_see_its_dag(journal: Journal) -> None:
    (mine,) = questions.one(journal, SEEN, dag_id="mine", run_id="done", task_id="upload", map_index=-1)
    assert (mine.rows_sent, mine.accepted, mine.money, mine.result["rejected_path"]) == (
        1,
        1,
        {"RUB": Decimal("0.10")},
        "/r",
    )
    (part,) = questions.parts_of(journal, mine.delivery_id)
    assert (part["state"], part["status"]) == ("good", "PASSED")
    assert questions.rejected(journal, mine.delivery_id) == [("bad_date", 2)]
    (theirs,) = questions.one(journal, ["theirs"], dag_id="theirs", run_id="done", task_id="upload", map_index=-1)
    assert questions.one(journal, SEEN, delivery_id=theirs.delivery_id) == []


def test_a_row_is_found_by_its_key(journal: Journal) -> None:
    assert [found["state"] for found in questions.sendings(journal, SEEN, "mine-done")] == ["good"]
    assert questions.sendings(journal, SEEN, "theirs-done") == questions.sendings(journal, SEEN, "nobody's") == []


def test_a_refused_part_is_told(journal: Journal) -> None:
    journal.refused(plan(journal, [("bad", "red", "")], run_id="refused", dag_id="mine"))
    (found,) = questions.page_of(journal, Filter(outcome="bad"), SEEN)
    assert found.state == ("refused", "bad")
