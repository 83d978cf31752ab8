# SPDX-License-Identifier: Apache-2.0
"""The values of fields in a source's row, whatever its columns are called."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from airflow_provider_yandex_orders.exceptions import SourceError
from airflow_provider_yandex_orders.privacy import scrub
from airflow_provider_yandex_orders.rows import lists as list_cells
from airflow_provider_yandex_orders.rows.cells import IsNull, is_missing, meant, normal, null_test
from airflow_provider_yandex_orders.rows.faults import BadValue
from airflow_provider_yandex_orders.sources.base import ColumnMap, Row

_MISSING = object()
_SHOWN_KEYS = 200  # JSON objects may have any
_PLANS = 1000  # key sets whose plan is kept: JSON objects may have any


def names_of(columns: ColumnMap | None, field: str) -> tuple[str, ...]:
    """The columns a field comes from: several where they are given as a list."""
    column = (columns or {}).get(field, field)
    return tuple(map(str, column)) if isinstance(column, (list, tuple)) else (str(column),)


def label(columns: ColumnMap | None, field: str) -> str:
    """What a field's column is called in picked rows and in messages."""
    return ", ".join(names_of(columns, field))


def labels(columns: ColumnMap | None) -> dict[str, str]:
    """``{"field": "label"}`` for all mapped fields."""
    return {field: label(columns, field) for field in columns or {}}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a column's value lies: the row's own key, and the path inside its value."""

    name: str
    key: str
    path: list[str]


@dataclass(frozen=True, slots=True)
class Step:
    """How one field is read from rows that have the same keys."""

    name: str
    places: list[_Place]
    plain: bool
    whole_list: bool
    dated: bool
    is_null: IsNull


class Picker:
    """Picks the values of fields from rows.

    A column is found by its exact name, else by one that differs only in case and space, else as a dotted path into
    nested objects. Words for nothing become ``None``; text that Excel's users protect (``="0045"``) is unwrapped.

    :param columns: field to column, where they differ.
    :param lists: those that hold a list: they take the values of all their columns, others the first filled.
    :param null_values: texts that stand for nothing.
    :param dated: fields that may hold a date: there what systems write for "no date" is nothing.
    :param texts: fields of free text: words for nothing must stand there as they are given, elsewhere in any case.
    """

    def __init__(
        self,
        columns: ColumnMap | None,
        fields: Sequence[str],
        *,
        lists: Collection[str] = (),
        null_values: Collection[str] = (),
        dated: Collection[str] = (),
        texts: Collection[str] = (),
    ) -> None:
        self._wanted = [(label(columns, field), names_of(columns, field), field in lists) for field in fields]
        self._mapped = {name for field in columns or {} for name in names_of(columns, field)}
        self._claimed = set(map(normal, self._mapped))
        self._is_null = null_test(null_values), null_test(null_values, exact=True)
        self._texts = {label(columns, field) for field in texts}
        self._dated = {label(columns, field) for field in dated}
        self._plans: dict[tuple[str, ...], list[Step]] = {}
        self.used: set[str] = set()
        """Keys of rows that some field is read from."""
        self.found: set[str] = set()
        """Columns that rows have; of a dotted path, that some row has its end."""
        self.begun: set[str] = set()
        """Dotted paths of which rows have the beginning."""
        self._last_keys: tuple[str, ...] | None = None
        self.keys: dict[str, None] | None = None
        """Keys of the rows; ``None`` before the first."""
        self.not_found = 0
        """Cells that stand for nothing because a formula found nothing: ``#N/A``."""
        self.near: dict[str, list[str]] = {}
        """Columns that were empty so far, and those that differ from their names in case and space only."""
        self._filled: dict[str, str] = {}
        """Which of these were not empty."""

    def __call__(self, row: Row) -> dict[str, Any]:
        """The row's values by label; fields it has no column for are left out."""
        keys = tuple(row)
        plan = self.steps(keys)
        if keys != self._last_keys:
            self._last_keys = keys
            if self.keys is None or len(self.keys) < _SHOWN_KEYS:
                self.keys = {**(self.keys or {}), **dict.fromkeys(keys)}
        if self.near:
            self._compare(row)
        picked = {}
        for step in plan:
            value = row[step.places[0].key] if step.plain else self._from(row, step)
            if value is not _MISSING:
                picked[step.name] = found = meant(value, step.is_null, dated=step.dated)
                if found is None and isinstance(value, str) and value.lstrip()[:1] == "#":
                    self.not_found += 1
        return picked

    def steps(self, keys: tuple[str, ...]) -> list[Step]:
        """How each field is read from rows that have these keys."""
        plan = self._plans.get(keys)
        if plan is None:
            plan = self._plan(keys)
            if len(self._plans) < _PLANS:
                self._plans[keys] = plan
        return plan

    def read(self, row: Row, step: Step) -> Any:
        """What a row has for a field, as it is; ``None`` where it has nothing."""
        value = row[step.places[0].key] if step.plain else self._from(row, step)
        return None if value is _MISSING else value

    @property
    def seen(self) -> dict[str, Any]:
        """What was seen of the columns so far, for a picker of the same columns in another process."""
        sets = {name: getattr(self, name) for name in ("used", "found", "begun")}
        return {**sets, "keys": self.keys, "near": self.near, "filled": self._filled, "not_found": self.not_found}

    def add_seen(self, seen: dict[str, Any]) -> None:
        """Add what another has seen of other rows."""
        for name in ("used", "found", "begun"):
            getattr(self, name).update(seen[name])
        if seen["keys"] is not None:
            self.keys = {**(self.keys or {}), **seen["keys"]}
        for name, others in seen["near"].items():
            self.near[name] = others and self.near.get(name, others)
        self._filled = {**seen["filled"], **self._filled}
        self.not_found += seen["not_found"]

    def check_empty(self) -> None:
        """Make sure, after the last row, that no column was empty in all beside one that nearly has its name."""
        for name, other in self._filled.items():
            if self.near[name]:
                raise _equally([name, other], name)

    def _compare(self, row: Row) -> None:
        for name, others in list(self.near.items()):
            if self._is_filled(row.get(name)):
                self.near[name] = []  # it is the column
            for other in others:
                if name not in self._filled and self._is_filled(row.get(other)):
                    self._filled[name] = other

    def _is_filled(self, value: Any) -> bool:
        return not is_missing(meant(value, self._is_null[0], dated=False))

    def _place(self, name: str, keys: Sequence[str]) -> _Place | None:
        key = self._key(name, keys)
        if key is not None:
            self.found.add(name)
            return _Place(name, key, [])
        parts = name.split(".")
        for length in range(len(parts) - 1, 0, -1):
            key = self._key(".".join(parts[:length]), keys)
            if key is not None:
                self.begun.add(name)
                return _Place(name, key, parts[length:])
        return None

    def _key(self, name: str, keys: Sequence[str]) -> str | None:
        wanted = normal(name)
        near = [key for key in keys if isinstance(key, str) and key not in self._mapped and normal(key) == wanted]
        if name in keys:
            if name not in self._mapped and len(near) > 1:
                self.near.setdefault(name, [key for key in near if key != name])
            return name
        if wanted in self._claimed and name not in self._mapped:
            return None  # a mapped field has that column
        if len(near) > 1:
            raise _equally(near, name)
        return near[0] if near else None

    def _plan(self, keys: tuple[str, ...]) -> list[Step]:
        plan = []
        for name, names, whole_list in self._wanted:
            places = [place for place in (self._place(each, keys) for each in names) if place]
            if places:
                self.used.update(place.key for place in places)
                is_plain = len(places) == 1 and not places[0].path
                is_null = self._is_null[name in self._texts]
                plan.append(Step(name, places, is_plain, whole_list, name in self._dated, is_null))
        return plan

    def _from(self, row: Row, step: Step) -> Any:
        values = []
        for place in step.places:
            value = _walk(row[place.key], place.path)
            if value is not _MISSING:
                self.found.add(place.name)
            values.append(value)
        there = [value for value in values if value is not _MISSING]
        known = (meant(value, step.is_null, dated=step.dated) for value in there)
        filled = [value for value in known if not is_missing(value)]
        if not filled:
            return there[0] if there else _MISSING
        if len(filled) == 1 or not step.whole_list:
            return filled[0]
        if all(isinstance(value, str) and value.lstrip()[:1] not in ("[", "{") for value in filled):
            return ",".join(filled)  # the field splits text in its own way
        return [element for value in filled for element in _elements(value)]


