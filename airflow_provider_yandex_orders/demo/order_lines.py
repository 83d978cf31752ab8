# SPDX-License-Identifier: Apache-2.0
"""Lines for the orders of the demo's CRM: made up from the order alone, adding up to its total."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import Any

from airflow_provider_yandex_orders.demo.crm import fill, iter_orders
from airflow_provider_yandex_orders.demo.identities import draw

Line = dict[str, str | int]

TABLE = """CREATE TABLE order_lines (
    order_id TEXT,
    line_id TEXT,
    sku TEXT,
    price {money},
    quantity INTEGER,
    status TEXT
)"""
STATUSES = {"new": "processing", "paid": "delivered", "cancelled": "canceled", "spam": "canceled"}
"""The CRM's status of an order to that of its lines."""
FEWEST, MOST = 2, 5
SKUS = 400
CENT = Decimal("0.01")


def create(connection: Any, *, today: date, limit: int | None = None) -> int:
    """Create the table `order_lines`, fill it, commit, and return the number of lines.

    :param connection: an open DB-API connection, as in :func:`crm.create`
    :param today: as in :func:`crm.iter_orders`
    :param limit: lines of only the first so many orders
    """
    count = fill(connection, "order_lines", TABLE, iter_lines(today, limit=limit))
    connection.commit()
    return count


def iter_lines(today: date, *, limit: int | None = None) -> Iterator[Line]:
    """Yield the lines of every order, in the order of the source.

    :param today: as in :func:`crm.iter_orders`
    :param limit: lines of only the first so many orders
    """
    for order in islice(iter_orders(today, broken=False), limit):
        yield from lines_of(str(order["id"]), Decimal(str(order["total"])), str(order["status"]))


def lines_of(order_id: str, total: Decimal, status: str) -> Iterator[Line]:
    """Yield the lines of one order: two to five, of one or two pieces; the last takes what is left of the total."""
    number = FEWEST + draw("lines", order_id, MOST - FEWEST + 1)
    left = total
    for place in range(1, number + 1):
        last = place == number
        quantity = 1 if last else 1 + draw(f"quantity {place}", order_id, 2)
        price = left if last else (total / (number * quantity)).quantize(CENT, rounding="ROUND_DOWN")
        left -= price * quantity
        yield {
            "order_id": order_id,
            "line_id": f"{order_id}-{place}",
            "sku": f"CD-{draw(f'sku {place}', order_id, SKUS):03d}",
            "price": str(price),
            "quantity": quantity,
            "status": STATUSES[status],
        }
