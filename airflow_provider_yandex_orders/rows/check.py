# SPDX-License-Identifier: Apache-2.0
"""Checks and normalises rows of one kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from airflow_provider_yandex_orders.rows import dates, lists, reading, scalars, types
from airflow_provider_yandex_orders.rows.cells import cleaned, is_missing, normal
from airflow_provider_yandex_orders.rows.faults import BadValue, Checked, Fault, LeftOut, RefusedValue
from airflow_provider_yandex_orders.rows.formats import cell
from airflow_provider_yandex_orders.rows.identifiers import hash_of
from airflow_provider_yandex_orders.rows.kind import Field, RowKind
from airflow_provider_yandex_orders.rows.options import CheckOptions
from airflow_provider_yandex_orders.rows.status_map import read_status_map
from airflow_provider_yandex_orders.rows.types import Converter


class RowChecker:
    """Checks rows of a kind.

    Rows of one key may be put together between the two steps: :meth:`convert` looks at values one by one,
    :meth:`complete` at the row as a whole.

    :param kind: the declaration.
    :param options: what this run asks beyond it.
    :param columns: field to source column, where they differ.
    """

    def __init__(self, kind: RowKind, options: CheckOptions, columns: Mapping[str, str] | None = None) -> None:
        of_nothing = read_status_map(options.status_map).get("")
        self.kind = kind = kind.with_defaults({kind.status: of_nothing}) if kind.status and of_nothing else kind
        self._named = {name: (columns or {}).get(name, name) for name in kind.field_names}
        self._spelt = {normal(name): name for name in self._named.values()}
        self._noted: list[str] = []
        self.options = options = replace(options, note=self._noted.append)
        money = [each for each in kind.fields if each.type in types.CURRENCIES]
        self._currency = (self._named[money[0].name], money[0].default) if money else None
        self._steps = tuple(
            (declared, self._named[declared.name], _checker_of(declared, options), self._is_plain(declared))
            for declared in kind.fields
            if declared.sent or declared.name != kind.version
        )
        self._steps_of = {
            column: tuple(step for step in self._steps if step[1] == column) for column in self._named.values()
        }
        self._version = self._named.get(kind.version or "")
        self._newer = dates.Clock(options.source_zone, options.counter_zone).sortable
        self._as_written = reading.moment(options.reading) or (lambda value: value)
        self._is_null_in = {each.name: options.reading.is_null(exact=each.type.free) for each in kind.fields}
        self.hashed = [declared for declared in kind.fields if options.hash_identifiers and declared.hashed_into]
        self.needed = [
            declared
            for declared in kind.fields
            if declared.required and (declared.name not in kind.key or options.require_key)
        ]
        self._limited = [declared for declared in kind.fields if declared.most]
        self.defaults = [each for each in kind.fields if each.default is not None and not each.required]
        self.values: Counter[str] = Counter()
        """How many values columns have of which bad ones may be left out."""
        self._places = {name: place for place, name in enumerate(self._named.values())}

    def __call__(self, row: Mapping[str, Any]) -> Checked:
        """Both steps, for a row whose names are not picked yet: an exact one goes before one that differs in case."""
        near = {self._spelt.get(normal(str(name)), name): value for name, value in row.items()}
        named = {**near, **row}
        for field, column in self._named.items():
            if self._is_null_in[field](named.get(column)):
                del named[column]
        return self.complete(self.convert(named))

    def _is_plain(self, declared: Field) -> bool:
        """Whether nothing but its converter has a say in the values of a field."""
        adds = declared.type.adds and self._currency
        return not (adds or declared.many or declared.droppable or declared.rows is not None)

    def column_of(self, field: str) -> str:
        """The source's column of a field."""
        return self._named[field]

    def convert(self, row: Mapping[str, Any]) -> Checked:
        """Convert the values a row has, by column."""
        result = Checked()
        values, faults = result.values, result.faults
        steps = self._steps_of.get(next(iter(row)), ()) if len(row) == 1 else self._steps
        for declared, column, convert, is_plain in steps:
            value = row.get(column)
            if value is None or is_missing(value):
                continue
            try:
                if is_plain:
                    values[declared.name] = convert(value)
                    continue
                if declared.type.adds and self._currency and isinstance(value, str):
                    given, default = self._currency
                    word = row.get(given)
                    value = scalars.without_currency(value, default if is_missing(word) else word)
                if declared.rows is not None:
                    values[declared.name] = _rows(value, declared.rows, column, convert, result)
                elif declared.many:
                    values[declared.name] = self._elements(value, declared, column, convert, result)
                else:
                    if declared.droppable:
                        self.values[column] += 1
                    values[declared.name] = convert(value)
            except BadValue as bad:
                left_out = declared.droppable or isinstance(bad, LeftOut)
                (result.dropped if left_out else faults).append(_fault(column, declared, bad))
        version = self._version
        if version is not None and not is_missing(row.get(version)):
            try:
                result.version = self._newer(self._as_written(cleaned(row.get(version))))
            except BadValue as bad:
                if all(fault.column != version for fault in faults):  # a sent one was converted before
                    faults.append(Fault(version, bad.code, f"{self.kind.version} {bad.reason}", bad.fix))
        if self._noted:
            result.notes += dict.fromkeys(self._noted)
            self._noted.clear()
        if not faults or {fault.column for fault in faults}.isdisjoint(self._named[name] for name in self.kind.key):
            result.key = _key(values, self.kind)
        result.label = values.get(self.kind.label)
        return result

    def _elements(self, value: object, declared: Field, column: str, convert: Converter, result: Checked) -> list[Any]:
        good: dict[Any, None] = {}  # keeps order, drops repeats
        is_null = self._is_null_in[declared.name]
        elements = [
            each for each in lists.split(value, wide=declared.type.wide) if not (is_missing(each) or is_null(each))
        ]
        if declared.type.look:
            declared.type.look(elements)
        if declared.type.by_hand:
            self.values[column] += len(elements)
        for element in elements:
            try:
                good[convert(element)] = None
            except BadValue as bad:
                if not declared.type.by_hand or isinstance(bad, RefusedValue):
                    raise
                result.dropped.append(_fault(column, declared, bad))
        return list(good)

    def complete(self, result: Checked) -> Checked:
        """Put defaults into a converted row, and look whether it can be sent."""
        kind, named, values, faults = self.kind, self._named, result.values, result.faults
        missing = [declared for declared in self.needed if declared.name not in values]
        bad = {fault.column for fault in (*faults, *result.dropped)}
        if missing:
            faults += [_missing(each, named[each.name]) for each in missing if named[each.name] not in bad]
            faults.sort(key=lambda fault: self._places.get(fault.column.partition("[")[0], 0))
        for declared in self.defaults:
            if declared.name not in values and named[declared.name] not in bad:
                values[declared.name] = declared.default
                if declared.default_told:
                    result.notes.append(f"default_{declared.name}")
        for rule in kind.rules:
            rule(result, named)
        for declared in self.hashed:
            _hash(values, declared)
        for declared in self._limited:
            value = values.get(declared.name)
            if value is not None and (value if isinstance(value, Decimal) else len(value)) > declared.most:
                reason = f"{declared.name} has more than {declared.most:,}, the service's limit"
                faults.append(Fault(named[declared.name], "too_much", reason, "send only what the service takes"))
        if kind.identifiers and not any(map(values.get, kind.identifiers)):
            _no_identifier(kind, named, result)
        return result


