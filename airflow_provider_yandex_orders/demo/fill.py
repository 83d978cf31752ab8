# SPDX-License-Identifier: Apache-2.0
"""`python -m airflow_provider_yandex_orders.demo --fill CONN_ID`: the CRM of all examples, in your database."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import Any

from airflow_provider_yandex_orders.demo import crm, order_lines
from airflow_provider_yandex_orders.demo.errors import DemoError
from airflow_provider_yandex_orders.demo.identities import identity
from airflow_provider_yandex_orders.sandbox.market.orders import order_id
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings

TABLES = ("orders", "order_lines", "shop_sales", "market_contacts")
STORE = 1001
"""The sandbox's store whose customers the CRM knows."""
MARKET_DAYS = 60
"""Days back that orders of the sandbox's store still change."""
DATABASES = ("sqlite", "postgres")


def fill(conn_id: str) -> str:
    """Make the tables of the examples in the database of an Airflow connection; what is there now, in a sentence.

    :param conn_id: a connection to SQLite or PostgreSQL, wherever Airflow keeps it.
    :raises DemoError: it cannot be used, or one of the tables is there already: nothing is dropped.
    """
    # Outside of a task Airflow 3 finds what its own database stores only where it is told that this is no task.
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    from airflow.providers.common.compat.sdk import BaseHook

    try:
        hook = BaseHook.get_hook(conn_id)
        opened = closing(hook.get_conn()) if hook.conn_type in DATABASES else None
    except Exception as error:  # noqa: BLE001 - of Airflow, or of a driver: there is no base class
        raise DemoError(f"The connection {conn_id!r} cannot be used: {error}") from None
    if opened is None:
        raise DemoError(f"The type of {conn_id!r} is {hook.conn_type}: this fills {' and '.join(DATABASES)}.")
    with opened as connection:
        return fill_database(connection, datetime.now(UTC).date())


def fill_database(connection: Any, today: date) -> str:
    """Make and fill the tables; what is there now, in a sentence.

    :param connection: as in :func:`crm.create`
    :param today: as in :func:`crm.iter_orders`
    """
    there = [table for table in TABLES if _is_there(connection, table)]
    if there:
        raise DemoError(f"The database has {', '.join(there)} already, and nothing is dropped: take an empty one.")
    orders = crm.create(connection, today=today)
    lines = order_lines.create(connection, today=today)
    contacts = _create_contacts(connection, today)
    return (
        f"{orders:,} orders of {today - timedelta(days=1)} and before, all touched that day, with {lines:,} lines; "
        f"a day of sales in shops; contacts of {contacts:,} Market orders."
    )


def _is_there(connection: Any, table: str) -> bool:
    with closing(connection.cursor()) as cursor:
        try:
            cursor.execute(f"SELECT 1 FROM {table}")  # noqa: S608 - own names only
        except Exception:  # noqa: BLE001 - drivers share no base class that could be named
            return False
        finally:
            connection.rollback()
    return True


def _create_contacts(connection: Any, today: date) -> int:
    placeholder = "?" if type(connection).__module__.partition(".")[0] == "sqlite3" else "%s"
    rows = list(iter_contacts(today))
    with closing(connection.cursor()) as cursor:
        cursor.execute("CREATE TABLE market_contacts (order_id TEXT PRIMARY KEY, email TEXT, phone TEXT)")
        cursor.executemany(f"INSERT INTO market_contacts VALUES ({', '.join([placeholder] * 3)})", rows)  # noqa: S608
    connection.commit()
    return len(rows)


def iter_contacts(today: date) -> Iterator[tuple[str, str, str]]:
    """Yield what the CRM knows of the customers of the sandbox's store: the shop's own order id, e-mail, phone."""
    per_day = SandboxSettings().market_orders_per_day
    for back in range(MARKET_DAYS):
        for number in range(per_day):
            order = order_id(today - timedelta(days=back), number, STORE)
            person = identity(str(order))
            yield f"shop-{order}", person.email, person.phone
