# SPDX-License-Identifier: Apache-2.0
"""Rows of a JSON Lines file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import IO, cast

import msgspec

from airflow_provider_yandex_orders.sources.base import Row, RowStream, UnreadableRow
from airflow_provider_yandex_orders.sources.encodings import decoded


def json_stream(file: IO[bytes], encoding: str) -> RowStream:
    """The rows, one object a line."""
    text, used = decoded(file, encoding)
    if used == "utf-8":  # faster without a step between
        return RowStream(None, _rows(iter(cast("IO[bytes]", text.detach()))))
    text.reconfigure(newline="\n")
    return RowStream(None, _rows(iter(text)))


def _rows(lines: Iterator[str] | Iterator[bytes]) -> Iterator[Row]:
    # Numbers with a point stay exact: a float would change amounts and long ids.
    decode = msgspec.json.Decoder(float_hook=Decimal).decode
    for line in lines:
        if line.isspace():
            continue
        line = line.removeprefix(b"\xef\xbb\xbf") if isinstance(line, bytes) else line.removeprefix("\ufeff")
        try:
            row = decode(line)
        except (msgspec.DecodeError, RecursionError):
            has_nan = re.search(rb"NaN|Infinity", line if isinstance(line, bytes) else line.encode())
            fix = "NaN and Infinity are none: write null" if has_nan else "write one JSON object a line"
            yield UnreadableRow("the line is no JSON", fix)
            continue
        yield (row if isinstance(row, dict) else UnreadableRow("the line is no JSON object", "write one a line"))
