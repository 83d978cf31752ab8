# SPDX-License-Identifier: Apache-2.0
"""Orders that have nothing in them but what the tables have a place for, told in one pass without making rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import cache
from typing import Annotated, Any, Literal

import msgspec

from airflow_provider_yandex_orders.market.tables import order_stats
from airflow_provider_yandex_orders.market.tables.declare import Table, Type
from airflow_provider_yandex_orders.market.tables.rows import WHOLE_DIGITS

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
    prices, details = _objects(order_stats.PRICES), _objects(order_stats.DETAILS)
    items = _objects(order_stats.ITEMS, prices=prices, details=details)
    lists = {
        table.name: _objects(table) for table in (order_stats.PAYMENTS, order_stats.COMMISSIONS, order_stats.SUBSIDIES)
    }
    (order,) = _objects(order_stats.ORDERS, id=Any, items=items, initialItems=items, **lists).__args__
    return msgspec.json.Decoder(order).decode


def _objects(table: Table, **parts: Any) -> Any:
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
