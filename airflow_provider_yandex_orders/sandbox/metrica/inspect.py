# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: S608 - the SQL is put together from constants of this folder, never from what a client sent
"""What arrived at Metrica, for the control API and the page: the answers the real service never gives."""

import json
import time
from collections.abc import Iterable
from decimal import Context, Decimal
from typing import Any, Final

from airflow_provider_yandex_orders.sandbox.metrica import orders, uploads
from airflow_provider_yandex_orders.sandbox.metrica.fields import IDENTIFIERS
from airflow_provider_yandex_orders.sandbox.service import Sandbox

_EXACT: Final = Context(prec=200)
_PAID: Final = "PAID"
_OURS: Final = "(:counter IS NULL OR counter_id = :counter)"
# A customer is its CRM id, else the first kind of identifier the order has.
_CUSTOMER: Final = "coalesce(client_uniq_id, {})".format(", ".join(f"'{name}:' || {name}" for name in IDENTIFIERS))


def order_page(sandbox: Sandbox, counter_id: int | None, *, limit: int, offset: int) -> dict[str, Any]:
    """Stored orders in the order of their first arrival."""
    values = {"counter": counter_id, "limit": limit, "offset": offset}
    with sandbox.store.connect() as connection:
        total = connection.execute(f"SELECT count(*) FROM {orders.TABLE} WHERE {_OURS}", values).fetchone()[0]
        query = f"SELECT * FROM {orders.TABLE} WHERE {_OURS} ORDER BY key LIMIT :limit OFFSET :offset"
        rows = connection.execute(query, values).fetchall()
        ids = dict(map(tuple, connection.execute(f"SELECT number, uploading_id FROM {uploads.TABLE}")))
    return {"total": total, "orders": [orders.as_dict(row, ids) for row in rows]}


def upload_page(sandbox: Sandbox, counter_id: int | None, *, limit: int, offset: int) -> dict[str, Any]:
    """Uploads, newest first, with the sandbox's notes and whether the service lists them yet."""
    values = {"counter": counter_id, "limit": limit, "offset": offset}
    processed = time.time() - sandbox.settings.processing_seconds
    with sandbox.store.connect() as connection:
        total = connection.execute(f"SELECT count(*) FROM {uploads.TABLE} WHERE {_OURS}", values).fetchone()[0]
        query = f"SELECT * FROM {uploads.TABLE} WHERE {_OURS} ORDER BY number DESC LIMIT :limit OFFSET :offset"
        rows = connection.execute(query, values).fetchall()
    found = [
        {
            "counter_id": row["counter_id"],
            **uploads.as_answer(row),
            "merge_mode": row["merge_mode"],
            "bytes": row["bytes"],
            "sha256": row["sha256"],
            "listed": row["received_at"] <= processed,
            "sandbox_notes": json.loads(row["notes"]),
        }
        for row in rows
    ]
    return {"total": total, "uploads": found}


def summary(sandbox: Sandbox, counter_id: int | None) -> dict[str, Any]:
    """Totals over the stored orders; money as exact decimal text, by currency."""
    values = {"counter": counter_id}
    totals = (
        "SELECT count(*) AS orders, coalesce(sum(times_received), 0) AS rows_received,"
        " coalesce(sum(times_received > 1), 0) AS orders_received_more_than_once,"
        " coalesce(sum(id IS NULL), 0) AS orders_without_id,"
        f" count(DISTINCT {_CUSTOMER}) AS customers FROM {orders.TABLE} WHERE {_OURS}"
    )
    money = (
        "SELECT substr(create_date_time, 1, 10) AS day, order_status, currency, count(*) AS orders,"
        f" decimal_sum(revenue) AS revenue FROM {orders.TABLE} WHERE {_OURS} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )
    with sandbox.store.connect() as connection:
        result: dict[str, Any] = dict(connection.execute(totals, values).fetchone())
        groups = connection.execute(money, values).fetchall()
    by_status: dict[str, int] = {}
    for group in groups:
        by_status[group["order_status"]] = by_status.get(group["order_status"], 0) + group["orders"]
    result["by_status"] = by_status
    result["revenue_by_day"] = _add_up((group["day"], group["currency"], group["revenue"]) for group in groups)
    result["paid_revenue_by_day"] = _add_up(
        (group["day"], group["currency"], group["revenue"]) for group in groups if group["order_status"] == _PAID
    )
    return result


def _add_up(parts: Iterable[tuple[str, str, str]]) -> dict[str, dict[str, str]]:
    """Day and currency: the exact sum of the parts."""
    sums: dict[str, dict[str, Decimal]] = {}
    for day, currency, revenue in parts:
        of_day = sums.setdefault(day, {})
        of_day[currency] = _EXACT.add(of_day.get(currency, Decimal(0)), Decimal(revenue))
    return {day: {name: format(total, "f") for name, total in of_day.items()} for day, of_day in sums.items()}
