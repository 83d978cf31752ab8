# SPDX-License-Identifier: Apache-2.0
"""Reads a simple_orders CSV row by row, in flat memory, and collects what is wrong with it.

Source: https://yandex.ru/dev/metrika/ru/management/openapi/schema/uploadSimpleOrders .
What the documentation leaves open (required ``id``, the look of FAILED, partial acceptance, encoding) and what the
sandbox chose:
* ``id`` may be missing or empty; each such row makes a new order, so sending it again doubles it;
* a file that is no proper table of known columns is refused whole with HTTP 400 ``invalid_uploading``: not UTF-8, a
  byte order mark, broken quoting, an unknown, doubled or missing column, no rows. The list of uploads
  does not show it;
* a bad row makes the upload FAILED with HTTP 200: errors name line and column, never the value, and no row is applied;
* lines are counted in the file as an editor shows it, the header being line 1; a row is named by its first line;
* an empty line is a row with too few cells; both ``\\n`` and ``\\r\\n`` end a line; quotes follow RFC 4180.
"""

import codecs
import csv
import os
import re
from collections.abc import Iterator
from io import TextIOWrapper
from operator import itemgetter
from types import TracebackType
from typing import IO, Final, Self

from airflow_provider_yandex_orders.sandbox.metrica.errors import MetricaError
from airflow_provider_yandex_orders.sandbox.metrica.fields import COLUMNS, IDENTIFIERS, STATUSES, moment

DELIMITERS: Final = {"COMMA": ",", "SEMICOLON": ";"}
_FREE: Final = frozenset({"id", "create_date_time", "client_uniq_id"})
_SEPARATOR: Final = "\x1f"
_NAMED_GOALS_KEPT: Final = 1000
_GOAL_CELLS_KEPT: Final = 10_000


class OrdersFile:
    """One uploaded file; iterate :meth:`rows` to the end, then read the counts."""

    def __init__(self, source: IO[bytes], delimiter: str, max_errors: int) -> None:
        self._max_errors = max_errors
        self._errors: list[str] = []
        self.elements = 0
        """Rows read, good and bad."""
        self.failed = 0
        """Errors found, also those not spelled out."""
        self.goals: set[str] = set()
        """Goal identifiers named by good rows, up to a thousand."""
        self._goal_cells: set[tuple[str, str]] = set()
        _refuse_shapeless(source)
        self._text = TextIOWrapper(source, encoding="utf-8", newline="")
        self._reader = csv.reader(self._text, delimiter=delimiter, strict=True)
        self._header = self._read_header()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The upload owns the file beneath; the wrapper would close it.
        self._text.detach()

    def errors(self) -> list[str]:
        """What is wrong, as the service would say it."""
        if self.failed > len(self._errors):
            return [*self._errors, f"and {self.failed - len(self._errors)} more errors"]
        return list(self._errors)

    def rows(self) -> Iterator[tuple[object, ...]]:
        """Good rows as (line, \\*cells in the order of COLUMNS), an absent cell being empty text."""
        width = len(self._header)
        position = {name: place for place, name in enumerate(self._header)}
        good = _row_pattern(self._header).fullmatch
        cells = [re.compile(COLUMNS[name].pattern, re.ASCII).fullmatch for name in self._header]
        date_at = position["create_date_time"]
        identify = itemgetter(*(position.get(name, width) for name in IDENTIFIERS))
        goals_at, status_at = position.get("goals", width), position.get("order_status", width)
        arrange = itemgetter(*(position.get(name, width) for name in COLUMNS))
        for line, record in self._records():
            self.elements += 1
            if len(record) != width:
                self._add(f"line {line}: {len(record)} cells, the header has {width}")
                continue
            faults = []
            if not good(_SEPARATOR.join(record)):
                faults = [
                    f"line {line}, column {name}: must be {COLUMNS[name].rule}"
                    for name, cell, check in zip(self._header, record, cells, strict=True)
                    if cell and not check(cell)
                ]
            record.append("")
            if date := moment(record[date_at]):
                record[date_at] = date
            else:
                faults.append(f"line {line}, column create_date_time: must be {COLUMNS['create_date_time'].rule}")
            if not any(identify(record)):
                faults.append(f"line {line}: one of {', '.join(IDENTIFIERS)} is required")
            if faults:
                for fault in faults:
                    self._add(fault)
                continue
            if record[goals_at] or record[status_at]:
                self._note_goals(record[goals_at], record[status_at])
            yield line, *arrange(record)
        if self.elements == 0:
            raise MetricaError("invalid_uploading", "The file has no rows", "file")

    def _add(self, fault: str) -> None:
        self.failed += 1
        if len(self._errors) < self._max_errors:
            self._errors.append(fault)

    def _note_goals(self, goals: str, status: str) -> None:
        # Most rows repeat a few cells; a set of them spares taking each apart.
        if (goals, status) in self._goal_cells or len(self.goals) >= _NAMED_GOALS_KEPT:
            return
        if len(self._goal_cells) < _GOAL_CELLS_KEPT:
            self._goal_cells.add((goals, status))
        if status and status not in STATUSES:
            self.goals.add(status)
        if goals:
            self.goals.update(item.partition(":")[0] for item in goals.split(","))

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        reader = self._reader
        line = reader.line_num + 1
        try:
            for record in reader:
                yield line, record
                line = reader.line_num + 1
        except UnicodeDecodeError as error:
            # Decoding runs ahead of the rows, so the line of the bad byte is not known.
            raise MetricaError("invalid_uploading", "The file is not UTF-8", "file") from error
        except csv.Error as error:
            message = f"The file is not proper CSV near line {line}: {error}"
            raise MetricaError("invalid_uploading", message, "file") from error

    def _read_header(self) -> list[str]:
        _, header = next(self._records(), (1, []))
        if unknown := [str(number) for number, name in enumerate(header, 1) if name not in COLUMNS]:
            # By number: in a file without a header these "names" would be a customer's data. A wrong delimiter ends
            # here too, with the whole line as one name.
            message = f"Unknown columns, by number from the left: {', '.join(unknown[:20])}"
            raise MetricaError("invalid_uploading", message, "file")
        if doubled := sorted({name for name in header if header.count(name) > 1}):
            raise MetricaError("invalid_uploading", f"Repeated columns: {', '.join(doubled)}", "file")
        if "create_date_time" not in header:
            raise MetricaError("invalid_uploading", "The column create_date_time is required", "file")
        if not set(IDENTIFIERS) & set(header):
            names = ", ".join(IDENTIFIERS)
            raise MetricaError("invalid_uploading", f"One of the columns {names} is required", "file")
        return header


def _row_pattern(header: list[str]) -> re.Pattern[str]:
    """Matches a good row joined by the separator: one call a row. A row it misses may still be good, if odd."""
    cells = (rf"(?:{COLUMNS[name].pattern})?+" if name not in _FREE else rf"[^{_SEPARATOR}]*+" for name in header)
    return re.compile(_SEPARATOR.join(cells), re.ASCII)


def _refuse_shapeless(source: IO[bytes]) -> None:
    source.seek(0, os.SEEK_END)
    if source.tell() == 0:
        raise MetricaError("invalid_uploading", "The file is empty", "file")
    source.seek(0)
    if source.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8:
        raise MetricaError("invalid_uploading", "The file starts with a byte order mark", "file")
    source.seek(0)
