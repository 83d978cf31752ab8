# SPDX-License-Identifier: Apache-2.0
"""A CRM of orders with lines, all good and all with a customer the platform can find."""

from __future__ import annotations

import sqlite3
from datetime import date
from pathlib import Path
from typing import Any

from airflow_provider_yandex_orders.demo import crm, order_lines
from airflow_provider_yandex_orders.demo.broken import BROKEN_ORDERS


def create(path: Path, *, today: date, orders: int) -> list[dict[str, Any]]:
    """Make the tables ``orders`` and ``order_lines``.

    :param today: as of the demo's CRM.
    :param orders: how many.
    :return: the orders.
    """
    broken = ", ".join(f"'{order_id}'" for order_id in BROKEN_ORDERS)
    chosen = (
        f"SELECT id FROM orders WHERE (email <> '' OR phone <> '') AND id NOT IN ({broken}) ORDER BY id LIMIT {orders}"
    )
    with sqlite3.connect(path) as connection:
        connection.row_factory = sqlite3.Row
        crm.create(connection, today=today)
        connection.execute(f"DELETE FROM orders WHERE id NOT IN ({chosen})")
        order_lines.create(connection, today=today)
        connection.execute("DELETE FROM order_lines WHERE order_id NOT IN (SELECT id FROM orders)")
        found = [dict(row) for row in connection.execute("SELECT * FROM orders")]
    assert len(found) == orders
    return found