def _equally(near: Sequence[str], name: str) -> SourceError:
    shown = " and ".join(repr(scrub(key)) for key in near)
    return SourceError(
        f"Map columns: {shown} fit {scrub(name)!r} equally. Name the one that is meant by "
        f'columns={{"{scrub(name)}": ...}} of the source; nothing was sent.'
    )


def getter(columns: ColumnMap | None, field: str) -> Callable[[Row], Any]:
    """A function that gives one field's value of a row."""
    pick, name = Picker(columns, [field]), label(columns, field)
    return lambda row: pick(row).get(name)


def _walk(value: Any, path: list[str]) -> Any:
    for place, name in enumerate(path):
        if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
            try:
                value = msgspec.json.decode(value)
            except (msgspec.DecodeError, RecursionError):
                return _MISSING
        if isinstance(value, Mapping):
            value = value.get(name, _MISSING)
        elif isinstance(value, (list, tuple)):
            if not name.isdecimal():  # the values of all elements
                found = [_walk(element, path[place:]) for element in value]
                return [element for each in found if each is not _MISSING for element in _elements(each)]
            value = value[int(name)] if int(name) < len(value) else _MISSING
        else:
            return _MISSING
    return value


def _elements(value: Any) -> list[Any]:
    try:
        return list_cells.split(value)
    except BadValue:  # the field's own converter says what is wrong with it
        return [value]
