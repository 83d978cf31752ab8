# SPDX-License-Identifier: Apache-2.0
"""The period of a run, as tasks and templates ask for it."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
import pytest

from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.operators.metrica import MetricaUploadSimpleOrdersOperator
from airflow_provider_yandex_orders.period import Period, run_period
from airflow_provider_yandex_orders.sources import SqlSource

MOSCOW = "Europe/Moscow"
TODAY = "2026-11-26 01:00"


def utc(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def run(start: str | None = None, end: str | None = None, *, after: str = TODAY, **more: Any) -> dict[str, Any]:
    return {
        "dag_run": SimpleNamespace(
            data_interval_start=utc(start), data_interval_end=utc(end), run_after=utc(after), **more
        )
    }


def days(context: dict[str, Any], zone: str = MOSCOW) -> tuple[str, str]:
    period = run_period(context, zone)
    assert period.start < period.end
    assert str(period.start.tzinfo) == str(period.end.tzinfo) == zone
    return str(period.first), str(period.last)


FIRST_OF_JUNE = ("2026-06-01", "2026-06-01")


@pytest.mark.parametrize(
    "more",
    [
        {"partition_date": utc("2026-05-31 21:00")},  # midnight in Moscow
        {"partition_date": utc("2026-06-01 01:00"), "partition_key": "2026-06-01T04:00:00"},
        {"partition_date": utc("2026-05-31 14:00"), "partition_key": "2026-06-01T00:00:00"},  # midnight in Vladivostok
        {"partition_date": utc("2026-06-01 07:00"), "partition_key": "2026-06-01T00:00:00"},  # and in Los Angeles
        {"partition_date": utc("2026-05-31 21:00"), "partition_key": "shop-5"},
        {"partition_date": None, "partition_key": "2026-06-01T00:00:00"},
        {"partition_key": "2026-06-01"},
        {"partition_key": "20260601"},
        {"partition_key": " 2026-06-01|eu "},
    ],
    ids=str,
)
def test_a_run_of_a_partition_stands_for_its_day(more: dict[str, Any]) -> None:
    assert days(run(**more)) == FIRST_OF_JUNE
    assert days(run(TODAY, TODAY, **more)) == FIRST_OF_JUNE
    assert days({**run(), **more}) == FIRST_OF_JUNE  # the task's context says it too


@pytest.mark.parametrize("key", ["ru", "", "2026-13-01", "2026-06", "202606011", None])
def test_a_partition_that_is_no_day_leaves_the_interval(key: str | None) -> None:
    assert days(run("2026-06-10 21:00", "2026-06-11 21:00", partition_key=key)) == ("2026-06-11", "2026-06-11")


def test_what_the_partition_timetable_gives() -> None:
    trigger = pytest.importorskip("airflow.timetables.trigger")
    if not hasattr(trigger, "CronPartitionTimetable"):
        pytest.skip("this Airflow has no partitions")
    timetable = trigger.CronPartitionTimetable("0 0 * * *", timezone=MOSCOW)
    if not hasattr(timetable, "iter_partition_dagrun_infos"):
        pytest.skip("this Airflow makes no runs of past partitions")
    found = list(timetable.iter_partition_dagrun_infos(earliest=utc("2026-06-01"), latest=utc("2026-06-03")))
    told = [days(run(partition_date=info.partition_date, partition_key=info.partition_key)) for info in found]
    assert told == [(day, day) for day in ("2026-06-01", "2026-06-02", "2026-06-03")]
    assert [days(run(partition_key=info.partition_key)) for info in found] == told  # as 3.2 tells it


def test_the_data_interval() -> None:
    period = run_period(run("2026-06-10 21:00", "2026-06-11 21:00"))
    assert period == Period(utc("2026-06-10 21:00"), utc("2026-06-11 21:00"))  # type: ignore[arg-type]
    assert days(run("2026-06-10 21:00", "2026-06-11 21:00")) == ("2026-06-11", "2026-06-11")
    assert days(run("2026-06-10 21:00", "2026-06-11 21:00"), "UTC") == ("2026-06-10", "2026-06-11")


def test_else_the_day_before() -> None:
    end = utc(TODAY)
    assert end is not None
    for context in (run(), run(TODAY, TODAY)):
        assert run_period(context) == Period(end - timedelta(days=1), end)


def test_a_run_of_no_length_goes_on_where_the_last_one_ended() -> None:
    context = run(TODAY, TODAY) | {"prev_data_interval_end_success": utc("2026-11-20 01:00")}
    assert run_period(context).start == utc("2026-11-20 01:00")
    context["prev_data_interval_end_success"] = utc("2026-11-26 00:00")
    assert run_period(context).start == utc("2026-11-25 01:00")


def test_a_day_on_which_clocks_are_put_forward() -> None:
    period = run_period(run(partition_key="2026-03-29"), ZoneInfo("Europe/Berlin"))
    assert period.end.astimezone(timezone.utc) - period.start.astimezone(timezone.utc) == timedelta(hours=23)
    assert period.first == period.last == date(2026, 3, 29)


def test_nothing_to_go_by() -> None:
    with pytest.raises(ConfigurationError, match="Give the task its dates"):
        run_period({})


def test_a_run_that_assets_started_stands_for_the_runs_that_wrote_them() -> None:
    def event(start: str | None, end: str | None) -> SimpleNamespace:
        wrote = SimpleNamespace(data_interval_start=utc(start), data_interval_end=utc(end), run_after=utc(TODAY))
        return SimpleNamespace(source_dag_run=wrote)

    class Deleted:
        @property
        def source_dag_run(self) -> None:
            raise RuntimeError("the run is not there any more")

    events = {
        "orders": [event("2026-06-10 21:00", "2026-06-11 21:00"), SimpleNamespace(source_dag_run=None), Deleted()],
        "sales": [event("2026-06-08 21:00", "2026-06-09 21:00")],
    }
    period = run_period(run() | {"triggering_asset_events": events})
    assert period == Period(utc("2026-06-08 21:00"), utc("2026-06-11 21:00"))  # type: ignore[arg-type]
    moment = run() | {"triggering_asset_events": {"orders": [event(TODAY, TODAY)]}}  # of a run of no length
    assert run_period(moment) == run_period(run())
    by_hand = {"triggering_asset_events": {"orders": [Deleted()]}}
    assert run_period(run() | by_hand) == run_period(run())


def rendered(sql: str, context: dict[str, Any], timezone: str | None) -> str:
    """A query as the task that uploads has it."""
    task = MetricaUploadSimpleOrdersOperator(
        task_id="upload", source=SqlSource("crm", sql), source_timezone=timezone, params={"zone": MOSCOW}
    )
    known: Any = {**context, "params": {"zone": MOSCOW}}
    task.render_template_fields(known)
    return str(task.source.sql)


@pytest.mark.parametrize("zone", [MOSCOW, "{{ params.zone }}"])
def test_the_window_of_a_source_is_told_by_its_own_clock(zone: str) -> None:
    context = run("2026-06-10 21:00", "2026-06-11 21:00")
    sql = "a >= '{{ window.start }}' AND a < '{{ window.end }}'"
    assert rendered(sql, context, zone) == "a >= '2026-06-11 00:00:00' AND a < '2026-06-12 00:00:00'"


def test_columns_with_a_zone_need_no_clock() -> None:
    context = run("2026-06-10 21:00", "2026-06-11 21:00")
    told = "2026-06-10T21:00:00+00:00 2026-06-11T21:00:00+00:00"
    assert rendered("{{ window.start_at }} {{ window.end_at }}", context, None) == told
    with pytest.raises(ConfigurationError, match="need source_timezone of the task"):
        rendered("{{ window.start }}", context, None)
    with pytest.raises(ConfigurationError, match="no time zone 'Mars/Base'"):
        rendered("{{ window.start }}", context, "Mars/Base")


def test_in_a_template() -> None:
    text = "{{ run_period('Europe/Moscow').first }} {{ run_period().start.isoformat() }}"
    template = jinja2.Environment(autoescape=True).from_string(text, globals={"run_period": run_period})
    assert template.render(run(partition_key="2026-06-01")) == "2026-06-01 2026-06-01T00:00:00+00:00"
