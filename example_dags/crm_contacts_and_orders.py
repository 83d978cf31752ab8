# SPDX-License-Identifier: Apache-2.0
"""Customers and their orders from a CRM to Yandex Metrica's full mode, every day.

Customers go first: an order finds visits only of a customer the service has. One task reads clear identifiers and
writes hashed ones; the task that uploads refuses anything else. The table the queries read is shown in the README.

It sends the same orders as the example of simplified orders, in the other mode: use one of the two.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.providers.common.compat.sdk import DAG
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_yandex_orders.operators.metrica import (
    MetricaLinkedOrdersOperator,
    MetricaMapOrderStatusesOperator,
    MetricaUploadContactsOperator,
    MetricaUploadOrdersOperator,
)
from airflow_provider_yandex_orders.sensors.metrica import MetricaCrmUploadSensor
from airflow_provider_yandex_orders.sources import SqlSource

CRM = "crm"
CRM_TIMEZONE = "UTC"

CUSTOMERS = """
SELECT customer_id AS uniq_id, MIN(created_at) AS create_date_time, MAX(updated_at) AS update_date_time,
       MAX(metrica_client_id) AS client_ids, MAX(email) AS emails, MAX(phone) AS phones
FROM orders
WHERE updated_at >= '{{ window.start }}' AND updated_at < '{{ window.end }}'
GROUP BY customer_id
"""

ORDERS = """
SELECT id, customer_id AS client_uniq_id, created_at AS create_date_time, updated_at AS update_date_time,
       status AS order_status, total AS revenue, cost, currency
FROM orders
WHERE updated_at >= '{{ window.start }}' AND updated_at < '{{ window.end }}'
"""


with DAG(
    dag_id="crm_contacts_and_orders",
    schedule=CronDataIntervalTimetable("0 3 * * *", timezone="Europe/Moscow"),
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Moscow"),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
    tags=["yandex", "metrica", "crm"],
    doc_md=__doc__,
) as dag:
    # [START howto_statuses]
    map_statuses = MetricaMapOrderStatusesOperator(
        task_id="map_statuses",
        statuses={"new": "IN_PROGRESS", "paid": "PAID", "cancelled": "CANCELLED", "spam": "SPAM"},
    )
    # [END howto_statuses]

    # [START howto_hash]
    hash_contacts = MetricaUploadContactsOperator(
        task_id="hash_contacts",
        source=SqlSource(CRM, CUSTOMERS),
        source_timezone=CRM_TIMEZONE,
        hash_identifiers=True,
        send=False,
        max_rejected=0.01,
    )
    upload_contacts = MetricaUploadContactsOperator(
        task_id="upload_contacts",
        source=hash_contacts.output,
        refuse_clear_identifiers=True,
        changed_only=True,
    )
    # [END howto_hash]

    upload_orders = MetricaUploadOrdersOperator(
        task_id="upload_orders",
        source=SqlSource(CRM, ORDERS),
        source_timezone=CRM_TIMEZONE,
        changed_only=True,  # what Metrica has already is not sent again
        max_rejected=0.01,
    )

    wait_for_orders = MetricaCrmUploadSensor(
        task_id="wait_for_orders",
        upload_ids=upload_orders.output,
        deferrable=True,
        timeout=2 * 60 * 60,
    )

    # What earlier uploads have come to: reports lag a day or two, and count by the day of the visit.
    linked_orders = MetricaLinkedOrdersOperator(
        task_id="linked_orders",
        date_from="{{ (dag_run.data_interval_end or dag_run.run_after) - macros.timedelta(days=30) }}",
        date_to="{{ (dag_run.data_interval_end or dag_run.run_after) - macros.timedelta(days=2) }}",
    )

    [map_statuses, upload_contacts] >> upload_orders >> wait_for_orders >> linked_orders
