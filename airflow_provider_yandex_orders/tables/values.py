# SPDX-License-Identifier: Apache-2.0
"""Values of decoded JSON as values of a column. Numbers must have been decoded without floats."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec

from airflow_provider_yandex_orders.tables.declare import Column, Type

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
    """An exact number."""
    if type(value) is Decimal:
        return value
    if type(value) is int:
        return Decimal(value)
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


def reader(column: Column) -> Reader:
    """The function that reads a column's values, null left out."""
    return hundredths if column.hundredths else _READERS[column.type]
