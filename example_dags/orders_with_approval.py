# SPDX-License-Identifier: Apache-2.0
"""Orders from a CRM database to Yandex Metrica, after someone has looked at the plan and approved it.

The first task reads, checks and writes the files, and sends nothing. The plan stands in the request under "Required
Actions": how many orders are new, changed, rejected, too old, and their money. Approved, exactly these files are sent;
rejected, nothing is. Files whose orders another run sent in a newer form meanwhile are refused: clear the first task.

Needs an Airflow with human-in-the-loop operators (3.1 or later): an older one finds no DAG here.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.providers.common.compat.sdk import DAG, AirflowException

from airflow_provider_yandex_orders.operators.metrica import MetricaUploadSimpleOrdersOperator
from airflow_provider_yandex_orders.sensors.metrica import MetricaCrmUploadSensor
from airflow_provider_yandex_orders.sources import SqlSource

try:
    from airflow.providers.standard.operators.hitl import ApprovalOperator
except (ImportError, AirflowException):  # this Airflow, or its provider, has none
    HAS_APPROVAL = False
else:
    HAS_APPROVAL = True

CRM = "crm"  # the connection of your CRM database
STATUSES = {"new": "IN_PROGRESS", "paid": "PAID", "cancelled": "CANCELLED", "spam": "SPAM"}
CRM_TIMEZONE = "UTC"  # the zone of the CRM's date-times

QUERY = """
SELECT id, created_at, updated_at, customer_id, metrica_client_id, email, phone, status, total, cost, currency
FROM orders
"""

# [START howto_plan]
PLAN = """
{% set delivery = ti.xcom_pull(task_ids="prepare_orders") -%}
{% set plan = delivery["plan"] -%}
Orders read: {{ delivery["rows_read"] }}, to be sent: {{ delivery["rows_prepared"] }}

| plan | orders |
|---|---:|
{% for name in ("new", "changed", "unchanged", "outdated", "too_old_to_link", "too_late_to_change") -%}
| {{ name }} | {{ plan[name] }} |
{% endfor -%}
{% for code, rows in plan["rejected"].items() -%}
| rejected: {{ code }} | {{ rows }} |
{% endfor %}
{% for name, totals in plan["money"].items() -%}{% for currency, total in totals.items() -%}
- {{ name }}: {{ total }} {{ currency }}
{% endfor %}{% endfor %}
"""
# [END howto_plan]


def orders_with_approval() -> DAG:
    """The DAG."""
    with DAG(
        dag_id="orders_with_approval",
        schedule=None,
        start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Moscow"),
        catchup=False,
        max_active_runs=1,
        default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
        tags=["yandex", "metrica", "crm"],
        doc_md=__doc__,
    ) as made:
        # [START howto_approve]
        prepare = MetricaUploadSimpleOrdersOperator(
            task_id="prepare_orders",
            source=SqlSource(
                CRM,
                QUERY,
                columns={
                    "create_date_time": "created_at",
                    "update_date_time": "updated_at",
                    "client_uniq_id": "customer_id",
                    "client_ids": "metrica_client_id",
                    "emails": "email",
                    "phones": "phone",
                    "order_status": "status",
                    "revenue": "total",
                },
            ),
            status_map=STATUSES,
            source_timezone=CRM_TIMEZONE,
            max_rejected=0.01,
            changed_only=True,
            too_old="hold",
            send=False,
        )

        approve = ApprovalOperator(
            task_id="approve",
            subject="Send these orders to Yandex Metrica?",
            body=PLAN,
            response_timeout=timedelta(hours=12),
        )

        upload = MetricaUploadSimpleOrdersOperator(task_id="upload_orders", source=prepare.output, changed_only=True)
        # [END howto_approve]

        wait = MetricaCrmUploadSensor(
            task_id="wait_for_metrica", upload_ids=upload.output, deferrable=True, timeout=2 * 60 * 60
        )

        prepare >> approve >> upload >> wait
    return made


if HAS_APPROVAL:
    dag = orders_with_approval()
