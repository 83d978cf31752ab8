# SPDX-License-Identifier: Apache-2.0
"""Request bodies, JSON or XML, as one kind of mapping.

Sources: https://guides.altcraft.com/en/developer-guide/api-interaction ,
https://guides.altcraft.com/en/developer-guide/market/orders/56249746 .
Of XML the pages say: root ``<xml>``, a list is its element repeated, an order of the object page stands in ``<row>``.
How ``<data>`` holds the orders of an import is not shown, so both readings are taken: ``<data>`` with a ``<row>`` each,
and a ``<data>`` each. All XML values are texts; where JSON wants another type, a text that means it is taken.
"""

import json
from typing import Any, Final
from xml.etree import ElementTree as ET

from fastapi import Request

from airflow_provider_yandex_orders.sandbox.altcraft.errors import BAD_REQUEST, AltcraftError

MAX_BYTES: Final = 10_000_000
"""Default of other batch methods; none is stated for orders."""
_LISTS: Final = frozenset({"tags", "lines", "data", "custom_line_statuses", "row"})
_TRUTH: Final = {"true": True, "false": False}


async def read(request: Request) -> dict[str, Any]:
    """The body as a mapping."""
    body = await request.body()
    if len(body) > MAX_BYTES:
        raise AltcraftError(BAD_REQUEST, "The request is too large")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return _json(body)
    if kind == "application/xml":
        return _xml(body)
    raise AltcraftError(BAD_REQUEST, "The Content-Type must be application/json or application/xml")


def _json(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise AltcraftError(BAD_REQUEST, "The body is not JSON") from error
    if not isinstance(document, dict):
        raise AltcraftError(BAD_REQUEST, "The body must be an object")
    return document


def _xml(body: bytes) -> dict[str, Any]:
    if b"<!DOCTYPE" in body:  # nothing here needs one, and entities can grow without end
        raise AltcraftError(BAD_REQUEST, "A document type is not allowed")
    try:
        root = ET.fromstring(body)  # noqa: S314 - the line above leaves no entities
    except ET.ParseError as error:
        raise AltcraftError(BAD_REQUEST, "The body is not XML") from error
    document = _value(root) if root.tag == "xml" else None
    if not isinstance(document, dict):
        raise AltcraftError(BAD_REQUEST, "The root must be <xml> with elements in it")
    if "skip_triggers" in document:
        document["skip_triggers"] = _TRUTH.get(document["skip_triggers"], document["skip_triggers"])
    if "custom_fields" in document and not isinstance(document["custom_fields"], list):
        document["custom_fields"] = [document["custom_fields"]]
    document["data"] = [_typed(order) for order in _orders(document.get("data", []))]
    return document


def _value(element: ET.Element) -> Any:
    children = list(element)
    if not children:
        return element.text or ""
    found: dict[str, Any] = {}
    for child in children:
        value = _value(child)
        if child.tag not in found:
            found[child.tag] = [value] if child.tag in _LISTS else value
        elif isinstance(found[child.tag], list):
            found[child.tag].append(value)
        else:
            found[child.tag] = [found[child.tag], value]
    return found


def _orders(data: list[Any]) -> list[Any]:
    if len(data) == 1 and isinstance(data[0], dict) and set(data[0]) == {"row"}:
        rows: list[Any] = data[0]["row"]
        return rows
    return data


def _typed(order: Any) -> Any:
    """An order whose counts are numbers again."""
    for line in order.get("lines", []) if isinstance(order, dict) else []:
        count = line.get("count") if isinstance(line, dict) else None
        if isinstance(count, str) and count.isascii() and count.isdigit():
            line["count"] = int(count)
    return order
