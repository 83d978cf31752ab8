# SPDX-License-Identifier: Apache-2.0
"""Requests by the hour and at once: the headers of every answer, and the 420 when too many came.

Source: https://yandex.ru/dev/market/partner-api/doc/ru/concepts/limits . Successful and refused requests both count.
Unstated there and chosen here: a window is a stretch of the clock (an hour, unless a setting says else), not the hour
since the first request.
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from typing import Final

from airflow_provider_yandex_orders.sandbox.market.errors import MarketError
from airflow_provider_yandex_orders.sandbox.service import Sandbox

TABLE: Final = "market_requests"
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS market_requests (
    resource TEXT NOT NULL,
    until INTEGER NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (resource, until)
);
"""
_HOUR: Final = 3600
_COUNT: Final = """
INSERT INTO market_requests VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET used = used + 1 RETURNING used
"""


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left of a window after a request."""

    limit: int
    used: int
    until: int
    """End of the window, in seconds since 1970."""

    def headers(self) -> dict[str, str]:
        """The headers of an answer."""
        return {
            "X-RateLimit-Resource-Limit": str(self.limit),
            "X-RateLimit-Resource-Remaining": str(max(0, self.limit - self.used)),
            "X-RateLimit-Resource-Until": formatdate(self.until, usegmt=True),
        }


def spend(sandbox: Sandbox, resource: str, limit: int) -> Budget:
    """Count one request."""
    window = max(1, sandbox.settings.market_window_seconds)
    until = (int(time.time()) // window + 1) * window
    with sandbox.store.connect() as connection, sandbox.store.transaction(connection):
        (used,) = connection.execute(_COUNT, (resource, until)).fetchone()
    return Budget(limit, used, until)


def check(budget: Budget, window_seconds: int, resource: str) -> None:
    """Refuse a request beyond the limit."""
    if budget.used > budget.limit:
        period = "1 hour" if window_seconds == _HOUR else f"{window_seconds} seconds"
        raise MarketError(
            "market_quota", f"Hit rate limit of {budget.limit} requests per {period} for resource {resource}"
        )


class Parallel:
    """Counts the requests under way by store; used from the event loop only."""

    def __init__(self) -> None:
        self._running: Counter[str] = Counter()

    @contextmanager
    def one(self, entity: str, limit: int) -> Iterator[None]:
        """One request; too many at once are refused."""
        self._running[entity] += 1
        try:
            if self._running[entity] > limit:
                raise MarketError("market_parallel", f"Hit rate limit of {limit} parallel requests for {entity}")
            yield
        finally:
            self._running[entity] -= 1
