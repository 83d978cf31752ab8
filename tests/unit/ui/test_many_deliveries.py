# SPDX-License-Identifier: Apache-2.0
"""A hundred thousand deliveries: the page asks as often as of ten, and no question reads through all of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import event

from airflow_provider_yandex_orders.journal.records import COUNTS, Destination
from airflow_provider_yandex_orders.journal.store import Journal, open_journal
from airflow_provider_yandex_orders.ui import questions
from airflow_provider_yandex_orders.ui.questions import Filter

DELIVERIES = 100_000
NOW = datetime(2026, 3, 2, 12)
"""Of the questions: what is made before midnight is not asked after it."""
DAGS = [f"dag_{number}" for number in range(20)]
SEEN = DAGS[:15]
BIG = {"d", "t", "r", "m", "deliveries", "parts", "rejects", "money", "rows"}
"""The views' names for tables that grow with the deliveries."""

QUESTIONS: list[Callable[[Journal, Filter], Any]] = [
    lambda journal, chosen: questions.page_of(journal, chosen, SEEN),
    lambda journal, chosen: questions.page_of(journal, chosen, SEEN, before=DELIVERIES // 2),
    lambda journal, chosen: questions.by_day(journal, chosen, SEEN),
    lambda journal, chosen: questions.reasons(journal, chosen, SEEN),
    lambda journal, chosen: questions.money(journal, chosen, SEEN),
    lambda journal, chosen: questions.waited_for(journal, chosen, SEEN),
    lambda journal, chosen: questions.linked(journal, chosen, SEEN),
    lambda journal, chosen: questions.options(journal, chosen, SEEN),
    lambda journal, _chosen: questions.one(journal, SEEN, delivery_id=DELIVERIES // 2),
    lambda journal, _chosen: questions.one(journal, SEEN, dag_id="dag_1", run_id="run_1", task_id="u", map_index=-1),
    lambda journal, _chosen: questions.parts_of(journal, DELIVERIES // 2),
    lambda journal, _chosen: questions.rejected(journal, DELIVERIES // 2),
    lambda journal, _chosen: questions.sendings(journal, SEEN, "order-1"),
]


@pytest.fixture(autouse=True)
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(
        now=lambda _zone: NOW, combine=datetime.combine, min=datetime.min, fromisoformat=datetime.fromisoformat
    )
    monkeypatch.setattr(questions, "datetime", clock)


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    """Each delivery has a part and a reject; 200 a day."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_HOME", str(Path(tmp_path_factory.mktemp("many"))))
        opened = open_journal()
    place = opened._id_of(Destination("metrica", "api-metrika.yandex.net", "101", "orders"))
    first = NOW - timedelta(days=DELIVERIES // 200 - 1)
    moments = [str(first + timedelta(days=number // 200)) for number in range(DELIVERIES)]
    numbers = range(1, DELIVERIES + 1)
    with opened, opened._database.writing() as connection:
        connection.exec_driver_sql(
            "INSERT INTO journal_deliveries (delivery_id, destination_id, dag_id, run_id, task_id, map_index, "
            f"started_at, rows_sent, rows_rejected) VALUES (?, {place}, ?, ?, 'u', -1, ?, 7, 1)",
            [(number, DAGS[number % 20], f"run_{number}", moments[number - 1]) for number in numbers],
        )
        connection.exec_driver_sql(
            "INSERT INTO journal_parts (delivery_id, number, state, path, rows, bytes, sha256, planned_at, sent_at) "
            "VALUES (?, 1, 'accepted', 'p', 7, 9, 's', ?, ?)",
            [(number, moments[number - 1], moments[number - 1]) for number in numbers],
        )
        connection.exec_driver_sql(
            "INSERT INTO journal_rejects (delivery_id, code, rows) VALUES (?, 'bad_date', 1)",
            [(number,) for number in numbers],
        )
        connection.exec_driver_sql("INSERT INTO journal_money VALUES (?, 'RUB', '0.10')", [(n,) for n in numbers])
    return opened  # its connections were given back: it opens them anew


@pytest.mark.parametrize("number", range(len(QUESTIONS)))
def test_no_question_reads_through_all(journal: Journal, number: int) -> None:
    asked: list[tuple[str, Any]] = []
    engine = journal._database._engine

    def hear(_connection: Any, _cursor: Any, statement: str, given: Any, *_more: Any) -> None:
        if not statement.startswith("BEGIN"):
            asked.append((statement, given))

    event.listen(engine, "before_cursor_execute", hear)
    QUESTIONS[number](journal, Filter(days=7))
    event.remove(engine, "before_cursor_execute", hear)
    assert 1 <= len(asked) <= 3
    with journal._database.reading() as connection:
        cursor = connection.connection.cursor()
        plans = [
            row[-1] for statement, given in asked for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", given)
        ]
    scanned = {found[1] for plan in plans if (found := re.match(r"SCAN (\w+)", plan))}
    assert scanned & BIG == set(), plans


def test_sums_of_the_period_are_right_and_exact(journal: Journal) -> None:
    chosen = Filter(days=7)
    days = questions.by_day(journal, chosen, SEEN)
    seen = 7 * 200 * len(SEEN) // len(DAGS)
    assert len(days) == 7
    assert sum(day["deliveries"] for day in days.values()) == seen
    assert {name: day[name] for day in days.values() for name in COUNTS} == {
        **dict.fromkeys(COUNTS, 0),
        "rows_sent": 7 * seen // 7,
        "rows_rejected": seen // 7,
    }
    assert sum(day["accepted"] for day in days.values()) == 7 * seen
    assert {currency: str(amount) for currency, amount in questions.money(journal, chosen, SEEN).items()} == {
        "RUB": f"{seen // 10}.{seen % 10}0"
    }
    assert questions.reasons(journal, chosen, SEEN) == [("bad_date", seen)]


def test_pages_follow_each_other_without_gap_or_repeat(journal: Journal) -> None:
    chosen, before, seen = Filter(days=7), None, []
    while True:
        found = questions.page_of(journal, chosen, SEEN, before)
        seen += [delivery.delivery_id for delivery in found[: questions.PAGE]]
        if len(found) <= questions.PAGE:
            break
        before = seen[-1]
    assert len(seen) == len(set(seen)) == 7 * 200 * len(SEEN) // len(DAGS)
    assert seen == sorted(seen, reverse=True)
