# SPDX-License-Identifier: Apache-2.0
"""Deliveries in a few words."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

from airflow_provider_yandex_orders.journal.records import Destination, Entry, Judgement, PartFile, TaskKey, Verdict
from airflow_provider_yandex_orders.journal.store import Journal

ORDERS = Destination("metrica", "api-metrika.yandex.net", "101", "orders")
Row = tuple[str | None, str, str]
"""Key, content, version."""

_numbers = count(1)


def task(run_id: str = "run-1", dag_id: str = "a_dag") -> TaskKey:
    """A task instance."""
    return TaskKey(dag_id, run_id, "upload")


def entries(journal: Journal, rows: Iterable[Row], destination: Destination = ORDERS) -> list[Entry]:
    """Rows as the journal takes them."""
    sums = journal.sums(destination)
    entry_of = sums.entry_of()
    return sorted(entry_of(key, content.encode(), version) for key, content, version in rows)


def plan(
    journal: Journal,
    rows: Iterable[Row],
    destination: Destination = ORDERS,
    run_id: str = "run-1",
    dag_id: str = "a_dag",
) -> int:
    """A part of a run that is ready to go out."""
    delivery = journal.begin(destination, task(run_id, dag_id)).id
    number = next(_numbers)
    file = PartFile(f"/staging/{number}.csv", 1, 10, f"{number:064x}")
    (part_id,) = journal.plan(delivery, [(number, file)], ((*each, 0) for each in entries(journal, rows, destination)))
    return part_id


def send(
    journal: Journal,
    rows: Iterable[Row],
    destination: Destination = ORDERS,
    run_id: str = "run-1",
    dag_id: str = "a_dag",
) -> int:
    """A part that went out and was accepted, as the upload of its own number."""
    part_id = plan(journal, rows, destination, run_id, dag_id)
    journal.sending(part_id)
    assert journal.accepted(part_id, upload_id=f"u{part_id}", status="UPLOADED")
    return part_id


def judge(journal: Journal, part_id: int, *, good: bool) -> None:
    """The end of an upload that was accepted by the number of its part."""
    judgement = Judgement(good, "PASSED" if good else "FAILED")
    entities = ("orders", "contacts", "simple_orders")
    assert journal.judge_uploads(ORDERS.service, ORDERS.host, entities, {f"u{part_id}": judgement}) == 1


def verdict(journal: Journal, row: Row, destination: Destination = ORDERS) -> Verdict:
    """What the journal says of one row."""
    return next(journal.subtract(entries(journal, [row], destination)))
