# SPDX-License-Identifier: Apache-2.0
"""The period a run stands for, whatever kind of run it is: what a task reads where it is told no dates."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import chain
from types import SimpleNamespace
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2 import pass_context

from airflow_provider_yandex_orders.exceptions import ConfigurationError

log = logging.getLogger(__name__)

_DAY = timedelta(days=1)
_MOMENT = "%Y-%m-%d %H:%M:%S"
_DATE = r"\d{4}-?\d\d-?\d\d(?!\d)"


class Period(NamedTuple):
    """A stretch of time in one zone.

    :param start: its first moment.
    :param end: the moment it ends before.
    """

    start: datetime
    end: datetime

    @property
    def first(self) -> date:
        """The first day of the zone it touches."""
        return self.start.date()

    @property
    def last(self) -> date:
        """The last day of the zone it touches."""
        return (self.end - timedelta(microseconds=1)).date()


class Window:
    """The run's period as templates of a source know it, under the name ``window``.

    :param context: the task's context.
    :param timezone: zone of the source's date-times, which its task names by ``source_timezone``; nothing where it
        names none.
    """

    def __init__(self, context: Mapping[str, Any], timezone: str | None) -> None:
        self._context = context
        self._timezone = timezone

    @property
    def start(self) -> str:
        """Its first moment, ``YYYY-MM-DD HH:MM:SS`` by the source's own clock: for columns that hold no zone."""
        return self._own_clock.start.strftime(_MOMENT)

    @property
    def end(self) -> str:
        """The moment it ends before, likewise."""
        return self._own_clock.end.strftime(_MOMENT)

    @property
    def start_at(self) -> str:
        """Its first moment with its offset, ``2026-11-26T21:00:00+00:00``: for columns that hold a zone, and APIs."""
        return self._period.start.isoformat()

    @property
    def end_at(self) -> str:
        """The moment it ends before, likewise."""
        return self._period.end.isoformat()

    @property
    def _own_clock(self) -> Period:
        if not self._timezone:
            raise ConfigurationError(
                "{{ window.start }} and {{ window.end }} need source_timezone of the task: the zone of the source's "
                "date-times. For columns that hold a zone write {{ window.start_at }} and {{ window.end_at }}."
            )
        return self._period

    @property
    def _period(self) -> Period:
        return run_period(self._context, self._timezone or "UTC")


@pass_context
def run_period(context: Mapping[str, Any], timezone: str | tzinfo = "UTC") -> Period:
    """The period of a run.

    * A run of a partition (``CronPartitionTimetable``): the partition's day.
    * A run with a data interval: the interval.
    * A run that assets started: from the first to the last moment of the runs that wrote them.
    * A run of no length (a cron text in Airflow 3, a start by hand): the day of 24 hours before its moment; or all
      since the last successful run's end, where that is longer.

    With ``user_defined_macros={"run_period": run_period}`` of the DAG any template has it:
    ``{{ run_period("Europe/Moscow").first }}`` is a day.

    :param context: the task's context; a template gives its own.
    :param timezone: zone of the days and moments: a name of the tz database, or a zone. Default: UTC.
    :raises ConfigurationError: the run tells no moment at all, or there is no such zone.
    """
    try:
        zone = ZoneInfo(timezone) if isinstance(timezone, str) else timezone
    except (ZoneInfoNotFoundError, ValueError):
        raise ConfigurationError(f"There is no time zone {timezone!r}: write one like Europe/Moscow.") from None
    run = context.get("dag_run")
    day = _partition_day(context, run, zone)
    if day is not None:
        return Period(_midnight(day, zone), _midnight(day + _DAY, zone))
    start, end = _interval(run)
    wrote = [] if start else list(_that_wrote(context, zone))
    if wrote:
        return Period(min(each.start for each in wrote), max(each.end for each in wrote))
    if end is None:
        raise ConfigurationError(
            "Find the period of this run: it tells neither a partition nor a data interval nor a moment. Give the "
            "task its dates, such as update_from and update_to."
        )
    if start is None or start >= end:
        start = end - _DAY
        before = context.get("prev_data_interval_end_success")
        if before:  # Airflow gives a proxy here, which is never None itself
            start = min(start, before)
    return Period(start.astimezone(zone), end.astimezone(zone))


def _interval(run: Any) -> tuple[datetime | None, datetime | None]:
    """The data interval; where a run has none, its moment alone."""
    end = getattr(run, "data_interval_end", None) or getattr(run, "run_after", None)
    return getattr(run, "data_interval_start", None), end


def _that_wrote(context: Mapping[str, Any], zone: tzinfo) -> Iterator[Period]:
    """The periods of the runs whose assets started this one: as their events tell, else as Airflow knows the runs."""
    for event in chain.from_iterable((context.get("triggering_asset_events") or {}).values()):
        told = (getattr(event, "extra", None) or {}).get("partition") or {}
        if "start" in told and "end" in told:
            yield Period(*(datetime.fromisoformat(told[name]).astimezone(zone) for name in ("start", "end")))
            continue
        try:
            run = event.source_dag_run
        except Exception as error:  # noqa: BLE001 - the run was deleted, or may not be read: Airflow has no class for it
            run = SimpleNamespace(run_after=getattr(event, "timestamp", None))
            log.warning("A run that wrote is not known (%s): it stands for the day before it.", type(error).__name__)
        if _interval(run)[1]:
            yield run_period({"dag_run": run}, zone)


def _partition_day(context: Mapping[str, Any], run: Any, zone: tzinfo) -> date | None:
    """The day of the run's partition: what its key begins with, as it is the day where the partition is. Where the key
    tells none, that of its moment.
    """
    key = context.get("partition_key") or getattr(run, "partition_key", None)
    if isinstance(key, str) and (told := re.match(_DATE, key.strip())):
        with suppress(ValueError):
            return date.fromisoformat(told[0])
    moment: datetime | None = context.get("partition_date") or getattr(run, "partition_date", None)
    return moment.astimezone(zone).date() if moment else None


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone)
