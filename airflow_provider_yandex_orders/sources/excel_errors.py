# SPDX-License-Identifier: Apache-2.0
"""Errors in the cells of an .xlsx sheet (``#DIV/0!``), which the reader of workbooks gives as empty cells."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from html import unescape
from typing import IO, Any

_CHUNK = 1_000_000
_MOST_BYTES = 2**30  # of a workbook, and of what it unpacks to
_MOST_CELLS = 32_000_000
_ANY_PLACE = re.compile(rb"\br\s*=\s*[\"']([A-Za-z]*)(\d+)[\"']")
_ROW_OR_CELL = re.compile(rb"<(?:\w+:)?(row|c)(?=[\s/>])")
_SHEET = re.compile(r"<(?:\w+:)?(?:sheet|Relationship)\s([^>]*)>")
_ATTRIBUTE = re.compile(r"(\w+)=[\"']([^\"']*)[\"']")
_ERROR_CELL = re.compile(rb"<(?:\w+:)?c\s([^>]*\bt=[\"']e[\"'][^>]*)>(.*?)</(?:\w+:)?c>", re.DOTALL)
_PLACE = re.compile(rb"\br=[\"']([A-Z]+)(\d+)[\"']")
_TEXT = re.compile(rb"<(?:\w+:)?v>([^<]*)<")

Cell = tuple[int, int, str]


def with_errors(lines: Iterator[Sequence[Any]], errors: Iterator[Cell], first_column: int) -> Iterator[Sequence[Any]]:
    """The lines of a sheet, which begin at a column, with errors as the text people see in their cells."""
    error = next(errors, None)
    for number, line in enumerate(lines):
        cells = line
        while error is not None and error[0] <= number:
            if error[0] == number and 0 <= error[1] - first_column < len(line):
                cells = [*cells]
                cells[error[1] - first_column] = error[2]
            error = next(errors, None)
        yield cells


def check_size(file: IO[bytes], sheet: str | None = None) -> None:
    """Make sure that the reader of workbooks, which holds all of one in memory, can take it; older formats are small.

    :param sheet: the one that is to be read; before it is known, all else is looked at.
    :raises OverflowError: it cannot; the text says why.
    """
    if file.seek(0, 2) > _MOST_BYTES:
        raise OverflowError(f"it is larger than {_MOST_BYTES:,} bytes")
    if not zipfile.is_zipfile(file):
        return
    with zipfile.ZipFile(file) as archive:
        if sheet is not None:
            if (name := _part_of(archive, sheet)) is None:
                raise zipfile.BadZipFile  # of another kind, whose sheets cannot be measured
            _check_extent(_chunks(archive, name))
            return
        if sum(part.file_size for part in archive.infolist()) > _MOST_BYTES:
            raise OverflowError(f"it unpacks to more than {_MOST_BYTES:,} bytes")
        for name in archive.namelist():
            chunks = _chunks(archive, None if "worksheets/" in name else name)
            if sum(chunk.count(b"<") for chunk in chunks) > _MOST_CELLS:  # one longer than it says fails its check sum
                raise OverflowError(f"{name} in it has more than {_MOST_CELLS:,} elements")


def _check_extent(chunks: Iterator[bytes]) -> None:
    """The reader makes room for every cell between the first and the last: one far away is enough.

    A row or cell that says no place follows the one before it; one place may be filled again and again.
    """
    rows, columns, cells, row, run, rest = 0, 0, 0, 0, 0, b""
    for chunk in chunks:
        seen = rest + chunk
        end = seen.rfind(b"<")
        seen, rest = seen[:end], seen[end:]
        if len(rest) > _CHUNK:
            raise zipfile.BadZipFile  # no text of a cell is as long
        places = _ANY_PLACE.findall(seen)
        for name in _ROW_OR_CELL.findall(seen):
            row, run, cells = (row + 1, 0, cells) if name == b"row" else (row, run + 1, cells + 1)
            columns = max(columns, run)
        rows = max(rows, row, *(int(number) for _, number in places))
        columns = max(columns, *map(_column, {letters.upper() for letters, _ in places}), 0)
        if max(rows * columns, cells) > _MOST_CELLS:
            raise OverflowError(f"its sheet spans more than {_MOST_CELLS:,} cells")


def _chunks(archive: zipfile.ZipFile, name: str | None) -> Iterator[bytes]:
    if name is not None:
        with archive.open(name) as part:
            while chunk := part.read(_CHUNK):
                yield chunk


def error_cells(file: IO[bytes], sheet: str) -> Iterator[Cell]:
    """Row, column (from 0) and text of every error in a sheet, in the order of the rows; older formats have none."""
    if not zipfile.is_zipfile(file):
        return
    with zipfile.ZipFile(file) as archive:
        rest = b""
        for chunk in _chunks(archive, _part_of(archive, sheet)):
            seen = rest + chunk
            last = max(seen.rfind(b"<c "), seen.rfind(b"<", 0, max(seen.rfind(b":c "), 0)), 0)
            whole, rest = seen[:last], seen[last:]
            yield from _errors(whole)
        yield from _errors(rest)


def _column(letters: bytes) -> int:
    column = 0
    for letter in letters:
        column = column * 26 + letter - 64
    return column


def _errors(xml: bytes) -> Iterator[Cell]:
    for attributes, content in _ERROR_CELL.findall(xml):
        place, text = _PLACE.search(attributes), _TEXT.search(content)
        if place:
            yield int(place[2]) - 1, _column(place[1]) - 1, text[1].decode() if text else "#VALUE!"


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str | None:
    def elements(name: str) -> list[dict[str, str]]:
        found = _SHEET.findall(archive.read(name).decode(errors="replace"))
        return [{key: unescape(value) for key, value in _ATTRIBUTE.findall(attributes)} for attributes in found]

    names = archive.namelist()
    if "xl/workbook.xml" not in names or "xl/_rels/workbook.xml.rels" not in names:
        return None
    relation = next((each.get("id") for each in elements("xl/workbook.xml") if each.get("name") == sheet), None)
    targets = {each.get("Id"): each.get("Target", "") for each in elements("xl/_rels/workbook.xml.rels")}
    target = targets.get(relation, "")
    name = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return name if name in names else None
