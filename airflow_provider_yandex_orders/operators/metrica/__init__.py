# SPDX-License-Identifier: Apache-2.0
"""Operators for Yandex Metrica."""

from airflow_provider_yandex_orders.operators.metrica.contacts import MetricaUploadContactsOperator
from airflow_provider_yandex_orders.operators.metrica.goals import MetricaEnsureGoalsOperator
from airflow_provider_yandex_orders.operators.metrica.linked_orders import MetricaLinkedOrdersOperator
from airflow_provider_yandex_orders.operators.metrica.offline_conversions import MetricaUploadOfflineConversionsOperator
from airflow_provider_yandex_orders.operators.metrica.order_statuses import MetricaMapOrderStatusesOperator
from airflow_provider_yandex_orders.operators.metrica.orders import MetricaUploadOrdersOperator
from airflow_provider_yandex_orders.operators.metrica.simple_orders import MetricaUploadSimpleOrdersOperator

__all__ = [
    "MetricaEnsureGoalsOperator",
    "MetricaLinkedOrdersOperator",
    "MetricaMapOrderStatusesOperator",
    "MetricaUploadContactsOperator",
    "MetricaUploadOfflineConversionsOperator",
    "MetricaUploadOrdersOperator",
    "MetricaUploadSimpleOrdersOperator",
]
