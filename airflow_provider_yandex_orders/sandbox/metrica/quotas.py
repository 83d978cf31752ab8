# SPDX-License-Identifier: Apache-2.0
"""Quotas: how many requests at once, in a second, a day, and reports in five minutes.

Source: https://yandex.ru/dev/metrika/ru/intro/quotas . Methods are counted by groups: reads, writes and reports.
Unstated there and chosen here: a request that a quota refuses does not count; the user is who the token stands for, be
the token good or not; the answer for too many reports calls itself ``quota_requests_by_uid``; a second and five minutes
are the time before a request, a day is that of GMT. Reports that were too many are refused for five minutes.
"""

import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from fastapi import Request

from airflow_provider_yandex_orders.sandbox.metrica.errors import TOO_MANY_REPORTS, MetricaError
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings

_DAY: Final = 86_400
_REPORTS_SECONDS: Final = 300


class Use(NamedTuple):
    """How much of a quota is used, by whoever used the most of it."""

    what: str
    used: int
    most: int
    """0: any number is allowed."""


class Quotas:
    """What was asked for lately; used from the event loop only."""

    def __init__(self) -> None:
        self._under_way: Counter[str] = Counter()
        self._recent: dict[tuple[str, str], deque[float]] = {}
        self._of_day: Counter[tuple[str, str]] = Counter()
        self._day = 0
        self._no_reports: dict[str, float] = {}
        """Until when a user gets none."""

    @contextmanager
    def one(self, request: Request, settings: SandboxSettings) -> Iterator[None]:
        """Let one request through, or refuse it by the first quota that is used up."""
        user = request.headers.get("authorization", "")
        address = request.client.host if request.client else ""
        report = request.scope["path"].startswith("/stat/")
        group = "report_read" if report else "client_read" if request.method == "GET" else "client_write"
        counter = request.path_params.get("counter_id") or request.query_params.get("ids", "")
        now, day = time.monotonic(), int(time.time()) // _DAY
        if day != self._day:
            self._day = day
            self._of_day.clear()

        second = self._since("address", address, now - 1)
        reports = self._since("reports", user, now - _REPORTS_SECONDS)
        most_reports = settings.metrica_reports_per_window
        if report and 0 < most_reports <= len(reports) and now >= self._no_reports.get(user, now):
            self._no_reports[user] = now + _REPORTS_SECONDS
        shut = report and now < self._no_reports.get(user, now)
        of_user, of_counter = (group, f"user {user}"), (group, f"counter {counter}")
        for used, most, error_type, message in (
            (len(second), settings.metrica_requests_per_second, "quota_requests_by_ip", None),
            (self._under_way[user], settings.metrica_parallel_requests, "quota_parallel_requests", None),
            (self._of_day[of_user], settings.metrica_requests_per_day, "quota_requests_by_uid", None),
            (self._of_day[of_counter], settings.metrica_requests_per_day, "quota_requests_by_counter_id", None),
            (int(shut), min(1, most_reports), "quota_requests_by_uid", TOO_MANY_REPORTS),
        ):
            if most and used >= most:
                raise MetricaError(error_type, message)

        second.append(now)
        if report:
            reports.append(now)
        self._of_day.update([of_user, of_counter] if counter else [of_user])
        self._under_way[user] += 1
        try:
            yield
        finally:
            self._under_way[user] -= 1

    def used(self, settings: SandboxSettings) -> list[Use]:
        """Every quota that somebody used, without names: they are made from tokens."""
        now, found = time.monotonic(), []
        most_a_day = settings.metrica_requests_per_day
        for group, name in (("client_write", "Writes"), ("client_read", "Reads"), ("report_read", "Reports")):
            for whose in ("user", "counter"):
                counts = [
                    count for (kind, one), count in self._of_day.items() if kind == group and one.startswith(whose)
                ]
                if counts:
                    found.append(Use(f"{name} of one {whose} today", max(counts), most_a_day))
        reports = [len(self._since(*key, now - _REPORTS_SECONDS)) for key in list(self._recent) if key[0] == "reports"]
        if any(reports):
            found.append(Use("Reports of one user in five minutes", max(reports), settings.metrica_reports_per_window))
        return found

    def _since(self, kind: str, whose: str, start: float) -> deque[float]:
        """When requests came, those before the start forgotten."""
        moments = self._recent.setdefault((kind, whose), deque())
        while moments and moments[0] <= start:
            moments.popleft()
        return moments
