# SPDX-License-Identifier: Apache-2.0
"""Yandex Market: its limits and words, and how its answers are read.

Sources: https://yandex.ru/dev/market/partner-api/doc/ru/concepts/error-codes ,
https://yandex.ru/dev/market/partner-api/doc/ru/concepts/limits ,
https://yandex.ru/dev/market/partner-api/doc/ru/reference/orders-stats/getOrdersStats
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from airflow_provider_yandex_orders.http.failures import Failure, FailureKind, listed_error
from airflow_provider_yandex_orders.http.paced import Budget

TIMEZONE = "Europe/Moscow"
"""Zone of the service's days."""

TIMEOUT = (10.0, 30.0)
"""Seconds to connect and to wait for an answer; the service itself gives up after 10."""

PARALLEL = 2
"""Requests at once; the documentation has said 2 for each login, and later 4 for each store."""

MOST_ORDERS = 200
"""Orders of one page, and order ids of one request."""

MOST_CAMPAIGNS = 100
"""Stores of one page."""

STATUSES = (
    "CANCELLED_BEFORE_PROCESSING",
    "CANCELLED_IN_DELIVERY",
    "CANCELLED_IN_PROCESSING",
    "DELIVERED",
    "DELIVERY",
    "LOST",
    "PARTIALLY_DELIVERED",
    "PARTIALLY_RETURNED",
    "PENDING",
    "PICKUP",
    "PROCESSING",
    "RESERVED",
    "RETURNED",
    "UNKNOWN",
    "UNPAID",
)
"""Statuses a request may ask for."""

BAD_PAGE_TOKEN = "bad page token"
TOO_LONG_PERIOD = "too long time period"
"""In lower case, as services change the case of their words."""

_LONGEST_WINDOW = 600.0
"""Seconds to wait for a spent budget when the service does not say how long."""

_KEY = (
    "Make an Api-Key in the cabinet (Settings, API and modules) and put it into the connection's password; an OAuth "
    'token needs {"auth_type": "oauth"} in the extra.'
)
_RIGHTS = (
    "The key needs the scope inventory-and-order-processing:read-only, and the store must be one of the key's cabinet "
    "with its API switched on."
)
_CAMPAIGN = "Check campaign_id: it is neither the shop's id in the cabinet nor an advertising campaign."
_DEFAULT_ADVICE = "Correct what the service names and run the task again."
_ADVICE_BY_WORDS = {
    TOO_LONG_PERIOD: "Ask for a shorter period.",
    BAD_PAGE_TOKEN: "A page's token is good for a while, with the same filters and page size: read on from the first "
    "page.",
    "campaign type is not allowed": "Order statistics exist for stores that work by FBY, FBS or DBS: choose another "
    "campaign_id.",
}
ADVICE = {401: _KEY, 403: _RIGHTS, 404: _CAMPAIGN}
"""What to do after a refusal nothing more is known of, by HTTP status."""

_TRACE = re.compile(r"[0-9a-f-]{20,80}")
_MOST_DAYS = re.compile(r"Maximum is '?(\d{1,4})'? days", re.IGNORECASE)


class Paging(msgspec.Struct):
    """Where the next page is."""

    token: str | None = msgspec.field(name="nextPageToken", default=None)


class _Pager(msgspec.Struct):
    page: int = msgspec.field(name="currentPage", default=0)
    pages: int = msgspec.field(name="pagesCount", default=0)


class StoresPage(msgspec.Struct):
    """A page of the list of stores.

    :param pager: numbers of this page and of all, the older way of paging.
    """

    stores: list[dict[str, Any]] = msgspec.field(name="campaigns")
    paging: Paging | None = None
    pager: _Pager | None = None

    @property
    def following(self) -> dict[str, str | int]:
        """What asks for the next page; empty on the last one."""
        if self.paging is not None and self.paging.token:
            return {"pageToken": self.paging.token}
        if self.pager is not None and self.stores and self.pager.page < self.pager.pages:
            return {"page": self.pager.page + 1}
        return {}


class ApiKey(msgspec.Struct):
    """What the service tells of an Api-Key."""

    name: Any = None
    scopes: list[str] | None = msgspec.field(name="authScopes", default=None)


class _KeyResult(msgspec.Struct):
    key: ApiKey = msgspec.field(name="apiKey")


class _KeyAnswer(msgspec.Struct):
    result: _KeyResult


decode_stores = msgspec.json.Decoder(StoresPage).decode
_decode_key = msgspec.json.Decoder(_KeyAnswer).decode


def decode_key(body: bytes) -> ApiKey:
    """Read the answer of ``auth/token``."""
    return _decode_key(body).result.key


def most_days(said: str) -> int | None:
    """Days a period may have, where a refusal says so."""
    told = _MOST_DAYS.search(said)
    return int(told[1]) or None if told else None


def read_failure(status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
    """Read an answer of Market. 420 stands for two things, told apart by the message."""
    if 200 <= status < 300:
        if b'"ERROR"' not in body[:200]:
            return None
        return Failure(FailureKind.BROKEN, listed_error(body, "code")[1], "The next try may pass.")
    code, said = listed_error(body, "code")
    if status in (420, 429):
        return _limit(code, said, headers)
    if status in (423, 503):
        return Failure(FailureKind.BUSY, said, "The next try may pass.", code)
    if status >= 500 or status in (408, 499):
        trace = headers.get("traceparent", "")
        named = f" For the service's support: traceparent {trace}." if _TRACE.fullmatch(trace) else ""
        return Failure(FailureKind.BROKEN, said, f"The next try may pass.{named}", code)
    if 300 <= status < 400:
        advice = "The address has moved: check the connection's host."
    else:
        by_status = ADVICE.get(status, _DEFAULT_ADVICE)
        advice = next((advice for words, advice in _ADVICE_BY_WORDS.items() if words in said.lower()), by_status)
    return Failure(FailureKind.REFUSED, said, advice, code)


def read_budget(headers: Mapping[str, str]) -> Budget | None:
    """Read ``X-RateLimit-Resource-Remaining`` and ``-Until``."""
    remaining = headers.get("X-RateLimit-Resource-Remaining", "")
    seconds = _seconds_until(headers)
    if seconds is None or not (remaining.isascii() and remaining.isdigit()):
        return None
    return Budget(int(remaining), time.time() + seconds)


def _limit(code: str | None, said: str, headers: Mapping[str, str]) -> Failure:
    if "parallel requests" in said.lower():
        advice = "Too many requests of this store at once: let its tasks share a journal, or put them into a pool."
        return Failure(FailureKind.BUSY, said, advice, code)
    told = _seconds_until(headers)
    seconds = _LONGEST_WINDOW if told is None else max(0.0, told) + 1  # a second past, for clocks
    resumes = datetime.now(timezone.utc) + timedelta(seconds=seconds)
    advice = (
        f"The requests of this window are used up. Next try not before {resumes:%Y-%m-%d %H:%M:%S} UTC; "
        "pages of 200 orders spend the fewest."
    )
    return Failure(FailureKind.QUOTA, said, advice, code, seconds)


def _seconds_until(headers: Mapping[str, str]) -> float | None:
    """Seconds to the end of the window: from the service's own clock, where it tells that too."""
    until = _date(headers.get("X-RateLimit-Resource-Until"))
    now = _date(headers.get("Date")) or datetime.now(timezone.utc)
    return None if until is None else (until - now).total_seconds()


def _date(text: str | None) -> datetime | None:
    try:
        read = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=timezone.utc)
