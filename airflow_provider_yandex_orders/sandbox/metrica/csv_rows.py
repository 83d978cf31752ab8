# SPDX-License-Identifier: Apache-2.0
"""Reads an uploaded CSV row by row, in flat memory.

Sources: https://yandex.ru/dev/metrika/ru/management/openapi/schema/uploadSimpleOrders ,
https://yandex.ru/dev/metrika/en/management/openapi/schema/uploadOrders .
What the documentation leaves open (required ``id`` of simplified orders, the look of FAILED, partial acceptance,
encoding) and what the sandbox chose:
* ``id`` of a simplified order may be missing or empty; each such row makes a new order, so sending it again doubles it;
* a file that is no proper table of known columns is refused whole with HTTP 400 ``invalid_uploading``: not UTF-8, a
  byte order mark, broken quoting, an unknown, doubled or missing column, no rows. The list of uploads
  does not show it;
* with ``columns_mapping`` a column that it does not name keeps its own name; a column that it names must be there;
* a cell of a multivalued attribute is a comma list;
* lines are counted in the file as an editor shows it, the header being line 1; a row is named by its first line;
* an empty line is a row with too few cells; both ``\\n`` and ``\\r\\n`` end a line; quotes follow RFC 4180.
"""

import codecs
import csv
import json
import os
import re
from collections.abc import Iterator, Mapping
from io import TextIOWrapper
from types import MappingProxyType, TracebackType
from typing import IO, Final

from airflow_provider_yandex_orders.sandbox.metrica.entities import Entity
from airflow_provider_yandex_orders.sandbox.metrica.errors import MetricaError
from airflow_provider_yandex_orders.sandbox.metrica.fields import CONVERTERS, Column, items
from airflow_provider_yandex_orders.sandbox.metrica.rows import Rows, cells_at, whole

DELIMITERS: Final = {"COMMA": ",", "SEMICOLON": ";"}
_SEPARATOR: Final = "\x1f"
_NOTHING: Final[Mapping[str, Column]] = MappingProxyType({})
_NO_MAPPING: Final[Mapping[str, str]] = MappingProxyType({})


class CsvRows(Rows):
    """One uploaded file."""

    def __init__(
        self,
        source: IO[bytes],
        entity: Entity,
        max_errors: int,
        *,
        delimiter: str = ",",
        attributes: Mapping[str, Column] = _NOTHING,
        mapping: Mapping[str, str] = _NO_MAPPING,
    ) -> None:
        super().__init__(entity, max_errors)
        self._attributes = attributes
        self.columns = {name: column for name, column in entity.columns.items() if column.in_csv} | dict(attributes)
        _refuse_shapeless(source)
        self._text = TextIOWrapper(source, encoding="utf-8", newline="")
        self._reader = csv.reader(self._text, delimiter=delimiter, strict=True)
        self.header = self._read_header(mapping)
        """The columns of the file, by the names they have here."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the file back: the wrapper would close it."""
        super().__exit__(kind, error, trace)
        self._text.detach()

    def good(self) -> Iterator[tuple[object, ...]]:
        """Good rows, numbered by their lines."""
        header, entity = self.header, self.entity
        width = len(header)
        position = {name: place for place, name in enumerate(header)}
        matches = self._row_pattern().fullmatch
        cells = [whole(self.columns[name]).fullmatch for name in header]
        converted = [
            (place, name, CONVERTERS[self.columns[name].form])
            for name, place in position.items()
            if self.columns[name].form in CONVERTERS
        ]
        required = cells_at(position[name] for name in entity.required)
        needs = cells_at(position.get(name, width) for name in entity.needs) if entity.needs else None
        arrange = cells_at(position.get(name, width) for name in entity.columns)
        for line, record in self._records():
            self.elements += 1
            if len(record) != width:
                self._add([f"line {line}: {len(record)} cells, the header has {width}"])
                continue
            wrong = []
            if not matches(_SEPARATOR.join(record)):
                wrong = [
                    name for name, cell, check in zip(header, record, cells, strict=True) if cell and not check(cell)
                ]
            for place, name, convert in converted:
                if cell := record[place]:
                    if value := convert(cell):
                        record[place] = value
                    else:
                        wrong.append(name)
            record.append("")
            if not all(required(record)):
                wrong += [name for name in entity.required if not record[position[name]]]
            lost = needs is not None and not any(needs(record))
            if wrong or lost:
                where = f"line {line}"
                self._add([*(self._must(where, name) for name in wrong), *([self._needed(where)] if lost else [])])
                continue
            values = arrange(record)
            self._collect_names(values)
            yield (line, *values, self._attributes_of(record)) if entity.attributes_of else (line, *values)
        if self.elements == 0:
            raise MetricaError("invalid_uploading", "The file has no rows", "file")

    def _attributes_of(self, record: list[str]) -> str:
        found: dict[str, str | list[str]] = {}
        for name, cell in zip(self.header, record, strict=False):
            if cell and (column := self._attributes.get(name)):
                found[name] = items(column, cell) if column.multiple else cell
        return json.dumps(found, ensure_ascii=False) if found else ""

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

    def _read_header(self, mapping: Mapping[str, str]) -> list[str]:
        _, written = next(self._records(), (1, []))
        if absent := sorted(attribute for attribute, column in mapping.items() if column not in written):
            message = f"The file lacks the columns that columns_mapping gives for: {', '.join(absent)}"
            raise MetricaError("invalid_uploading", message, "file")
        attribute_of = {column: attribute for attribute, column in mapping.items()}
        header = [attribute_of.get(name, name) for name in written]
        if unknown := [str(number) for number, name in enumerate(header, 1) if name not in self.columns]:
            # By number: in a file without a header these "names" would be a customer's data. A wrong delimiter ends
            # here too, with the whole line as one name.
            message = f"Unknown columns, by number from the left: {', '.join(unknown[:20])}"
            raise MetricaError("invalid_uploading", message, "file")
        if doubled := sorted({name for name in header if header.count(name) > 1}):
            raise MetricaError("invalid_uploading", f"Repeated columns: {', '.join(doubled)}", "file")
        if missing := [name for name in self.entity.required if name not in header]:
            raise MetricaError("invalid_uploading", f"Required columns are missing: {', '.join(missing)}", "file")
        if self.entity.needs and not set(self.entity.needs) & set(header):
            names = ", ".join(self.entity.needs)
            raise MetricaError("invalid_uploading", f"One of the columns {names} is required", "file")
        return header

    def _row_pattern(self) -> re.Pattern[str]:
        """Matches a good row joined by the separator: one call a row. A row it misses may still be good, if odd."""
        columns = (self.columns[name] for name in self.header)
        cells = (rf"[^{_SEPARATOR}]*+" if column.free else rf"(?:{column.pattern})?+" for column in columns)
        return re.compile(_SEPARATOR.join(cells), re.ASCII)


def _refuse_shapeless(source: IO[bytes]) -> None:
    source.seek(0, os.SEEK_END)
    if source.tell() == 0:
        raise MetricaError("invalid_uploading", "The file is empty", "file")
    source.seek(0)
    if source.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8:
        raise MetricaError("invalid_uploading", "The file starts with a byte order mark", "file")
    source.seek(0)
