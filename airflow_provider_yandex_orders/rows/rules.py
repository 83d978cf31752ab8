# SPDX-License-Identifier: Apache-2.0
"""What must hold between the fields of one row, as data a kind declares."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from airflow_provider_yandex_orders.rows.faults import Checked, Fault

_XML_NAME = re.compile(r"[A-Za-z_][\w.-]*")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Matching:
    """A word of the row says which fields name the customer; the fields of other words are not sent.

    :param field: the field with that word.
    :param modes: word to the fields it needs.
    :param any_of: words that need only one of their fields.
    """

    field: str
    modes: Mapping[str, tuple[str, ...]]
    any_of: frozenset[str] = frozenset()

    def apply(self, result: Checked, named: Mapping[str, str]) -> None:
        """Keep the fields of the row's word, and make sure that they are there."""
        mode = result.values.get(self.field)
        if mode is None:
            return
        needed = self.modes[mode]
        unused = {name for fields in self.modes.values() for name in fields if name not in needed}
        for name in unused:
            result.values.pop(name, None)
        columns = {named[name] for name in unused} - {named[name] for name in needed}
        result.dropped[:] = [fault for fault in result.dropped if fault.column not in columns]
        missing = [name for name in needed if name not in result.values]
        if not missing or (mode in self.any_of and len(missing) < len(needed)):
            return
        wanted = {named[name] for name in missing}
        bad = [fault for fault in result.dropped if fault.column in wanted]
        result.dropped[:] = [fault for fault in result.dropped if fault.column not in wanted]
        result.faults += bad or [
            Fault(
                column=named[missing[0]],
                code="no_identifier",
                reason=f"{' and '.join(missing)}: empty, and {self.field} {mode!r} finds nobody without",
                fix=f"fill it, or choose another {self.field}",
            )
        ]


@dataclass(frozen=True, slots=True)
class ExactlyOne:
    """Of several fields one is filled.

    :param fields: their names.
    """

    fields: tuple[str, ...]

    def apply(self, result: Checked, named: Mapping[str, str]) -> None:
        """Count the filled ones."""
        filled = [name for name in self.fields if name in result.values]
        columns = {named[name] for name in self.fields}
        if len(filled) != 1 and not any(fault.column in columns for fault in result.faults):
            names = " and ".join(filled) or ", ".join(self.fields)
            what = f"{names} are both filled" if filled else f"none of {names} is filled"
            result.faults.append(Fault(named[self.fields[0]], "not_exactly_one", what, "fill exactly one of them"))


@dataclass(frozen=True, slots=True)
class SameAs:
    """Empty fields take the value of another.

    :param fields: their names.
    :param source: the other.
    """

    fields: tuple[str, ...]
    source: str

    def apply(self, result: Checked, named: Mapping[str, str]) -> None:
        """Fill the empty ones."""
        if self.source in result.values:
            for name in self.fields:
                result.values.setdefault(name, result.values[self.source])


@dataclass(frozen=True, slots=True)
class NeededWith:
    """A field that is needed when another has a certain value.

    :param field: the field that is needed.
    :param other: the other.
    :param value: its value.
    """

    field: str
    other: str
    value: str

    def apply(self, result: Checked, named: Mapping[str, str]) -> None:
        """Look whether it is there."""
        if result.values.get(self.other) == self.value and self.field not in result.values:
            reason = f"{self.field} is empty, and {self.other} is {self.value!r}"
            result.faults.append(Fault(named[self.field], "missing", reason, "fill it"))


@dataclass(frozen=True, slots=True)
class Distinct:
    """The rows inside a row have keys of their own.

    :param rows: the field with the rows.
    :param key: their key.
    """

    rows: str
    key: str

    def apply(self, result: Checked, named: Mapping[str, str]) -> None:
        """Look for a key that stands twice."""
        keys = [row[self.key] for row in result.values.get(self.rows, ()) if self.key in row]
        if len(set(keys)) < len(keys):
            reason = f"{self.rows}: two have the same {self.key}"
            result.faults.append(Fault(named[self.rows], "doubled", reason, "give each its own, or add them up"))


@dataclass(frozen=True, slots=True)
class Total:
    """A total: price times count of the rows inside a row, and what is added.

    One that is missing is computed. One that differs is sent as given and counted: the service's own samples differ.

    :param field: the total.
    :param rows: the field with the rows.
    :param price: their price, for one.
    :param count: how many.
    :param added: what comes on top.
    """

    field: str
    rows: str
    price: str
    count: str
    added: str

    def apply(self, result: Checked, named: Mapping[str, str]) -> None:
        """Add up, where everything that is needed is there."""
        values = result.values
        if result.faults or self.rows not in values:
            return
        total = sum(
            (Decimal(row[self.price]) * row[self.count] for row in values[self.rows]),
            Decimal(values.get(self.added, "0")),
        )
        if self.field not in values:
            values[self.field] = format(total, "f")
        elif Decimal(values[self.field]) != total:
            result.notes.append("total_differs")


@dataclass(frozen=True, slots=True)
class FitsXml:
    """Names and texts an XML document can hold."""

    def apply(self, result: Checked, named: Mapping[str, str]) -> None:
        """Look at every name and text of the row."""
        for name, value in result.values.items():
            for reason in _not_xml(name, value):
                fix = 'correct it, or use body_format="json"'
                result.faults.append(Fault(named.get(name, name), "not_xml", f"{name} {reason}", fix))
                break


def _not_xml(name: str, value: Any) -> Iterator[str]:
    if not _XML_NAME.fullmatch(name):
        yield "has a field id that cannot be the name of an XML element"
    if isinstance(value, Mapping):
        for inner, each in value.items():
            yield from _not_xml(inner, each)
    elif isinstance(value, list):
        for each in value:
            yield from _not_xml(name, each)
    elif isinstance(value, str) and _NOT_XML.search(value):
        yield "holds a control character, which XML cannot"
