# SPDX-License-Identifier: Apache-2.0
"""From a table's declaration to the function that makes its rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec

from airflow_provider_yandex_orders.market.tables.declare import Column, Table, Type

Row = list[Any]

WHOLE_DIGITS = 29
"""Digits an amount may have before the point: 38 with the decimals of :data:`.files.SCALE`."""


@dataclass(slots=True)
class Strange:
    """What came that the tables have no place for; all of it is in ``unknown_fields`` and in the raw file.

    :param fields: how often each field came that has no column, by ``table.field``.
    :param values: how often a value did not fit its column, by the same.
    :param words: how often a word came that is not known, by ``table.field word``.
    """

    fields: Counter[str] = field(default_factory=Counter)
    values: Counter[str] = field(default_factory=Counter)
    words: Counter[str] = field(default_factory=Counter)


def row_maker(table: Table, strange: Strange) -> Callable[[Sequence[Any], Mapping[str, Any]], Row]:
    """Make the function that turns an object of the service into a row.

    It takes the values of the columns that are worked out, in order, and the decoded object. What has no column, or
    does not fit it, goes whole into ``unknown_fields``: nothing of an object is lost and no value fails a row.
    """
    inner: dict[str, list[Column]] = {}
    for column in table.columns:
        if column.source:
            outer = column.source.rpartition(".")[0]
            inner.setdefault(outer, []).append(column)
    flat = inner.pop("", [])
    known = frozenset([*(column.source for column in flat), *inner, *table.parts])
    read = _object_reader(flat, known, table, strange)
    groups = [
        (outer, len(columns), _object_reader(columns, frozenset(map(_field, columns)), table, strange, f"{outer}."))
        for outer, columns in inner.items()
    ]

    def make(given: Sequence[Any], source: Mapping[str, Any]) -> Row:
        row = [*given]
        odd = read(source, row)
        for outer, width, read_within in groups:
            within = source.get(outer)
            if type(within) is dict:
                if left := read_within(within, row):
                    odd[outer] = left
                continue
            row.extend([None] * width)
            if within is not None:
                odd[outer] = within
                strange.values[f"{table.name}.{outer}"] += 1
        row.append(json_text(odd) if odd else None)
        return row

    return make


def _field(column: Column) -> str:
    """The field's own name, in the object it stands in."""
    return column.source.rpartition(".")[2]


def _object_reader(
    columns: Sequence[Column], known: frozenset[str], table: Table, strange: Strange, outer: str = ""
) -> Callable[[Mapping[str, Any], Row], dict[str, Any]]:
    """Make the function that puts the fields of one object into a row and gives back what has no place there."""
    fields = [(_field(column), _reader(column, table, strange)) for column in columns]
    prefix = f"{table.name}.{outer}"
    new, misfits = strange.fields, strange.values

    def read(source: Mapping[str, Any], row: Row) -> dict[str, Any]:
        odd: dict[str, Any] = {}
        if not source.keys() <= known:
            odd = {name: source[name] for name in source if name not in known}
            new.update(prefix + name for name in odd)
        for name, convert in fields:
            value = source.get(name)
            if value is not None:
                try:
                    value = convert(value)
                except Misfit:
                    odd[name] = value
                    misfits[prefix + name] += 1
                    value = None
            row.append(value)
        return odd

    return read


MOSCOW = timezone(timedelta(hours=3))
"""The zone of date-times without one, as the service says."""

_LARGEST = 2**63 - 1
_HUNDRED = Decimal(100)
_encode = msgspec.json.Encoder(decimal_format="number").encode

Reader = Callable[[Any], Any]


class Misfit(Exception):
    """A value of another type than its column."""


def integer(value: Any) -> int:
    """A whole number."""
    if type(value) is int and -_LARGEST <= value <= _LARGEST:
        return value
    raise Misfit


def text(value: Any) -> str:
    """A text; a number in its place is taken for one."""
    if type(value) is str:
        return value
    if type(value) is int:
        return str(value)
    raise Misfit


def boolean(value: Any) -> bool:
    """A truth value."""
    if type(value) is bool:
        return value
    raise Misfit


def decimal(value: Any) -> Decimal:
    """An exact number, as large as a table can have it."""
    if type(value) is int or (type(value) is Decimal and value.is_finite()):
        amount = Decimal(value)
        if amount.adjusted() < WHOLE_DIGITS:
            return amount
    raise Misfit


def hundredths(value: Any) -> Decimal:
    """A number given in hundredths, in whole units."""
    return decimal(value) / _HUNDRED


def day(value: Any) -> date:
    """A day."""
    if type(value) is str and len(value) == len("2026-01-31"):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise Misfit


def moment(value: Any) -> datetime:
    """A moment in UTC. Without an offset it is Moscow time; a given offset, ``Z`` too, is believed."""
    if type(value) is not str or len(value) <= len("2026-01-31"):
        raise Misfit
    try:
        read = datetime.fromisoformat(value)
        return (read if read.tzinfo else read.replace(tzinfo=MOSCOW)).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        raise Misfit from None


def json_text(value: Any) -> str:
    """Any value as JSON text."""
    return _encode(value).decode()


_READERS: dict[Type, Reader] = {
    Type.INTEGER: integer,
    Type.TEXT: text,
    Type.BOOLEAN: boolean,
    Type.DECIMAL: decimal,
    Type.DATE: day,
    Type.MOMENT: moment,
    Type.JSON: json_text,
}


def _reader(column: Column, table: Table, strange: Strange) -> Reader:
    """The function that reads a column's values, null left out."""
    if column.hundredths:
        return hundredths
    if not column.words:
        return _READERS[column.type]
    known, unknown, prefix = frozenset(column.words), strange.words, f"{table.name}.{column.source}"

    def word(value: Any) -> str:
        read = text(value)
        if read not in known:
            unknown[f"{prefix} {read[:40]}"] += 1
        return read

    return word
