# SPDX-License-Identifier: Apache-2.0
"""How a table is declared. A declaration is data: rows, files, the schema file and the docs are all made from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Type(Enum):
    """What a column holds; each has one reader in :mod:`~airflow_provider_yandex_orders.market.tables.rows`."""

    INTEGER = "integer"
    """A whole number of 64 bits."""
    TEXT = "text"
    BOOLEAN = "boolean"
    DECIMAL = "decimal"
    """An exact decimal; in JSON Lines a string, as most readers make a float of a number."""
    DATE = "date"
    """A day, ``YYYY-MM-DD``."""
    MOMENT = "moment"
    """A moment in UTC, ``YYYY-MM-DDTHH:MM:SSZ``."""
    JSON = "json"
    """A JSON text."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    :param note: its meaning and unit, for the docs.
    :param source: the service's name of the field, ``object.field`` for one of an object inside; empty where the value
        is worked out.
    :param hundredths: the service gives hundredths of the unit.
    :param words: words of a text that are known; others are kept and told.
    """

    name: str
    type: Type
    note: str
    source: str = ""
    hundredths: bool = False
    words: tuple[str, ...] = ()


UNKNOWN = Column("unknown_fields", Type.JSON, "Fields that have no column, and values that do not fit theirs.")
"""The last column of every table read from an object of the service."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    :param name: its name, part of its file's name.
    :param note: what a row is.
    :param key: columns that together identify a row.
    :param columns: its columns in order: those worked out, flat ones, those of objects inside, and :data:`UNKNOWN`.
    :param parts: fields of the service's object that other tables hold.
    :param group_rows: rows of one group in a Parquet file, which is what is held of the table in memory.
    """

    name: str
    note: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    parts: tuple[str, ...] = ()
    group_rows: int = 10_000

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(column.name for column in self.columns)
