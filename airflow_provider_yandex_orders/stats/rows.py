# SPDX-License-Identifier: Apache-2.0
"""One order as rows of all tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from airflow_provider_yandex_orders.stats.items import placed_items
from airflow_provider_yandex_orders.tables import order_stats
from airflow_provider_yandex_orders.tables.rows import Row, row_maker

_LISTS = {
    "payments": order_stats.PAYMENTS,
    "commissions": order_stats.COMMISSIONS,
    "subsidies": order_stats.SUBSIDIES,
}
_ODD = "_odd"


class OrderRows:
    """Takes orders and keeps their rows by table until they are fetched."""

    def __init__(self) -> None:
        self._make = {table.name: row_maker(table) for table in order_stats.TABLES}
        self.waiting: dict[str, list[Row]] = {table.name: [] for table in order_stats.TABLES}

    def add(self, order_id: int, order: Mapping[str, Any]) -> None:
        """Take one order.

        :param order_id: its id.
        :param order: the service's object, decoded without floats.
        """
        waiting, make = self.waiting, self._make
        odd: dict[str, Any] = {}
        items = _objects(order, "items", odd)
        initial = _objects(order, "initialItems", odd)
        for placed in placed_items(items, initial):
            item, number = placed.item, placed.number
            waiting["items"].append(make["items"]((order_id, number, placed.is_delivery), item))
            if placed.remains:  # what was taken out has no price any more: its rows would swell every sum
                for place, price in enumerate(_objects(item, "prices", odd), start=1):
                    waiting["prices"].append(make["prices"]((order_id, number, place), price))
                for place, detail in enumerate(_objects(item, "details", odd), start=1):
                    waiting["details"].append(make["details"]((order_id, number, place), detail))
        for name in _LISTS:
            rows, make_row = waiting[name], make[name]
            for place, element in enumerate(_objects(order, name, odd), start=1):
                rows.append(make_row((order_id, place), element))
        waiting["orders"].append(make["orders"]((order_id,), {**order, _ODD: odd} if odd else order))

    def fetch(self) -> Iterator[tuple[str, list[Row]]]:
        """Table names with their rows; afterwards nothing waits."""
        for name, rows in self.waiting.items():
            if rows:
                self.waiting[name] = []
                yield name, rows


def _objects(source: Mapping[str, Any], name: str, odd: dict[str, Any]) -> list[dict[str, Any]]:
    """A list of objects inside an object. Anything else in its place is kept as odd, not read."""
    value = source.get(name)
    if value is None:
        return []
    if type(value) is list:
        objects = [element for element in value if type(element) is dict]
        if len(objects) == len(value):
            return objects
        odd[name] = [element for element in value if type(element) is not dict]
        return objects
    odd[name] = value
    return []