def _checker_of(declared: Field, options: CheckOptions) -> Callable[[Any], Any]:
    """The converter of a field's values; for rows inside a row, their own checker."""
    if declared.rows is not None:
        return RowChecker(declared.rows, options.of_rows or options, options.row_columns)
    if declared.hashed_into and options.refuse_clear:
        return _refused
    return declared.type.converter(options)


def _refused(_value: object) -> str:
    raise RefusedValue("clear_identifier", "is not hashed, and this task takes only hashed ones", "send the md5 field")


def _rows(
    value: object, kind: RowKind, column: str, check: Callable[[Mapping[str, Any]], Checked], result: Checked
) -> list[dict[str, Any]]:
    checked_rows = []
    unsent = [declared.name for declared in kind.fields if not declared.sent]
    for number, row in enumerate(lists.split(value), start=1):
        if not isinstance(row, Mapping):
            raise BadValue("bad_rows", f"has an element that is no object ({number})", 'write [{"field": ...}, ...]')
        checked = check(row)
        for found, all_found in ((checked.faults, result.faults), (checked.dropped, result.dropped)):
            all_found += [replace(fault, column=f"{column}[{number}].{fault.column}") for fault in found]
        result.notes += checked.notes
        for name in unsent:
            checked.values.pop(name, None)
        checked_rows.append(checked.values)
    return checked_rows


def _key(values: Mapping[str, Any], kind: RowKind) -> str | None:
    if len(kind.key) == 1:
        key: str | None = values.get(kind.key[0])
        return key
    return "\x1f".join(cell(values.get(name)) for name in kind.key)


def _hash(values: dict[str, Any], declared: Field) -> None:
    plain = values.pop(declared.name, None)
    if plain and declared.hashed_into:
        known = values.get(declared.hashed_into, [])
        values[declared.hashed_into] = list(dict.fromkeys([*known, *map(hash_of, plain)]))


def _no_identifier(kind: RowKind, named: Mapping[str, str], result: Checked) -> None:
    """A row nobody can be found by: what was dropped from it is then why it cannot be sent."""
    if result.faults:
        return
    result.faults.extend(result.dropped)
    result.dropped.clear()
    if not result.faults:
        columns = ", ".join(named[name] for name in kind.identifiers)
        result.faults.append(
            Fault(
                column=named[kind.identifiers[0]],
                code="no_identifier",
                reason=f"no customer identifier: all of {columns} are empty",
                fix="give at least one of them; an order nobody can be found by is never linked",
            )
        )


def _missing(declared: Field, column: str) -> Fault:
    fix = f"fill it; {declared.if_missing}" if declared.if_missing else "fill it"
    return Fault(column, "missing", f"{declared.name} is empty", fix)


def _fault(column: str, declared: Field, bad: BadValue) -> Fault:
    return Fault(column, bad.code, f"{declared.name} {bad.reason}", bad.fix)
