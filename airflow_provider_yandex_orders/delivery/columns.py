# SPDX-License-Identifier: Apache-2.0
"""Whether a source's columns can make rows of a kind at all: asked before its rows are judged one by one."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches

from airflow_provider_yandex_orders.exceptions import SourceError
from airflow_provider_yandex_orders.privacy import VALUE, scrub
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.sources.base import Row, RowStream, Source

log = logging.getLogger(__name__)

_HEADING = re.compile(r"[^\W\d][\w .,:/()№#%-]{0,63}")
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_.]*|[A-Z][A-Z0-9_]*")
_BEGINS_AS_VALUE = re.compile(r"\s*\W?\d|[^\W\d_]+-\d")


def check_mapping(columns: Mapping[str, str] | None, kind: RowKind) -> None:
    """Make sure that every mapped field exists.

    :raises SourceError: one does not; the message names the nearest.
    """
    for field in columns or {}:
        if field not in kind.field_names:
            raise SourceError(
                f"Map columns: {kind.name} has no field {field!r}.{_near(field, kind.field_names)} It has: "
                f'{", ".join(kind.field_names)}. columns= is written {{"field": "source column"}}.'
            )


def watched(source: Source, kind: RowKind, stream: RowStream, *, require_key: bool) -> Iterator[Row]:
    """The stream's rows, with its columns checked: before the first where they are known, else after the last.

    :raises SourceError: a mapped column is missing, or a field no row can do without has no column.
    """
    if stream.columns is not None:
        _check_columns(source, kind, stream.columns, require_key)
        yield from stream.rows
        return
    unseen = set((source.columns or {}).values())
    read = False
    for row in stream.rows:
        read = True
        if unseen:
            unseen.difference_update(row)
        yield row
    if read and unseen:
        raise SourceError(
            f"Map columns: no row of {source!r} has {', '.join(map(repr, sorted(unseen)))}. "
            "Correct columns= of the source; nothing was sent."
        )


def _check_columns(source: Source, kind: RowKind, available: Sequence[str], require_key: bool) -> None:
    mapping = source.columns or {}
    shown = dict(zip(available, _shown(available, {*mapping.values(), *kind.field_names}), strict=True))
    has = f"It has: {', '.join(shown.values()) or 'no columns'}."
    if any(name != each for name, each in shown.items()):
        has += " Some look like values: is the first line a header?"
    doubled = sorted({shown[name] for name in available if available.count(name) > 1})
    if doubled:
        raise SourceError(f"Read {source!r}: several columns are named {', '.join(doubled)}. Name each column once.")
    for field, column in mapping.items():
        if column not in available:
            raise SourceError(
                f"Map columns: {field!r} is to come from column {column!r}, which {source!r} does not have."
                f"{_near(column, available)} {has} Correct columns= of the source."
            )
    for declared in kind.fields:
        needed = declared.required and (declared.name not in kind.key or require_key)
        if needed and mapping.get(declared.name, declared.name) not in available:
            why = f" ({declared.if_missing}.)" if declared.if_missing else ""
            raise SourceError(
                f"Read {source!r}: there is no column {declared.name!r}, which {kind.name} cannot do without.{why}"
                f"{_near(declared.name, available)} {has} "
                f'Name one by columns={{"{declared.name}": "source column"}}.'
            )
    if kind.identifiers and not any(mapping.get(name, name) in available for name in kind.identifiers):
        raise SourceError(
            f"Read {source!r}: there is no customer identifier: none of {', '.join(kind.identifiers)} has a column. "
            f'{has} Name at least one by columns={{"{kind.identifiers[0]}": "source column"}}.'
        )
    unused = [name for name in available if name not in mapping.values() and name not in kind.field_names]
    if unused:
        log.info("Columns that are not sent: %s.", ", ".join(shown[name] for name in unused))


def _shown(names: Sequence[str], known: set[str]) -> list[str]:
    """The names as a message may have them: without a header line they are the first row's values.

    :param names: names of columns.
    :param known: names that are expected; where one of them is there, the line is a header.
    """
    expected = {name.strip().casefold() for name in known}
    is_header = any(name.strip().casefold() in expected for name in names)
    plain = _HEADING if is_header else _IDENTIFIER
    has_values = not is_header and any(_BEGINS_AS_VALUE.match(name) or "@" in name for name in names)

    def told(name: str) -> str:
        scrubbed = scrub(name)
        if scrubbed != name:
            return scrubbed
        parts = name.split()
        is_name = len(parts) > 1 and all(part.istitle() for part in parts)
        return name if plain.fullmatch(name) and not has_values and not is_name else VALUE

    return [told(name) for name in names]


def _near(word: str, words: Sequence[str]) -> str:
    by_lower = {each.lower(): each for each in words}  # some databases give capitals
    near = get_close_matches(word.lower(), list(by_lower), n=1)
    return f" Did you mean {by_lower[near[0]]!r}?" if near else ""
