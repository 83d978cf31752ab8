# SPDX-License-Identifier: Apache-2.0
"""Three thousand real orders with their lines, with a cut connection and a killed process in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.demo import order_lines
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.support import altcraft_crm

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 20)
ORDERS = 3000
TOKEN = "sandbox-token"

# One try of the task, in a process of its own.
TRY = """
import json, sys
from types import SimpleNamespace
from airflow_provider_yandex_orders.operators.altcraft import AltcraftImportOrdersOperator
from airflow_provider_yandex_orders.sources import SqlSource
from tests.support.pauses import shorten
ti = SimpleNamespace(dag_id="a_dag", run_id="manual__1", task_id="import", map_index=-1)
operator = AltcraftImportOrdersOperator(
    task_id="import",
    source=SqlSource(
        "crm",
        "SELECT * FROM orders",
        columns={"external_id": "id", "create_time": "created_at", "update_time": "updated_at", "total_price": "total"},
    ),
    lines=SqlSource(
        "crm",
        "SELECT * FROM order_lines",
        columns={
            "order_external_id": "order_id",
            "external_id": "line_id",
            "final_price_per_item": "price",
            "count": "quantity",
        },
    ),
    defaults={"endpoint": "shop-1", "matching": "email_phone"},
    status_map={"new": "new", "paid": "paid", "cancelled": "canceled", "spam": "canceled"},
    source_timezone="UTC",
    skip_triggers=False,
    staging_path=sys.argv[1],
)
shorten(limit=2.0)
print(json.dumps(operator.execute({"ti": ti, "task_instance": ti})))
"""


@pytest.fixture
def rows(tmp_path: Path) -> list[dict[str, Any]]:
    """The orders as the CRM holds them."""
    return altcraft_crm.create(tmp_path / "crm.db", today=TODAY, orders=ORDERS)


def start(sandbox: SandboxServer, tmp_path: Path) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "AIRFLOW_CONN_CRM": json.dumps({"conn_type": "sqlite", "host": str(tmp_path / "crm.db")}),
        "AIRFLOW_CONN_ALTCRAFT_DEFAULT": json.dumps({"conn_type": "altcraft", "host": sandbox.url, "password": TOKEN}),
    }
    return subprocess.Popen(
        [sys.executable, "-c", TRY, str(tmp_path / "staging")],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("moment", ["before", "after"])
def test_every_order_once_with_equal_totals(
    yandex_sandbox: SandboxServer, tmp_path: Path, rows: list[dict[str, Any]], moment: str
) -> None:
    client = yandex_sandbox.client
    # Batch 11 loses its connection and is sent again; batch 21 (the 22nd request) hangs, and there the process dies.
    client.add_fault(path="orders/import", skip=10, action="drop", moment=moment)
    client.add_fault(path="orders/import", skip=20, action="delay", moment=moment, seconds=600)
    first = start(yandex_sandbox, tmp_path)
    end = time.monotonic() + 120
    while client.faults()[1]["hits"] == 0:
        assert first.poll() is None, first.communicate()
        assert time.monotonic() < end
        time.sleep(0.05)
    if moment == "after":  # the platform has taken the batch
        while client.altcraft_summary()["orders"] < 2100:
            time.sleep(0.05)
    os.kill(first.pid, signal.SIGKILL)
    out, error = first.communicate()
    client.clear_faults()
    assert 1900 <= client.altcraft_summary()["orders"] <= 2100

    second = start(yandex_sandbox, tmp_path)
    output, errors = second.communicate(timeout=300)
    assert second.returncode == 0, errors
    delivery = json.loads(output.splitlines()[-1])
    assert (delivery["rows_read"], delivery["rows_sent"], delivery["rows_rejected"]) == (ORDERS, ORDERS, 0)

    held = {order["external_id"]: order for order in client.altcraft_orders(limit=ORDERS + 1)}
    assert held.keys() == {row["id"] for row in rows}
    for row in rows:
        order = held[row["id"]]
        assert Decimal(order["total_price"]) == Decimal(row["total"])
        lines = list(order_lines.lines_of(row["id"], Decimal(row["total"]), row["status"]))
        assert [line["external_id"] for line in order["lines"]] == [line["line_id"] for line in lines]
        paid = sum(Decimal(line["final_price_per_item"]) * line["count"] for line in order["lines"])
        assert paid == Decimal(row["total"])
        assert len(lines) >= 2
    summary = client.altcraft_summary()
    assert Decimal(summary["total_by_currency"]["USD"]) == sum(Decimal(row["total"]) for row in rows)
    # Only the two batches whose answer was lost came twice, and only where they had arrived; no trigger started twice.
    assert summary["orders_received_more_than_once"] == (200 if moment == "after" else 0)
    assert max(order["triggers_started"] for order in held.values()) == 1
    assert sum(order["triggers_started"] for order in held.values()) == (3000 if moment == "after" else 2800)

    everything = "\n".join([out, error, output, errors, str(client.requests())])
    left = [path for path in (tmp_path / "staging").rglob("*") if path.is_file()]
    assert left
    assert TOKEN not in everything
    assert not any(TOKEN.encode() in path.read_bytes() for path in left)
