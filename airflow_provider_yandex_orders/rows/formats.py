# SPDX-License-Identifier: Apache-2.0
"""Rows as files: CSV as RFC 4180 quotes it, or one JSON document."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from itertools import chain
from types import SimpleNamespace
from typing import Any

import msgspec

from airflow_provider_yandex_orders.rows.kind import RowKind

_EMPTY: tuple[Any, ...] = (None, "", [], {})
_as_meant = msgspec.json.Encoder(decimal_format="number", order="deterministic", enc_hook=str).encode


@dataclass(frozen=True, slots=True)
class FileFormat:
    """How rows become a file: what stands before, between and after them, and how one is written.

    :param suffix: end of the file's name.
    :param encode: writes the checked values of one row.
    :param encode_cells: writes the cells of one row apart from each other, for a file of some fields only; ``None``
        where each row names its own fields.
    :param narrow: the format of a file of some fields only, and what makes its rows of their cells.
    :param picker: what gives some fields of rows as they stand in the file, for adding up: a column each, with ``None``
        or nothing where a row has none.
    :param names: the fields, as they follow each other; none where rows are no list of cells and no object.
    :param delimiter: what stands between cells; empty where rows are objects.
    """

    suffix: str
    head: bytes
    between: bytes
    tail: bytes
    encode: Callable[[Mapping[str, Any]], bytes]
    encode_cells: Callable[[Mapping[str, Any]], bytes] | None = None
    narrow: Callable[[Collection[str]], tuple[FileFormat, Callable[[bytes], bytes]]] | None = None
    picker: Callable[[tuple[str, ...]], Callable[[Sequence[bytes]], Sequence[Sequence[Any]]]] | None = None
    names: Sequence[str] = ()
    delimiter: str = ""


def csv_format(kind: RowKind, delimiter: str = ",") -> FileFormat:
    """CSV in UTF-8 without a mark, with a header line.

    Every line has every field, used or not, so that the service keeps nothing that is no longer true; a narrow file has
    only fields that some row has a value for, so that the service keeps the others.
    """
    names = [declared.name for declared in kind.sent_fields]
    write = line_writer(delimiter)

    def encode(values: Mapping[str, Any]) -> bytes:
        return write([cell(values.get(name)) for name in names])

    def encode_cells(values: Mapping[str, Any]) -> bytes:
        return msgspec.json.encode([cell(values.get(name)) for name in names])

    @cache
    def picker(fields: tuple[str, ...]) -> Callable[[Sequence[bytes]], Sequence[Sequence[str]]]:
        def cells(line: bytes) -> list[str]:
            text = line.decode()[:-1]
            return text.split(delimiter) if '"' not in text else next(csv.reader([text], delimiter=delimiter))

        def pick(lines: Sequence[bytes]) -> Sequence[Sequence[str]]:
            text = b"".join(lines).decode()
            if '"' in text:
                every = list(chain.from_iterable(map(cells, lines)))
            else:
                every = text[:-1].replace("\n", delimiter).split(delimiter)
            nothing = [""] * len(lines)
            return [every[names.index(name) :: len(names)] if name in names else nothing for name in fields]

        return pick

    def narrow(fields: Collection[str]) -> tuple[FileFormat, Callable[[bytes], bytes]]:
        places = [place for place, name in enumerate(names) if name in fields]

        def cut(line: bytes) -> bytes:
            cells = msgspec.json.decode(line)
            return write([cells[place] for place in places])

        some = tuple(declared for declared in kind.sent_fields if declared.name in fields)
        return csv_format(replace(kind, fields=some), delimiter), cut

    return FileFormat(".csv", write(names), b"", b"", encode, encode_cells, narrow, picker, names, delimiter)


def json_format(kind: RowKind) -> FileFormat:
    """One JSON object with the rows in a list named like the kind; amounts are exact numbers."""
    sent = [declared.name for declared in kind.sent_fields if not declared.inside]
    inner = [(declared.name, declared.inside) for declared in kind.sent_fields if declared.inside]
    written = {each.name: each.type.as_json for each in kind.sent_fields if each.type.as_json}
    encoder = msgspec.json.Encoder(decimal_format="number")

    def encode(values: Mapping[str, Any]) -> bytes:
        row: dict[str, Any] = {
            name: list(map(written[name], value)) if name in written else value
            for name in sent
            if (value := values.get(name, [])) != []
        }
        for name, inside in inner:
            if value := values.get(name):
                row.setdefault(inside, {})[name] = value
        return encoder.encode(row)

    @cache
    def picker(fields: tuple[str, ...]) -> Callable[[Sequence[bytes]], Sequence[Sequence[Any]]]:
        row = msgspec.defstruct("Row", [(name, Decimal if name in kind.amounts else str, None) for name in fields])
        decode = msgspec.json.Decoder(list[row]).decode  # type: ignore[valid-type]
        return lambda lines: list(
            zip(*map(msgspec.structs.astuple, decode(b"[" + b",".join(lines) + b"]")), strict=True)
        )

    names = () if inner else sent
    return FileFormat(".json", f'{{"{kind.name}":['.encode(), b",\n", b"]}", encode, picker=picker, names=names)


def line_writer(delimiter: str) -> Callable[[Sequence[str]], bytes]:
    """A function that writes the cells of one row of CSV."""
    # What the "file" gives back for a line comes back from ``writerow``. Python up to 3.12 quotes only the signs of
    # its own line end: with "\n" alone a bare "\r" would split the row.
    line: Any = SimpleNamespace(write=lambda text: f"{text[:-2]}\n".encode())
    return csv.writer(line, delimiter=delimiter, lineterminator="\r\n").writerow


def meaning(values: Mapping[str, Any], names: Iterable[str]) -> bytes:
    """What a row means, whatever the format of its file: its filled fields, by name."""
    return _as_meant({name: value for name in names if (value := values.get(name)) not in _EMPTY})


def cell(value: Any) -> str:
    """One checked value as text; lists are joined by commas, as the service reads them."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, tuple):  # a goal and its price
        name, price = value
        return str(name) if price is None else f"{name}:{price:f}"
    if isinstance(value, dict):  # products and quantities
        return ",".join(f"{name}:{quantity}" for name, quantity in value.items())
    return ",".join(map(cell, value))
