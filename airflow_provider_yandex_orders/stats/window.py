# SPDX-License-Identifier: Apache-2.0
"""The days a run reads when nobody names any: those its data interval touches, and some before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from airflow_provider_yandex_orders.exceptions import ConfigurationError

_DAY = timedelta(days=1)


def run_window(context: Mapping[str, Any], zone: tzinfo, overlap_days: int) -> tuple[date, date]:
    """First and last day whose changes a run reads.

    The service shows a change up to 40 minutes late and filters by whole days: each run reads the days before its own
    once more. A run without a length of its own (a schedule of Airflow 3 gives such, a start by hand too) goes on
    where the last successful one ended, and reads a day at least.

    :param context: the task's context.
    :param zone: zone of the service's days.
    :param overlap_days: days before the run's own that are read again.
    :raises ConfigurationError: the context tells no moment at all, or the overlap is negative.
    """
    if isinstance(overlap_days, bool) or not isinstance(overlap_days, int) or overlap_days < 0:
        raise ConfigurationError("Fetch order statistics: overlap_days must be a whole number, 0 or more.")
    run = context.get("dag_run")
    end = getattr(run, "data_interval_end", None) or getattr(run, "run_after", None)
    if end is None:
        raise ConfigurationError(
            "Fetch order statistics: this run tells neither a data interval nor a moment. Give update_from and "
            "update_to to the task."
        )
    start = getattr(run, "data_interval_start", None) or end
    if start < end:
        last = _day(end - timedelta(microseconds=1), zone)
    else:
        last, start = _day(end, zone), end - _DAY
        before = context.get("prev_data_interval_end_success")
        if before:  # Airflow gives a proxy here, which is never None itself
            start = min(start, before)
    return _day(start, zone) - overlap_days * _DAY, last


def _day(moment: datetime, zone: tzinfo) -> date:
    return moment.astimezone(zone).date()
