# SPDX-License-Identifier: Apache-2.0
"""Good orders for the Altcraft Platform, to change one thing in each test."""

from __future__ import annotations

from typing import Any


def line(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A good line."""
    return {
        "external_id": f"L-{number}",
        "status": "new",
        "sku": f"SKU-{number}",
        "final_price_per_item": "10.50",
        "count": 2,
        **fields,
    }


def order(number: int, **fields: Any) -> dict[str, Any]:
    """A good order of two lines, 42.00 and delivery 3.00."""
    return {
        "external_id": f"A-{number:04d}",
        "email": f"buyer{number}@example.com",
        "phone": f"+7 912 345-{number // 100:02}-{number % 100:02}",
        "endpoint": "shop-1",
        "status": "new",
        "currency": "RUB",
        "delivery_cost": "3.00",
        "create_time": "2026-11-01T10:00:00+03:00",
        "lines": [line(1), line(2)],
        **fields,
    }
