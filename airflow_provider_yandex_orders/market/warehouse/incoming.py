# SPDX-License-Identifier: Apache-2.0
"""Fetched files to local ones that hold the newest version of each order, in flat memory."""

from __future__ import annotations

import hashlib
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import date, datetime
from decimal import Decimal
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from airflow_provider_yandex_orders.exceptions import ConfigurationError, SourceError
from airflow_provider_yandex_orders.market.fetch import Seen
from airflow_provider_yandex_orders.market.tables.declare import Column, Type
from airflow_provider_yandex_orders.market.tables.files import SCALE, ParquetTable, rounded
from airflow_provider_yandex_orders.market.warehouse.declare import ADDED, WAREHOUSE_TABLES, is_final
from airflow_provider_yandex_orders.sources import FileSource
from airflow_provider_yandex_orders.sources.base import UnreadableRow

log = logging.getLogger(__name__)

_encode = msgspec.json.Encoder().encode
_NUL = {Type.TEXT: re.compile("()\x00"), Type.JSON: re.compile(r"((?<!\\)(?:\\\\)*)\\u0000")}
"""The sign that PostgreSQL keeps in no text, as texts and as JSON have it, after what stays."""
_INSTEAD = "\N{REPLACEMENT CHARACTER}"


def _amount(text: str) -> Decimal:
    amount = Decimal(text)
    return amount if -int(amount.as_tuple().exponent) <= SCALE else rounded(amount)


_CONVERT: dict[Type, Callable[[str], Any]] = {
    Type.DECIMAL: _amount,
    Type.DATE: date.fromisoformat,
    Type.MOMENT: datetime.fromisoformat,
}
_CHILDREN = [table for table in WAREHOUSE_TABLES if table.name != "orders"]
Row = list[Any]
_ORDER_COLUMNS = {column.name: column for column in WAREHOUSE_TABLES[0].columns if column not in ADDED}


class Fetch(NamedTuple):
    """What a load needs of one fetch."""

    campaign_id: int
    fetched_at: datetime
    tables: Mapping[str, str]
    rows: Mapping[str, int]


class Incoming(NamedTuple):
    """What is to be loaded.

    :param rows: rows by table; the files are named by it.
    :param outdated: orders left out because another source has a newer version.
    """

    rows: dict[str, int]
    outdated: int


def fetched_of(source: Any) -> list[Fetch]:
    """The fetches of an argument: one result, or several; a mapped fetch that was skipped has none.

    :return: the oldest first.
    :raises ConfigurationError: it is something else.
    """
    try:
        read = [
            Fetch(
                int(result["campaign_id"]),
                datetime.fromisoformat(result["fetched_at"]),
                {table.name: result["tables"][table.name] for table in WAREHOUSE_TABLES},
                {table.name: int(result["rows"][table.name]) for table in WAREHOUSE_TABLES},
            )
            for result in _results(source)
        ]
    except (KeyError, TypeError, ValueError):
        raise ConfigurationError(
            "Load order statistics: source is no result of MarketFetchOrderStatsOperator with its tables. Give "
            "fetch.output, or a list of such results; a fetch that ran with tables=False, or before this package "
            "could load, runs again first."
        ) from None
    return sorted(read, key=lambda fetched: fetched.fetched_at)


def _results(source: Any) -> Iterator[Mapping[str, Any]]:
    """Results one by one: of several stores they are lists, of mapped tasks lists of these."""
    if isinstance(source, Mapping):
        yield source
    elif isinstance(source, str):
        raise TypeError
    else:
        for each in source:
            yield from () if each is None else _results(each)


