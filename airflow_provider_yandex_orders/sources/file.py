# SPDX-License-Identifier: Apache-2.0
"""Rows from files: CSV, JSON Lines, Parquet or Excel, plain or gzip, local or in object storage."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, fields, replace
from datetime import datetime
from functools import partial
from typing import IO, TYPE_CHECKING, Any, ClassVar

from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.sources.base import (
    MOST_COLUMNS,
    ColumnMap,
    RowStream,
    Source,
    as_cells,
    plain,
    through,
)
from airflow_provider_yandex_orders.templated import structure

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import XComArg

    from airflow_provider_yandex_orders.rows.reading import Reading
    from airflow_provider_yandex_orders.sources.stored import StoredFile

log = logging.getLogger(__name__)

_FORMATS = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".xlsx": "excel",
    ".xls": "excel",
}


@dataclass(eq=False, repr=False)
class FileSource(Source):
    """The rows of one file or of several, read as a stream.

    The first filled line of CSV and of an Excel sheet names the columns. Of a workbook the first visible sheet is read.

    :param path: local path or object storage URL, a glob (``*``, ``?``, ``[...]``), or a list of them. Each file is
        read once, and all must have the columns that are sent; a glob passes over hidden files. A file that is not
        there yet is waited for by retries. (templated)
    :param conn_id: Airflow connection of the object storage. (templated)
    :param format: ``csv``, ``jsonl``, ``parquet`` or ``excel``; by default told by the name. Gzip is known by the
        file's first bytes. (templated)
    :param columns: ``{"target field": "column of the file"}`` where names differ; a dotted path into nested JSON; or a
        list of columns, of which list fields take all and others the first filled. (templated)
    :param encoding: of CSV and JSON Lines: ``utf-8`` (default), ``cp1251``, ...; a byte order mark is surer.
        (templated)
    :param delimiter: one character between the cells of CSV; by default told by the first lines: comma, semicolon,
        tab, or bar. (templated)
    :param decimal: what stands before the decimals of amounts: ``.`` (default) or ``,``. (templated)
    :param date_format: form of dates and date-times, as Python's ``strptime`` has it, such as ``%m/%d/%Y %H:%M``; by
        default the forms that can be read one way only. (templated)
    :param null_values: texts that stand for nothing; by default ``NULL``, ``nan``, ``#N/A`` and the like.
    :param multiline: cells with hundreds of line ends, or with lines that look like rows, are meant. By default they
        fail the task: a quote that is closed too late makes such cells.
    """

    template_fields: ClassVar[tuple[str, ...]] = (
        "path",
        "conn_id",
        "format",
        "columns",
        "encoding",
        "delimiter",
        "decimal",
        "date_format",
    )

    path: str | Sequence[str] | XComArg
    conn_id: str | None = None
    format: str | None = None
    columns: ColumnMap | None = None
    _: KW_ONLY
    encoding: str = "utf-8"
    delimiter: str | None = None
    decimal: str = "."
    date_format: str | None = None
    null_values: Sequence[str] | None = None
    multiline: bool = False

    def serialize(self) -> dict[str, Any]:
        """The path as rendered, and the options that were given."""
        given = (each.name for each in fields(self) if each.kw_only and getattr(self, each.name) != each.default)
        return {name: plain(getattr(self, name)) for name in ("path", "conn_id", "format", "columns", *given)}

    def __repr__(self) -> str:
        return f"FileSource({plain(self.path)!r})"

    @contextmanager
    def open(self) -> Iterator[RowStream]:
        """Open the files, one after the other."""
        from airflow_provider_yandex_orders.sources.stored import find_files

        reading = self.reading
        files = find_files(self._paths(), self.conn_id)
        with self._opened_rows(files[0]) as first:
            rows = first.rows if len(files) == 1 else through(first.rows, partial(self._of_all, files, first))
            yield replace(first, rows=rows, reading=reading)

    def _of_all(self, files: list[StoredFile], first: RowStream, of_first: Iterator[Any]) -> Iterator[Any]:
        yield from _counted(files[0], of_first)
        for file in files[1:]:
            with self._opened_rows(file) as stream:
                for watcher in first.watchers if stream.columns is not None else ():
                    watcher(stream.columns or (), file, stream.assumed)
                yield from _counted(file, as_cells(stream.rows, first.rows))

    @contextmanager
    def _opened_rows(self, file: StoredFile) -> Iterator[RowStream]:
        from airflow_provider_yandex_orders.sources.encodings import check_encoding
        from airflow_provider_yandex_orders.sources.stored import READ_ERRORS

        form, encoding = self._format(file), check_encoding(str(self.encoding), repr(self))
        with file.opened() as content:
            try:
                stream = self._stream(file, content, form, encoding)
            except READ_ERRORS as error:
                raise file.explained(error, encoding) from None
            if len(stream.columns or ()) > MOST_COLUMNS:
                raise file.spoilt(f"it has {len(stream.columns or ()):,} columns. Write no more than {MOST_COLUMNS:,}")
            yield replace(stream, rows=through(stream.rows, partial(_guarded, file=file, encoding=encoding)))

    def _stream(self, file: StoredFile, content: IO[bytes], form: str, encoding: str) -> RowStream:
        head = content.read(4)
        content.seek(0)
        if not head:
            return RowStream(None, iter(()))
        if form == "parquet":
            from airflow_provider_yandex_orders.sources.parquet_rows import parquet_stream

            return parquet_stream(content, file)
        if form == "excel":
            from airflow_provider_yandex_orders.sources.excel_rows import excel_stream

            return excel_stream(content, file)
        if head in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
            raise file.spoilt('this is a workbook or an archive, no text. Say format="excel", or unpack it')
        if form == "jsonl":
            from airflow_provider_yandex_orders.sources.json_rows import json_stream

            return json_stream(content, encoding, file.spoilt)
        from airflow_provider_yandex_orders.sources.csv_rows import csv_stream
        from airflow_provider_yandex_orders.sources.encodings import decoded

        text, _ = decoded(content, encoding)
        return csv_stream(text, delimiter=self._delimiter(), multiline=self.multiline, spoilt=file.spoilt)

    def _paths(self) -> list[str]:
        # The output of a mapped task is a lazy sequence.
        path = structure(self.path)
        paths = [path] if isinstance(path, str) or not isinstance(path, Sequence) else list(path)
        if not paths or not all(paths):
            raise ConfigurationError(f"Read {self!r}: path is empty after rendering. Name a file, a glob or a list.")
        return [str(path) for path in paths]

    def _format(self, file: StoredFile) -> str:
        name = file.path.lower().removesuffix(".gz")
        told = self.format or next((form for end, form in _FORMATS.items() if name.endswith(end)), None)
        if told is None or told not in _FORMATS.values():
            raise ConfigurationError(
                f"Read {file!r}: unknown format. Name the file {', '.join(f'*{end}' for end in _FORMATS)} (*.gz for "
                'gzip), or give format="csv", "jsonl", "parquet" or "excel".'
            )
        return told

    def _delimiter(self) -> str | None:
        if self.delimiter is None:
            return None
        between = {r"\t": "\t", "tab": "\t"}.get(self.delimiter, self.delimiter)
        if len(between) != 1 or between in '"\r\n':
            raise ConfigurationError(f"Read {self!r}: delimiter= is {between!r}: it must be one character, no quote.")
        return between

    @property
    def reading(self) -> Reading:
        """How the options say that values are written."""
        from airflow_provider_yandex_orders.rows.reading import Reading

        if self.decimal not in (".", ","):
            raise ConfigurationError(f"Read {self!r}: decimal= is {self.decimal!r}: it must be '.' or ','.")
        date_format = None if self.date_format is None else str(self.date_format)
        try:
            datetime.strptime("", date_format or "")  # noqa: DTZ007 - only whether it can be read
        except ValueError as error:
            if "format" in str(error) and "does not match" not in str(error):
                raise ConfigurationError(f"Read {self!r}: date_format= is {date_format!r}: {error}.") from None
        if self.null_values is None:
            return Reading(self.decimal, date_format)
        words = (self.null_values,) if isinstance(self.null_values, str) else self.null_values
        return Reading(self.decimal, date_format, frozenset(map(str, words)))


def _guarded(rows: Iterator[Any], *, file: StoredFile, encoding: str) -> Iterator[Any]:
    from airflow_provider_yandex_orders.sources.stored import READ_ERRORS

    try:
        yield from rows
    except READ_ERRORS as error:
        raise file.explained(error, encoding) from None


def _counted(file: StoredFile, rows: Iterator[Any]) -> Iterator[Any]:
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 - told below
        yield row
    log.info("%r: %d rows.", file, count)  # rows of all files are numbered in one go: this tells whose a number is
