# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: S608 - the SQL is put together from constants of this folder, never from what a client sent
"""Reports: the metrics of CRM orders by day.

Sources: https://yandex.ru/dev/metrika/ru/stat/openapi/data , https://yandex.ru/dev/metrika/en/stat/openapi/data ,
https://yandex.com/dev/metrika/ru/stat/metrics/visits/cdp_orders ,
https://yandex.ru/support/metrica/en/sources/order-sources ; the answer's fields also from public tests of clients,
such as https://github.com/pavelmaksimov/tapi-yandex-metrika .
Orders of both modes count once they are linked and ``processing_seconds`` have passed since their first upload, with
their present status and money; a mapped status counts by its type, an unknown one as other.
Unstated there and chosen here: the day is that of the order's creation, as there are no visits; revenue, profit and
average are of paid orders in exactly that currency; conversions are shares of the linked orders' own visits; the rows
come by the first metric, largest first, days without an order are left out; an earlier date than the metrics have is
``invalid_parameter``, as is whatever the sandbox does not imitate (filters, presets, other dimensions and metrics).
"""

import re
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from starlette.datastructures import QueryParams

from airflow_provider_yandex_orders.sandbox.metrica import linking, schema
from airflow_provider_yandex_orders.sandbox.metrica.counters import Counter
from airflow_provider_yandex_orders.sandbox.metrica.entities import ORDERS, SIMPLE_ORDERS, STATUSES
from airflow_provider_yandex_orders.sandbox.metrica.errors import MetricaError
from airflow_provider_yandex_orders.sandbox.metrica.params import number, required, words
from airflow_provider_yandex_orders.sandbox.service import Sandbox

_DATE: Final = "ym:s:date"
_EARLIEST: Final = date(2020, 10, 26)
_MOST_METRICS: Final = 20
_MOST_DIMENSIONS: Final = 10
_MOST_ROWS: Final = 100_000
_MAX_INT64: Final = 9_223_372_036_854_775_807
_AGO: Final = re.compile(r"([0-9]{1,5})daysAgo")
_MONEY: Final = re.compile(r"ym:s:cdpOrders(<currency>|[A-Z]{3})(AverageCheque|Revenue|Profit)")
_NOT_IMITATED: Final = ("filters", "preset", "direct_client_logins")
# What the service echoes of settings that nobody asked for.
_ECHO: Final[Mapping[str, str]] = MappingProxyType(
    {
        "group": "Day",
        "auto_group_size": "1",
        "attr_name": "",
        "quantile": "50",
        "offline_window": "21",
        "attribution": "LastSign",
        "adfox_event_id": "0",
    }
)


@dataclass(slots=True)
class _Orders:
    """Linked orders of one row of the report."""

    by_type: dict[str, int] = field(default_factory=dict)
    paid: dict[str, list[Decimal]] = field(default_factory=dict)
    """Currency: number, revenue and cost of paid orders."""

    def add(self, kind: str, currency: str, orders: int, revenue: str, cost: str) -> None:
        """Count some more."""
        self.by_type[kind] = self.by_type.get(kind, 0) + orders
        if kind == "PAID":
            sums = self.paid.get(currency, [Decimal(0)] * 3)
            more = (Decimal(orders), Decimal(revenue), Decimal(cost))
            self.paid[currency] = [old + new for old, new in zip(sums, more, strict=True)]

    def count(self, *kinds: str) -> int:
        """Orders of these types."""
        return sum(self.by_type.get(kind, 0) for kind in kinds)


_Metric = Callable[[_Orders], float]
_ALL: Final = ("IN_PROGRESS", "PAID", "CANCELLED", "OTHER")


def _count(*kinds: str) -> _Metric:
    return lambda orders: float(orders.count(*kinds))


def _conversion(*kinds: str) -> _Metric:
    def share(orders: _Orders) -> float:
        visits = orders.count(*_ALL, "SPAM")
        return 100.0 * orders.count(*kinds) / visits if visits else 0.0

    return share


_METRICS: Final[Mapping[str, _Metric]] = MappingProxyType(
    {
        "ym:s:cdpOrdersAllOrders": _count(*_ALL),
        "ym:s:cdpOrdersInProgress": _count("IN_PROGRESS"),
        "ym:s:cdpOrdersPayed": _count("PAID"),
        "ym:s:cdpOrdersSpam": _count("SPAM"),
        "ym:s:cdpOrdersCancelled": _count("CANCELLED"),
        "ym:s:cdpOrdersOther": _count("OTHER"),
        "ym:s:cdpOrdersConversionIntoOrder": _conversion(*_ALL),
        "ym:s:cdpOrdersConversionIntoPayment": _conversion("PAID"),
    }
)


@dataclass(frozen=True, slots=True)
class _Query:
    metrics: list[str]
    dimensions: list[str]
    sort: list[str]
    first: date
    last: date
    limit: int
    offset: int
    currency: str


