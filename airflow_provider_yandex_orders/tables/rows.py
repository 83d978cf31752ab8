# SPDX-License-Identifier: Apache-2.0
"""From a table's declaration to the function that makes its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from airflow_provider_yandex_orders.tables.declare import UNKNOWN, Table
from airflow_provider_yandex_orders.tables.values import Misfit, Reader, json_text, reader

Row = list[Any]
RowMaker = Callable[[Sequence[Any], Mapping[str, Any]], Row]


def row_maker(table: Table) -> RowMaker:
    """Make the function that turns an object of the service into a row.

    It takes the values of the columns that are worked out, in order, and the decoded object. What has no column, or
    does not fit it, goes whole into ``unknown_fields``: nothing of an object is lost and no value fails a row.
    """
    flat = [(column.source, reader(column)) for column in table.columns if column.source and "." not in column.source]
    inner: dict[str, list[tuple[str, Reader]]] = {}
    for column in table.columns:
        outer, dot, name = column.source.partition(".")
        if dot:
            inner.setdefault(outer, []).append((name, reader(column)))
    known = frozenset([source for source, _ in flat] + list(inner) + list(table.parts))
    groups = [(outer, fields, frozenset(name for name, _ in fields)) for outer, fields in inner.items()]
    _check_order(table)

    def make(given: Sequence[Any], source: Mapping[str, Any]) -> Row:
        row = [*given]
        odd: dict[str, Any] | None = None
        if not source.keys() <= known:
            odd = {name: source[name] for name in source if name not in known}
        for name, read in flat:
            value = source.get(name)
            if value is not None:
                try:
                    value = read(value)
                except Misfit:
                    odd = {**(odd or {}), name: value}
                    value = None
            row.append(value)
        for outer, fields, names in groups:
            within = source.get(outer)
            if type(within) is not dict:
                row.extend([None] * len(fields))
                if within is not None:
                    odd = {**(odd or {}), outer: within}
                continue
            left = {name: within[name] for name in within if name not in names}
            for name, read in fields:
                value = within.get(name)
                if value is not None:
                    try:
                        value = read(value)
                    except Misfit:
                        left[name] = value
                        value = None
                row.append(value)
            if left:
                odd = {**(odd or {}), outer: left}
        row.append(json_text(odd) if odd else None)
        return row

    return make


def _check_order(table: Table) -> None:
    """Rows are lists: worked out columns, flat ones, those of objects inside, the unknown rest."""

    def place(source: str) -> int:
        return 0 if not source else 2 if "." in source else 1

    places = [place(column.source) for column in table.columns[:-1]]
    if places != sorted(places) or table.columns[-1] is not UNKNOWN:
        raise ValueError(f"the columns of {table.name} are not in order")
