# SPDX-License-Identifier: Apache-2.0
"""The journal against a model in plain dicts, over random lives of deliveries; and its rules one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_yandex_orders.journal import questions
from airflow_provider_yandex_orders.journal.records import Destination, Verdict
from airflow_provider_yandex_orders.journal.store import Journal
from tests.unit.journal.journal_support import ORDERS, Row, entries, judge, plan, send, task, verdict

HAD = ("accepted", "good")


@dataclass
class ModelPart:
    """A part as the model keeps it."""

    id: int
    keyed: dict[str, tuple[str, str]]
    keyless: Counter[str]
    state: str


@dataclass
class Model:
    """What the destination has, worked out from the whole history at every question."""

    parts: list[ModelPart] = field(default_factory=list)

    def keyed(self, key: str, content: str, version: str) -> Verdict:
        unclear: list[str] = []  # versions that may be there
        for part in reversed(self.parts):
            if key not in part.keyed:
                continue
            if part.state == "sending":
                unclear.append(part.keyed[key][1])
            if part.state in HAD:
                had, had_version = part.keyed[key]
                older = bool(version) and version < max([had_version, *unclear])
                if older or unclear:
                    return Verdict.OUTDATED if older else Verdict.UNCLEAR
                if had == content:
                    part.keyed[key] = (had, max(version, had_version))
                    return Verdict.UNCHANGED
                return Verdict.CHANGED
        if unclear and version and version < max(unclear):
            return Verdict.OUTDATED
        return Verdict.UNCLEAR if unclear else Verdict.NEW

    def keyless(self, content: str, wanted: int) -> Counter[Verdict]:
        had = sum(part.keyless[content] for part in self.parts if part.state in HAD)
        unclear = sum(part.keyless[content] for part in self.parts if part.state == "sending")
        unchanged = min(had, wanted)
        asked = min(unclear, wanted - unchanged)
        counted = {Verdict.UNCHANGED: unchanged, Verdict.UNCLEAR: asked, Verdict.NEW: wanted - unchanged - asked}
        return Counter({each: number for each, number in counted.items() if number})


keyed_rows = st.dictionaries(
    st.sampled_from("abcd"),
    st.tuples(st.sampled_from(["red", "blue"]), st.sampled_from(["", "2026-01-01", "2026-01-02", "2026-01-03"])),
    max_size=4,
)
keyless_rows = st.lists(st.sampled_from(["one", "two"]), max_size=4)
steps = st.one_of(
    st.tuples(
        st.just("send"),
        keyed_rows,
        keyless_rows,
        st.sampled_from(["accepted", "accepted", "accepted", "refused", "sending", "planned", "abandoned"]),
        st.sets(st.sampled_from("abcd"), max_size=2),
    ),
    st.tuples(st.just("judge"), st.integers(0, 9), st.booleans()),
    st.tuples(st.just("ask"), keyed_rows, keyless_rows),
)
_examples = iter(range(10**9))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(life=st.lists(steps, max_size=12), chunk=st.sampled_from([1, 2, 5_000]))
def test_the_journal_answers_as_its_history_does(journal: Journal, life: list[Any], chunk: int) -> None:
    destination = replace(ORDERS, counter=str(next(_examples)))
    model = Model()
    for step in [*life, ("ask", dict.fromkeys("abcd", ("red", "2026-01-02")), ["one", "one", "two"])]:
        if step[0] == "send":
            _send(journal, model, destination, *step[1:])
        elif step[0] == "judge":
            _judge(journal, model, *step[1:])
        else:
            _ask(journal, model, destination, step[1], step[2], chunk)


def _send(
    journal: Journal,
    model: Model,
    destination: Destination,
    keyed: dict[str, tuple[str, str]],
    keyless: list[str],
    outcome: str,
    refused: set[str],
) -> None:
    rows: list[Row] = [(key, *values) for key, values in keyed.items()] + [(None, content, "") for content in keyless]
    part_id = plan(journal, rows, destination)
    if outcome == "planned":
        model.parts.append(ModelPart(part_id, {}, Counter(), outcome))
        return
    journal.sending(part_id)
    if outcome == "accepted":
        sums = journal.sums(destination)
        assert journal.accepted(part_id, upload_id=f"u{part_id}", refused=[sums.key(key) for key in refused])
        keyed = {key: values for key, values in keyed.items() if key not in refused}
    elif outcome == "refused":
        assert journal.refused(part_id)
    elif outcome == "abandoned":
        journal.abandoned(part_id)
    model.parts.append(ModelPart(part_id, dict(keyed), Counter(keyless), outcome))


def _judge(journal: Journal, model: Model, number: int, good: bool) -> None:
    waiting = [part for part in model.parts if part.state == "accepted"]
    if waiting:
        part = waiting[number % len(waiting)]
        judge(journal, part.id, good=good)
        part.state = "good" if good else "bad"


def _ask(
    journal: Journal,
    model: Model,
    destination: Destination,
    keyed: dict[str, tuple[str, str]],
    keyless: list[str],
    chunk: int,
) -> None:
    rows: list[Row] = [(key, *values) for key, values in keyed.items()] + [(None, content, "") for content in keyless]
    by_entry: dict[Any, list[Row]] = {}
    for row in rows:
        by_entry.setdefault(entries(journal, [row], destination)[0], []).append(row)
    asked = entries(journal, rows, destination)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(questions, "CHUNK", chunk)
        answers = list(journal.subtract(asked))
    counted: dict[str, Counter[Verdict]] = {}
    for entry, answer in zip(asked, answers, strict=True):
        key, content, version = by_entry[entry][0]
        if key is None:
            counted.setdefault(content, Counter())[answer] += 1
        else:
            assert answer is model.keyed(key, content, version), (key, content, version)
    for content, counts in counted.items():
        assert counts == model.keyless(content, keyless.count(content))


def test_an_older_content_is_had_again_when_the_newer_fails(journal: Journal) -> None:
    first = send(journal, [("a", "red", "2026-01-01")])
    judge(journal, first, good=True)
    second = send(journal, [("a", "blue", "2026-01-02")])
    assert verdict(journal, ("a", "red", "2026-01-01")) is Verdict.OUTDATED
    judge(journal, second, good=False)
    assert verdict(journal, ("a", "red", "2026-01-01")) is Verdict.UNCHANGED
    assert verdict(journal, ("a", "blue", "2026-01-02")) is Verdict.CHANGED


def test_what_went_out_last_counts_whenever_it_was_planned(journal: Journal) -> None:
    early = plan(journal, [("a", "red", "")], run_id="run-1")
    send(journal, [("a", "blue", "")], run_id="run-2")
    journal.sending(early)
    journal.accepted(early)
    assert verdict(journal, ("a", "red", "")) is Verdict.UNCHANGED


@pytest.mark.parametrize(("ended", "said"), [("refused", Verdict.NEW), ("accepted", Verdict.MOVED)])
def test_only_what_is_there_moves_a_plan(journal: Journal, ended: str, said: Verdict) -> None:
    as_of = journal.turn()
    part = plan(journal, [("a", "blue", "")])
    journal.sending(part)
    assert getattr(journal, ended)(part)
    assert next(journal.subtract(entries(journal, [("a", "red", "")]), 0, as_of)) is said


def test_settled_sendings_take_no_room(journal: Journal, query: Callable[..., list[Any]]) -> None:
    for content in ("red", "blue", "red", "green"):
        part = send(journal, [("a", content, "")])
        judge(journal, part, good=True)
        assert verdict(journal, ("a", content, "")) is Verdict.UNCHANGED
        assert query("SELECT count(*) FROM journal_rows") == [(1,)]


def test_destinations_know_nothing_of_each_other(journal: Journal) -> None:
    send(journal, [("a", "red", "")])
    for other in (replace(ORDERS, counter="102"), replace(ORDERS, entity="contacts"), replace(ORDERS, host="h")):
        assert verdict(journal, ("a", "red", ""), other) is Verdict.NEW
        assert not journal.knows(other)
    assert journal.knows(ORDERS)


def test_moments_of_one_second_are_told_apart(journal: Journal) -> None:
    send(journal, [("a", "red", "2026-01-01T10:00:00.500000+00:00")])
    assert verdict(journal, ("a", "blue", "2026-01-01T10:00:00.000000+00:00")) is Verdict.OUTDATED
    assert verdict(journal, ("a", "blue", "2026-01-01T10:00:00.500001+00:00")) is Verdict.CHANGED


def test_rows_out_of_order_are_no_question(journal: Journal) -> None:
    rows = entries(journal, [("a", "red", ""), ("b", "red", "")])
    with pytest.raises(ValueError, match="order"):
        list(journal.subtract(reversed(rows)))
    with pytest.raises(ValueError, match="once"):
        list(journal.subtract([rows[0], rows[0]]))


def test_an_unchanged_row_of_a_later_moment_keeps_older_ones_out(journal: Journal) -> None:
    send(journal, [("a", "red", "2026-01-01")])
    assert verdict(journal, ("a", "red", "2026-01-03")) is Verdict.UNCHANGED
    assert verdict(journal, ("a", "blue", "2026-01-02")) is Verdict.OUTDATED


def test_an_older_row_stays_out_also_where_a_newer_ones_fate_is_unknown(journal: Journal) -> None:
    send(journal, [("a", "red", "2026-01-02")])
    journal.sending(plan(journal, [("a", "blue", "2026-01-03")]))
    assert verdict(journal, ("a", "old", "2026-01-01")) is Verdict.OUTDATED
    assert verdict(journal, ("a", "red", "2026-01-02")) is Verdict.OUTDATED
    assert verdict(journal, ("a", "blue", "2026-01-03")) is Verdict.UNCLEAR


def test_what_a_delivery_sent_itself_is_told_apart(journal: Journal) -> None:
    send(journal, [("a", "red", ""), (None, "row", "")], run_id="run-1")
    send(journal, [("b", "red", ""), (None, "row", "")], run_id="run-2")
    rows = entries(journal, [("a", "red", ""), ("b", "red", ""), (None, "row", ""), (None, "row", "")])
    answers = Counter(journal.subtract(rows, journal.begin(ORDERS, task("run-2")).id))
    assert answers == {Verdict.DELIVERED: 2, Verdict.UNCHANGED: 2}


def test_rows_without_a_key_are_had_as_often_as_they_were_sent(journal: Journal) -> None:
    send(journal, [(None, "row", ""), (None, "row", "")])
    failed = send(journal, [(None, "row", "")])
    judge(journal, failed, good=False)
    answers = list(journal.subtract(entries(journal, [(None, "row", "")] * 3)))
    assert answers == [Verdict.UNCHANGED, Verdict.UNCHANGED, Verdict.NEW]
