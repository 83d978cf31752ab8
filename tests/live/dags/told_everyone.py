# SPDX-License-Identifier: Apache-2.0
"""Uploads that everybody hears of: other DAGs by assets, people by messages, OpenLineage by its provider."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from airflow.providers.common.compat.sdk import DAG
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from airflow_provider_yandex_orders.notifications.delivery import DeliveryNotifier
from airflow_provider_yandex_orders.operators.metrica import MetricaUploadSimpleOrdersOperator
from airflow_provider_yandex_orders.sources import SqlSource

ORDERS = SqlSource(
    "crm",
    "SELECT * FROM orders LIMIT 5",
    columns={"create_date_time": "created_at", "emails": "email", "phones": "phone", "revenue": "total"},
)


def tell(text: str) -> None:
    """Keep a message."""
    with Path(os.environ["AIRFLOW_HOME"], "told.txt").open("a", encoding="utf-8") as file:
        file.write(f"{text}\n\n")


TELL = DeliveryNotifier(tell)

with DAG(
    dag_id="told_everyone",
    schedule=None,
    tags=["test"],
    deadline=DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(seconds=1),
        callback=AsyncCallback(DeliveryNotifier, {"channel": "told_everyone.tell", "language": "ru"}),
    ),
    max_active_tasks=1,
    default_args={"source_timezone": "UTC", "max_rejected": 0.5, "retries": 3, "retry_delay": timedelta(seconds=1)},
) as dag:
    MetricaUploadSimpleOrdersOperator(task_id="upload_orders", source=ORDERS, on_success_callback=TELL)
    MetricaUploadSimpleOrdersOperator.partial(task_id="mapped", source=ORDERS).expand(counter_id=[101, 103])

try:
    from airflow.providers.openlineage.utils.selective_enable import enable_lineage
except ImportError:  # its provider is not installed
    pass
else:
    enable_lineage(dag)
