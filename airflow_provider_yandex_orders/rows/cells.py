# SPDX-License-Identifier: Apache-2.0
"""Checked values as the text of a CSV cell."""

from __future__ import annotations

from decimal import Decimal
from typing import Any


def cell(value: Any) -> str:
    """One checked value as text; lists are joined by commas, as the service reads them."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, tuple):  # a goal and its price
        name, price = value
        return str(name) if price is None else f"{name}:{price:f}"
    if isinstance(value, dict):  # products and quantities
        return ",".join(f"{name}:{quantity}" for name, quantity in value.items())
    return ",".join(map(cell, value))
