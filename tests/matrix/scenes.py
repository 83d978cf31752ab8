# SPDX-License-Identifier: Apache-2.0
"""The ways one row may be sent twice, as scenes that any kind of row is played through."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from inspect import unwrap
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException

from airflow_provider_yandex_orders.exceptions import PassingError, PermanentError
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.matrix.kinds import Kind
from tests.support.journal import tell_arrived

Row = tuple[int, int]
"""Number of a row and the day its content is of."""


@dataclass
class Stage:
    """Where a scene plays.

    :param kind: what is sent.
    :param asked: what people were asked.
    :param wanted: the rows that were to be sent: each with its days.
    """

    kind: Kind
    sandbox: SandboxServer
    patch: pytest.MonkeyPatch
    folder: Path
    context: Callable[..., dict[str, Any]]
    asked: list[str] = field(default_factory=list)
    wanted: dict[int, set[int]] = field(default_factory=dict)

    def run(self, rows: Iterable[Row], run_id: str = "run-1", **arguments: Any) -> None:
        """Execute one try of a task."""
        given = list(rows)
        for number, day in given:
            self.wanted.setdefault(number, set()).add(day)
        task = self.kind.operator(
            task_id="upload",
            source=[self.kind.row(number, day) for number, day in given],
            **{
                "staging_path": str(self.folder / "staging"),
                "batch_size" if self.kind.name == "Altcraft" else "max_part_rows": 2,
                **self.kind.arguments,
                **arguments,
            },
        )
        # Airflow 2.11 guards `execute` by a memory that only the main thread has.
        unwrap(type(task).execute)(task, self.context(run_id=run_id))

    def fail(self, rows: Iterable[Row], *, after: bool) -> None:
        """A try whose second part meets trouble: its answer is lost, or it was surely not taken."""
        trouble = {"action": "drop", "moment": "after"} if after else {"status": 429, "body": "{}"}
        self.sandbox.client.add_fault(method="POST", path=self.kind.request, skip=1, times=None, **trouble)
        with pytest.raises(AirflowException) as raised:
            self.run(rows)
        self.ask(raised.value)
        self.sandbox.client.clear_faults()

    def ask(self, error: BaseException) -> None:
        """What a person does with an error that only people can decide on."""
        if isinstance(error, PermanentError):
            self.asked.append(str(error))
            tell_arrived(self.folder / "home" / "yandex_orders" / "journal.db")

    def at_once(self, *runs: tuple[str, list[Row]]) -> None:
        """Execute tasks at one time; one that is handed back is run again, as Airflow does."""

        def until_done(run_id: str, rows: list[Row]) -> None:
            for _ in range(20):
                with suppress(PassingError):
                    return self.run(rows, run_id)
            raise AssertionError("never done")

        with ThreadPoolExecutor(len(runs)) as threads:
            for running in [threads.submit(until_done, *each) for each in runs]:
                running.result()

    def day(self, day: int) -> list[Row]:
        """The rows of a day: versions of the same, or, where there are none, a window that overlaps others."""
        if self.kind.versioned:
            return [(number, day) for number in range(1, 5)]
        return [(number, 1) for number in range(day, day + 4)]


def rows(first: int, last: int, day: int = 1) -> list[Row]:
    return [(number, day) for number in range(first, last + 1)]


def retry(stage: Stage) -> None:
    stage.fail(rows(1, 6), after=True)
    stage.run(rows(1, 6))


def retry_with_a_moved_source(stage: Stage) -> None:
    stage.fail(rows(1, 6), after=False)
    stage.run(rows(0, 6))


def cleared(stage: Stage) -> None:
    stage.run(rows(1, 6))
    stage.run(rows(1, 6))


def cleared_with_other_rows(stage: Stage) -> None:
    stage.run(rows(1, 6))
    stage.run(rows(3, 8))


def second_run(stage: Stage) -> None:
    stage.run(rows(1, 6))
    stage.run(rows(1, 6), "run-2")


def overlapping_windows(stage: Stage) -> None:
    stage.run(rows(1, 6))
    stage.run(rows(4, 9), "run-2")


def backfill_in_order(stage: Stage) -> None:
    for day in (1, 2, 3):
        stage.run(stage.day(day), f"day-{day}")


def days_in_any_order_and_in_parallel(stage: Stage) -> None:
    stage.run(stage.day(2), "day-2")
    stage.at_once(*((f"day-{day}", stage.day(day)) for day in (4, 1, 3)))
    stage.run(stage.day(1), "day-1")


def two_tasks_at_once(stage: Stage) -> None:
    stage.at_once(("run-1", rows(1, 6)), ("run-2", rows(1, 6)))


def another_machine_with_the_shared_journal(stage: Stage) -> None:
    shared = json.dumps({"conn_type": "sqlite", "host": str(stage.folder / "shared.db")})
    stage.patch.setenv("AIRFLOW_CONN_SHARED", shared)
    stage.run(rows(1, 6), journal_conn_id="shared")
    stage.patch.setenv("AIRFLOW_HOME", str(stage.folder / "another"))
    stage.run(rows(1, 6), "run-2", journal_conn_id="shared", staging_path=str(stage.folder / "another"))


def journal_lost(stage: Stage) -> None:
    stage.run(rows(1, 6))
    stage.patch.setenv("AIRFLOW_HOME", str(stage.folder / "emptied"))
    if not stage.kind.asks:
        stage.run(rows(1, 6), "run-2")
        return
    with pytest.raises(PermanentError, match=r"(?s)journal_conn_id.*resend=True") as raised:
        stage.run(rows(1, 6), "run-2")
    stage.asked.append(str(raised.value))
    if stage.kind.name == "Altcraft":
        stage.run(rows(1, 6), "run-2", skip_triggers=True)


SCENES = (
    retry,
    retry_with_a_moved_source,
    cleared,
    cleared_with_other_rows,
    second_run,
    overlapping_windows,
    backfill_in_order,
    days_in_any_order_and_in_parallel,
    two_tasks_at_once,
    another_machine_with_the_shared_journal,
    journal_lost,
)
