# SPDX-License-Identifier: Apache-2.0
"""A task of each service and one that fails, whose links the tests follow."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_yandex_orders.operators.altcraft import AltcraftImportOrdersOperator
from airflow_provider_yandex_orders.operators.market import MarketFetchOrderStatsOperator
from airflow_provider_yandex_orders.operators.metrica import MetricaUploadSimpleOrdersOperator

SOLD = {
    "id": "L-1",
    "create_date_time": "2026-03-01 10:00:00",
    "client_ids": "1700000000123456",
    "order_status": "PAID",
}
LINE = {"external_id": "L-1-1", "status": "new", "sku": "SKU-1", "final_price_per_item": "10.50", "count": 2}
IMPORTED = {
    "external_id": "L-1",
    "endpoint": "shop-1",
    "status": "new",
    "currency": "RUB",
    "email": "buyer@example.com",
    "create_time": "2026-03-01T10:00:00+03:00",
    "lines": [LINE],
}

with DAG("three_services", schedule=None, params={"folder": ""}):
    MetricaUploadSimpleOrdersOperator(task_id="metrica", source=[SOLD])
    MetricaUploadSimpleOrdersOperator(task_id="rejected", source=[{**SOLD, "client_ids": ""}])
    AltcraftImportOrdersOperator(task_id="altcraft", source=[IMPORTED], skip_triggers=True)
    MarketFetchOrderStatsOperator(
        task_id="market", path="{{ params.folder }}", date_from="2026-03-01", date_to="2026-03-01", campaign_id=1001
    )
