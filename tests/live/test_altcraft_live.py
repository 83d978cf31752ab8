# SPDX-License-Identifier: Apache-2.0
"""The import under a real scheduler, triggerer and API server: a worker killed in the middle, a true deferral."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.live.live_support import ALTCRAFT_ORDERS, TOKEN
from tests.support.live_airflow import LiveAirflow

pytestmark = pytest.mark.live

DAG_ID = "altcraft_orders"


def test_a_killed_worker_and_a_cut_connection_leave_every_order_once(
    airflow: LiveAirflow, sandbox: SandboxServer, altcraft_rows: list[dict[str, Any]]
) -> None:
    # Batch 6 loses its answer, batch 16 hangs after the platform has taken it; there the worker dies.
    sandbox.client.add_fault(path="orders/import", skip=5, action="drop", moment="after")
    sandbox.client.add_fault(path="orders/import", skip=15, action="delay", moment="after", seconds=600)
    run_id = airflow.trigger(DAG_ID)
    port = urlsplit(sandbox.url).port
    assert port is not None
    airflow.until(lambda: sandbox.client.faults()[1]["hits"] == 1, timeout=180, what="batch 16 under way")
    airflow.until(lambda: sandbox.client.altcraft_summary()["orders"] == 1600, timeout=60, what="batch 16 is taken")
    airflow.kill_task(port)
    airflow.until(lambda: sandbox.client.altcraft_summary()["orders"] > 1600, timeout=240, what="the next try sends")
    # It has asked for all that it asks for before an import. The sensor's first questions get no answer: it defers.
    sandbox.client.add_fault(path="get_status", preset="altcraft_unavailable", times=2)
    assert airflow.wait(DAG_ID, run_id, timeout=300) == "success"
    instances = airflow.task_instances(DAG_ID, run_id)
    # The killed worker's lease ends by itself; a try that comes before that is handed back.
    assert instances["import_orders"]["try_number"] in (2, 3)

    held = {order["external_id"]: order for order in sandbox.client.altcraft_orders(limit=ALTCRAFT_ORDERS + 1)}
    assert held.keys() == {row["id"] for row in altcraft_rows}
    for row in altcraft_rows:
        order = held[row["id"]]
        assert Decimal(order["total_price"]) == Decimal(row["total"])
        paid = sum(Decimal(line["final_price_per_item"]) * line["count"] for line in order["lines"])
        assert paid == Decimal(row["total"])
    summary = sandbox.client.altcraft_summary()
    # The two batches without an answer came twice, and started triggers once.
    assert summary["orders_received_more_than_once"] == 200
    assert {order["triggers_started"] for order in held.values()} == {1}
    delivery = airflow.xcom(DAG_ID, run_id, "import_orders")
    assert (delivery["rows_sent"], len(delivery["parts"])) == (ALTCRAFT_ORDERS, 30)
    assert airflow.xcom(DAG_ID, run_id, "verify")["checked"] == 20
    assert "Not final yet" in airflow.task_log(DAG_ID, run_id, "verify", 1)  # and then only the trigger asks
    assert "altcraft_default" in str(airflow.rendered_fields(DAG_ID, run_id, "import_orders"))
    shown = [airflow.xcom(DAG_ID, run_id, task) for task in ("import_orders", "verify")]
    shown += [airflow.rendered_fields(DAG_ID, run_id, task) for task in ("import_orders", "verify")]
    assert TOKEN not in str(shown)
    assert TOKEN not in str(sandbox.client.requests())


def test_no_token_anywhere(airflow: LiveAirflow) -> None:
    assert TOKEN not in airflow.all_logs()
    files = [path for path in airflow.home.rglob("*") if path.is_file()]
    assert {path.name.partition("-")[0] for path in files} >= {"part", "repeat"}  # those without an answer went apart
    assert [str(path) for path in files if TOKEN.encode() in path.read_bytes()] == []
