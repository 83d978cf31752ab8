# SPDX-License-Identifier: Apache-2.0
"""Rows as XML: an element a field, a list as repeated elements of the same name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

from airflow_provider_yandex_orders.rows.formats import FileFormat
from airflow_provider_yandex_orders.rows.kind import RowKind

ROOT = "xml"


def elements(name: str, value: Any) -> Iterator[ET.Element]:
    """What a value becomes: nothing, one element, or one an item of a list.

    :param value: text, a number, a truth value, a mapping, a list of these, or an element that is ready.
    """
    if isinstance(value, ET.Element):
        yield value
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from elements(name, each)
    elif value is not None:
        element = ET.Element(name)
        if isinstance(value, Mapping):
            for inner, each in value.items():
                element.extend(elements(inner, each))
        else:
            element.text = _text(value)
        yield element


def xml_format(kind: RowKind, row: str) -> FileFormat:
    """One XML document in UTF-8: the root ``xml`` with an element a row."""
    sent = {declared.name for declared in kind.sent_fields}

    def encode(values: Mapping[str, Any]) -> bytes:
        (element,) = elements(row, {name: value for name, value in values.items() if name in sent})
        return written(element)

    return FileFormat(".xml", f"<{ROOT}>\n".encode(), b"\n", f"\n</{ROOT}>".encode(), encode)


def written(element: ET.Element) -> bytes:
    """An element as UTF-8."""
    text: bytes = ET.tostring(element, encoding="utf-8", xml_declaration=False)
    return text


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) else str(value)
