# SPDX-License-Identifier: Apache-2.0
"""Which orders are asked for, checked before the first request.

Source: https://yandex.ru/dev/market/partner-api/doc/ru/reference/orders-stats/getOrdersStats
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from difflib import get_close_matches
from itertools import islice, pairwise
from typing import Any

import msgspec

from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.market.api import MOST_ORDERS, STATUSES
from airflow_provider_yandex_orders.market.tables.rows import MOSCOW
from airflow_provider_yandex_orders.period import run_period
from airflow_provider_yandex_orders.templated import whole_id

log = logging.getLogger(__name__)

_DOING = "Fetch order statistics"
_MOST_WINDOWS = 8
_SETTLES_WITHIN = timedelta(hours=1)
"""A change shows up to 40 minutes after it was made."""


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """A checked choice of orders.

    :param by: ``date`` (day the order was made), ``update`` (day it changed) or ``orders`` (by id).
    :param first: first day, in Moscow time; days are whole.
    :param last: last day, which belongs to the period.
    :param has_cis: only orders with marked goods, or only the others.
    """

    by: str
    first: date | None = None
    last: date | None = None
    order_ids: tuple[int, ...] = ()
    statuses: tuple[str, ...] = ()
    has_cis: bool | None = None

    @property
    def window(self) -> dict[str, str]:
        """The period as a result shows it; empty for orders by id."""
        if self.first is None or self.last is None:
            return {}
        return {f"{self.by}_from": self.first.isoformat(), f"{self.by}_to": self.last.isoformat()}

    @property
    def label(self) -> str:
        """Part of a file's name: the window, and a sum of what else is chosen."""
        named = {"date": "created", "update": "updated"}.get(self.by, self.by)
        days = [] if self.first is None else [str(self.first), str(self.last)]
        rest = (self.order_ids, self.statuses, self.has_cis)
        if any(rest) or self.has_cis is not None:
            days.append(hashlib.sha256(repr(rest).encode()).hexdigest()[:8])
        return "_".join([named, *days])

    def bodies(self, longest: int | None = None) -> list[dict[str, Any]]:
        """Bodies of the requests: one, but for more ids than one page holds. A filter without content is left out.

        :param longest: days one request may span, where the service takes no more: then one body for each such period.
        """
        common: dict[str, Any] = {}
        if self.statuses:
            common["statuses"] = list(self.statuses)
        if self.has_cis is not None:
            common["hasCis"] = self.has_cis
        if self.first is None or self.last is None:
            ids = iter(self.order_ids)
            return [{**common, "orders": part} for part in iter(lambda: list(islice(ids, MOST_ORDERS)), [])]
        step = self.days if longest is None else longest
        starts = [self.first + timedelta(days=after) for after in range(0, self.days, step)]
        ends = [min(start + timedelta(days=step - 1), self.last) for start in starts]
        return [
            {f"{self.by}From": start.isoformat(), f"{self.by}To": end.isoformat(), **common}
            for start, end in zip(starts, ends, strict=True)
        ]

    def windows(self) -> list[OrderFilter]:
        """Shorter periods that together are this one, in their order, for two streams to read at once.

        More than two of them: then neither days of many orders nor the last one's files keep a stream waiting. It is
        this one whole where it cannot be parted, and where it may still change: a change moves an order to a later
        day, and from a day no stream has read yet to one that was read before it came there.
        """
        if self.first is None or self.last is None or self.days < 2:
            return [self]
        if self.by == "update" and self.last >= (datetime.now(MOSCOW) - _SETTLES_WITHIN).date():
            return [self]
        count = min(self.days, _MOST_WINDOWS)
        size, larger = divmod(self.days, count)
        starts = [self.first + timedelta(days=each * size + min(each, larger)) for each in range(count + 1)]
        return [replace(self, first=start, last=following - timedelta(days=1)) for start, following in pairwise(starts)]

    @property
    def days(self) -> int:
        """Days of the window; 0 for orders by id."""
        return 0 if self.first is None or self.last is None else (self.last - self.first).days + 1

    def fingerprint(self, *place: object) -> str:
        """A sum that is the same only for the same choice at the same place."""
        return hashlib.sha256(msgspec.json.encode([self.bodies(), [str(each) for each in place]])).hexdigest()


