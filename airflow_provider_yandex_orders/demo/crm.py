# SPDX-License-Identifier: Apache-2.0
"""The demo's CRM: 6,919 real purchases with made-up identities, in any DB-API database.

The story: the shop moved to this CRM on the day before `today`, so every order was touched that day and
the first daily run carries them all over.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from airflow_provider_yandex_orders.demo.broken import Row, spoil
from airflow_provider_yandex_orders.demo.identities import draw, identity

ORDERS = 6919
CUSTOMERS = 2357
REVENUE = Decimal("244091.94")
"""Sum of the source's order values, before any of them is broken."""

CURRENCY = "USD"
STATUS_MAP = {"new": "IN_PROGRESS", "paid": "PAID", "cancelled": "CANCELLED", "spam": "SPAM"}

COLUMNS = (
    "id",
    "created_at",
    "updated_at",
    "customer_id",
    "metrica_client_id",
    "email",
    "phone",
    "status",
    "total",
    "cost",
    "currency",
)

TABLE = """CREATE TABLE orders (
    id TEXT PRIMARY KEY,
    created_at TIMESTAMP,
    updated_at TIMESTAMP,
    customer_id TEXT,
    metrica_client_id TEXT,
    email TEXT,
    phone TEXT,
    status TEXT,
    total {money},
    cost {money},
    currency TEXT
)"""
INDEX = "CREATE INDEX orders_updated_at ON orders (updated_at)"

SHOP_TABLE = """CREATE TABLE shop_sales (
    id TEXT PRIMARY KEY,
    sold_at TIMESTAMP,
    customer_id TEXT,
    metrica_client_id TEXT,
    total {money},
    currency TEXT
)"""

SOURCE = Path(__file__).with_name("data") / "cdnow_sample_orders.csv"
BATCH = 1000
NEWEST = date(1998, 6, 30)  # of the source
SALES_OPEN = time(6)  # UTC
SALES_SECONDS = 10 * 3600
# After the sales of the day, and still the same day in UTC and in Moscow.
MIGRATION_START = time(17)
MIGRATION_SECONDS = 3 * 3600
CHANGES = time(9)
SPOILED = 6
"""Of the orders that change on the next day; an even number."""


def create(connection: Any, *, today: date, limit: int | None = None) -> int:
    """Create the tables `orders` and `shop_sales`, fill them, commit, and return the number of orders.

    A table of that name that is already there is an error of the database: nothing is dropped.

    :param connection: an open DB-API connection: SQLite, or PostgreSQL through psycopg2
    :param today: as in :func:`iter_orders`
    :param limit: only the first so many orders
    """
    orders = iter_orders(today, strict_types=not is_sqlite(connection))
    count = fill(connection, "orders", TABLE, islice(orders, limit))
    fill(connection, "shop_sales", SHOP_TABLE, iter_shop_sales(today))
    with closing(connection.cursor()) as cursor:
        cursor.execute(INDEX)
    connection.commit()
    return count


def is_sqlite(connection: Any) -> bool:
    """Return whether the database is SQLite, which checks no types."""
    return type(connection).__module__.partition(".")[0] == "sqlite3"


def fill(connection: Any, table: str, definition: str, rows: Iterator[Mapping[str, object]]) -> int:
    """Make a table, put the rows into it, and return how many there are.

    :param definition: the statement that makes it, with ``{money}`` for the type of amounts
    """
    # SQLite turns money into binary floats unless the column is text; other databases have exact types
    # that refuse the rows a loose one lets through.
    money, placeholder = ("TEXT", "?") if is_sqlite(connection) else ("NUMERIC", "%s")
    count = 0
    with closing(connection.cursor()) as cursor:
        cursor.execute(definition.format(money=money))
        while batch := [tuple(row.values()) for row in islice(rows, BATCH)]:
            places = ", ".join([placeholder] * len(batch[0]))
            cursor.executemany(f"INSERT INTO {table} VALUES ({places})", batch)  # noqa: S608 - own names only
            count += len(batch)
    return count