def data(sandbox: Sandbox, counters: list[Counter], query: QueryParams) -> dict[str, Any]:
    """The table that a query asks for."""
    asked = _read(query, counters[0].now().date())
    metrics = [_metric(name, asked.currency) for name in asked.metrics]
    days: dict[str, _Orders] = {}
    whole = _Orders()
    with sandbox.store.connect() as connection:
        linking.prepare(connection, sandbox.settings)
        for counter in counters:
            types = schema.status_types(connection, counter.id)
            for row in _linked(connection, sandbox, counter.id, asked):
                kind = types.get(row["order_status"], row["order_status"])
                for orders in (whole, days.setdefault(row["day"], _Orders())):
                    orders.add(
                        kind if kind in STATUSES else "OTHER",
                        row["currency"],
                        row["orders"],
                        row["revenue"],
                        row["cost"],
                    )
    groups = days if asked.dimensions else {"": whole}
    rows = [
        ([day] if asked.dimensions else [], [metric(orders) for metric in metrics]) for day, orders in groups.items()
    ]
    _sort(rows, asked)
    columns = list(zip(*(values for _, values in rows), strict=True)) or [(0.0,)] * len(metrics)
    size = whole.count(*_ALL, "SPAM")
    return {
        "query": {
            "ids": [counter.id for counter in counters],
            "dimensions": asked.dimensions,
            "metrics": asked.metrics,
            "sort": asked.sort,
            "date1": str(asked.first),
            "date2": str(asked.last),
            "limit": asked.limit,
            "offset": asked.offset,
            "currency": asked.currency,
            **_ECHO,
        },
        "data": [
            {"dimensions": [{"name": name} for name in names], "metrics": values}
            for names, values in rows[asked.offset - 1 : asked.offset - 1 + asked.limit]
        ],
        "total_rows": len(rows),
        "total_rows_rounded": False,
        "sampled": False,
        "contains_sensitive_data": False,
        "sample_share": 1.0,
        "sample_size": size,
        "sample_space": size,
        "data_lag": 0,
        "totals": [metric(whole) for metric in metrics],
        "min": [min(values) for values in columns],
        "max": [max(values) for values in columns],
    }


def counter_ids(query: QueryParams) -> list[str]:
    """The counters that a query names."""
    required(query, "ids")
    return words(query, "ids")


def _read(query: QueryParams, today: date) -> _Query:
    for name in _NOT_IMITATED:
        if query.get(name):
            raise MetricaError("invalid_parameter", f"The sandbox does not imitate {name}", name)
    required(query, "metrics")
    metrics, dimensions = words(query, "metrics"), words(query, "dimensions")
    if len(metrics) > _MOST_METRICS or len(dimensions) > _MOST_DIMENSIONS:
        message = f"At most {_MOST_METRICS} metrics and {_MOST_DIMENSIONS} dimensions"
        raise MetricaError("limit_exceeded", message, "metrics" if len(metrics) > _MOST_METRICS else "dimensions")
    if any(name != _DATE for name in dimensions) or len(dimensions) > 1:
        raise MetricaError("invalid_parameter", f"The dimension must be {_DATE} or none", "dimensions")
    sort = words(query, "sort") or [f"-{metrics[0]}"]
    if any(name.removeprefix("-") not in (*metrics, *dimensions) for name in sort):
        raise MetricaError("invalid_parameter", "A report is sorted by its own metrics and dimensions", "sort")
    first, last = (_day(query, *one, today) for one in (("date1", "6daysAgo"), ("date2", "today")))
    if first < _EARLIEST or first > last:
        message = f"date1 must be {_EARLIEST} or later, and not after date2"
        raise MetricaError("invalid_parameter", message, "date1")
    return _Query(
        metrics,
        dimensions,
        sort,
        first,
        last,
        number(query, "limit", default=100, least=1, most=_MOST_ROWS),
        number(query, "offset", default=1, least=1, most=_MAX_INT64),
        query.get("currency", "RUB"),
    )


def _day(query: QueryParams, name: str, default: str, today: date) -> date:
    text = query.get(name, default)
    if text in {"today", "yesterday"}:
        return today - timedelta(days=text == "yesterday")
    if match := _AGO.fullmatch(text):
        return today - timedelta(days=int(match[1]))
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or str(day) != text:
        raise MetricaError("invalid_parameter", f"{name} must look like 2025-03-04, today, yesterday, 7daysAgo", name)
    return day


def _metric(name: str, currency: str) -> _Metric:
    if name in _METRICS:
        return _METRICS[name]
    match = _MONEY.fullmatch(name)
    if match is None:
        raise MetricaError("invalid_parameter", "A metric is unknown, or not one of CRM orders", "metrics")
    code, kind = currency if match[1] == "<currency>" else match[1], match[2]

    def money(orders: _Orders) -> float:
        count, revenue, cost = orders.paid.get(code, [Decimal(0)] * 3)
        if kind == "AverageCheque":
            return float(revenue / count) if count else 0.0
        return float(revenue - cost if kind == "Profit" else revenue)

    return money


def _linked(connection: sqlite3.Connection, sandbox: Sandbox, counter_id: int, asked: _Query) -> Iterable[sqlite3.Row]:
    values = (counter_id, time.time() - sandbox.settings.processing_seconds, str(asked.first), str(asked.last))
    for entity in (SIMPLE_ORDERS, ORDERS):
        query = (
            "SELECT substr(create_date_time, 1, 10) AS day, order_status, currency, count(*) AS orders,"
            " decimal_sum(revenue) AS revenue, decimal_sum(cost) AS cost"
            f" FROM ({linking.linked_orders(entity, sandbox.settings)})"
            " WHERE counter_id = ? AND received_at <= ? AND day BETWEEN ? AND ? GROUP BY 1, 2, 3"
        )
        yield from connection.execute(query, values)


def _sort(rows: list[tuple[list[str], list[float]]], asked: _Query) -> None:
    rows.sort(key=lambda row: row[0])
    for name in reversed(asked.sort):
        own = name.removeprefix("-")
        if own in asked.metrics:
            place = asked.metrics.index(own)
            rows.sort(key=lambda row: row[1][place], reverse=name.startswith("-"))
        else:
            rows.sort(key=lambda row: row[0], reverse=name.startswith("-"))
