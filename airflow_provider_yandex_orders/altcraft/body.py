# SPDX-License-Identifier: Apache-2.0
"""Altcraft Platform: the body of an order import, as JSON or XML, and the orders of a prepared file.

Source: https://guides.altcraft.com/en/developer-guide/market/orders/56249746
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

import msgspec

from airflow_provider_yandex_orders.altcraft.xml import ROOT, elements, written

ENTITY = "altcraft_orders"
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
    return written(root)


BODIES: dict[str, Callable[[Mapping[str, Any], Sequence[Any], str], bytes]] = {"json": json_body, "xml": xml_body}


def orders_of(content: bytes, body_format: str) -> list[Any]:
    """The orders of a prepared file, each as it goes into a body."""
    if body_format == "xml":
        return list(ET.fromstring(content))  # noqa: S314 - a file this package wrote
    return msgspec.json.decode(content, type=dict[str, list[msgspec.Raw]])[ENTITY]


def head_of(order: Any) -> tuple[str, str]:
    """Id and status of an order of a prepared file."""
    if isinstance(order, ET.Element):
        return order.findtext("external_id") or "", order.findtext("status") or ""
    head = msgspec.json.decode(order, type=_Head)
    return head.external_id, head.status


def format_of(path: str) -> str:
    """The format of a prepared file, by its name."""
    return path.rpartition(".")[2]
