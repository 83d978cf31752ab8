# SPDX-License-Identifier: Apache-2.0
"""Files of rows: JSON Lines, plain or gzip, and Parquet. The same rows make the same bytes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from pathlib import Path
from typing import IO, Any, Self

import msgspec

from airflow_provider_yandex_orders.market.tables.declare import Table, Type
from airflow_provider_yandex_orders.market.tables.rows import WHOLE_DIGITS, Row

log = logging.getLogger(__name__)

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
