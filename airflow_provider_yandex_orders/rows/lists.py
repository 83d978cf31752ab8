# SPDX-License-Identifier: Apache-2.0
"""List cells: a list, a JSON array, or comma-separated text, all read alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from airflow_provider_yandex_orders.rows import scalars
from airflow_provider_yandex_orders.rows.cells import NULL_VALUES, IsNull, cleaned, is_missing, null_test, unprotected
from airflow_provider_yandex_orders.rows.faults import BadValue

# Numbers with a point or an exponent stay exact: a float would change amounts and hide spoilt ids.
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_IS_NULL = null_test(NULL_VALUES)
STATUS_ID = re.compile(r"[\w:-]{1,255}")
_WIDE = re.compile(r"[,;\r\n\u2028\u2029]+")
_PRODUCTS_FIX = 'write {"product": 2} or product:2,other:1'
_VALUES_FIX = 'write {"field id": "text or number"}'
_GOAL_FORBIDDEN = frozenset('/\\&#?="') | frozenset(",:; \t\r\n")


def split(value: object, *, wide: bool = False) -> list[Any]:
    """The elements of a list cell, empty ones left out.

    :param wide: semicolons and line ends part texts too, also inside a list.
    """
    if isinstance(value, str):
        text = value.strip()
        if text[:1].isalnum() and "," not in text and ";" not in text and text.isprintable():  # as most: a single one
            return [text]
        if text.startswith("{"):
            raise BadValue("bad_list", "is written as a database writes arrays or objects", "write a,b or a JSON array")
        if not text.startswith("["):
            pieces = _WIDE.split(text) if wide else text.split(",")
            return [part for piece in pieces if (part := piece.strip())]
        try:
            value = _decode(text)
        except (msgspec.DecodeError, RecursionError):
            raise BadValue("bad_list", "begins as a JSON array and is none", 'write ["a", "b"] or a,b') from None
    if isinstance(value, (list, tuple, set, frozenset)):
        items = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
        items = [item for item in items if item is not None and item != ""]
        if wide and any(isinstance(item, str) and _WIDE.search(item) for item in items):
            return [part for item in items for part in (split(item, wide=True) if isinstance(item, str) else [item])]
        return items
    return [value]


def goal_identifier(value: object) -> str:
    """The identifier of a JS-event goal, as its condition has it.

    Source: https://www.yandex.com/support/metrica/en/general/parameters-goal
    """
    identifier = scalars.line(value)
    if not identifier or _GOAL_FORBIDDEN & set(identifier):
        raise BadValue(
            "bad_goal",
            "is no goal identifier: empty, or with a sign identifiers cannot have",
            'give the identifier of the JS-event goal, not its name; none of / \\ & # ? = " , : ; or spaces',
        )
    return identifier


def goal(
    value: object,
    is_null: IsNull = _IS_NULL,
    read_price: Callable[[Any], Decimal] = scalars.money,
    price_in_text: Callable[[Any], Decimal] = scalars.money,
) -> tuple[str, Decimal | None]:
    """A goal and its price: ``id``, ``id:price``, or ``{"goal_action_id": ..., "price": ...}``.

    :param read_price: reads a price that stands alone, in a mapping or a pair.
    :param price_in_text: reads one that stands in a text after its goal.
    """
    price: object
    if isinstance(value, Mapping):
        identifier, price = value.get("goal_action_id"), value.get("price")
        if price is None and value.keys() - {"goal_action_id", "price"}:
            fix = 'write {"goal_action_id": "lead", "price": 1234.5}'
            raise BadValue("bad_goal", "has no price and keys that goals do not have: one may be its price", fix)
    elif isinstance(value, (list, tuple)) and len(value) == 2:
        identifier, price = value
    else:
        identifier, _, price = scalars.text(value).partition(":")
        read_price = price_in_text
    return goal_identifier("" if identifier is None or is_null(identifier) else identifier), (
        None if is_missing(price) or is_null(price) else read_price(price)
    )


def no_decimal_comma(elements: Sequence[Any]) -> None:
    """Make sure that no price of the goals, not converted yet, was cut at its comma: ``lead:99,90``."""
    priced = False
    for element in elements:
        text = cleaned(str(element))
        if text[:1].isdigit() and scalars.is_amount(text) and (priced or not text.isdecimal()):
            raise BadValue(
                "decimal_comma",
                "has a number alone after a price, or an amount without a goal, as a comma inside an amount makes it",
                'write lead:1234.50 with a point and no other sign, or [{"goal_action_id": "lead", "price": 1234.5}]',
            )
        has_price = isinstance(element, Mapping) and element.get("price") is not None
        priced = has_price or isinstance(element, (list, tuple)) or (isinstance(element, str) and ":" in element)


def status_id(value: object) -> str:
    """The id of an order status in a counter's mapping.

    Source: https://yandex.ru/dev/metrika/ru/management/openapi/schema/mapOrderStatuses
    """
    word = scalars.line(value)
    if not STATUS_ID.fullmatch(word):
        raise BadValue("bad_status", "is no id of a status", "letters, digits, _ - and : only, 255 at most")
    return word


def values_by_id(value: object, is_null: IsNull = _IS_NULL) -> dict[str, Any]:
    """Values by the id of their field: a mapping or a JSON object. Those without a value are left out."""
    if isinstance(value, str):
        try:
            value = _decode(value)
        except (msgspec.DecodeError, RecursionError):
            raise BadValue("bad_values", "is no JSON object", _VALUES_FIX) from None
    if not isinstance(value, Mapping):
        raise BadValue("bad_values", "is no mapping", _VALUES_FIX)
    known = {scalars.text(name): each for name, each in value.items() if each is not None and not is_null(each)}
    if any(isinstance(each, (Mapping, list, tuple, set)) for each in known.values()):
        raise BadValue("bad_values", "has a value that is neither text nor number", _VALUES_FIX)
    return {name: scalars.as_it_is(each) for name, each in known.items()}


def products(value: object, is_null: IsNull = _IS_NULL) -> dict[str, int]:
    """Products and quantities: a mapping, a JSON object, or ``name:quantity,name2:quantity``."""
    pairs: Any
    if isinstance(value, str):
        text = value.strip()
        if text.startswith("{"):
            try:
                value = _decode(text)
            except (msgspec.DecodeError, RecursionError):
                raise BadValue("bad_products", "begins as a JSON object and is none", _PRODUCTS_FIX) from None
        else:
            pairs = [str(part).rpartition(":")[::2] for part in split(text) if not is_null(part)]
    if isinstance(value, Mapping):
        pairs = list(value.items())
    elif not isinstance(value, str):
        raise BadValue("bad_products", "is neither a mapping nor text", _PRODUCTS_FIX)
    counted: dict[str, int] = {}
    for name, quantity in pairs:
        product = "" if name is None or is_null(name) else unprotected(scalars.text(name))
        if scalars.through_float(product, product):
            raise scalars.float_id("has a product whose name ")
        try:
            count = scalars.quantity(quantity)
        except (BadValue, TypeError, ValueError, ArithmeticError):
            count = None
        if not product or set(product) & set(",:;") or count is None or count >= 10**18:
            raise BadValue("bad_products", "has a product without a name or a whole quantity", _PRODUCTS_FIX)
        counted[product] = counted.get(product, 0) + count
    return counted
