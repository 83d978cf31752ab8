# SPDX-License-Identifier: Apache-2.0
"""Orders into their files, JSON Lines, plain or gzip, or Parquet: the raw one, and one of each table.

The same rows make the same bytes.
"""

from __future__ import annotations

import gzip
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from pathlib import Path
from typing import IO, Any, Self, cast

import msgspec

from airflow_provider_yandex_orders.market.tables import order_stats
from airflow_provider_yandex_orders.market.tables.declare import Table, Type
from airflow_provider_yandex_orders.market.tables.order_rows import OrderRows
from airflow_provider_yandex_orders.market.tables.rows import WHOLE_DIGITS, Row

log = logging.getLogger(__name__)

FORMATS = ("jsonl.gz", "jsonl", "parquet")
_GZIP_LEVEL = 2
"""Half the time of level 6, for files a third larger."""
SCALE = 9
"""Decimals of a Parquet amount, with 38 digits in all: what BigQuery calls NUMERIC."""


WriteRows = Callable[[Sequence[Row]], object]
"""Adds rows to a file."""


def json_lines(file: IO[bytes], table: Table) -> WriteRows:
    """The function that writes rows of a table as JSON Lines."""
    # Rows go through a struct, whose encoding costs half of a dict's.
    names = {f"column_{number}": name for number, name in enumerate(table.names)}
    make = msgspec.defstruct("Row", [(name, Any) for name in names], rename=names)
    encode_lines = msgspec.json.Encoder().encode_lines
    return lambda rows: file.write(encode_lines([make(*row) for row in rows]))


def rounded(amount: Decimal) -> Decimal:
    """An amount with the decimals that Parquet files and warehouses have."""
    with localcontext(prec=WHOLE_DIGITS + SCALE + 1):
        return amount.quantize(Decimal(1).scaleb(-SCALE), ROUND_HALF_EVEN)


class ParquetTable:
    """Rows of a table as Parquet (needs the extra ``parquet``)."""

    def __init__(self, path: Path, table: Table) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._pa = pa
        types = {
            Type.INTEGER: pa.int64(),
            Type.TEXT: pa.string(),
            Type.BOOLEAN: pa.bool_(),
            Type.DECIMAL: pa.decimal128(38, SCALE),
            Type.DATE: pa.date32(),
            Type.MOMENT: pa.timestamp("us", tz="UTC"),
            Type.JSON: pa.string(),
        }
        self._table = table
        self._schema = pa.schema([(column.name, types[column.type]) for column in table.columns])
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._waiting: list[Row] = []
        self._rounded = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._flush()
            if self._rounded:
                log.warning(
                    "%d amounts of %s had more than %d decimals and are rounded in the Parquet file; the raw file has "
                    "them whole.",
                    self._rounded,
                    self._table.name,
                    SCALE,
                )
        self._writer.close()

    def write(self, rows: Sequence[Row]) -> None:
        """Add rows."""
        self._waiting.extend(rows)
        if len(self._waiting) >= self._table.group_rows:
            self._flush()

    def _flush(self) -> None:
        if not self._waiting:
            return
        columns = zip(*self._waiting, strict=True)
        arrays = [self._array(list(values), field.type) for values, field in zip(columns, self._schema, strict=True)]
        self._waiting.clear()
        self._writer.write_table(self._pa.Table.from_arrays(arrays, schema=self._schema))

    def _array(self, values: list[Any], kind: Any) -> Any:
        try:
            return self._pa.array(values, kind)
        except self._pa.ArrowInvalid:
            if not self._pa.types.is_decimal(kind):
                raise
        short = [value if value is None else rounded(value) for value in values]
        self._rounded += sum(a != b for a, b in zip(values, short, strict=True))
        return self._pa.array(short, kind)


def schema_json(tables: Iterable[Table]) -> bytes:
    """Tables, keys and columns as JSON."""
    described = {
        table.name: {
            "note": table.note,
            "key": table.key,
            "columns": [
                {"name": column.name, "type": column.type.value, "note": column.note} for column in table.columns
            ],
        }
        for table in tables
    }
    return msgspec.json.format(msgspec.json.encode(described), indent=1) + b"\n"


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
