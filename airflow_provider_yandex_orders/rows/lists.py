# SPDX-License-Identifier: Apache-2.0
"""List cells: a list, a JSON array, or comma-separated text, all read alike."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from airflow_provider_yandex_orders.rows import scalars
from airflow_provider_yandex_orders.rows.bad_value import BadValue

# Numbers with a point or an exponent stay exact: a float would change amounts and hide spoilt ids.
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_GOAL_FORBIDDEN = frozenset('/\\&#?="') | frozenset(",:; \t\r\n")


def split(value: object) -> list[Any]:
    """The elements of a list cell, empty ones left out."""
    if isinstance(value, str):
        text = value.strip()
        if not text.startswith("["):
            return [part for part in (piece.strip() for piece in text.split(",")) if part]
        try:
            value = _decode(text)
        except msgspec.DecodeError:
            raise BadValue("bad_list", "begins as a JSON array and is none", 'write ["a", "b"] or a,b') from None
    if isinstance(value, (list, tuple, set, frozenset)):
        items = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
        return [item for item in items if item is not None and item != ""]
    return [value]


def goal_identifier(value: object) -> str:
    """The identifier of a JS-event goal, as its condition has it.

    Source: https://www.yandex.com/support/metrica/en/general/parameters-goal
    """
    identifier = scalars.text(value)
    if not identifier or _GOAL_FORBIDDEN & set(identifier):
        raise BadValue(
            "bad_goal",
            "is no goal identifier: empty, or with a sign identifiers cannot have",
            'give the identifier of the JS-event goal, not its name; none of / \\ & # ? = " , : ; or spaces',
        )
    return identifier


def goal(value: object) -> tuple[str, Decimal | None]:
    """A goal and its price: ``id``, ``id:price``, or ``{"goal_action_id": ..., "price": ...}``."""
    price: object
    if isinstance(value, Mapping):
        identifier, price = value.get("goal_action_id"), value.get("price")
    elif isinstance(value, (list, tuple)) and len(value) == 2:
        identifier, price = value
    else:
        identifier, _, price = str(value).partition(":")
    return goal_identifier("" if identifier is None else identifier), (
        None if price is None or price == "" else scalars.money(price)
    )
