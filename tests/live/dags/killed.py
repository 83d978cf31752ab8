# SPDX-License-Identifier: Apache-2.0
"""A task of each kind, in small parts, with a journal on a server and quick retries: what is killed all the time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_yandex_orders.demo.crm import STATUS_MAP
from airflow_provider_yandex_orders.operators.altcraft import AltcraftImportOrdersOperator
from airflow_provider_yandex_orders.operators.market import MarketFetchOrderStatsOperator
from airflow_provider_yandex_orders.operators.metrica import (
    MetricaEnsureGoalsOperator,
    MetricaUploadOfflineConversionsOperator,
    MetricaUploadSimpleOrdersOperator,
)
from airflow_provider_yandex_orders.sources import CallableSource, SqlSource
from tests.support.pauses import shorten

shorten(ask_every=1, listed_within=15)  # the sandbox lists at once; else each lost answer is waited for ten minutes

ON_A_SERVER: dict[str, Any] = {"journal_conn_id": "journal"}
RETRIES: dict[str, Any] = {"retries": 20, "retry_delay": timedelta(seconds=1)}


def sales(first: int, count: int, day: str) -> Iterator[dict[str, Any]]:
    """Sales of the day before, each with a visitor of its own."""
    midnight = datetime.fromisoformat(day) - timedelta(days=1)
    for number in range(first, first + count):
        yield {
            "ClientId": str(10**15 + number),
            "DateTime": (midnight + timedelta(seconds=number)).isoformat(),
            "Target": "sold",
            "Price": 100 + number,
            "Currency": "RUB",
        }


def conversions(first: int, count: int) -> None:
    """The goal, and the upload that reaches it."""
    MetricaEnsureGoalsOperator(task_id="goals", goals=["sold"]) >> MetricaUploadOfflineConversionsOperator(
        task_id="conversions",
        source=CallableSource(
            sales, op_kwargs={"first": first, "count": count, "day": "{{ dag_run.run_after.date() }}"}
        ),
        source_timezone="UTC",
        max_part_rows=20,
        **ON_A_SERVER,
    )


with DAG(dag_id="killed", schedule=None, tags=["test"], default_args=RETRIES):
    conversions(0, 1200)
    MetricaUploadSimpleOrdersOperator(
        task_id="orders",
        source=SqlSource(
            "shop",
            "SELECT * FROM orders",
            columns={
                "create_date_time": "created_at",
                "emails": "email",
                "phones": "phone",
                "order_status": "status",
                "revenue": "total",
            },
        ),
        status_map=STATUS_MAP,
        source_timezone="UTC",
        max_part_rows=50,
        **ON_A_SERVER,
    )
    AltcraftImportOrdersOperator(
        task_id="altcraft",
        source=SqlSource(
            "shop",
            "SELECT * FROM orders",
            columns={
                "external_id": "id",
                "create_time": "created_at",
                "update_time": "updated_at",
                "total_price": "total",
            },
        ),
        lines=SqlSource(
            "shop",
            "SELECT * FROM order_lines",
            columns={
                "order_external_id": "order_id",
                "external_id": "line_id",
                "final_price_per_item": "price",
                "count": "quantity",
            },
        ),
        defaults={"endpoint": "shop-1", "matching": "email_phone"},
        status_map={"new": "new", "paid": "paid", "cancelled": "canceled", "spam": "canceled"},
        source_timezone="UTC",
        skip_triggers=False,
        batch_size=50,
        **ON_A_SERVER,
    )
    MarketFetchOrderStatsOperator(
        task_id="market",
        path=f"{os.environ['AIRFLOW_HOME']}/market/{{{{ run_id }}}}",
        update_from="2026-06-01",
        update_to="2026-06-01",
        page_size=4,
    )

with DAG(dag_id="journal_restarted", schedule=None, tags=["test"], default_args=RETRIES):
    conversions(5000, 200)
