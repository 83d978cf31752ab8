# SPDX-License-Identifier: Apache-2.0
"""The CRM's orders in small parts, with a quick retry: what the tests disturb."""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_yandex_orders.demo.crm import STATUS_MAP
from airflow_provider_yandex_orders.operators.metrica import MetricaUploadSimpleOrdersOperator
from airflow_provider_yandex_orders.sources import SqlSource

with DAG(dag_id="orders_in_parts", schedule=None, tags=["test"]):
    MetricaUploadSimpleOrdersOperator(
        task_id="upload_orders",
        source=SqlSource(
            "crm",
            "SELECT * FROM orders",
            columns={
                "create_date_time": "created_at",
                "client_uniq_id": "customer_id",
                "client_ids": "metrica_client_id",
                "emails": "email",
                "phones": "phone",
                "order_status": "status",
                "revenue": "total",
            },
        ),
        status_map=STATUS_MAP,
        source_timezone="UTC",
        max_rejected=0.01,
        max_part_rows=1000,
        retries=3,
        retry_delay=timedelta(seconds=1),
    )
