# SPDX-License-Identifier: Apache-2.0
"""The CRM's orders and lines to the Altcraft Platform, with a quick retry: what the tests disturb."""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_yandex_orders.operators.altcraft import AltcraftImportOrdersOperator
from airflow_provider_yandex_orders.sensors.altcraft import AltcraftOrdersSensor
from airflow_provider_yandex_orders.sources import SqlSource

with DAG(dag_id="altcraft_orders", schedule=None, tags=["test"]):
    import_orders = AltcraftImportOrdersOperator(
        task_id="import_orders",
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
        retries=3,
        retry_delay=timedelta(seconds=1),
    )
    verify = AltcraftOrdersSensor(
        task_id="verify", order_ids=import_orders.output, sample=20, deferrable=True, poke_interval=5, timeout=300
    )
    import_orders >> verify
