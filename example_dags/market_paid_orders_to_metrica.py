# SPDX-License-Identifier: Apache-2.0
"""Paid orders of Yandex Market as offline conversions of a Metrica counter, every day, from the warehouse.

For shops whose site has the orders too: Market tells nothing of its visitors, so an order is found by ``PurchaseId``,
the id of an e-commerce purchase in the counter, and only where that is the ``partner_order_id`` of the order at
Market. Orders that were placed on Market alone find no visit.

**What counts twice.** A purchase brings its own revenue to the counter, by e-commerce: this goal tells which of it was
paid for, and its revenue is not to be added to the other. A sale that also goes to Metrica as an order, or as another
conversion of the same goal, counts twice: send it by one of them. Refunds take nothing off.

The tables are those that ``market_stores_to_postgres`` loads.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.providers.common.compat.sdk import DAG
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_yandex_orders.operators.metrica import (
    MetricaEnsureGoalsOperator,
    MetricaUploadOfflineConversionsOperator,
)
from airflow_provider_yandex_orders.sensors.metrica import MetricaOfflineConversionsSensor
from airflow_provider_yandex_orders.sources import SqlSource

WAREHOUSE = "warehouse"
MOSCOW = "Europe/Moscow"
GOAL = "market_order_paid"

# Market shows a transfer days after its date: two weeks are read, and what the counter has is not sent again.
PAID = f"""
SELECT o.order_id AS id, o.partner_order_id AS "PurchaseId", '{GOAL}' AS "Target",
       CAST(p.date AS timestamp) AS "DateTime", CAST(sum(p.total) AS numeric(18, 2)) AS "Price",
       CASE o.currency WHEN 'RUR' THEN 'RUB' ELSE o.currency END AS "Currency"
FROM market.payments p
JOIN market.orders o ON o.order_id = p.order_id
WHERE p.type = 'PAYMENT' AND o.fake IS NOT TRUE AND o.partner_order_id <> ''
  AND p.date >= CAST('{{{{ window.end }}}}' AS timestamp) - INTERVAL '14 days'
  AND p.date < CAST('{{{{ window.end }}}}' AS timestamp)
GROUP BY o.order_id, o.partner_order_id, p.date, o.currency
"""

with DAG(
    dag_id="market_paid_orders_to_metrica",
    schedule=CronDataIntervalTimetable("0 6 * * *", timezone=MOSCOW),
    start_date=pendulum.datetime(2026, 1, 1, tz=MOSCOW),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
    tags=["yandex", "market", "metrica", "conversions"],
    doc_md=__doc__,
) as dag:
    goals = MetricaEnsureGoalsOperator(task_id="ensure_goals", goals={GOAL: "Market order paid"})

    upload = MetricaUploadOfflineConversionsOperator(
        task_id="upload_conversions",
        source=SqlSource(WAREHOUSE, PAID),
        source_timezone=MOSCOW,
        comment="Market",
        skip_empty=True,
    )

    wait = MetricaOfflineConversionsSensor(
        task_id="wait_for_metrica",
        upload_ids=upload.output,
        deferrable=True,
        timeout=24 * 60 * 60,
    )

    goals >> upload >> wait
