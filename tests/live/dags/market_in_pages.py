# SPDX-License-Identifier: Apache-2.0
"""Market's order statistics in small pages, with a quick retry: what the tests disturb."""

from __future__ import annotations

import os
from datetime import timedelta

from airflow.providers.common.compat.sdk import DAG, Asset

from airflow_provider_yandex_orders.operators.market import MarketFetchOrderStatsOperator

with DAG(dag_id="market_in_pages", schedule=None, tags=["test"]):
    MarketFetchOrderStatsOperator(
        task_id="fetch",
        path=f"{os.environ['AIRFLOW_HOME']}/market/{{{{ run_id }}}}",
        update_from="2026-06-01",
        update_to="2026-06-01",
        page_size=20,
        outlets=[Asset("market_in_pages")],
        retries=3,
        retry_delay=timedelta(seconds=1),
    )
