# SPDX-License-Identifier: Apache-2.0
"""Fetched files to local ones that hold the newest version of each order, in flat memory."""

from __future__ import annotations

import hashlib
import math
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
from airflow_provider_yandex_orders.market.newest import Seen
from airflow_provider_yandex_orders.market.tables.declare import Column, Table, Type
from airflow_provider_yandex_orders.market.tables.files import ParquetTable
from airflow_provider_yandex_orders.market.warehouse.declare import ADDED, WAREHOUSE_TABLES, is_final
from airflow_provider_yandex_orders.sources import FileSource

_encode = msgspec.json.Encoder().encode
_CONVERT: dict[Type, Callable[[str], Any]] = {
    Type.DECIMAL: Decimal,
    Type.DATE: date.fromisoformat,
    Type.MOMENT: datetime.fromisoformat,
}
_CHILDREN = [table for table in WAREHOUSE_TABLES if table.name != "orders"]
Row = list[Any]
_ORDER_COLUMNS = {column.name: column for column in WAREHOUSE_TABLES[0].columns if column not in ADDED}


class Fetched(NamedTuple):
    """What a load needs of one fetch."""

    campaign_id: int
    fetched_at: datetime
    tables: Mapping[str, str]


class Incoming(NamedTuple):
    """What is to be loaded.

    :param rows: rows by table; the files are named by it.
    :param outdated: orders left out because another source has a newer version.
    """

    rows: dict[str, int]
    outdated: int


def fetched_of(source: Any) -> list[Fetched]:
    """The fetches of an argument: one result, or several; a mapped fetch that was skipped has none.

    :return: the oldest first.
    :raises ConfigurationError: it is something else.
    """
    try:
        results = [source] if isinstance(source, Mapping) else [result for result in source if result is not None]
        read = [
            Fetched(
                int(result["campaign_id"]),
                datetime.fromisoformat(result["fetched_at"]),
                {table.name: result["tables"][table.name] for table in WAREHOUSE_TABLES},
            )
            for result in results
        ]
    except (KeyError, TypeError, ValueError):
        raise ConfigurationError(
            "Load order statistics: source is no result of MarketFetchOrderStatsOperator with its tables. Give "
            "fetch.output, or a list of such results; a fetch that ran with tables=False, or before this package "
            "could load, runs again first."
        ) from None
    return sorted(read, key=lambda fetched: fetched.fetched_at)


def write_incoming(fetches: Sequence[Fetched], folder: Path) -> Incoming:
    """Write a Parquet file of each table, with the newest version of each order.

    :raises SourceError: files of one fetch do not belong together.
    """
    rows = dict.fromkeys((table.name for table in WAREHOUSE_TABLES), 0)
    with Seen() as seen, ExitStack() as stack:
        for place, order in enumerate(chain.from_iterable(_orders(fetched) for fetched in fetches)):
            updated = _converted(order, _ORDER_COLUMNS["status_update_date"])
            seen.is_newest(order["order_id"], -math.inf if updated is None else updated.timestamp(), place)
        files = {t.name: stack.enter_context(ParquetTable(folder / f"{t.name}.parquet", t)) for t in WAREHOUSE_TABLES}
        place = 0
        for fetched in fetches:
            for tables in _whole_orders(fetched):
                if not seen.outdated(range(place, place + 1)):
                    for name, found in tables.items():
                        files[name].write(found)
                        rows[name] += len(found)
                place += 1
        return Incoming(rows, seen.count_outdated())


def _whole_orders(fetched: Fetched) -> Iterator[dict[str, list[Row]]]:
    """The rows of one order after the other: every file of a fetch has them in the same sequence."""
    with ExitStack() as stack:
        groups = {}
        for table in _CHILDREN:
            stream = stack.enter_context(FileSource(fetched.tables[table.name]).open())
            groups[table.name] = groupby(stream.rows, itemgetter("order_id"))
        heads = {name: next(group, None) for name, group in groups.items()}
        for order in _orders(fetched):
            tables: dict[str, list[Row]] = {}
            for table in _CHILDREN:
                head = heads[table.name]
                tables[table.name] = []
                if head is not None and head[0] == order["order_id"]:
                    tables[table.name] = [_row(row, table) for row in head[1]]
                    heads[table.name] = next(groups[table.name], None)
            own = [_converted(order, column) for column in _ORDER_COLUMNS.values()]
            final = is_final(order["status"], bool(tables["payments"]))
            tables["orders"] = [[*own, fetched.campaign_id, fetched.fetched_at, final, _sum(own, tables)]]
            yield tables
        left = [name for name, head in heads.items() if head is not None]
        if left:
            raise SourceError(
                f"Load order statistics of store {fetched.campaign_id}: rows of {', '.join(left)} are of orders that "
                f"{fetched.tables['orders']} does not have there. Was another fetch written over this one? Fetch again."
            )


def _orders(fetched: Fetched) -> Iterator[Mapping[str, Any]]:
    with FileSource(fetched.tables["orders"]).open() as stream:
        yield from stream.rows


def _row(row: Mapping[str, Any], table: Table) -> Row:
    return [_converted(row, column) for column in table.columns]


def _converted(row: Mapping[str, Any], column: Column) -> Any:
    """A value as Parquet takes it; JSON Lines have texts of most types."""
    value = row[column.name]
    convert = _CONVERT.get(column.type)
    return convert(value) if convert and isinstance(value, str) else value


def _sum(order: Row, tables: Mapping[str, list[Row]]) -> str:
    """The same for the same content, whatever format it was read from; a field the package learns of changes none."""
    rows = [order, *chain.from_iterable(tables[table.name] for table in _CHILDREN)]
    return hashlib.blake2b(_encode([list(map(_plain, row[:-1])) for row in rows]), digest_size=16).hexdigest()


def _plain(value: Any) -> Any:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value
