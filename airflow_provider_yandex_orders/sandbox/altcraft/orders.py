# SPDX-License-Identifier: Apache-2.0
"""Stored orders. Unstated in the documentation and chosen here: an order sent again replaces the one that is there."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from airflow_provider_yandex_orders.sandbox.service import Sandbox

TABLE: Final = "altcraft_orders"
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS altcraft_orders (
    number INTEGER PRIMARY KEY,
    external_id TEXT NOT NULL UNIQUE,
    endpoint TEXT NOT NULL,
    status TEXT NOT NULL,
    currency TEXT NOT NULL,
    total_price TEXT NOT NULL,
    lines INTEGER NOT NULL,
    document TEXT NOT NULL,
    times_received INTEGER NOT NULL,
    triggers_started INTEGER NOT NULL
);
"""
_STORE: Final = """
INSERT INTO altcraft_orders
    (external_id, endpoint, status, currency, total_price, lines, document, times_received, triggers_started)
VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?)
ON CONFLICT (external_id) DO UPDATE SET
    endpoint = excluded.endpoint, status = excluded.status, currency = excluded.currency,
    total_price = excluded.total_price, lines = excluded.lines, document = excluded.document,
    times_received = times_received + 1, triggers_started = triggers_started + excluded.triggers_started
"""
_LISTED: Final = (
    *("external_id", "endpoint", "tags", "status", "delivery_cost", "total_price", "currency", "custom_fields"),
    *("region", "create_time", "update_time"),
)
_LISTED_LINE: Final = (
    *("external_id", "product", "base_price_per_item", "min_price_per_item", "final_price_per_item", "count"),
    "custom_fields",
)


def store(sandbox: Sandbox, orders: Iterable[Mapping[str, Any]], *, triggers: bool) -> None:
    """Apply a batch, all of it or nothing."""
    rows = [
        (
            *(order[name] for name in ("external_id", "endpoint", "status", "currency", "total_price")),
            len(order["lines"]),
            json.dumps(order, ensure_ascii=False),
            int(triggers),
        )
        for order in orders
    ]
    with sandbox.store.connect() as connection, sandbox.store.transaction(connection):
        connection.executemany(_STORE, rows)


def find(sandbox: Sandbox, *, number: int | None = None, external_id: str | None = None) -> sqlite3.Row | None:
    """One order by the platform's number or the sender's id."""
    query = "SELECT * FROM altcraft_orders WHERE number = ? OR external_id = ?"
    with sandbox.store.connect() as connection:
        row: sqlite3.Row | None = connection.execute(query, (number, external_id)).fetchone()
        return row


def listed(sandbox: Sandbox, *, after: int, limit: int, endpoint: str | None) -> tuple[list[dict[str, Any]], str]:
    """A page of orders and the pointer to the next one, empty after the last."""
    query = "SELECT * FROM altcraft_orders WHERE number > ? AND (? IS NULL OR endpoint = ?) ORDER BY number LIMIT ?"
    with sandbox.store.connect() as connection:
        rows = connection.execute(query, (after, endpoint, endpoint, limit + 1)).fetchall()
    page = rows[:limit]
    return [_as_listed(row) for row in page], str(page[-1]["number"]) if len(rows) > limit else ""


def _as_listed(row: sqlite3.Row) -> dict[str, Any]:
    """An order as the platform lists it: lines without status, prices with the currency."""
    order = json.loads(row["document"])
    lines = [
        {name: line[name] for name in _LISTED_LINE if name in line} | {"currency": row["currency"]}
        for line in order["lines"]
    ]
    profile = {"profile_id": f"profile-{row['number']}", "xxh": f"{row['number']:016x}"}
    return {"profile": profile, **{name: order[name] for name in _LISTED if name in order}, "lines": lines}


def page(sandbox: Sandbox, *, limit: int, offset: int) -> dict[str, Any]:
    """Stored orders as they came, in the order of their first arrival, with how often each came."""
    with sandbox.store.connect() as connection:
        total = connection.execute("SELECT count(*) FROM altcraft_orders").fetchone()[0]
        query = "SELECT * FROM altcraft_orders ORDER BY number LIMIT ? OFFSET ?"
        rows = connection.execute(query, (limit, offset)).fetchall()
    counts = ("number", "times_received", "triggers_started")
    return {
        "total": total,
        "orders": [json.loads(row["document"]) | {name: row[name] for name in counts} for row in rows],
    }


def summary(sandbox: Sandbox) -> dict[str, Any]:
    """Totals over the stored orders; money as exact decimal text, by currency."""
    query = (
        "SELECT count(*) AS orders, coalesce(sum(times_received), 0) AS orders_received,"
        " coalesce(sum(times_received > 1), 0) AS orders_received_more_than_once,"
        " coalesce(sum(lines), 0) AS lines, coalesce(sum(triggers_started), 0) AS triggers_started,"
        " coalesce(sum(triggers_started > 1), 0) AS triggers_started_more_than_once FROM altcraft_orders"
    )
    groups = (
        "SELECT status, currency, count(*) AS orders, decimal_sum(total_price) AS total FROM altcraft_orders"
        " GROUP BY 1, 2 ORDER BY 1, 2"
    )
    with sandbox.store.connect() as connection:
        found: dict[str, Any] = dict(connection.execute(query).fetchone())
        rows = connection.execute(groups).fetchall()
    by_status: dict[str, int] = {}
    by_currency: dict[str, Decimal] = {}
    for row in rows:
        by_status[row["status"]] = by_status.get(row["status"], 0) + row["orders"]
        by_currency[row["currency"]] = by_currency.get(row["currency"], Decimal(0)) + Decimal(row["total"])
    totals = {currency: format(total, "f") for currency, total in by_currency.items()}
    return found | {"by_status": by_status, "total_by_currency": totals}
