# SPDX-License-Identifier: Apache-2.0
"""A delivery that the test's guest may see."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_yandex_orders.operators.metrica import MetricaUploadSimpleOrdersOperator

with DAG("guests_orders", schedule=None) as dag:
    MetricaUploadSimpleOrdersOperator(task_id="upload", source=[], max_rejected=5)
