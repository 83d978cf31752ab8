# SPDX-License-Identifier: Apache-2.0
"""The period a run stands for, whatever kind of run it is: what a task reads where it is told no dates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from jinja2 import pass_context

from airflow_provider_yandex_orders.exceptions import ConfigurationError

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
    def start_text(self) -> str:
        """Its first moment as databases compare it, ``YYYY-MM-DD HH:MM:SS``, without the zone."""
        return self.start.strftime(_MOMENT)

    @property
    def end_text(self) -> str:
        """The moment it ends before, likewise."""
        return self.end.strftime(_MOMENT)

    @property
    def first(self) -> date:
        """The first day of the zone it touches."""
        return self.start.date()

    @property
    def last(self) -> date:
        """The last day of the zone it touches."""
        return (self.end - timedelta(microseconds=1)).date()


@pass_context
def run_period(context: Mapping[str, Any], timezone: str | tzinfo = "UTC") -> Period:
    """The period of a run.

    * A run of a partition (``CronPartitionTimetable``): the partition's day.
    * A run with a data interval: the interval.
    * A run of no length (a cron text in Airflow 3, a start by hand or by an asset): the day of 24 hours before its
      moment; or all since the last successful run's end, where that is longer.

    It also works in templates: with ``user_defined_macros={"run_period": run_period}`` of the DAG,
    ``{{ run_period("Europe/Moscow").first }}`` is a day and ``'{{ run_period().start_text }}'`` a moment in a query.

    :param context: the task's context; a template gives its own.
    :param timezone: zone of the days and moments: a name of the tz database, or a zone. Default: UTC.
    :raises ConfigurationError: the run tells no moment at all.
    """
    zone = ZoneInfo(timezone) if isinstance(timezone, str) else timezone
    run = context.get("dag_run")
    day = _partition_day(context, run, zone)
    if day is not None:
        return Period(_midnight(day, zone), _midnight(day + _DAY, zone))
    end = getattr(run, "data_interval_end", None) or getattr(run, "run_after", None)
    if end is None:
        raise ConfigurationError(
            "Find the period of this run: it tells neither a partition nor a data interval nor a moment. Give the "
            "task its dates, such as update_from and update_to."
        )
    start = getattr(run, "data_interval_start", None) or end
    if start >= end:
        start = end - _DAY
        before = context.get("prev_data_interval_end_success")
        if before:  # Airflow gives a proxy here, which is never None itself
            start = min(start, before)
    return Period(start.astimezone(zone), end.astimezone(zone))


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
