# SPDX-License-Identifier: Apache-2.0
"""The past of all stores of a Yandex Market key into PostgreSQL, a day of orders a run: ninety days, say.

Each run reads the orders that were *made* on its day, as they are now. So every order belongs to one run, runs may go
in any sequence and be repeated, and an order that the daily load has in a newer version stays as it is. The
extra ``warehouse`` is needed.

On Airflow 3, with a partition for each run where it can backfill partitions (the DAG must not be paused):

    airflow backfill create --dag-id market_backfill --from-date 2026-08-01 --to-date 2026-10-29 --max-active-runs 2

On Airflow 2.11: ``airflow dags backfill market_backfill -s 2026-08-01 -e 2026-10-29``. Pause the DAG afterwards.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import DAG
from airflow.timetables import interval, trigger

from airflow_provider_yandex_orders.operators.market import MarketFetchOrderStatsOperator, MarketLoadOrderStatsOperator
from airflow_provider_yandex_orders.period import run_period

WAREHOUSE = "warehouse"
# A folder, or s3://bucket/market
FILES = str(Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser() / "market_backfill")

# A day of Moscow: a partition where this Airflow can backfill them, else a data interval.
Partitions: Any = getattr(trigger, "CronPartitionTimetable", None)
Day = Partitions if hasattr(Partitions, "iter_partition_dagrun_infos") else interval.CronDataIntervalTimetable

with DAG(
    dag_id="market_backfill",
    schedule=Day("0 0 * * *", timezone="Europe/Moscow"),
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Moscow"),
    catchup=False,
    max_active_runs=2,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
    user_defined_macros={"run_period": run_period},
    tags=["yandex", "market", "warehouse"],
    doc_md=__doc__,
) as dag:
    fetch = MarketFetchOrderStatsOperator(
        task_id="fetch_order_stats",
        path=FILES,
        campaign_id="all",
        date_from="{{ run_period('Europe/Moscow').first }}",
        date_to="{{ run_period('Europe/Moscow').last }}",
        # The past is no news; and of two runs that end at once Airflow, making one new asset, would fail one.
        emit_asset=False,
    )

    MarketLoadOrderStatsOperator(
        task_id="load",
        source=fetch.output,
        conn_id=WAREHOUSE,
        max_active_tis_per_dag=1,  # loads of one dataset take turns
    )
