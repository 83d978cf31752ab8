# SPDX-License-Identifier: Apache-2.0
"""Whether a source's columns can make rows of a kind at all: asked before its rows are judged one by one."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from difflib import get_close_matches

from airflow_provider_yandex_orders.exceptions import SourceError
from airflow_provider_yandex_orders.log_lines import say
from airflow_provider_yandex_orders.privacy import VALUE, scrub
from airflow_provider_yandex_orders.rows import types
from airflow_provider_yandex_orders.rows.cells import normal
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.sources.base import ColumnMap, RowStream, Source
from airflow_provider_yandex_orders.sources.columns import Picker, label, names_of

log = logging.getLogger(__name__)

_HEADING = re.compile(r"[^\W\d][\w .,:/()№#%-]{0,63}")
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_.]*|[A-Z][A-Z0-9_]*")
_BEGINS_AS_VALUE = re.compile(r"\s*\W?\d|[^\W\d_]+-\d")


def check_mapping(columns: ColumnMap | None, kind: RowKind) -> None:
    """Make sure that every mapped field exists and is mapped to columns."""
    for field, column in (columns or {}).items():
        if field not in kind.field_names:
            raise SourceError(
                f"Map columns: {kind.name} has no field {field!r}.{_near(field, kind.field_names)} It has: "
                f'{", ".join(kind.field_names)}. columns= is written {{"field": "source column"}}.'
            )
        if not column or not isinstance(column, (str, int, list, tuple)):
            raise SourceError(
                f"Map columns: {field!r} is mapped to {type(column).__name__}, which names no column. Write "
                f'columns={{"{field}": "source column"}} or {{"{field}": ["first column", "second column"]}}.'
            )


def watched(source: Source, kind: RowKind, stream: RowStream, *, require_key: bool, maps: bool = False) -> Picker:
    """What finds the fields in the stream's rows, with the columns checked where they are known before the first row.

    :param require_key: whether no row can do without its key.
    :param maps: whether statuses of the source are mapped.
    :raises SourceError: a mapped column is missing, or a field no row can do without has no column.
    """
    pick = Picker(
        source.columns,
        kind.field_names,
        lists=[field.name for field in kind.fields if field.many or field.type is types.PRODUCTS],
        null_values=stream.reading.null_values,
        dated=[field.name for field in kind.fields if field.type.dated],
        texts=[field.name for field in kind.fields if field.type.free],
    )
    known: set[str] = set()

    def check(columns: Sequence[str], table: object, assumed: str) -> None:
        names = [name for name in columns if name.strip()]
        own = Picker(source.columns, kind.field_names) if known else pick
        _check_columns(source, table, kind, names, own, require_key, maps, assumed)
        found = own.found | own.begun
        if differing := sorted(known ^ found if known else ()):
            raise SourceError(
                f"Read {table!r}: only one of this file and those before it has {', '.join(map(repr, differing))}. "
                "Files of one source must all have the columns that are sent: correct them, or read them by two tasks; "
                "nothing was sent."
            )
        if not known:
            _tell_unused(source, kind, names, pick)
        known.update(found)

    stream.watchers.append(check)
    if stream.columns is not None:
        check(stream.columns, source, stream.assumed)
    return pick


def check_read(source: Source, kind: RowKind, stream: RowStream, pick: Picker) -> None:
    """Check the columns when all rows are read, and tell what was found in them."""
    if pick.not_found:
        log.warning(
            "%d cells hold #N/A, by which a spreadsheet says that a lookup found nothing: they are read as empty.",
            pick.not_found,
        )
    if pick.keys is not None:
        pick.check_empty()
        mapped = [names_of(source.columns, field) for field in source.columns or {}]
        unseen = {name for names in mapped if not pick.found.intersection(names) for name in names}
        if unseen:
            raise SourceError(
                f"Map columns: no row of {source!r} has {', '.join(map(repr, sorted(unseen)))}. "
                "Correct columns= of the source; nothing was sent."
            )
        if stream.columns is None:
            _tell_unused(source, kind, list(pick.keys), pick)


def _check_columns(
    source: Source,
    table: object,
    kind: RowKind,
    available: Sequence[str],
    pick: Picker,
    require_key: bool,
    maps: bool,
    assumed: str,
) -> None:
    shown = _shown(available, source, kind)
    has = f"It has: {', '.join(shown) or 'no columns'}."
    if assumed:
        if shown != available:
            has += " Some look like values: is the first line a header? Take out what stands above it."
        has += f" {assumed}"
    pick.steps(tuple(dict.fromkeys(available)))
    doubled = sorted(
        {told for name, told in zip(available, shown, strict=True) if name in pick.used and available.count(name) > 1}
    )
    if doubled:
        raise SourceError(f"Read {table!r}: several columns are named {', '.join(doubled)}. Name each column once.")
    for field in source.columns or {}:
        for column in names_of(source.columns, field):
            if column not in pick.found | pick.begun:
                raise SourceError(
                    f"Map columns: {field!r} is to come from column {column!r}, which {table!r} does not have."
                    f"{_near(column, shown)} {has} Correct columns= of the source."
                )
    for declared in kind.fields:
        needed = declared.required and (declared.name not in kind.key or require_key)
        why = f" ({declared.if_missing}.)" if declared.if_missing else ""
        if maps and declared.name == kind.status and declared.default_told:
            needed, why = True, f" (status_map has nothing to map, and every row would be sent as {declared.default}.)"
        if needed and not _has(source, pick, declared.name):
            raise SourceError(
                f"Read {table!r}: there is no column {declared.name!r}, which {kind.name} cannot do without.{why}"
                f"{_near(declared.name, shown)} {has} "
                f'Name one by columns={{"{declared.name}": "source column"}}.'
            )
    if kind.identifiers and not any(_has(source, pick, name) for name in kind.identifiers):
        raise SourceError(
            f"Read {table!r}: there is no customer identifier: none of {', '.join(kind.identifiers)} has a column. "
            f'{has} Name at least one by columns={{"{kind.identifiers[0]}": "source column"}}.'
        )


def _has(source: Source, pick: Picker, field: str) -> bool:
    return any(name in pick.found or name in pick.begun for name in names_of(source.columns, field))


def _tell_unused(source: Source, kind: RowKind, available: Sequence[str], pick: Picker) -> None:
    names = [name for name in dict.fromkeys(map(str, available)) if name.strip()]
    told = dict(zip(names, _shown(names, source, kind), strict=True))
    unused = [name for name in names if name not in pick.used]
    if unused:
        say(logging.INFO, f"Columns that are not sent: {', '.join(told[name] for name in unused)}.")
    empty = [field for field in kind.field_names if not _has(source, pick, field)]
    for name in unused:
        for field in empty:
            if _within_one(normal(name), normal(label(source.columns, field))):
                log.warning(
                    "Column %r is not sent, and %s has no column. If they are one, say so by columns={%r: %r}.",
                    told[name],
                    field,
                    field,
                    told[name],
                )


def _within_one(left: str, right: str) -> bool:
    """Whether two names differ by one letter at most: changed, left out, or put in."""
    if len(left) > len(right):
        left, right = right, left
    if len(left) < 3 or len(right) - len(left) > 1:
        return False
    same = next((place for place, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), len(left))
    return left[same + (len(left) == len(right)) :] == right[same + 1 :]


def _shown(names: Sequence[str], source: Source, kind: RowKind) -> list[str]:
    """The names of columns as a message may have them: without a header line they are the first row's values.

    The line is a header where a name is there that is expected.
    """
    mapped = {name for field in source.columns or {} for name in names_of(source.columns, field)}
    expected = set(map(normal, {*mapped, *kind.field_names}))
    is_header = any(normal(name) in expected for name in names)
    plain = _HEADING if is_header else _IDENTIFIER
    has_values = not is_header and any(_BEGINS_AS_VALUE.match(name) or "@" in name for name in names)

    def told(name: str) -> str:
        scrubbed = scrub(name)
        if scrubbed != name:
            return scrubbed
        return name if plain.fullmatch(name) and not has_values else VALUE

    return [told(name) for name in names]


def _near(word: str, words: Sequence[str]) -> str:
    by_lower = {each.lower(): each for each in words}  # some databases give capitals
    near = get_close_matches(word.lower(), list(by_lower), n=1)
    return f" Did you mean {by_lower[near[0]]!r}?" if near else ""
