# SPDX-License-Identifier: Apache-2.0
"""Order statistics of all stores of a Yandex Market key into PostgreSQL, every day, with an analyst's view on top.

For each store a task reads the orders that changed in the run's period, and another one replaces them in the schema
``market``, in all tables at once. A store that fails holds up no other; the run fails, and its next
try brings the rest.

To make it yours, change the three lines marked with (1) to (3). It needs ``airflow-provider-yandex-orders[warehouse]``.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pendulum
from airflow.providers.common.compat.sdk import DAG, task, task_group
from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_yandex_orders.hooks.market import MarketHook
from airflow_provider_yandex_orders.operators.market import MarketFetchOrderStatsOperator, MarketLoadOrderStatsOperator

WAREHOUSE = "warehouse"  # (1) a connection to PostgreSQL
# (2) a folder, or s3://bucket/market
FILES = str(Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser() / "market")
DAY = CronDataIntervalTimetable("0 4 * * *", timezone="Europe/Moscow")  # (3) when to read

REVENUE = """
CREATE OR REPLACE VIEW market.revenue AS
SELECT o.creation_date AS day, o.campaign_id, o.currency, count(DISTINCT o.order_id) AS orders, sum(p.total) AS revenue
FROM market.orders o
JOIN market.prices p ON p.order_id = o.order_id AND p.type = 'BUYER'
WHERE o.fake IS NOT TRUE AND o.status NOT LIKE 'CANCELLED%'
GROUP BY o.creation_date, o.campaign_id, o.currency
"""

with DAG(
    dag_id="market_stores_to_postgres",
    schedule=DAY,
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Moscow"),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
    tags=["yandex", "market", "warehouse"],
    doc_md=__doc__,
) as dag:

    @task
    def stores() -> list[int]:
        """The stores whose statistics the key may read, today; the log says which are left out, and why."""
        return MarketHook().open_stores()

    @task_group
    def store(campaign_id: int) -> None:
        """One store, whatever becomes of the others."""
        fetch = MarketFetchOrderStatsOperator(
            task_id="fetch_order_stats",
            path=FILES,
            campaign_id=campaign_id,
            max_active_tis_per_dagrun=2,  # the service takes two requests of a key at once
        )
        MarketLoadOrderStatsOperator(
            task_id="load",
            source=fetch.output,
            conn_id=WAREHOUSE,
            changed_after_final=True,  # what changes after reports were made is noted in a table
            max_active_tis_per_dag=1,  # loads of one dataset take turns
        )

    view = SQLExecuteQueryOperator(task_id="view", conn_id=WAREHOUSE, sql=REVENUE)

    store.expand(campaign_id=stores()) >> view
