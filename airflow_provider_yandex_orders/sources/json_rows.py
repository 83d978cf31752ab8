# SPDX-License-Identifier: Apache-2.0
"""Rows of a JSON Lines file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import IO, TypeVar, cast

import msgspec

from airflow_provider_yandex_orders.exceptions import SourceError
from airflow_provider_yandex_orders.sources.base import LONGEST_LINE, MOST_COLUMNS, Row, RowStream, UnreadableRow
from airflow_provider_yandex_orders.sources.encodings import decoded

Line = TypeVar("Line", str, bytes)


def json_stream(file: IO[bytes], encoding: str, spoilt: Callable[[str], SourceError]) -> RowStream:
    """The rows, one object a line.

    :param spoilt: makes the error for a file that cannot be read on.
    """
    text, used = decoded(file, encoding)
    if used == "utf-8":  # faster without a step between
        return RowStream(None, _rows(cast("IO[bytes]", text.detach()).readline, b"", spoilt))
    text.reconfigure(newline="\n")
    return RowStream(None, _rows(text.readline, "", spoilt))


def _rows(read_line: Callable[[int], Line], end: Line, spoilt: Callable[[str], SourceError]) -> Iterator[Row]:
    # Numbers with a point stay exact: a float would change amounts and long ids.
    decode = msgspec.json.Decoder(float_hook=Decimal).decode
    for number, line in enumerate(iter(partial(read_line, LONGEST_LINE), end), start=1):
        if len(line) == LONGEST_LINE:
            raise spoilt(f"line {number} is longer than {LONGEST_LINE:,} bytes. Write each row on a line of its own")
        if line.isspace():
            continue
        text = line.removeprefix(b"\xef\xbb\xbf") if isinstance(line, bytes) else line.removeprefix("\ufeff")
        try:
            row = decode(text)
        except (msgspec.DecodeError, RecursionError):
            has_nan = re.search(rb"NaN|Infinity", text if isinstance(text, bytes) else text.encode())
            fix = "NaN and Infinity are none: write null" if has_nan else "write one JSON object a line"
            yield UnreadableRow("the line is no JSON", fix)
            continue
        if not isinstance(row, dict):
            row = UnreadableRow("the line is no JSON object", "write one a line")
        elif len(row) > MOST_COLUMNS:
            row = UnreadableRow(f"the object has more than {MOST_COLUMNS:,} fields", "write one row an object")
        yield row
