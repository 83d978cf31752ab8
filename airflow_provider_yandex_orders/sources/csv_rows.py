# SPDX-License-Identifier: Apache-2.0
"""Rows of a CSV file. A quote that is closed too late or never loses no row silently."""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, islice
from threading import Lock

from airflow_provider_yandex_orders.exceptions import SourceError
from airflow_provider_yandex_orders.sources.base import LONGEST_LINE, RowStream, TableRows, UnreadableRow
from airflow_provider_yandex_orders.sources.table_rows import header_of, is_empty, table_of

DELIMITERS = ("\t", ";", "|", ",")
"""From the one that stands in texts the least."""
_SAMPLE_LINES = 60
_BLOCK = 500  # lines that are looked at together
_BLOCK_CHARACTERS = 256 * 1024
_MOST_LINES = 100
_ROOM = 4_000_000  # characters looked ahead; the last line of them may be longer
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_BROKEN = "quote cells with line ends; double a quote inside quotes"
_TELLING = re.compile(r"\d[-.:/]\d+[-.:/]\d|.@.")
_one_limit = Lock()

Spoilt = Callable[[str], SourceError]


def csv_stream(text: io.TextIOWrapper, *, delimiter: str | None, multiline: bool, spoilt: Spoilt) -> RowStream:
    """The rows of a CSV file with a header line.

    :param delimiter: what stands between cells; ``None`` for a guess.
    :param multiline: cells with many line ends, or with what looks like rows, are meant.
    :param spoilt: makes the error for a file that cannot be read on.
    """
    lines = _Lines(text, multiline=multiline, spoilt=spoilt)
    sample = lines.peek(_SAMPLE_LINES)
    told = _SEPARATOR_LINE.fullmatch(sample[0]) if sample else None
    if told:
        next(lines)
        sample = sample[1:]
    between = delimiter or (told[1] if told else _guess(sample))
    lines.assumed = f"with {between!r} between its cells"
    records = _records(lines, between)
    names = header_of(records)
    if any("\0" in name for name in names):
        raise spoilt("a zero byte stands in its header line. Write the file anew")
    guess = "" if delimiter or told else "; delimiter= settles it by hand"
    assumed = f"It was read as {text.encoding} {lines.assumed}{guess}."
    columns, make = table_of(names)
    cells = _cells_of(lines, records, make, len(names))
    return RowStream(names or None, TableRows(columns, cells), assumed=assumed)


def _cells_of(
    lines: _Lines,
    records: Iterator[list[str] | UnreadableRow],
    make: Callable[[Sequence[str]], tuple[str, ...] | None],
    width: int,
) -> Iterator[tuple[str, ...] | UnreadableRow]:
    for cells in records:
        if isinstance(cells, UnreadableRow):
            yield cells
            continue
        row = make(cells)
        if "\0" in (lines.record[0] if len(lines.record) == 1 else "".join(lines.record)):
            yield UnreadableRow("the line has a zero byte", "it is damaged: write the file anew")
        elif row is not None:
            if not is_empty(cells):
                yield row
        elif is_empty(cells):
            continue
        elif len(lines.record) > 1:
            raise lines.broken(f"gives {len(cells)} cells, and the header has {width}")
        else:
            yield UnreadableRow(
                f"the line has {len(cells)} cells and the header {width}",
                "quote cells that hold the delimiter or a line end",
            )


def _records(lines: _Lines, delimiter: str) -> Iterator[list[str] | UnreadableRow]:
    # Strict: else a quote that is never closed would swallow the rest of the file as one good cell.
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    model: list[str] = []  # the last record of one line: what a record looks like here
    while True:
        while plain := lines.plain(delimiter):
            yield from plain
            model = next((cells for cells in reversed(plain) if not is_empty(cells)), model)
        lines.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "field limit" in str(error):
                cells = _without_limit(lines, delimiter)
            elif len(lines.record) == 1 and "expected after" in str(error) and _ends_here(lines, delimiter, model):
                yield UnreadableRow("the line is no CSV", _BROKEN)
                continue
            else:
                raise lines.broken("is no CSV") from None
        if len(lines.record) > 1:
            _check_swallowed(lines, delimiter, cells, model)
        elif not is_empty(cells):
            model = cells
        yield cells


def _without_limit(lines: _Lines, delimiter: str) -> list[str]:
    """The record anew: a cell of it is longer than the ``csv`` module takes."""
    read = lines.record[:]
    try:
        with _no_limit():
            return next(csv.reader(chain(read, lines), delimiter=delimiter, strict=True))
    except csv.Error:
        raise lines.broken("is no CSV") from None


@contextmanager
def _no_limit() -> Iterator[None]:
    """Cells of any length, for a moment: the limit is the whole process's."""
    with _one_limit:
        limit = csv.field_size_limit(LONGEST_LINE)
        try:
            yield
        finally:
            csv.field_size_limit(limit)


def _ends_here(lines: _Lines, delimiter: str, model: list[str]) -> bool:
    """Whether a broken line is the end of its record: its quotes are even, or the next line is a record again."""
    if not model:
        return False  # it is the header: without it the next line would name the columns
    if lines.record[0].count('"') % 2 == 0:
        return True
    following = lines.peek(1)
    return not following or len(_cells(following[0], delimiter)) == len(model)


