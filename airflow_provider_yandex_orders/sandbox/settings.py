# SPDX-License-Identifier: Apache-2.0
"""What a sandbox can be told before it starts, and which of it can change while it runs."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

RUNTIME_SETTINGS: Final = frozenset(
    {
        "processing_seconds",
        "max_reported_errors",
        "seed",
        "linked_share",
        "linking_window",
        "conversion_counts",
        "conversions_start_prepared",
        "columns_mapping_required",
        "listing_lag_seconds",
        "uploads_never_listed",
        "uploads_fail_later",
        "uploads_judged_at_once",
        "metrica_parallel_requests",
        "metrica_requests_per_second",
        "metrica_requests_per_day",
        "metrica_reports_per_window",
        "market_orders_per_day",
        "market_latency_seconds",
        "market_lag_seconds",
        "market_changes_per_page",
        "market_stuck_page",
        "market_longest_period_days",
        "market_stores_per_page",
        "market_numbered_pages",
        "market_requests_per_window",
        "market_window_seconds",
        "market_parallel_requests",
    }
)
"""Settings that the control API may change; the others are fixed for the life of the process."""


METRICA_QUOTAS: Final[Mapping[str, Any]] = {
    "metrica_parallel_requests": 3,
    "metrica_requests_per_second": 30,
    "metrica_requests_per_day": 5000,
    "metrica_reports_per_window": 200,
}
"""Metrica's documented quotas, as settings: https://yandex.ru/dev/metrika/ru/intro/quotas ."""


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """Settings of one sandbox; the defaults suit tests. The command line adds Metrica's quotas."""

    timezone: str = "Europe/Moscow"
    """Time zone (tz database name) of Metrica's main counter, 101."""

    processing_seconds: float = 2.0
    """Seconds between accepting an upload and listing it, or seeing its orders in a report, or its final status.

    Read at every request: lowering it releases waiting ones. The real service takes up to 2 hours: 7200.
    """

    store: Path | None = None
    """SQLite file that keeps the state between runs; none: a temporary one, removed at the end."""

    seed: int = 0
    """Seed of the choices that the real service makes in random order."""

    write_tokens: tuple[str, ...] = ("sandbox-token",)
    """Tokens with every right."""

    read_tokens: tuple[str, ...] = ("sandbox-read-token",)
    """Tokens that may only read."""

    max_upload_bytes: int = 1_000_000_000
    """Largest file taken, in bytes. The documentation says 1 GB; of its two readings this is the smaller."""

    max_reported_errors: int = 100
    """Row errors spelled out in one answer; the rest are only counted, so that an answer stays readable."""

    market_orders_per_day: int = 300
    """Orders that each store of Market gets a day."""

    market_latency_seconds: float = 0.0
    """Least time of an answer of Market."""

    market_lag_seconds: int = 0
    """How far Market's statistics lie behind what happened; the real ones up to 40 minutes."""

    market_changes_per_page: int = 0
    """Orders of each page that change after the page was given, and so come again on later ones."""

    market_stuck_page: int = 0
    """From this page on, each answer names its own page as the next one; 0: never."""

    market_longest_period_days: int = 0
    """Days a request for order statistics may span; 0: any number. The real limit is not documented."""

    market_stores_per_page: int = 100
    """Stores of a page of their list at most, whatever a request asks for."""

    market_numbered_pages: bool = False
    """Whether the list of stores gives no tokens, so that its pages are read by number, the older way."""

    market_requests_per_window: int = 10_000
    """Requests for order statistics of one store in one window."""

    market_window_seconds: int = 3600
    """Length of that window."""

    market_parallel_requests: int = 4
    """Requests of Market at once for one store."""

    max_orders_per_customer: int = 100_000
    """Most orders of one customer in the full mode."""

    linked_share: float = 0.8
    """Share of ids that find a visit, from 0 to 1; the same id always gets the same answer."""

    linking_window: bool = True
    """Whether an order must come within 21 days of its creation to be linked; off: old test data is linked too."""

    conversion_counts: bool = True
    """Whether answers about offline conversions have the type and the three counts of newer documentation."""

    conversions_start_prepared: bool = False
    """Whether an upload of offline conversions starts as PREPARED; else as UPLOADED, as observed."""

    columns_mapping_required: bool = True
    """Whether CSV of the full mode needs columns_mapping, as its description says; off: as older clients send it."""

    listing_lag_seconds: float = 0.0
    """How much later than others uploads are listed that come while this is set."""

    uploads_never_listed: bool = False
    """Whether uploads that come meanwhile are accepted and then in no list."""

    uploads_fail_later: bool = False
    """Whether uploads that come meanwhile are accepted and then fail, so that none of their rows counts."""

    uploads_judged_at_once: bool = True
    """Whether the answer to a CRM upload has its final status, as observed; off: it has none yet."""

    metrica_parallel_requests: int = 0
    """Requests of one user of Metrica at once; 0: any number. The real limit is 3."""

    metrica_requests_per_second: int = 0
    """Requests of one address in a second; 0: any number. The real limit is 30."""

    metrica_requests_per_day: int = 0
    """Requests of one user, and of one counter, a day (GMT), reads, writes and reports each; 0: any number.

    The real limit is 5000.
    """

    metrica_reports_per_window: int = 0
    """Reports of one user in 5 minutes; 0: any number. The real limit is 200."""

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"unknown time zone {self.timezone!r}: use a tz database name") from error
        if not (math.isfinite(self.processing_seconds) and self.processing_seconds >= 0):
            raise ValueError("processing_seconds must be a finite number, zero or more")
        if min(self.max_upload_bytes, self.max_reported_errors, self.max_orders_per_customer) < 1:
            raise ValueError("max_upload_bytes, max_reported_errors and max_orders_per_customer must be positive")
        if not (math.isfinite(self.listing_lag_seconds) and self.listing_lag_seconds >= 0):
            raise ValueError("listing_lag_seconds must be a finite number, zero or more")
        if min(getattr(self, name) for name in METRICA_QUOTAS) < 0:
            raise ValueError("a quota must be zero or more")
        if not 0 <= self.linked_share <= 1:
            raise ValueError("linked_share must be from 0 to 1")
        if not (math.isfinite(self.market_latency_seconds) and self.market_latency_seconds >= 0):
            raise ValueError("market_latency_seconds must be a finite number, zero or more")
        if self.market_stores_per_page < 1:
            raise ValueError("market_stores_per_page must be positive")
