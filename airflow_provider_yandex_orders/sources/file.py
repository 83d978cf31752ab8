# SPDX-License-Identifier: Apache-2.0
"""Rows from a file: CSV, JSON Lines or Parquet, plain or gzip, local or in object storage."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from itertools import chain
from typing import IO, Any, ClassVar, cast

import msgspec

from airflow_provider_yandex_orders.exceptions import ConfigurationError, SourceError, SourceUnavailable
from airflow_provider_yandex_orders.sources.base import Row, RowStream, Source, UnreadableRow

_FORMATS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
_PARQUET_ROWS = 2000
_READ_ERRORS = (OSError, EOFError, UnicodeDecodeError, zlib.error)


class FileSource(Source):
    """The rows of one file, read as a stream.

    CSV is UTF-8 (a byte order mark is skipped) with a header line; comma, semicolon or tab, told by that line.

    :param path: local path or object storage URL. (templated)
    :param conn_id: Airflow connection of the object storage. (templated)
    :param format: ``csv``, ``jsonl`` or ``parquet``; by default told by the name, where ``.gz`` means gzip.
    :param columns: ``{"target field": "column of the file"}`` where names differ.
    """

    template_fields: ClassVar[tuple[str, ...]] = ("path", "conn_id")

    def __init__(
        self,
        path: str,
        conn_id: str | None = None,
        format: str | None = None,
        columns: dict[str, str] | None = None,
    ) -> None:
        self.path = path
        self.conn_id = conn_id
        self.format = format
        self.columns = columns

    def serialize(self) -> dict[str, Any]:
        """The path as rendered."""
        return {"path": self.path, "conn_id": self.conn_id, "format": self.format, "columns": self.columns}

    def __repr__(self) -> str:
        return f"FileSource({self.path!r})"

    @contextmanager
    def open(self) -> Iterator[RowStream]:
        """Open the file."""
        read = {"csv": _csv, "jsonl": _jsonl, "parquet": self._parquet}[self._format()]
        with self.opened() as file:
            try:
                stream = read(file)
            except _READ_ERRORS as error:
                raise self._explain(error) from None
            except csv.Error:
                raise self._no_csv() from None
            yield RowStream(stream.columns, self._guarded(stream.rows))

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """The file's bytes, unpacked.

        :raises SourceError: there is no such file, or it cannot be read.
        """
        with ExitStack() as opened:
            try:
                file = opened.enter_context(self._stored())
                if self.path.endswith(".gz"):
                    file = cast("IO[bytes]", opened.enter_context(gzip.open(file)))
            except _READ_ERRORS as error:
                raise self._explain(error) from None
            yield file

    def _stored(self) -> IO[bytes]:
        from airflow.providers.common.compat.sdk import ObjectStoragePath

        try:
            file: IO[bytes] = ObjectStoragePath(self.path, conn_id=self.conn_id).open("rb")
        except (ValueError, ImportError) as error:  # Airflow's own words: it knows no such storage
            raise ConfigurationError(
                f"Read {self!r}: {error}. Install the Airflow provider of this storage, or correct path=."
            ) from None
        return file

    def _guarded(self, rows: Iterator[Row]) -> Iterator[Row]:
        try:
            yield from rows
        except _READ_ERRORS as error:
            raise self._explain(error) from None
        except csv.Error:
            raise self._no_csv() from None

    def _no_csv(self) -> SourceError:
        return SourceError(
            f"Read {self!r}: a quote is opened and never closed, or a cell is longer than {csv.field_size_limit():,} "
            "characters. Rows inside it cannot be told apart: write the file anew; nothing was sent."
        )

    def _explain(self, error: Exception) -> SourceError | SourceUnavailable:
        if isinstance(error, FileNotFoundError):
            return SourceError(
                f"Read {self!r}: there is no such file. Check the path as rendered, and that the task that writes it "
                "runs on a machine that shares it with this one."
            )
        if isinstance(error, UnicodeDecodeError):
            return SourceError(f"Read {self!r}: the file is not UTF-8. Save it as UTF-8; nothing was sent.")
        if isinstance(error, (gzip.BadGzipFile, EOFError, zlib.error)):
            return SourceError(f"Read {self!r}: the file is not a whole gzip file. Write it anew; nothing was sent.")
        if isinstance(error, (IsADirectoryError, NotADirectoryError, PermissionError)):
            return SourceError(f"Read {self!r}: {error.strerror or 'it cannot be read'}. Correct path=.")
        return SourceUnavailable(f"Read {self!r}: {type(error).__name__}. Nothing was sent; the next try may pass.")

    def _format(self) -> str:
        name = self.path.removesuffix(".gz")
        told = self.format or next((form for end, form in _FORMATS.items() if name.endswith(end)), None)
        if told is None or told not in _FORMATS.values():
            raise ConfigurationError(
                f"Read {self!r}: unknown format. Name the file *.csv, *.jsonl or *.parquet (*.gz for gzip), "
                'or give format="csv", "jsonl" or "parquet".'
            )
        return told

    def _parquet(self, file: IO[bytes]) -> RowStream:
        try:
            import pyarrow as pa
            import pyarrow.parquet as pq
        except ImportError:
            raise ConfigurationError(
                f"Read {self!r}: Parquet needs pyarrow. Install airflow-provider-yandex-orders[parquet]."
            ) from None
        try:
            table = pq.ParquetFile(file)
        except pa.ArrowInvalid:
            raise SourceError(f"Read {self!r}: this is no Parquet file. Write it anew.") from None

        def rows() -> Iterator[Row]:
            try:
                for batch in table.iter_batches(batch_size=_PARQUET_ROWS):
                    yield from batch.to_pylist()
            except ValueError as error:  # pyarrow's own, and nanoseconds where pandas is missing
                what = "times in nanoseconds" if "anosecond" in str(error) else "damaged rows"
                raise SourceError(
                    f"Read {self!r}: the file holds {what}, which cannot be read. Write it anew"
                    f"{', with microseconds' if what.startswith('times') else ''}; nothing was sent."
                ) from None

        return RowStream(table.schema_arrow.names, rows())


def _csv(file: IO[bytes]) -> RowStream:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    first = text.readline()
    delimiter = max(",;\t", key=first.count)
    # Strict: else a quote that is never closed would swallow the rest of the file as one good cell.
    lines = csv.reader(chain([first] if first else [], text), delimiter=delimiter, strict=True)
    names = next(lines, [])
    return RowStream(names, _csv_rows(lines, names))


def _csv_rows(lines: Iterator[list[str]], names: list[str]) -> Iterator[Row]:
    width = len(names)
    while True:
        try:
            cells = next(lines)
        except StopIteration:
            return
        except csv.Error as error:
            if "expected after" not in str(error):  # rows are lost and nobody can tell how many
                raise
            yield UnreadableRow("the line is no CSV", "quote cells with line ends; double a quote inside quotes")
            continue
        if not cells:
            continue  # an empty line
        if len(cells) == width:
            yield dict(zip(names, cells, strict=True))
        else:
            yield UnreadableRow(
                f"the line has {len(cells)} cells and the header {width}",
                "quote cells that hold the delimiter or a line end",
            )


def _jsonl(file: IO[bytes]) -> RowStream:
    return RowStream(None, _json_rows(file))


def _json_rows(file: IO[bytes]) -> Iterator[Row]:
    # Numbers with a point stay exact: a float would change amounts and long ids.
    decode = msgspec.json.Decoder(float_hook=Decimal).decode
    # Airflow 2.11 wraps files in objects that can be read but not iterated.
    for line in io.BufferedReader(cast("io.RawIOBase", file)):
        if line.isspace():
            continue
        line = line.removeprefix(BOM_UTF8)
        try:
            row = decode(line)
        except (msgspec.DecodeError, RecursionError):
            yield UnreadableRow("the line is no JSON", "write one JSON object a line")
            continue
        yield (row if isinstance(row, dict) else UnreadableRow("the line is no JSON object", "write one a line"))
