# SPDX-License-Identifier: Apache-2.0
"""Sales in shops as offline conversions to Yandex Metrica, every day.

The goal is made if the counter does not have it; the upload is waited for without a worker slot, and its end is judged.
The table ``shop_sales`` has ``id``, ``sold_at``, ``customer_id``, ``metrica_client_id``, ``total`` and ``currency``.

These sales are no orders of the site. A sale that also goes to Metrica as an order, as the other examples send them,
must not be sent as a conversion of the same goal: it would count twice.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import DAG, task
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_yandex_orders.operators.metrica import (
    MetricaEnsureGoalsOperator,
    MetricaUploadOfflineConversionsOperator,
)
from airflow_provider_yandex_orders.sensors.metrica import MetricaOfflineConversionsSensor
from airflow_provider_yandex_orders.sources import SqlSource
from airflow_provider_yandex_orders.summary import summary

CRM = "crm"
CRM_TIMEZONE = "UTC"
GOAL = "shop_sale"

# Field names of the service in quotes, as their capitals count. ClientIDs are text from the site to here.
CONVERSIONS = f"""
SELECT id, customer_id AS "UserId", metrica_client_id AS "ClientId", '{GOAL}' AS "Target", sold_at AS "DateTime",
       total AS "Price", currency AS "Currency"
FROM shop_sales
WHERE sold_at >= '{{{{ window.start }}}}'
  AND sold_at < '{{{{ window.end }}}}'
"""


with DAG(
    dag_id="offline_conversions",
    schedule=CronDataIntervalTimetable("0 4 * * *", timezone="Europe/Moscow"),
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Moscow"),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
    tags=["yandex", "metrica", "conversions"],
    doc_md=__doc__,
) as dag:
    goals = MetricaEnsureGoalsOperator(task_id="ensure_goals", goals={GOAL: "Sale in a shop"})

    upload = MetricaUploadOfflineConversionsOperator(
        task_id="upload_conversions",
        source=SqlSource(CRM, CONVERSIONS),
        source_timezone=CRM_TIMEZONE,
        comment="CRM",
        max_rejected=0.01,
        skip_empty=True,  # a day without sales is no upload to wait for
    )

    wait = MetricaOfflineConversionsSensor(
        task_id="wait_for_metrica",
        upload_ids=upload.output,
        deferrable=True,
        timeout=24 * 60 * 60,
        min_accepted=0.99,
        min_linked=0.1,
    )

    @task
    def report(delivery: Any) -> str:
        """What became of the rows, for people and without personal data: send it where they read."""
        return summary(delivery)

    goals >> upload >> wait >> report(upload.output)
