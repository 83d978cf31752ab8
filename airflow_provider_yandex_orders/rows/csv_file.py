# SPDX-License-Identifier: Apache-2.0
"""Rows as lines of a CSV file: UTF-8 without a mark, quoted as RFC 4180 says, decimals with a point."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from airflow_provider_yandex_orders.rows.kind import RowKind


class _Line:
    """A file that is one line: what ``csv.writer`` writes comes back from ``writerow``."""

    def write(self, text: str) -> str:
        return text


def _writerow(delimiter: str) -> Callable[[list[str]], str]:
    # Python up to 3.12 quotes only the signs of its own line end: with "\n" alone a bare "\r" would split the row.
    writer = csv.writer(_Line(), delimiter=delimiter, lineterminator="\r\n")

    def write(cells: list[str]) -> str:
        line: str = writer.writerow(cells)
        return f"{line[:-2]}\n"

    return write


def header(kind: RowKind, delimiter: str = ",") -> bytes:
    """The first line: the names of all fields that are sent, used or not."""
    return _writerow(delimiter)([declared.name for declared in kind.sent_fields]).encode()


def line_encoder(kind: RowKind, delimiter: str = ",") -> Callable[[Mapping[str, Any]], bytes]:
    """Make the function that writes the checked values of a row as one line.

    A field without a value is an empty cell: every line has every field, so that what is no longer true is not kept.
    """
    names = [declared.name for declared in kind.sent_fields]
    write = _writerow(delimiter)

    def encode(values: Mapping[str, Any]) -> bytes:
        return write([cell(values.get(name)) for name in names]).encode()

    return encode


def cell(value: Any) -> str:
    """One checked value as the text of a cell."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, tuple):  # a goal and its price
        name, price = value
        return str(name) if price is None else f"{name}:{price:f}"
    return ",".join(cell(element) for element in value)
