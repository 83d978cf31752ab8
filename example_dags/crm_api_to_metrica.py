# SPDX-License-Identifier: Apache-2.0
"""Deals of a CRM that has no database to read, only a REST API: page by page to Yandex Metrica, every day.

The CRM here is Bitrix24. The connection (type HTTP) has the portal as its host, the number of the webhook's user as its
login and the webhook's secret code as its password, so that none of it stands in code, in logs or on a page of Airflow.
Rows go from the API straight to the upload: they are in no file that others read, and never in XCom.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pendulum
import requests
from airflow.providers.common.compat.sdk import DAG, AirflowFailException, BaseHook
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_yandex_orders.operators.metrica import MetricaUploadSimpleOrdersOperator
from airflow_provider_yandex_orders.sensors.metrica import MetricaCrmUploadSensor
from airflow_provider_yandex_orders.sources import CallableSource

STAGES = {
    **dict.fromkeys(("NEW", "PREPARATION", "PREPAYMENT_INVOICE", "EXECUTING", "FINAL_INVOICE"), "IN_PROGRESS"),
    "WON": "PAID",
    **dict.fromkeys(("LOSE", "APOLOGY"), "CANCELLED"),
}
DEAL = ["ID", "STAGE_ID", "OPPORTUNITY", "CURRENCY_ID", "CONTACT_ID", "DATE_CREATE", "DATE_MODIFY"]
PASSING = {"QUERY_LIMIT_EXCEEDED", "OPERATION_TIME_LIMIT", "INTERNAL_SERVER_ERROR"}


def changed_deals(conn_id: str, since: str, until: str) -> Iterator[list[dict[str, Any]]]:
    """The deals changed in a window, a page after the other, each with its contact.

    Pages go by the deal's id, not by their number: a deal that changes meanwhile shifts no other one out of sight.
    """
    crm = BaseHook.get_connection(conn_id)
    url = f"{(crm.host or '').rstrip('/')}/rest/{crm.login}/{crm.password}"
    with requests.Session() as session:
        last: Any = 0
        while last is not None:
            changed = {">=DATE_MODIFY": since, "<DATE_MODIFY": until, ">ID": last}
            answer = call(session, url, "crm.deal.list", select=DEAL, filter=changed, order={"ID": "ASC"}, start=0)
            deals = answer["result"]
            known = contacts(session, url, [deal["CONTACT_ID"] for deal in deals if deal.get("CONTACT_ID")])
            yield [deal | {"CONTACT": known.get(deal.get("CONTACT_ID"))} for deal in deals]
            last = deals[-1]["ID"] if answer.get("next") else None


def contacts(session: requests.Session, url: str, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The contacts of one page of deals, by id; there are never more of them than a page of contacts has."""
    if not ids:
        return {}
    wanted = {"select": ["ID", "EMAIL", "PHONE"], "filter": {"@ID": sorted(set(ids))}, "order": {"ID": "ASC"}}
    return {contact["ID"]: contact for contact in call(session, url, "crm.contact.list", **wanted, start=0)["result"]}


def call(session: requests.Session, url: str, method: str, **parameters: Any) -> dict[str, Any]:
    """One call of the API. Errors name the method and the API's own code, never the URL: it holds the secret."""
    response = session.post(f"{url}/{method}", json=parameters, timeout=60)
    answer: dict[str, Any] = response.json() if "json" in response.headers.get("Content-Type", "") else {}
    error = answer.get("error") or (f"HTTP {response.status_code}" if "result" not in answer else None)
    if error is None:
        return answer
    if response.status_code >= 500 or error in PASSING:
        raise ConnectionError(method)  # the source hands the task back to its retries
    raise AirflowFailException(f"{method}: the CRM says {error}. Look at the webhook's rights and at the connection.")


with DAG(
    dag_id="crm_api_to_metrica",
    schedule=CronDataIntervalTimetable("0 5 * * *", timezone="Europe/Moscow"),
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Moscow"),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
    tags=["yandex", "metrica", "crm"],
    doc_md=__doc__,
) as dag:
    upload = MetricaUploadSimpleOrdersOperator(
        task_id="upload_deals",
        source=CallableSource(
            changed_deals,
            op_kwargs={
                "conn_id": "bitrix24",
                "since": "{{ window.start_at }}",
                "until": "{{ window.end_at }}",
            },
            columns={
                "create_date_time": "DATE_CREATE",
                "update_date_time": "DATE_MODIFY",
                "client_uniq_id": "CONTACT_ID",
                "emails": "CONTACT.EMAIL.VALUE",
                "phones": "CONTACT.PHONE.VALUE",
                "order_status": "STAGE_ID",
                "revenue": "OPPORTUNITY",
                "currency": "CURRENCY_ID",
            },
        ),
        status_map=STAGES,
        changed_only=True,  # what Metrica has already is not sent again
        max_rejected=0.2,  # deals without a contact who can be found
    )

    MetricaCrmUploadSensor(task_id="wait_for_metrica", upload_ids=upload.output, deferrable=True)
