# SPDX-License-Identifier: Apache-2.0
"""Altcraft Platform: the body of an order import, as JSON or XML, and the orders of a prepared file.

In XML a field is an element, and a list repeated elements of the same name.

Source: https://guides.altcraft.com/en/developer-guide/market/orders/56249746
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

import msgspec

from airflow_provider_yandex_orders.rows.formats import FileFormat
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.storage import read_seen

ENTITY = "altcraft_orders"
ROOT = "xml"
ROW = "row"
"""Element of one order, as the page of the order object has it."""
XML_DATA = ("rows", "repeated")
"""Ways to put orders into an XML import: ``<data>`` with a ``<row>`` each, or a ``<data>`` each.

The documentation shows neither; the first follows the order object's page, the second the rule for other lists.
"""
CONTENT_TYPES = {"json": "application/json", "xml": "application/xml"}

_encode = msgspec.json.Encoder(decimal_format="number").encode


class _Head(msgspec.Struct):
    external_id: str
    status: str
    total_price: str = ""
    currency: str = ""


def json_body(request: Mapping[str, Any], orders: Sequence[Any], _xml_data: str) -> bytes:
    """The request as JSON."""
    return _encode({**request, "data": list(orders)})


def xml_body(request: Mapping[str, Any], orders: Sequence[Any], xml_data: str) -> bytes:
    """The request as XML."""
    root = ET.Element(ROOT)
    for name, value in request.items():
        root.extend(elements(name, value))
    rows = [element for order in orders for element in elements(ROW, order)]
    if xml_data == "rows":
        ET.SubElement(root, "data").extend(rows)
    else:
        for row in rows:
            repeated = ET.Element("data")
            repeated.extend(row)
            root.append(repeated)
    return _written(root)


BODIES: dict[str, Callable[[Mapping[str, Any], Sequence[Any], str], bytes]] = {"json": json_body, "xml": xml_body}


def orders_of(path: str) -> list[Any]:
    """The orders of a prepared file, each as it goes into a body."""
    content = read_seen(path)
    if path.endswith(".xml"):
        return list(ET.fromstring(content))  # noqa: S314 - a file this package wrote
    return msgspec.json.decode(content, type=dict[str, list[msgspec.Raw]])[ENTITY]


def head_of(order: Any) -> tuple[str, str]:
    """Id and status of an order of a prepared file."""
    if isinstance(order, ET.Element):
        return order.findtext("external_id") or "", order.findtext("status") or ""
    head = msgspec.json.decode(order, type=_Head)
    return head.external_id, head.status


def worth_of(order: Any) -> dict[str, str]:
    """What an order of a prepared file is worth, by its currency."""
    if isinstance(order, ET.Element):
        return {order.findtext("currency") or "": order.findtext("total_price") or "0"}
    head = msgspec.json.decode(order, type=_Head)
    return {head.currency: head.total_price or "0"}


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


def xml_format(kind: RowKind) -> FileFormat:
    """One XML document in UTF-8: the root ``xml`` with an element a row."""
    sent = {declared.name for declared in kind.sent_fields}

    def encode(values: Mapping[str, Any]) -> bytes:
        (element,) = elements(ROW, {name: value for name, value in values.items() if name in sent})
        return _written(element)

    def picker(fields: tuple[str, ...]) -> Callable[[Sequence[bytes]], Sequence[Sequence[str | None]]]:
        def pick(lines: Sequence[bytes]) -> Sequence[Sequence[str | None]]:
            rows = list(map(ET.fromstring, lines))
            return [[row.findtext(name) for row in rows] for name in fields]

        return pick

    return FileFormat(".xml", f"<{ROOT}>\n".encode(), b"\n", f"\n</{ROOT}>".encode(), encode, picker=picker)


def _written(element: ET.Element) -> bytes:
    """An element as UTF-8."""
    text: bytes = ET.tostring(element, encoding="utf-8", xml_declaration=False)
    return text


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) else str(value)
