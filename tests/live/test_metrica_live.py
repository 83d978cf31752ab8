# SPDX-License-Identifier: Apache-2.0
"""The pipeline under a real scheduler, triggerer and API server: a true deferral, a killed worker, a far quota."""

from __future__ import annotations

from datetime import datetime, timezone
from urllib.parse import urlsplit

import pytest

from airflow_provider_yandex_orders.demo import crm
from airflow_provider_yandex_orders.demo.broken import REJECTED
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.live.live_support import TOKEN
from tests.support.live_airflow import LiveAirflow

pytestmark = pytest.mark.live

SENT = crm.ORDERS - REJECTED


def test_the_example_waits_deferred_and_delivers_all(airflow: LiveAirflow, sandbox: SandboxServer) -> None:
    sandbox.client.change_settings(processing_seconds=20, uploads_judged_at_once=False)
    run_id = airflow.trigger("crm_to_metrica_daily", datetime(2026, 3, 2, tzinfo=timezone.utc))
    airflow.wait_for_task("crm_to_metrica_daily", run_id, "wait_for_metrica", "deferred", timeout=180)
    assert airflow.wait("crm_to_metrica_daily", run_id, timeout=240) == "success"
    delivery = airflow.xcom("crm_to_metrica_daily", run_id, "upload_orders")
    assert (delivery["rows_read"], delivery["rows_sent"]) == (crm.ORDERS, SENT)
    links = airflow.extra_links("crm_to_metrica_daily", run_id, "upload_orders")
    assert links["Counter in Metrica"] == f"{sandbox.url}/"
    assert "/yandex-orders/delivery?dag_id=crm_to_metrica_daily&" in links["Delivery"]
    assert not links["Rejected rows"]
    assert set(airflow.xcom("crm_to_metrica_daily", run_id, "wait_for_metrica").values()) == {"PASSED"}
    summary = sandbox.client.summary(101)
    assert (summary["orders"], summary["orders_received_more_than_once"]) == (SENT, 0)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_killed_worker_leaves_every_order_once(airflow: LiveAirflow, sandbox: SandboxServer, moment: str) -> None:
    # The fourth part hangs, before or after the service has taken it; there the worker dies.
    sandbox.client.add_fault(
        method="POST", path="simple_orders", skip=3, times=1, action="delay", moment=moment, seconds=600
    )
    run_id = airflow.trigger("orders_in_parts")
    port = urlsplit(sandbox.url).port
    assert port is not None
    airflow.until(lambda: sandbox.client.faults()[0]["hits"] == 1, timeout=180, what="the fourth part under way")
    airflow.kill_task(port)
    assert airflow.wait("orders_in_parts", run_id, timeout=240) == "success"
    assert airflow.task_instances("orders_in_parts", run_id)["upload_orders"]["try_number"] == 2

    orders = sandbox.client.orders(101, limit=crm.ORDERS)
    assert len(orders) == len({order["id"] for order in orders}) == SENT
    # Parts with an answer are not sent again; the one without is, and its orders are still held once.
    received_twice = sum(order["times_received"] > 1 for order in orders)
    assert received_twice == (1000 if moment == "after" else 0)
    delivery = airflow.xcom("orders_in_parts", run_id, "upload_orders")
    assert (delivery["rows_sent"], len(delivery["parts"])) == (SENT, 7)


def test_a_quota_of_the_day_frees_the_slot_until_it_is_over(airflow: LiveAirflow, sandbox: SandboxServer) -> None:
    sandbox.client.add_fault(preset="quota_requests_by_counter_id", method="POST", path="simple_orders", times=None)
    run_id = airflow.trigger("orders_in_parts")
    airflow.wait_for_task("orders_in_parts", run_id, "upload_orders", "up_for_retry", timeout=180)
    log = airflow.task_log("orders_in_parts", run_id, "upload_orders", 1)
    assert "quota_requests_by_counter_id" in log
    assert "Next try not before" in log
    uploads = [request for request in sandbox.client.requests() if request["method"] == "POST"]
    assert len(uploads) == 1  # the task's own retry_delay is a second; the service's word holds


def test_no_token_in_any_log(airflow: LiveAirflow) -> None:
    assert TOKEN not in airflow.all_logs()
