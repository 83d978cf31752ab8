# SPDX-License-Identifier: Apache-2.0
"""One order as rows of all tables; one that has nothing but what they have a place for is told without making rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from airflow_provider_yandex_orders.market.tables import order_stats
from airflow_provider_yandex_orders.market.tables.declare import Table, Type
from airflow_provider_yandex_orders.market.tables.rows import WHOLE_DIGITS, Row, Strange, row_maker

_LISTS = ("payments", "commissions", "subsidies")
_ODD = "_odd"


class OrderRows:
    """Takes orders and keeps their rows by table until they are fetched."""

    def __init__(self) -> None:
        self.strange = Strange()
        """What came that the tables have no place for."""
        self._make = {table.name: row_maker(table, self.strange) for table in order_stats.TABLES}
        self.waiting: dict[str, list[Row]] = {table.name: [] for table in order_stats.TABLES}

    def add(self, order_id: int, order: Mapping[str, Any]) -> None:
        """Take one order."""
        waiting, make = self.waiting, self._make
        odd: dict[str, Any] = {}
        items = _objects(order, "items", odd)
        initial = _objects(order, "initialItems", odd)
        for number, item, remains in placed_items(items, initial):
            waiting["items"].append(make["items"]((order_id, number, number < 1), item))
            if remains:  # what was taken out has no price any more: its rows would swell every sum
                for place, price in enumerate(_objects(item, "prices", odd), start=1):
                    waiting["prices"].append(make["prices"]((order_id, number, place), price))
                for place, detail in enumerate(_objects(item, "details", odd), start=1):
                    waiting["details"].append(make["details"]((order_id, number, place), detail))
        for name in _LISTS:
            rows, make_row = waiting[name], make[name]
            for place, element in enumerate(_objects(order, name, odd), start=1):
                rows.append(make_row((order_id, place), element))
        waiting["orders"].append(make["orders"]((order_id,), {**order, _ODD: odd} if odd else order))
        if odd:
            del self.strange.fields[f"orders.{_ODD}"]
            self.strange.values.update(f"orders.{name}" for name in odd)

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


DELIVERY = "Доставка"
"""Name of the element of ``items`` that is no item but the delivery."""

Item = Mapping[str, Any]


class Placed(NamedTuple):
    """One item.

    :param number: its place in the order as placed, from 1, which stays the same while the order changes; 0 and below
        for delivery.
    :param item: the item with both counts.
    :param remains: whether units of it are left.
    """

    number: int
    item: Item
    remains: bool = True


def placed_items(items: Sequence[Item], initial: Sequence[Item]) -> Iterator[Placed]:
    """Number the items of an order, those that were taken out included.

    :param items: what remains.
    :param initial: the order as placed; empty when nothing changed.
    """
    goods = [item for item in items if item.get("offerName") != DELIVERY]
    for before, item in enumerate(item for item in items if item.get("offerName") == DELIVERY):
        yield Placed(-before, _with_initial_count(item))
    if not initial:
        for number, item in enumerate(goods, start=1):
            yield Placed(number, _with_initial_count(item))
        return
    first_ones = [item for item in initial if item.get("offerName") != DELIVERY]
    for number, first in enumerate(first_ones, start=1):
        place = next((place for place, item in enumerate(goods) if _same(item, first)), None)
        ordered = first.get("initialCount")
        ordered = first.get("count") if ordered is None else ordered
        if place is None:
            yield Placed(number, {**first, "count": 0, "initialCount": ordered}, remains=False)
        else:
            yield Placed(number, _with_initial_count(goods.pop(place), ordered))
    for number, item in enumerate(goods, start=len(first_ones) + 1):
        yield Placed(number, _with_initial_count(item))


def _with_initial_count(item: Item, ordered: Any = None) -> Item:
    if item.get("initialCount") is not None:
        return item
    return {**item, "initialCount": item.get("count") if ordered is None else ordered}


def _same(one: Item, other: Item) -> bool:
    """Whether both are one item: by the seller's SKU, without one by the card, without one by the name."""
    for name in ("shopSku", "marketSku", "offerName"):
        if one.get(name) is not None or other.get(name) is not None:
            return bool(one.get(name) == other.get(name))
    return False


_LARGEST = 2**63 - 1
_INTEGER = Annotated[int, msgspec.Meta(ge=-_LARGEST, le=_LARGEST)]
_MOST = float(10**WHOLE_DIGITS)
_TYPES: dict[Type, Any] = {
    Type.INTEGER: _INTEGER,
    Type.TEXT: str | int,
    Type.BOOLEAN: bool,
    Type.DECIMAL: _INTEGER | Annotated[float, msgspec.Meta(gt=-_MOST, lt=_MOST)],
    Type.DATE: date,
    Type.MOMENT: datetime,
    Type.JSON: Any,
}


@cache
def plain_decoder() -> Callable[[bytes], Any]:
    """The function that reads an order of which all is known, made of the tables' declarations.

    It raises ``msgspec.DecodeError`` of any other: one that has a field without a column, or a value or a word that
    does not fit its column.
    """
    prices, details = _list_of(order_stats.PRICES), _list_of(order_stats.DETAILS)
    items = _list_of(order_stats.ITEMS, prices=prices, details=details)
    lists = {
        table.name: _list_of(table) for table in (order_stats.PAYMENTS, order_stats.COMMISSIONS, order_stats.SUBSIDIES)
    }
    (order,) = _list_of(order_stats.ORDERS, id=Any, items=items, initialItems=items, **lists).__args__
    return msgspec.json.Decoder(order).decode


def _list_of(table: Table, **parts: Any) -> Any:
    """The type of a list of a table's objects."""
    fields: dict[str, dict[str, Any]] = {"": parts}
    for column in table.columns:
        if column.source:
            outer, _, name = column.source.rpartition(".")
            fields.setdefault(outer, {})[name] = Literal[column.words] if column.words else _TYPES[column.type]
    flat = fields.pop("")
    return list[_struct(table.name, flat | {outer: _struct(outer, inner) for outer, inner in fields.items()})]  # type: ignore[misc]


def _struct(name: str, fields: dict[str, Any]) -> Any:
    optional = [(field, kind | None, None) for field, kind in fields.items()]
    return msgspec.defstruct(name, optional, forbid_unknown_fields=True, gc=False)
