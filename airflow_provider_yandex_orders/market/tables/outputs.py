# SPDX-License-Identifier: Apache-2.0
"""Orders into their files: the raw one, and one of each table."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import msgspec

from airflow_provider_yandex_orders.market.tables import order_stats
from airflow_provider_yandex_orders.market.tables.declare import Table
from airflow_provider_yandex_orders.market.tables.files import (
    ParquetTable,
    WriteRows,
    json_lines,
    line_file,
    schema_json,
)
from airflow_provider_yandex_orders.market.tables.order_rows import OrderRows

FORMATS = ("jsonl.gz", "jsonl", "parquet")

_decode = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode


class Outputs(ExitStack):
    """Writes orders to local files of one folder, each named by what it holds: ``raw.jsonl.gz``, ``items.jsonl.gz``.

    :param folder: an empty folder.
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
        parquet = output_format == "parquet"
        self._raw_lines = None if parquet else self._line_file(order_stats.RAW)
        self._write_raw = self._row_file(order_stats.RAW) if parquet else None

    def add(self, orders: Sequence[tuple[int | None, bytes]]) -> None:
        """Write orders.

        :param orders: each one's id and its bytes. One without an id goes to the raw file alone: the tables' key is
            missing.
        """
        self.orders += len(orders)
        if self._raw_lines is not None:
            self._raw_lines.write(b"".join(line + b"\n" for _, line in orders))
        if self._write_raw is not None:
            self._write_raw([[order_id, line.decode()] for order_id, line in orders])
        for order_id, line in orders:
            if order_id is not None:
                self._rows.add(order_id, _decode(line))
        for name, rows in self._rows.fetch():
            if name in self._write:  # without tables the rows only tell what is new in them
                self.rows[name] += len(rows)
                self._write[name](rows)

    def _row_file(self, table: Table) -> WriteRows:
        if self._format != "parquet":
            return json_lines(self._line_file(table), table)
        return self.enter_context(ParquetTable(self._folder / f"{table.name}.parquet", table)).write

    def _line_file(self, table: Table) -> IO[bytes]:
        return line_file(self._folder / f"{table.name}.{self._format}", self)
