# SPDX-License-Identifier: Apache-2.0
"""Rows of a Parquet file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.sources.base import Row, RowStream
from airflow_provider_yandex_orders.sources.stored import StoredFile

_BATCH_ROWS = 2000


def parquet_stream(file: IO[bytes], stored: StoredFile) -> RowStream:
    """The rows, in batches."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise ConfigurationError(
            f"Read {stored!r}: Parquet needs pyarrow. Install airflow-provider-yandex-orders[parquet]."
        ) from None
    try:
        table = pq.ParquetFile(file)
    except pa.ArrowInvalid:
        raise stored.spoilt("this is no Parquet file. Write it anew") from None

    def rows() -> Iterator[Row]:
        try:
            for batch in table.iter_batches(batch_size=_BATCH_ROWS):
                yield from batch.to_pylist()
        except ValueError as error:  # pyarrow's own, and nanoseconds where pandas is missing
            what = "times in nanoseconds" if "anosecond" in str(error) else "damaged rows"
            how = ", with microseconds" if what.startswith("times") else ""
            raise stored.spoilt(f"the file holds {what}, which cannot be read. Write it anew{how}") from None

    return RowStream(table.schema_arrow.names, rows())
