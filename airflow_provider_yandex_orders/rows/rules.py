# SPDX-License-Identifier: Apache-2.0
"""What must hold between the fields of one row: a kind names the fields by ``functools.partial``.

Each looks at a row's values once they are converted, given the columns by field: it completes them or tells a fault.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from airflow_provider_yandex_orders.rows.faults import Checked, Fault

_XML_NAME = re.compile(r"[A-Za-z_][\w.-]*")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

Named = Mapping[str, str]


def matching(
    result: Checked, named: Named, *, field: str, modes: Mapping[str, Sequence[str]], any_of: Collection[str]
) -> None:
    """A word of the row says which fields name the customer; the fields of other words are not sent.

    :param field: the field with that word.
    :param modes: word to the fields it needs.
    :param any_of: words that need only one of their fields.
    """
    mode = result.values.get(field)
    if mode is None:
        return
    needed = modes[mode]
    unused = {name for fields in modes.values() for name in fields if name not in needed}
    for name in unused:
        result.values.pop(name, None)
    columns = {named[name] for name in unused} - {named[name] for name in needed}
    result.dropped[:] = [fault for fault in result.dropped if fault.column not in columns]
    missing = [name for name in needed if name not in result.values]
    if not missing or (mode in any_of and len(missing) < len(needed)):
        return
    wanted = {named[name] for name in missing}
    bad = [fault for fault in result.dropped if fault.column in wanted]
    result.dropped[:] = [fault for fault in result.dropped if fault.column not in wanted]
    result.faults += bad or [
        Fault(
            column=named[missing[0]],
            code="no_identifier",
            reason=f"{' and '.join(missing)}: empty, and {field} {mode!r} finds nobody without",
            fix=f"fill it, or choose another {field}",
        )
    ]


def exactly_one(result: Checked, named: Named, *, fields: Sequence[str]) -> None:
    """Of several fields one is filled."""
    filled = [name for name in fields if name in result.values]
    columns = {named[name] for name in fields}
    if len(filled) != 1 and not any(fault.column in columns for fault in result.faults):
        names = " and ".join(filled) or ", ".join(fields)
        what = f"{names} are both filled" if filled else f"none of {names} is filled"
        result.faults.append(Fault(named[fields[0]], "not_exactly_one", what, "fill exactly one of them"))


def same_as(result: Checked, _named: Named, *, fields: Sequence[str], source: str) -> None:
    """Empty fields take the value of another, the source."""
    if source in result.values:
        for name in fields:
            result.values.setdefault(name, result.values[source])


def needed_with(result: Checked, named: Named, *, field: str, other: str, value: str) -> None:
    """A field is needed when another has a certain value."""
    if result.values.get(other) == value and field not in result.values:
        reason = f"{field} is empty, and {other} is {value!r}"
        result.faults.append(Fault(named[field], "missing", reason, "fill it"))


def distinct(result: Checked, named: Named, *, rows: str, key: str) -> None:
    """The rows in a field have keys of their own."""
    keys = [row[key] for row in result.values.get(rows, ()) if key in row]
    if len(set(keys)) < len(keys):
        reason = f"{rows}: two have the same {key}"
        result.faults.append(Fault(named[rows], "doubled", reason, "give each its own, or add them up"))


def total(result: Checked, _named: Named, *, field: str, rows: str, price: str, count: str, added: str) -> None:
    """A total: price times count of the rows in a field, and what is added.

    One that is missing is computed. One that differs is sent as given and counted: the service's own samples differ.
    """
    values = result.values
    if result.faults or rows not in values:
        return
    summed = sum((Decimal(row[price]) * row[count] for row in values[rows]), Decimal(values.get(added, "0")))
    if field not in values:
        values[field] = format(summed, "f")
    elif Decimal(values[field]) != summed:
        result.notes.append("total_differs")


def fits_xml(result: Checked, named: Named) -> None:
    """An XML document can hold every name and text of the row."""
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
