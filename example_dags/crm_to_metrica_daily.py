# SPDX-License-Identifier: Apache-2.0
"""Orders from a CRM database to Yandex Metrica, every day.

To make it yours, change the four lines marked with (1) to (4); the table the query reads is shown in the README.

These are the orders of the site. The same sale must not go to Metrica a second time as an offline conversion of the
same goal: it would count twice. The example of offline conversions sends other sales, those of the shops.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import DAG, task
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_yandex_orders.notifications.delivery import DeliveryNotifier
from airflow_provider_yandex_orders.operators.metrica import MetricaUploadSimpleOrdersOperator
from airflow_provider_yandex_orders.sensors.metrica import MetricaCrmUploadSensor
from airflow_provider_yandex_orders.sources import SqlSource
from airflow_provider_yandex_orders.summary import summary

CRM = "crm"  # (1) the connection of your CRM database
STATUSES = {"new": "IN_PROGRESS", "paid": "PAID", "cancelled": "CANCELLED", "spam": "SPAM"}  # (2) your statuses
DAY = CronDataIntervalTimetable("0 3 * * *", timezone="Europe/Moscow")  # (3) when your CRM is at rest
CRM_TIMEZONE = "UTC"  # (4) the zone of the CRM's date-times

# Says when something changes, not at each run: here in the task's log, else by Telegram,
# DeliveryNotifier("telegram_default", language="ru"), or any channel Airflow has (docs/messages.md).
tell = DeliveryNotifier(logging.getLogger(__name__).info)

# The orders changed in the run's period; a run started by hand takes the last day.
QUERY = """
SELECT id, created_at, updated_at, customer_id, metrica_client_id, email, phone, status, total, cost, currency
FROM orders
WHERE updated_at >= '{{ window.start }}'
  AND updated_at < '{{ window.end }}'
"""


with DAG(
    dag_id="crm_to_metrica_daily",
    schedule=DAY,
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Moscow"),
    catchup=False,  # True sends the past as well: each run takes only its own day
    max_active_runs=1,  # an order changed on two days is sent in that order
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
    tags=["yandex", "metrica", "crm"],
    doc_md=__doc__,
) as dag:
    upload = MetricaUploadSimpleOrdersOperator(
        task_id="upload_orders",
        source=SqlSource(
            CRM,
            QUERY,
            columns={
                "create_date_time": "created_at",
                "update_date_time": "updated_at",
                "client_uniq_id": "customer_id",
                "client_ids": "metrica_client_id",
                "emails": "email",
                "phones": "phone",
                "order_status": "status",
                "revenue": "total",
            },
        ),
        status_map=STATUSES,
        source_timezone=CRM_TIMEZONE,
        max_rejected=0.01,
        changed_only=True,  # a run repeated sends nothing twice
        on_success_callback=tell,
        on_failure_callback=tell,
    )

    wait = MetricaCrmUploadSensor(
        task_id="wait_for_metrica",
        upload_ids=upload.output,
        deferrable=True,
        timeout=2 * 60 * 60,
    )

    @task
    def report(delivery: Any) -> str:
        """What became of the rows, for people and without personal data: send it where they read."""
        return summary(delivery)

    wait >> report(upload.output)
