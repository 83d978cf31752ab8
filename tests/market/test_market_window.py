# SPDX-License-Identifier: Apache-2.0
"""The days a run reads by default: in Moscow time, with an overlap, whatever kind of run it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.sandbox.server import SandboxServer

Window = Callable[..., str]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


@pytest.fixture
def read(market: SandboxServer, operator: Callable[..., Any], context: Callable[..., Any]) -> Callable[..., Any]:
    """Fetches in a run of these dates, and gives what came."""

    def execute(run: Any, *, overlap: Any = 1, before: Any = None) -> Any:
        task = operator(update_from=None, update_to="", overlap_days=overlap, tables=False)
        named = {} if run is None else {"dag_run": SimpleNamespace(**run)}
        return task.execute({**context(), **named, "prev_data_interval_end_success": before})

    return execute


@pytest.fixture
def window(market: SandboxServer, read: Callable[..., Any]) -> Window:
    """The days that a run of these dates asks for."""
    market.client.change_settings(market_orders_per_day=0)

    def asked(start: str | None, end: str | None, *, after: str | None = None, **arguments: Any) -> str:
        run = {
            "data_interval_start": start and utc(start),
            "data_interval_end": end and utc(end),
            "run_after": after and utc(after),
        }
        return " ".join(read(run, **arguments)["window"].values())

    return asked


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        ("2026-06-10 21:00", "2026-06-11 21:00", "2026-06-10 2026-06-11"),  # a day of Moscow: the 11th
        ("2026-06-11 00:00", "2026-06-12 00:00", "2026-06-10 2026-06-12"),  # a day of UTC reaches into two
        ("2026-06-11 10:00", "2026-06-11 11:00", "2026-06-10 2026-06-11"),  # an hour
        ("2026-06-10 21:00", "2026-06-17 21:00", "2026-06-10 2026-06-17"),  # a week
        ("2024-12-31 21:00", "2025-01-01 21:00", "2024-12-31 2025-01-01"),
    ],
)
def test_the_days_of_the_data_interval_and_one_before(window: Window, start: str, end: str, days: str) -> None:
    assert window(start, end) == days


def test_a_longer_overlap_and_none(window: Window) -> None:
    interval = ("2026-06-10 21:00", "2026-06-11 21:00")
    assert window(*interval, overlap=14) == "2026-05-28 2026-06-11"
    assert window(*interval, overlap=0) == "2026-06-11 2026-06-11"


def test_a_run_of_no_length_reads_its_last_day_and_the_overlap(window: Window) -> None:
    assert window("2026-06-11 01:00", "2026-06-11 01:00") == "2026-06-09 2026-06-11"


def test_a_run_without_a_date_does_the_same(window: Window) -> None:
    assert window(None, None, after="2026-06-11 01:00") == "2026-06-09 2026-06-11"


def test_a_run_of_no_length_goes_on_where_the_last_one_ended(window: Window) -> None:
    week_ago = utc("2026-06-04 01:00")
    assert window("2026-06-11 01:00", "2026-06-11 01:00", before=week_ago) == "2026-06-03 2026-06-11"
    assert window("2026-06-11 01:00", "2026-06-11 01:00", before=utc("2026-06-11 00:00")) == "2026-06-09 2026-06-11"


def test_neighbouring_daily_runs_leave_no_gap_for_a_late_change(window: Window) -> None:
    # Changed at 23:50 of the 10th, shown 40 minutes later: the run at 00:05 misses it, the next one must not.
    moments = ["2026-06-10 21:05", "2026-06-11 21:05"]
    assert window(moments[1], moments[1]).split()[0] <= "2026-06-10"


def test_a_run_of_a_partition_reads_its_day_and_the_overlap(read: Callable[..., Any]) -> None:
    today = utc("2026-11-26 01:00")
    run = {
        "data_interval_start": today,
        "data_interval_end": today,
        "run_after": today,
        "partition_key": "2026-06-01T00:00:00",
        "partition_date": utc("2026-05-31 21:00"),
    }
    stats = read(run)
    assert stats["window"] == {"update_from": "2026-05-31", "update_to": "2026-06-01"}
    assert stats["orders"] > 0


def test_a_context_without_a_run(read: Callable[..., Any]) -> None:
    with pytest.raises(ConfigurationError, match="update_from and update_to"):
        read(None)


@pytest.mark.parametrize("overlap", [-1, 1.5, "1", True])
def test_an_overlap_that_is_none(read: Callable[..., Any], overlap: Any) -> None:
    with pytest.raises(ConfigurationError, match="overlap_days"):
        read({}, overlap=overlap)
