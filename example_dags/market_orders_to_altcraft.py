# SPDX-License-Identifier: Apache-2.0
"""Orders of a Yandex Market store to the Altcraft Platform, every day, with the CRM's contacts.

Market tells neither e-mail nor phone of a customer: the CRM knows them by the shop's own order id. The query reads a
table ``market_contacts`` with the columns ``order_id``, ``email`` and ``phone``.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pendulum
from airflow.providers.common.compat.sdk import DAG, Param

from airflow_provider_yandex_orders.operators.altcraft import AltcraftImportOrdersOperator
from airflow_provider_yandex_orders.operators.market import MarketFetchOrderStatsOperator
from airflow_provider_yandex_orders.sensors.altcraft import AltcraftOrdersSensor
from airflow_provider_yandex_orders.sources import MarketOrdersSource, SqlSource
from airflow_provider_yandex_orders.sources.market_to_altcraft import CUSTOM_FIELDS

CRM = "crm"
# Where workers are several machines, an object storage URL such as "s3://aws_default@bucket/market".
FOLDER = str(Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser() / "market")
ENDPOINT = "yandex-market"  # the platform's point of sale for this store

with DAG(
    dag_id="market_orders_to_altcraft",
    schedule="30 4 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Moscow"),
    catchup=False,
    max_active_runs=1,
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
    tags=["yandex", "market", "altcraft"],
    doc_md=__doc__,
) as dag:
    fetch_orders = MarketFetchOrderStatsOperator(
        task_id="fetch_orders",
        path=FOLDER,  # without dates: the orders that changed in the run's period, and the day before once more
        tables=False,
    )

    # [START howto_market]
    import_orders = AltcraftImportOrdersOperator(
        task_id="import_orders",
        source=MarketOrdersSource(
            fetch_orders.output,
            endpoint=ENDPOINT,
            contacts=SqlSource(
                CRM, "SELECT order_id, email, phone FROM market_contacts", columns={"partnerOrderId": "order_id"}
            ),
        ),
        skip_triggers="{{ params.backfill or dag_run.run_type == 'backfill' }}",
        defaults={"matching": "email_phone"},
        custom_fields=CUSTOM_FIELDS,
        max_rejected=0.05,  # orders the CRM has no contact for
    )
    # [END howto_market]

    verify = AltcraftOrdersSensor(
        task_id="verify",
        order_ids=import_orders.output,
        deferrable=True,
        timeout=30 * 60,
    )

    fetch_orders >> import_orders >> verify
