# SPDX-License-Identifier: Apache-2.0
"""Order statistics of a Yandex Market store to a warehouse, every day: fetch, check, load.

Each run reads the orders that changed in its period and on the day before it, and replaces in the warehouse what it had
of them. Runs may be repeated, and past ones made up by ``catchup=True``.

To make it yours, change the three lines marked with (1) to (3). Any database that Airflow has a hook for will do.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import DAG, AirflowFailException, Asset, BaseHook, ObjectStoragePath, task
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_yandex_orders.operators.market import MarketFetchOrderStatsOperator
from airflow_provider_yandex_orders.sources import FileSource

WAREHOUSE = "warehouse"  # (1) the connection of your database: SQLite, PostgreSQL, ...
# (2) a folder, or s3://bucket/market
FILES = str(Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser() / "market")
DAY = CronDataIntervalTimetable("0 4 * * *", timezone="Europe/Moscow")  # (3) when to read

ORDER_STATS = Asset("market_order_stats")
BATCH = 1000
TYPES = {
    "integer": "BIGINT",
    "text": "TEXT",
    "boolean": "BOOLEAN",
    "decimal": "NUMERIC",
    "date": "DATE",
    "moment": "TIMESTAMP WITH TIME ZONE",
    "json": "TEXT",
}


def rows_of(path: str) -> Iterator[Any]:
    """Rows of one table, one at a time."""
    with FileSource(path).open() as stream:
        yield from stream.rows


def batches(rows: Iterator[Any]) -> Iterator[list[Any]]:
    """Rows in lists of a size that databases like."""
    return iter(lambda: list(islice(rows, BATCH)), [])


with DAG(
    dag_id="market_order_stats_daily",
    schedule=DAY,
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Moscow"),
    catchup=False,  # True reads the past as well
    max_active_runs=1,  # what is read later is newer, and is loaded later
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
    tags=["yandex", "market", "warehouse"],
    doc_md=__doc__,
) as dag:
    fetch = MarketFetchOrderStatsOperator(task_id="fetch_order_stats", path=FILES, outlets=[ORDER_STATS])

    @task
    def check(stats: Any) -> dict[str, int]:
        """Make sure that the tables belong together and add up, before anything is loaded."""
        tables = stats["tables"]
        orders = {row["order_id"]: row for row in rows_of(tables["orders"])}
        for name, path in tables.items():
            number = 0
            for number, row in enumerate(rows_of(path), start=1):
                if row["order_id"] not in orders:
                    raise AirflowFailException(f"{name}: row {number} is of an order that is not in orders.")
            if number != stats["rows"][name]:
                raise AirflowFailException(f"{name}: {number} rows in the file, {stats['rows'][name]} were fetched.")

        paid: dict[int, Decimal] = defaultdict(Decimal)
        for row in rows_of(tables["payments"]):
            paid[row["order_id"]] += Decimal(row["total"]) * (-1 if row["type"] == "REFUND" else 1)
        price: dict[int, Decimal] = defaultdict(Decimal)
        for row in rows_of(tables["prices"]):
            if row["type"] == "BUYER":
                price[row["order_id"]] += Decimal(row["total"])
        refunded = [order_id for order_id, total in paid.items() if total < 0]
        if refunded:
            raise AirflowFailException(
                f"payments: {len(refunded)} orders were refunded more than paid, such as {refunded[0]}."
            )
        delivered = [order_id for order_id, row in orders.items() if row["status"] == "DELIVERED" and order_id in paid]
        return {
            "orders": len(orders),
            "orders_paid": len(paid),
            "delivered_paid": len(delivered),
            "delivered_paid_in_full": sum(paid[order_id] == price[order_id] for order_id in delivered),
        }

    @task
    def load(stats: Any) -> int:
        """Replace the fetched orders in the warehouse, all tables in one transaction."""
        hook = BaseHook.get_hook(WAREHOUSE)
        # SQLite makes binary floats of numbers: there amounts stay texts.
        types = TYPES | ({"decimal": "TEXT"} if hook.conn_type == "sqlite" else {})
        schema = json.loads(ObjectStoragePath(stats["schema_path"]).read_text())
        with closing(hook.get_conn()) as connection, closing(connection.cursor()) as cursor:
            for name, path in stats["tables"].items():
                table, columns = f"market_{name}", schema[name]["columns"]
                names = ", ".join(f'"{column["name"]}"' for column in columns)
                typed = ", ".join(f'"{column["name"]}" {types[column["type"]]}' for column in columns)
                key = ", ".join(f'"{part}"' for part in schema[name]["key"])
                places = ", ".join([hook.placeholder] * len(columns))
                cursor.execute(f"CREATE TABLE IF NOT EXISTS {table} ({typed}, PRIMARY KEY ({key}))")
                for batch in batches(rows_of(stats["tables"]["orders"])):
                    ids = [(row["order_id"],) for row in batch]
                    cursor.executemany(f"DELETE FROM {table} WHERE order_id = {hook.placeholder}", ids)
                for batch in batches(rows_of(path)):
                    cursor.executemany(
                        f"INSERT INTO {table} ({names}) VALUES ({places})",
                        [tuple(row.values()) for row in batch],
                    )
            connection.commit()
        return int(stats["orders"])

    check(fetch.output) >> load(fetch.output)