def _check_swallowed(lines: _Lines, delimiter: str, cells: list[str], model: list[str]) -> None:
    """Make sure that none of the lines inside a record looks like a record itself."""
    if lines.multiline or len(cells) < 2:
        return
    if max(cell.count("\n") or cell.count("\r") for cell in cells) >= _MOST_LINES:
        raise lines.suspect(f"a cell with {_MOST_LINES} line ends or more")
    for line in lines.record[1:]:
        plain = line.rstrip("\r\n").replace('"', "").split(delimiter)
        for inner in (plain, _cells(line, delimiter)):
            if len(inner) == len(cells) and (_alike(inner, cells) or _alike(inner, model)):
                raise lines.suspect("a cell with a line end after which all looks like the next row")


def _cells(line: str, delimiter: str) -> list[str]:
    with _no_limit():
        return next(csv.reader([line], delimiter=delimiter), [])


def _alike(cells: Sequence[str], model: Sequence[str]) -> bool:
    if not model:
        return False
    same = [_shape(one) == _shape(other) for one, other in zip(cells, model, strict=False)]
    filled = [equal for equal, cell in zip(same, cells, strict=False) if cell.strip()]
    # A date or an address at its place tells a row, whatever the ids look like; else the first cells must be alike.
    told = any(equal and _TELLING.search(cell) for equal, cell in zip(same[1:], cells[1:], strict=True))
    ids = same[0] and not (cells[0].isdecimal() and model[0].isdecimal() and abs(len(cells[0]) - len(model[0])) > 1)
    return (told or ids) and len(filled) > 1 and 2 * sum(filled) >= len(filled)


def _shape(cell: str) -> str:
    """A cell with letters for words and digits for numbers: dates, ids and addresses each have a shape of their own."""
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", cell.strip()))


def _guess(sample: Sequence[str]) -> str:
    """What stands between cells: that which splits the header into most cells, and the lines below as the header."""
    best, between = (0, 0, 0), ","
    for delimiter in DELIMITERS:
        with _no_limit():
            records = [cells for cells in csv.reader(sample, delimiter=delimiter) if not is_empty(cells)]
        if not records:
            return delimiter  # nothing else is there
        if len(records[0]) < 2:
            continue
        header, *rest = records
        score = (sum(len(cells) == len(header) for cells in rest), len(header), -sum(c[:1] == " " for c in header))
        if score > best:
            best, between = score, delimiter
    return between


class _Lines:
    """Gives a CSV reader its lines, and keeps those of the record it is at."""

    def __init__(self, text: io.TextIOWrapper, *, multiline: bool, spoilt: Spoilt) -> None:
        self._text = text
        self._ahead: deque[str] = deque()
        self._spoilt = spoilt
        self._size = 0
        self._number = self._odd_until = 0
        self.multiline = multiline
        self.assumed = ""
        self.record: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if not self._ahead and not self._read_on():
            raise StopIteration
        line = self._ahead.popleft()
        self._number += 1
        self._size += len(line)
        self.record.append(line)
        if self._size > LONGEST_LINE:
            raise self.broken(f"is longer than {LONGEST_LINE:,} characters")
        if len(self.record) > 2 * _MOST_LINES and not self.multiline:
            raise self.broken(f"is not closed after {2 * _MOST_LINES} lines")
        return line

    def peek(self, count: int) -> list[str]:
        """The next lines, which will come again: as many as there is room for."""
        room = _ROOM
        while len(self._ahead) < count and room > 0 and (size := self._read_on()):
            room -= size
        return list(islice(self._ahead, count))

    def _read_on(self) -> int:
        """Read a block of whole lines: asked for one by one, each goes through what wraps the file."""
        block = self._text.read(_BLOCK_CHARACTERS)
        rest = self._text.readline(LONGEST_LINE) if block else ""
        if len(rest) == LONGEST_LINE:
            raise self._spoilt(
                f"a line after line {self._number + len(self._ahead)} is longer than {LONGEST_LINE:,} characters. "
                "Write each row on a line of its own"
            )
        self._ahead.extend(io.StringIO(block + rest, newline=""))
        return len(block) + len(rest)

    def plain(self, delimiter: str) -> list[list[str]]:
        """The records of the next lines, where nothing in these can keep a line from being one; else none."""
        if self._number < self._odd_until:
            return []
        records, block = [], self.peek(_BLOCK)
        joined = "".join(block)
        if not ('"' in joined or "\0" in joined):
            with suppress(csv.Error):
                records = list(csv.reader(block, delimiter=delimiter, strict=True))
        if len(records) < len(block):
            self._odd_until = self._number + len(block)
            return []
        for _line in block:
            self._ahead.popleft()
        self._number += len(block)
        self.record[:] = [""]
        return records

    def begin(self) -> None:
        """The next line begins a record."""
        self.record.clear()
        self._size = 0

    def broken(self, how: str) -> SourceError:
        """The error for a record after which nobody knows where the next one begins."""
        return self._spoilt(
            f"the record that begins in line {self._first()} {how}. Probably a quote is opened there and never closed, "
            "or closed too late, and rows inside it cannot be told apart. It was read "
            f"{self.assumed}. {_BROKEN.capitalize()}"
            f"{'' if self.multiline else '; multiline=True says that cells with hundreds of lines are meant'}"
        )

    def suspect(self, what: str) -> SourceError:
        """The error for a record that probably holds others."""
        return self._spoilt(
            f"the record that begins in line {self._first()} has {what}. Probably a quote is closed too late and rows "
            "would be lost. Correct that line, or say multiline=True if such cells are meant"
        )

    def _first(self) -> int:
        return self._number - len(self.record) + 1
