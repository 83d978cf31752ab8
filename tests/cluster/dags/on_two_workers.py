# SPDX-License-Identifier: Apache-2.0
"""What the tests disturb: orders and conversions in small parts, days of two counters, Market's files in the store."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_yandex_orders.demo.crm import STATUS_MAP
from airflow_provider_yandex_orders.operators.market import MarketFetchOrderStatsOperator
from airflow_provider_yandex_orders.operators.metrica import (
    MetricaEnsureGoalsOperator,
    MetricaUploadOfflineConversionsOperator,
    MetricaUploadSimpleOrdersOperator,
)
from airflow_provider_yandex_orders.sources import SqlSource

RETRIES: dict[str, Any] = {"retries": 12, "retry_delay": timedelta(seconds=5)}
ORDERS: dict[str, Any] = {
    "create_date_time": "created_at",
    "update_date_time": "updated_at",
    "client_uniq_id": "customer_id",
    "client_ids": "metrica_client_id",
    "emails": "email",
    "phones": "phone",
    "order_status": "status",
    "revenue": "total",
}

with DAG(dag_id="orders", schedule=None, default_args=RETRIES):
    MetricaUploadSimpleOrdersOperator(
        task_id="upload",
        source=SqlSource("crm", "SELECT * FROM orders", columns=ORDERS),
        status_map=STATUS_MAP,
        source_timezone="UTC",
        max_rejected=0.01,
        max_part_rows=1000,
    )

with DAG(dag_id="conversions", schedule=None, default_args=RETRIES):
    MetricaEnsureGoalsOperator(task_id="goals", goals=["sold"]) >> MetricaUploadOfflineConversionsOperator(
        task_id="upload",
        source=SqlSource(
            "crm",
            """SELECT metrica_client_id AS "ClientId", sold_at AS "DateTime", total AS "Price", currency AS "Currency",
                'sold' AS "Target" FROM shop_sales WHERE metrica_client_id IS NOT NULL""",
        ),
        source_timezone="UTC",
        max_part_rows=50,
        same_key="last",
    )

# One CRM, whose orders go to two counters: each day of a backfill is two mapped tasks.
with DAG(
    dag_id="days",
    schedule="@daily",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    default_args=RETRIES,
):
    MetricaUploadSimpleOrdersOperator.partial(
        task_id="upload",
        source=SqlSource(
            "crm", "SELECT * FROM versions WHERE day = %(day)s", parameters={"day": "{{ ds }}"}, columns=ORDERS
        ),
        status_map=STATUS_MAP,
        source_timezone="UTC",
        max_part_rows=50,
        pool="metrica",
    ).expand(counter_id=[101, 103])

with DAG(dag_id="market", schedule=None, default_args=RETRIES):
    MarketFetchOrderStatsOperator(
        task_id="fetch",
        path="s3://store@orders/market/{{ run_id }}",
        update_from="2026-06-01",
        update_to="2026-06-01",
        page_size=20,
    )
