# SPDX-License-Identifier: Apache-2.0
"""Orders into their files: the raw one, and one of each table."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, cast

import msgspec

from airflow_provider_yandex_orders.market.tables import order_stats
from airflow_provider_yandex_orders.market.tables.declare import Table
from airflow_provider_yandex_orders.market.tables.files import ParquetTable, WriteRows, json_lines, schema_json
from airflow_provider_yandex_orders.market.tables.order_rows import OrderRows

FORMATS = ("jsonl.gz", "jsonl", "parquet")
_GZIP_LEVEL = 2
"""Half the time of level 6, for files a third larger."""

Orders = Sequence[tuple[int | None, bytes, bool]]
"""The id of each order, its bytes as the service wrote them, and whether all in it is known."""

_decode = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode


class Outputs(ExitStack):
    """Writes orders to files of an empty folder, each named by what it holds: ``raw.jsonl.gz``, ``items.jsonl.gz``.

    :param output_format: one of :data:`FORMATS`.
    :param tables: whether tables are written beside the raw orders.
    """

    def __init__(self, folder: Path, output_format: str, *, tables: bool) -> None:
        super().__init__()
        self._folder = folder
        self._format = output_format
        self.orders = 0
        self.rows: dict[str, int] = {}
        """Rows by table."""
        self._rows = OrderRows()
        self.strange = self._rows.strange
        """What came that the tables have no place for."""
        self._write: dict[str, WriteRows] = {}
        for table in order_stats.TABLES if tables else ():
            self._write[table.name] = self._row_file(table)
            self.rows[table.name] = 0
        if tables:
            (folder / "schema.json").write_bytes(schema_json(order_stats.TABLES))
        self._write_raw: Callable[[Orders], object]
        if output_format == "parquet":
            write = self._row_file(order_stats.RAW)
            self._write_raw = lambda orders: write([[order_id, line.decode()] for order_id, line, _ in orders])
        else:
            file = self._line_file(order_stats.RAW)
            self._write_raw = lambda orders: file.write(b"".join(line + b"\n" for _, line, _ in orders))

    def add(self, orders: Orders) -> None:
        """Write orders; one without an id goes to the raw file alone, as the tables' key is missing."""
        self.orders += len(orders)
        self._write_raw(orders)
        for order_id, line, known in orders:
            # Without tables rows only tell what is new in them.
            if order_id is not None and (self._write or not known):
                self._rows.add(order_id, _decode(line))
        for name, rows in self._rows.fetch():
            if name in self._write:
                self.rows[name] += len(rows)
                self._write[name](rows)

    def _row_file(self, table: Table) -> WriteRows:
        if self._format != "parquet":
            return json_lines(self._line_file(table), table)
        return self.enter_context(ParquetTable(self._folder / f"{table.name}.parquet", table)).write

    def _line_file(self, table: Table) -> IO[bytes]:
        file: IO[bytes] = self.enter_context((self._folder / f"{table.name}.{self._format}").open("wb"))
        if not self._format.endswith(".gz"):
            return file
        # Neither a name nor a time in the header: both would make other bytes of the same lines.
        packed = gzip.GzipFile(filename="", mode="wb", compresslevel=_GZIP_LEVEL, fileobj=file, mtime=0)
        return cast("IO[bytes]", self.enter_context(packed))
