# SPDX-License-Identifier: Apache-2.0
"""What an import defines on its way: custom fields and line statuses. They are checked and not kept.

Sources: https://guides.altcraft.com/en/developer-guide/market/market-objects/Custom-fields-array_56249775 ,
https://guides.altcraft.com/en/developer-guide/market/orders/56249746 .
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

_ENTITIES: Final = frozenset({"product", "sku", "order", "line_order"})
_TYPES: Final = frozenset({"unicode", "int", "float", "bool", "enum", "date"})
_STATUS_TYPES: Final = frozenset({"delivered", "canceled", "refunded", "in_process"})


def faults(document: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the definitions of a request."""
    for name, check in (("custom_fields", _field_faults), ("custom_line_statuses", _status_faults)):
        given = document.get(name, [])
        if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
            yield f"{name} must be a list of objects"
            continue
        for number, each in enumerate(given):
            yield from (f"{name}[{number}]: {fault}" for fault in check(each))


def _field_faults(field: Mapping[str, Any]) -> Iterator[str]:
    yield from (
        f"{name} is missing" for name in ("external_id", "name", "required", "default_value") if name not in field
    )
    if field.get("entity_type") not in _ENTITIES:
        yield "entity_type is none of the platform's"
    if field.get("value_type") not in _TYPES:
        yield "value_type is none of the platform's"
    if field.get("value_type") == "enum" and not field.get("enum_values"):
        yield "an enum needs enum_values"


def _status_faults(status: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{name} is missing" for name in ("external_id", "name") if not status.get(name))
    if status.get("type") not in _STATUS_TYPES:
        yield "type is none of the platform's"
