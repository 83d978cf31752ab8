# SPDX-License-Identifier: Apache-2.0
"""DAGs whose deliveries the tests look at; the guest may read the first one only."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_yandex_orders.operators.metrica import MetricaUploadContactsOperator

for dag_id in ("guests_orders", "shop_sales"):
    with DAG(dag_id, schedule=None):
        MetricaUploadContactsOperator(task_id="upload_orders", source=[], max_rejected=5)