def order_filter(
    *,
    date_from: object = None,
    date_to: object = None,
    update_from: object = None,
    update_to: object = None,
    order_ids: object = None,
    statuses: object = None,
    has_cis: object = None,
) -> OrderFilter:
    """Check a choice of orders."""
    periods = {"date": _period("date", date_from, date_to), "update": _period("update", update_from, update_to)}
    ids = _order_ids(order_ids)
    given = [f"{by}_from/{by}_to" for by, period in periods.items() if period] + ["order_ids"] * bool(ids)
    if len(given) > 1:
        raise ConfigurationError(f"{_DOING}: {' and '.join(given)} exclude each other. Give one of them.")
    if not given:
        raise ConfigurationError(
            f"{_DOING}: no period. Give date_from and date_to, or update_from and update_to, or order_ids."
        )
    words = _statuses(statuses)
    if has_cis is not None and not isinstance(has_cis, bool):
        raise ConfigurationError(f"{_DOING}: has_cis must be True, False or left out.")
    for by, period in periods.items():
        if period:
            return OrderFilter(by, *period, statuses=words, has_cis=has_cis)
    return OrderFilter("orders", order_ids=ids, statuses=words, has_cis=has_cis)


def check_page_size(page_size: object) -> int:
    """Make sure of the number of orders of one page."""
    if isinstance(page_size, bool) or not isinstance(page_size, int) or not 1 <= page_size <= MOST_ORDERS:
        raise ConfigurationError(f"{_DOING}: page_size must be a whole number from 1 to {MOST_ORDERS}.")
    return page_size


def _period(name: str, start: object, end: object) -> tuple[date, date] | None:
    first, last = _day(f"{name}_from", start), _day(f"{name}_to", end)
    if first is None and last is None:
        return None
    if first is None or last is None:
        raise ConfigurationError(
            f"{_DOING}: {name}_from and {name}_to belong together: the service leaves open what one alone means."
        )
    if last < first:
        raise ConfigurationError(f"{_DOING}: {name}_to {last} lies before {name}_from {first}. Exchange them.")
    return first, last


def _day(name: str, value: object) -> date | None:
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        raise ConfigurationError(
            f"{_DOING}: {name} is a moment, and the service takes days of Moscow time. Give a date."
        )
    if isinstance(value, date):
        return value
    with suppress(ValueError):
        if isinstance(value, str) and len(value.strip()) == len("2026-01-31"):
            return date.fromisoformat(value.strip())
    raise ConfigurationError(f"{_DOING}: {name} is not a day that exists. Write it as 2026-01-31.")


def _order_ids(value: object) -> tuple[int, ...]:
    if value is None:
        return ()
    ids = [whole_id(each) for each in _listed("order_ids", value)]
    if None in ids:
        raise ConfigurationError(f"{_DOING}: order_ids must be ids of Market orders: whole numbers above 0.")
    return tuple(dict.fromkeys(each for each in ids if each is not None))


def _statuses(value: object) -> tuple[str, ...]:
    """The words as they are: the service adds new ones without notice, so one that is not known here is sent too."""
    if value is None:
        return ()
    words = [each.strip() if isinstance(each, str) else "" for each in _listed("statuses", value)]
    if "" in words:
        raise ConfigurationError(f"{_DOING}: statuses must be words such as {STATUSES[3]}.")
    doubt = doubtful_statuses(words)
    if doubt:
        log.warning("%s: %s", _DOING, doubt)
    return tuple(sorted(set(words)))


def doubtful_statuses(words: Iterable[str]) -> str:
    """A sentence on each status this package does not know; empty when it knows them all."""
    said = []
    for word in sorted(set(words) - set(STATUSES)):
        near = get_close_matches(word.upper(), STATUSES, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        said.append(f"{word[:40]!r} is no status this package knows; it is sent as it is.{hint}")
    return " ".join(said)


def _listed(name: str, value: object) -> Sequence[object]:
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise ConfigurationError(f"{_DOING}: {name} must be a list.")
    values = list(value)
    if not values:
        raise ConfigurationError(f"{_DOING}: {name} is an empty list. Leave it out to ask for all.")
    return values


def run_window(context: Mapping[str, Any], zone: tzinfo, overlap_days: int) -> tuple[date, date]:
    """First and last day whose changes a run reads: its period, and some days before.

    The service shows a change up to 40 minutes late and filters by whole days: each run reads the days before its own
    once more.

    :raises ConfigurationError: the context tells no moment at all, or the overlap is negative.
    """
    if isinstance(overlap_days, bool) or not isinstance(overlap_days, int) or overlap_days < 0:
        raise ConfigurationError("Fetch order statistics: overlap_days must be a whole number, 0 or more.")
    period = run_period(context, zone)
    return period.first - timedelta(days=overlap_days), period.last