def write_incoming(fetches: Sequence[Fetch], folder: Path) -> Incoming:
    """Write a Parquet file of each table, with the newest version of each order.

    :raises SourceError: files of one fetch do not belong together, or are not whole.
    """
    clean = Cleaned()
    rows = dict.fromkeys((table.name for table in WAREHOUSE_TABLES), 0)
    with Seen() as seen, ExitStack() as stack:
        for place, order in enumerate(chain.from_iterable(_orders(fetched) for fetched in fetches)):
            updated = clean(order, _ORDER_COLUMNS["status_update_date"])
            seen.is_newest(order["order_id"], None if updated is None else updated.timestamp(), place)
        files = {t.name: stack.enter_context(ParquetTable(folder / f"{t.name}.parquet", t)) for t in WAREHOUSE_TABLES}
        place = 0
        for fetched in fetches:
            for tables in _whole_orders(fetched, clean):
                if not seen.outdated(range(place, place + 1)):
                    for name, found in tables.items():
                        files[name].write(found)
                        rows[name] += len(found)
                place += 1
        clean.tell()
        return Incoming(rows, seen.count_outdated())


def _whole_orders(fetched: Fetch, clean: Cleaned) -> Iterator[dict[str, list[Row]]]:
    """The rows of one order after the other: every file of a fetch has them in the same sequence."""
    with ExitStack() as stack:
        groups, read = {}, Counter[str]()
        for table in _CHILDREN:
            stream = stack.enter_context(FileSource(fetched.tables[table.name]).open())
            groups[table.name] = groupby(map(_readable, stream.rows), itemgetter("order_id"))
        heads = {name: next(group, None) for name, group in groups.items()}
        for order in _orders(fetched):
            tables: dict[str, list[Row]] = {}
            for table in _CHILDREN:
                head = heads[table.name]
                tables[table.name] = []
                if head is not None and head[0] == order["order_id"]:
                    tables[table.name] = [[clean(row, column) for column in table.columns] for row in head[1]]
                    heads[table.name] = next(groups[table.name], None)
            own = [clean(order, column) for column in _ORDER_COLUMNS.values()]
            final = is_final(order["status"], bool(tables["payments"]))
            tables["orders"] = [[*own, fetched.campaign_id, fetched.fetched_at, final, _sum(own, tables)]]
            read.update({name: len(rows) for name, rows in tables.items()})
            yield tables
        other = [name for name, rows in fetched.rows.items() if heads.get(name) is not None or read[name] != rows]
        if other:
            raise SourceError(
                f"Load order statistics of store {fetched.campaign_id}: the files of {', '.join(other)} are not those "
                "that the fetch wrote. Was another one written over it, or a file cut off? Nothing was loaded. "
                "Fetch again."
            )


def _orders(fetched: Fetch) -> Iterator[Mapping[str, Any]]:
    with FileSource(fetched.tables["orders"]).open() as stream:
        yield from map(_readable, stream.rows)


def _readable(row: Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(row, UnreadableRow) or "order_id" not in row:
        raise SourceError("Load order statistics: a row of the fetched files cannot be read. Fetch again.")
    return row


class Cleaned:
    """Makes values as Parquet and every warehouse take them: JSON Lines have texts of most types."""

    def __init__(self) -> None:
        self._nul = 0

    def __call__(self, row: Mapping[str, Any], column: Column) -> Any:
        """The value of a column; an empty text is none, as dlt brings none to PostgreSQL."""
        value = row.get(column.name)
        if not isinstance(value, str):
            return value
        convert = _CONVERT.get(column.type)
        if convert is not None:
            return convert(value)
        if "\x00" in value or "\\u0000" in value:
            value, count = _NUL[column.type].subn(rf"\1{_INSTEAD}", value)
            self._nul += count
        return value or None

    def tell(self) -> None:
        """Say what was not kept."""
        if self._nul:
            log.warning("%d NUL signs in texts, which not every database keeps, became %s.", self._nul, _INSTEAD)


def _sum(order: Row, tables: Mapping[str, list[Row]]) -> str:
    """The same for the same content, whatever format it was read from, fields without a column left out."""
    rows = [order, *chain.from_iterable(tables[table.name] for table in _CHILDREN)]
    return hashlib.blake2b(_encode([list(map(_plain, row[:-1])) for row in rows]), digest_size=16).hexdigest()


def _plain(value: Any) -> Any:
    if not isinstance(value, Decimal):
        return value
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
