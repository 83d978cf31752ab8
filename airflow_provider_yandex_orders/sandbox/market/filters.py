# SPDX-License-Identifier: Apache-2.0
"""The body of an order statistics request, and how a bad one is refused.

Source: https://yandex.ru/dev/market/partner-api/doc/ru/reference/orders-stats/getOrdersStats (limits of the fields) and
https://yandex.ru/dev/market/partner-api/doc/ru/concepts/error-codes (messages).
Unstated there and chosen here: both ends of a period belong to it; one end alone leaves the other open; several filters
hold together; fields that are not documented are passed over.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import msgspec

from airflow_provider_yandex_orders.sandbox.market.errors import MarketError

STATUSES: Final = frozenset(
    {
        "CANCELLED_BEFORE_PROCESSING",
        "CANCELLED_IN_DELIVERY",
        "CANCELLED_IN_PROCESSING",
        "DELIVERY",
        "DELIVERED",
        "PARTIALLY_DELIVERED",
        "PARTIALLY_RETURNED",
        "PENDING",
        "PICKUP",
        "PROCESSING",
        "RESERVED",
        "RETURNED",
        "UNKNOWN",
        "UNPAID",
        "LOST",
    }
)
_MOST_BYTES: Final = 512 * 1024
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INT64: Final = range(-(2**63), 2**63)
_DATES: Final = ("dateFrom", "dateTo", "updateFrom", "updateTo")


@dataclass(frozen=True, slots=True)
class Filters:
    """A request's filters; hashable."""

    created: tuple[date | None, date | None] = (None, None)
    updated: tuple[date | None, date | None] = (None, None)
    orders: frozenset[int] | None = None
    statuses: frozenset[str] | None = None
    has_cis: bool | None = None


def read(body: bytes) -> Filters:
    """The filters of a body."""
    if not body:
        raise MarketError("market_bad_request", "Required request body is missing")
    if len(body) > _MOST_BYTES:
        raise MarketError("market_bad_request", f"The request is too big: {len(body)} bytes")
    try:
        fields = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise MarketError("market_bad_request", "Illegal input at ''") from None
    if not isinstance(fields, dict):
        raise MarketError("market_bad_request", "Illegal input at ''")
    dates = {name: _date(fields, name) for name in _DATES}
    created, updated = (dates["dateFrom"], dates["dateTo"]), (dates["updateFrom"], dates["updateTo"])
    if any(created) and any(updated):
        raise MarketError(
            "market_bad_request", 'Periods "orderDate" and "orderUpdate" can\'t be specified simultaneously!'
        )
    for (start, end), name in ((created, "date"), (updated, "update")):
        if start and end and end < start:
            raise MarketError("market_bad_request", f"Date field '{name}To' must be greater or equal to '{name}From'!")
    orders = _list(fields, "orders", int)
    if orders and not all(order in _INT64 for order in orders):
        raise MarketError("market_bad_request", "Illegal input at 'orders'")
    statuses = _list(fields, "statuses", str)
    if statuses and not statuses <= STATUSES:
        raise MarketError("market_bad_request", "Illegal input at 'statuses'")
    has_cis = fields.get("hasCis")
    if not isinstance(has_cis, bool | None):
        raise MarketError("market_bad_request", "Illegal input at 'hasCis'")
    return Filters(created, updated, orders, statuses, has_cis)


def check_period(filters: Filters, longest: int) -> None:
    """Refuse a period of more days than ``longest``; 0 lets any pass."""
    for start, end in (filters.created, filters.updated):
        if longest and start and end and (end - start).days >= longest:
            raise MarketError("market_too_long_period", f"Too long time period. Maximum is {longest} days")


def _date(fields: dict[str, Any], name: str) -> date | None:
    value = fields.get(name)
    if value is None and name not in fields:
        return None
    try:
        if isinstance(value, str) and _DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise MarketError("market_bad_request", f"Illegal input at '{name}'")


def _list(fields: dict[str, Any], name: str, kind: type) -> frozenset[Any] | None:
    values = fields.get(name)
    if values is None:
        return None
    if not isinstance(values, list) or any(type(value) is not kind for value in values):
        raise MarketError("market_bad_request", f"Illegal input at '{name}'")
    if not values:
        raise MarketError("market_bad_request", f"'{name}' size must be between '1' and '2147483647'")
    if len(set(values)) < len(values):
        raise MarketError("market_bad_request", f"'{name}' must have unique elements")
    return frozenset(values)
