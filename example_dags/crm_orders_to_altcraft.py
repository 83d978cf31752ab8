# SPDX-License-Identifier: Apache-2.0
"""Orders with their lines from a CRM database to the Altcraft Platform, every day.

To make it yours, change the lines marked with (1) to (5). The platform must have the point of sale, the currency and
the SKUs first: see docs/altcraft.md.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import DAG, Param, task
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_yandex_orders.operators.altcraft import AltcraftImportOrdersOperator
from airflow_provider_yandex_orders.sensors.altcraft import AltcraftOrdersSensor
from airflow_provider_yandex_orders.sources import SqlSource
from airflow_provider_yandex_orders.summary import summary

CRM = "crm"  # (1) the connection of your CRM database
STATUSES = {"new": "new", "paid": "paid", "cancelled": "canceled", "spam": "canceled"}  # (2) your statuses
DAY = CronDataIntervalTimetable("0 3 * * *", timezone="Europe/Moscow")  # (3) when your CRM is at rest
CRM_TIMEZONE = "UTC"  # (4) the zone of the CRM's date-times
ENDPOINT = "online-shop"  # (5) the platform's point of sale

# The orders changed in the run's period whose customer can be found; a run started by hand takes the last day.
CHANGED = "updated_at >= '{{ window.start }}' AND updated_at < '{{ window.end }}' AND (email <> '' OR phone <> '')"
ORDERS = f"SELECT id, created_at, updated_at, email, phone, status, total, currency FROM orders WHERE {CHANGED}"
LINES = f"""
SELECT order_id, line_id, sku, price, quantity, status
FROM order_lines
WHERE order_id IN (SELECT id FROM orders WHERE {CHANGED})
"""


with DAG(
    dag_id="crm_orders_to_altcraft",
    schedule=DAY,
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Moscow"),
    catchup=False,
    max_active_runs=1,  # an order changed on two days is sent in that order
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
    params={
        "backfill": Param(
            False,
            type="boolean",
            title="A run for the past",
            description="Imports without starting the platform's triggers, so that no customer is written to. A "
            "backfill that Airflow runs does so by itself; this is for runs started by hand.",
        )
    },
    tags=["altcraft", "crm"],
    doc_md=__doc__,
) as dag:
    # [START howto_import]
    import_orders = AltcraftImportOrdersOperator(
        task_id="import_orders",
        source=SqlSource(
            CRM,
            ORDERS,
            columns={
                "external_id": "id",
                "create_time": "created_at",
                "update_time": "updated_at",
                "total_price": "total",
            },
        ),
        lines=SqlSource(
            CRM,
            LINES,
            columns={
                "order_external_id": "order_id",
                "external_id": "line_id",
                "final_price_per_item": "price",
                "count": "quantity",
            },
        ),
        skip_triggers="{{ params.backfill or dag_run.run_type == 'backfill' }}",
        status_map=STATUSES,
        defaults={"endpoint": ENDPOINT, "matching": "email_phone"},
        source_timezone=CRM_TIMEZONE,
        max_rejected=0.01,
    )
    # [END howto_import]

    # [START howto_verify]
    verify = AltcraftOrdersSensor(
        task_id="verify",
        order_ids=import_orders.output,
        sample=50,
        deferrable=True,
        timeout=30 * 60,
    )
    # [END howto_verify]

    @task
    def report(delivery: Any) -> str:
        """What became of the rows, for people and without personal data: send it where they read."""
        return summary(delivery)

    verify >> report(import_orders.output)
