# SPDX-License-Identifier: Apache-2.0
"""Rows of a Parquet file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.sources.base import RowStream, of_table
from airflow_provider_yandex_orders.sources.stored import StoredFile

_BATCH_ROWS = 2000
_MOST_BYTES = 2**29
"""Of a row group that is a hundred times as long as its file."""


def parquet_stream(file: IO[bytes], stored: StoredFile) -> RowStream:
    """The rows, in batches."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise ConfigurationError(
            f"Read {stored!r}: Parquet needs pyarrow. Install airflow-provider-yandex-orders[parquet]."
        ) from None
    with _damage(stored, "this is no Parquet file, or a damaged one. Write it anew", pa.ArrowException):
        table = pq.ParquetFile(file)
        names, told = table.schema_arrow.names, table.metadata.num_rows
        # As they are in the file: what a dictionary has once may be the value of every row.
        texts = [each.name for each in table.schema_arrow if pa.types.is_string(each.type)]
        table = pq.ParquetFile(file, metadata=table.metadata, read_dictionary=texts)
        sizes = [table.metadata.row_group(number).total_byte_size for number in range(table.num_row_groups)]
    if max(sizes, default=0) > max(_MOST_BYTES, 100 * file.seek(0, 2)):
        raise stored.spoilt(f"it unpacks to more than {_MOST_BYTES:,} bytes. Write it with smaller row groups")

    def cells() -> Iterator[tuple[Any, ...]]:
        batches, count = table.iter_batches(batch_size=_BATCH_ROWS), 0
        while True:
            with _damage(stored, "the file holds damaged rows, which cannot be read. Write it anew", pa.ArrowException):
                batch = next(batches, None)
                found = list(zip(*map(_values, batch.columns), strict=True)) if batch is not None else []
            count += len(found)
            yield from found
            if batch is None:
                break
        groups = [table.metadata.row_group(number).num_rows for number in range(table.num_row_groups)]
        if not count == told == sum(groups):
            raise stored.spoilt("the file does not hold as many rows as it says. Write it anew")

    return RowStream(names, of_table(names, cells()))


def _values(column: Any) -> list[Any]:
    """The values of a column; those that are the same are one."""
    if hasattr(column, "indices"):
        found = column.indices.unique()
        texts: list[Any] = column.dictionary.take(found).to_pylist()
        if len(found) == len(column):
            return texts
        known = dict(zip(found.to_pylist(), texts, strict=True))
        return [known[place] for place in column.indices.to_pylist()]
    values: list[Any] = column.to_pylist()
    return values


@contextmanager
def _damage(stored: StoredFile, what: str, own: type[Exception]) -> Iterator[None]:
    """Tell a damaged file from a storage that fails.

    :param own: class of pyarrow's own errors; of some it makes an ``OSError`` without a number, which no storage does.
    """
    try:
        yield
    except (own, ValueError, MemoryError, OSError) as error:
        if isinstance(error, OSError) and (type(error) is not OSError or error.errno is not None):
            raise
        if "anosecond" in str(error):  # where pandas is missing
            what = "the file holds times in nanoseconds, which cannot be read. Write it anew, with microseconds"
        raise stored.spoilt(what) from None
