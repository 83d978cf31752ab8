# SPDX-License-Identifier: Apache-2.0
"""Orders of a CRM, made by number: ten columns as people leave them, one row in fifty bad."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

Order = dict[str, str]

COLUMNS = (
    *("id", "create_date_time", "client_uniq_id", "client_ids", "emails", "phones"),
    *("order_status", "revenue", "cost", "currency"),
)
STATUSES = {"new": "IN_PROGRESS", "paid": "PAID", "cancelled": "CANCELLED"}
"""What the CRM's words mean to the service."""
SOURCE_ZONE, COUNTER_ZONE = "UTC", "Europe/Moscow"
BAD_EVERY = 50
_BAD: tuple[Mapping[str, str], ...] = (
    {"create_date_time": "31.31.2026 10:00"},
    {"revenue": "-5.00"},
    {"revenue": "12o.50"},
    {"client_ids": "12ab"},
    {"id": ""},
    {"currency": "R0B"},
    {"client_ids": "", "emails": "", "phones": ""},
    {"client_ids": "", "emails": "nobody at home", "phones": ""},
    {"order_status": "lost in post"},
    {"create_date_time": ""},
)
# Of the last eighteen days: those of a daily upload. The CRM writes no zone.
_FIRST = datetime.combine(datetime.now(UTC).date() - timedelta(days=18), time(8))
_PHONES = ("+7 916 {}-{}-{}", "8 (903) {}-{}-{}", "7925{}{}{}", "8-926-{}-{}-{}")
_PAID = ("paid", "paid", "paid", "new", "cancelled")


def order(number: int) -> Order:
    """An order, the same for the same number."""
    digits = f"{number * 7919 % 10_000_000:07d}"
    made: Order = {
        "id": f"A-{number:08d}",
        "create_date_time": str(_FIRST + timedelta(seconds=number % 1_500_000)),
        "client_uniq_id": f"customer-{number * 31 % 50_021}",
        "client_ids": f"1700{number * 6_700_417 % 10**14:014d}" if number % 2 else "",
        "emails": f"Buyer.{number}@Example.com" if number % 10 else "",
        "phones": _PHONES[number % 4].format(digits[:3], digits[3:5], digits[5:]) if number % 10 < 8 else "",
        "order_status": _PAID[number % 5],
        "revenue": f"{number * 37 % 900_000 / 100 + 10:.2f}",
        "cost": f"{number * 17 % 90_000 / 100:.2f}" if number % 3 else "",
        "currency": "EUR" if number % 20 == 0 else "RUB",
    }
    if number % BAD_EVERY == BAD_EVERY - 1:
        made |= _BAD[number // BAD_EVERY % len(_BAD)]
    return made


def orders(count: int) -> Iterator[Order]:
    """So many orders."""
    return map(order, range(count))


def write_csv(path: Path, count: int) -> None:
    """Orders as a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(orders(count))


def write_sqlite(path: Path, count: int) -> None:
    """Orders as the table ``orders`` of a SQLite file."""
    with sqlite3.connect(path) as database:
        database.execute(f"CREATE TABLE orders ({', '.join(f'{name} TEXT' for name in COLUMNS)})")
        marks = ", ".join(f":{name}" for name in COLUMNS)
        database.executemany(f"INSERT INTO orders VALUES ({marks})", orders(count))
    database.close()


def crm(path: str) -> dict[str, str]:
    """The environment with the connection ``crm`` to such a file."""
    return {"AIRFLOW_CONN_CRM": json.dumps({"conn_type": "sqlite", "host": path})}
