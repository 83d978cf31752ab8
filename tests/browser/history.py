# SPDX-License-Identifier: Apache-2.0
"""A month of deliveries to look at: real uploads to the sandbox, moved into the past afterwards."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.operators.metrica import (
    MetricaLinkedOrdersOperator,
    MetricaUploadContactsOperator,
    MetricaUploadOfflineConversionsOperator,
    MetricaUploadSimpleOrdersOperator,
)
from tests.support.connections import connect

ORDERS_DAG, GUEST_DAG, SHOPS_DAG = "crm_to_metrica_daily", "guests_orders", "shop_sales"
DAYS = 18
TODAY = datetime.now(UTC).date()
"""The same for all that is made and looked up, whenever midnight comes."""
KEY = "A-3-1"
"""Of an order that the orders' DAG sent."""
GUEST_KEY = "G-1"


def fill(home: Path, url: str) -> None:
    """Upload as tasks of these DAGs would, and put each upload on a day of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_HOME", str(home))
        connect(patch, url)
        MetricaHook().create_goal(101, "sold_in_shop", "Sold in a shop")
        for ago in range(DAYS, -1, -1):
            day = day_before(ago)
            delivery = _run(MetricaUploadSimpleOrdersOperator, ORDERS_DAG, day, ago, home, source=_orders(ago, day))
            linked = {"date_from": str(day), "date_to": str(day), "sent": delivery}
            if ago > 2:
                _run(MetricaLinkedOrdersOperator, ORDERS_DAG, day, ago, home, **linked)
            if ago % 3 == 0:
                _run(MetricaUploadOfflineConversionsOperator, SHOPS_DAG, day, ago, home, source=_sales(ago))
            if ago % 7 == 0:
                _run(MetricaUploadContactsOperator, GUEST_DAG, day, ago, home, source=_contacts(ago))


def day_before(ago: int) -> date:
    return TODAY - timedelta(days=ago)


def _run(operator: Any, dag_id: str, day: date, ago: int, home: Path, **arguments: Any) -> Any:
    ti = SimpleNamespace(
        dag_id=dag_id,
        run_id=f"scheduled__{day}T00:00:00+00:00",
        task_id="upload_orders",
        map_index=-1,
        xcom_push=lambda **_pushed: None,
    )
    if operator is not MetricaLinkedOrdersOperator:
        arguments |= {"max_rejected": 0.5, "max_dropped": 1.0}
    if operator in (MetricaUploadSimpleOrdersOperator, MetricaUploadContactsOperator):
        arguments |= {"changed_only": True, "wait_for_completion": ago > 0, "deferrable": False}
    result = operator(task_id="upload_orders", **arguments).execute({"ti": ti, "task_instance": ti})
    _into_the_past(home / "yandex_orders" / "journal.db", ago)
    return json.loads(json.dumps(result))


def _into_the_past(file: Path, ago: int) -> None:
    """The delivery that was made last."""
    columns = {
        "journal_deliveries": ("started_at", "sent_at", "completed_at"),
        "journal_parts": ("planned_at", "sent_at", "accepted_at", "judged_at"),
    }
    with closing(sqlite3.connect(file)) as journal, journal:
        (last,) = journal.execute("SELECT max(delivery_id) FROM journal_deliveries").fetchone()
        (moved,) = journal.execute(
            "SELECT started_at < date('now') FROM journal_deliveries WHERE delivery_id = ?", (last,)
        ).fetchone()
        for table, names in columns.items() if not moved else ():
            earlier = ", ".join(f"{name} = strftime('%Y-%m-%d %H:%M:%f', {name}, '-{ago} days')" for name in names)
            journal.execute(f"UPDATE {table} SET {earlier} WHERE delivery_id = ?", (last,))


def _orders(ago: int, day: date) -> list[dict[str, Any]]:
    """New ones, some of which cannot be sent, and some of the day before once more."""
    new = _new(ago, day)
    nobody = [{**new[0], "id": f"N-{ago}-{number}", "client_ids": ""} for number in range(ago % 3)]
    before = [] if ago == DAYS else _new(ago + 1, day - timedelta(days=1))
    return [*new, *nobody, *[order for order in before if order["revenue"] != "never"][: 10 + ago % 5]]


def _new(ago: int, day: date) -> list[dict[str, Any]]:
    return [
        {
            "id": f"A-{ago}-{number}",
            "create_date_time": f"{day} 00:00:00",
            "client_ids": f"17{ago:04d}{number:010d}",
            "order_status": "PAID",
            "revenue": "never" if number % 17 == ago % 17 else f"{500 + (number * 37 + ago * 11) % 900}.90",
            "currency": "EUR" if number % 9 == 0 else "RUB",
        }
        for number in range(40 + (ago * 29) % 60)
    ]


def _sales(ago: int) -> list[dict[str, Any]]:
    sold = {"Target": "sold_in_shop", "Price": "990", "Currency": "RUB"}
    rows = range(12 + ago % 9)
    return [{**sold, "ClientId": f"18{ago:04d}{row:08d}", "DateTime": _noon(ago) + row} for row in rows]


def _noon(ago: int) -> int:
    return (day_before(ago + 1).toordinal() - date(1970, 1, 1).toordinal()) * 86400 + 43200


def _contacts(ago: int) -> list[dict[str, Any]]:
    return [
        {"uniq_id": f"G-{number}", "client_ids": f"19{number:010d}", "create_date_time": "2026-01-02 03:04:05"}
        for number in range(1, 9 + ago % 4)
    ]
