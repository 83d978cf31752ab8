# SPDX-License-Identifier: Apache-2.0
"""What the platform takes for an order.

Sources: https://guides.altcraft.com/en/developer-guide/market/market-objects/56249763 (the object),
https://guides.altcraft.com/en/developer-guide/37848489 (matching).
Unstated there and chosen here, the stricter reading each time: which fields of a line are required; that money is text
with digits on both sides of the point; that times have a zone; that a status of a line is any word. A total that is not
the sum of the lines passes: the page's own sample has one.
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

CURRENCIES: Final = frozenset({"RUB", "USD", "EUR", "KZT", "BYN", "UZS"})
STATUSES: Final = frozenset({"new", "delivered", "paid", "canceled", "part_refunded"})
MATCHING: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "email": ("email",),
        "email_profile": ("email",),
        "email_sub": ("email",),
        "phone": ("phone",),
        "phone_sub": ("phone",),
        "profile_id": ("profile_id",),
        "push_sub": ("provider", "subscription_id"),
        "custom": ("field_name", "field_value"),
        "custom_sub": ("field_name", "field_value"),
    }
)
_EITHER: Final = frozenset({"email_phone", "email_phone_sub"})
_UNKNOWN: Final = "unknown"
_MONEY: Final = re.compile(r"[0-9]+(\.[0-9]+)?")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_ORDER_TEXTS: Final = ("external_id", "endpoint", "status", "total_price", "currency")
_LINE_TEXTS: Final = ("external_id", "status", "final_price_per_item")
_LINE_MONEY: Final = ("base_price_per_item", "min_price_per_item", "final_price_per_item")


def faults(order: Any) -> Iterator[str]:
    """What is wrong with an order, in words that hold no customer's data."""
    if not isinstance(order, dict):
        yield "an order must be an object"
        return
    yield from _texts(order, _ORDER_TEXTS)
    yield from _money(order, ("total_price", "delivery_cost"))
    if order.get("status") not in STATUSES:
        yield "status is none of the platform's"
    if order.get("currency") not in CURRENCIES:
        yield "the currency is not set up"
    yield from _set_up(order, ("endpoint", "region"))
    for name in ("create_time", "update_time"):
        if name in order and not (isinstance(order[name], str) and _TIME.fullmatch(order[name])):
            yield f"{name} is not RFC 3339 with a zone"
    tags = order.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        yield "tags must be a list of texts"
    yield from _subscriber(order)
    yield from _values(order)
    lines = order.get("lines")
    if not isinstance(lines, list) or not lines:
        yield "there are no lines"
        return
    for number, line in enumerate(lines):
        yield from (f"lines[{number}]: {fault}" for fault in _line_faults(line))


def _line_faults(line: Any) -> Iterator[str]:
    if not isinstance(line, dict):
        yield "a line must be an object"
        return
    yield from _texts(line, _LINE_TEXTS)
    yield from _money(line, _LINE_MONEY)
    if ("sku" in line) == ("product" in line):
        yield "either sku or product must be given"
    yield from _set_up(line, ("sku", "product", "status"))
    count = line.get("count")
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        yield "count must be a whole number of 1 or more"
    yield from _values(line)


def _subscriber(order: Mapping[str, Any]) -> Iterator[str]:
    mode = order.get("matching", "email")
    if mode in _EITHER:
        if not (order.get("email") or order.get("phone")):
            yield f"matching {mode} needs email or phone"
    elif mode not in MATCHING:
        yield "matching is none of the platform's"
    elif missing := [name for name in MATCHING[mode] if order.get(name) in (None, "")]:
        yield f"matching {mode} needs {', '.join(missing)}"


def _texts(held: Mapping[str, Any], names: tuple[str, ...]) -> Iterator[str]:
    yield from (f"{name} must be a text" for name in names if not isinstance(held.get(name), str) or not held[name])


def _money(held: Mapping[str, Any], names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        if name in held and not (isinstance(held[name], str) and _MONEY.fullmatch(held[name])):
            yield f"{name} must be a decimal number as text"


def _set_up(held: Mapping[str, Any], names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        if name in held and not isinstance(held[name], str):
            yield f"{name} must be a text"
        elif str(held.get(name, "")).startswith(_UNKNOWN):
            yield f"the {name} is not set up"


def _values(held: Mapping[str, Any]) -> Iterator[str]:
    values = held.get("custom_fields", {})
    if not isinstance(values, dict):
        yield "custom_fields must be an object"
    elif any(name.startswith(_UNKNOWN) for name in values):
        yield "a custom field is not set up"
    elif any(isinstance(value, (dict, list)) for value in values.values()):
        yield "values of custom fields must be texts or numbers"