def next_day(connection: Any, day: date) -> int:
    """Let a day pass after :func:`create`: open orders are paid, :data:`SPOILED` of them wrongly. Commit.

    :param connection: an open connection to SQLite
    :param day: the day it happens on
    :return: how many orders changed.
    """
    moment = f"{day} {CHANGES:%H:%M:%S}"
    paid = connection.execute("UPDATE orders SET status = 'paid', updated_at = ? WHERE status = 'new'", (moment,))
    changed = int(paid.rowcount)
    some = "id IN (SELECT id FROM orders WHERE updated_at = ? ORDER BY id {} LIMIT ?)"
    for fault, order in (("status = 'return/exchange'", "ASC"), ("total = '-' || total", "DESC")):
        connection.execute(f"UPDATE orders SET {fault} WHERE {some.format(order)}", (moment, SPOILED // 2))  # noqa: S608
    connection.commit()
    return changed


def iter_orders(today: date, *, broken: bool = True, strict_types: bool = False) -> Iterator[Row]:
    """Yield every order of the CRM as it is stored, in the order of the source.

    :param today: the newest order lies on the day before, and all were updated on that day
    :param broken: False gives the same orders with nothing wrong in them
    :param strict_types: the form of the broken orders in a database that checks the types of its columns
    """
    yesterday = today - timedelta(days=1)
    shift = yesterday - NEWEST
    migration = datetime.combine(yesterday, MIGRATION_START)
    orders_of: Counter[str] = Counter()
    for number, purchase in enumerate(_purchases()):
        customer_id = purchase["customer_id"]
        orders_of[customer_id] += 1
        order_id = f"CD-{customer_id}-{orders_of[customer_id]}"
        day = date.fromisoformat(purchase["date"]) + shift
        created = datetime.combine(day, SALES_OPEN) + timedelta(seconds=draw("time", order_id, SALES_SECONDS))
        updated = migration + timedelta(seconds=number * MIGRATION_SECONDS // ORDERS)
        person = identity(customer_id)
        row: Row = {
            "id": order_id,
            "created_at": created.isoformat(" "),
            "updated_at": updated.isoformat(" "),
            "customer_id": customer_id,
            "metrica_client_id": person.client_id if "client_id" in person.known else None,
            "email": person.typed_email if "email" in person.known else None,
            "phone": person.typed_phone if "phone" in person.known else None,
            "status": _status(order_id),
            "total": purchase["dollar_value"],
            "cost": _cost(order_id, purchase["dollar_value"]),
            "currency": CURRENCY,
        }
        if broken:
            spoil(row, person.typed_phone, today=today, strict_types=strict_types)
        yield row


def iter_shop_sales(today: date) -> Iterator[Row]:
    """Yield the sales in the shop's own shops: made up, all of the day before, and no orders of the site.

    :param today: as in :func:`iter_orders`
    """
    opening = datetime.combine(today - timedelta(days=1), SALES_OPEN)
    for order in iter_orders(today, broken=False):
        order_id = str(order["id"])
        if draw("sold in a shop", order_id, 20):
            continue
        sold = opening + timedelta(seconds=draw("shop time", order_id, SALES_SECONDS))
        yield {
            "id": order_id.replace("CD-", "SH-"),
            "sold_at": sold.isoformat(" "),
            "customer_id": order["customer_id"],
            "metrica_client_id": order["metrica_client_id"],
            "total": order["total"],
            "currency": CURRENCY,
        }


def _purchases() -> Iterator[dict[str, str]]:
    with SOURCE.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def _status(order_id: str) -> str:
    share = draw("status", order_id, 100)
    if share < 72:
        return "paid"
    if share < 86:
        return "new"
    return "cancelled" if share < 97 else "spam"


def _cost(order_id: str, total: str) -> str | None:
    # Not every order has its cost booked; where it is, the margin is 30 to 59 per cent.
    if draw("cost known", order_id, 4) == 0:
        return None
    share = Decimal(41 + draw("cost", order_id, 30)) / 100
    return str((Decimal(total) * share).quantize(Decimal("0.01")))
