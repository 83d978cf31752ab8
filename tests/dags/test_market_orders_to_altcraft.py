# SPDX-License-Identifier: Apache-2.0
"""The example from Market to the platform, run by Airflow in this process."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime, timezone
from pathlib import Path

import pytest

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.support.examples import returned, run_example

pytest.importorskip(
    "airflow_provider_yandex_orders.operators.market", reason="the operator that fetches from Market is not there yet"
)


def test_orders_of_market_arrive(
    airflow_db: None, altcraft: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = {
        "conn_type": "yandex_market",
        "host": altcraft.url,
        "password": "sandbox-token",
        "extra": {"campaign_id": 1},
    }
    orders = [
        {
            "id": 500 + number,
            "creationDate": "2026-06-01",
            "statusUpdateDate": "2026-06-05T14:10:00",
            "partnerOrderId": f"S-{number}",
            "status": "DELIVERED",
            "fake": False,
            "items": [
                {"shopSku": "K-7", "count": 1, "prices": [{"type": "BUYER", "costPerItem": 10.5, "total": 10.5}]}
            ],
            "payments": [],
            "commissions": [],
            "currency": "RUR",
        }
        for number in range(40)
    ]
    answer = {"status": "OK", "result": {"orders": orders, "paging": {}}}
    altcraft.client.add_fault(path="stats/orders", status=200, body=answer, times=None)
    with sqlite3.connect(tmp_path / "crm.db") as connection:
        connection.execute("CREATE TABLE market_contacts (order_id, email, phone)")
        contacts = [(f"S-{number}", f"buyer{number}@example.com", None) for number in range(39)]
        connection.executemany("INSERT INTO market_contacts VALUES (?, ?, ?)", contacts)
    monkeypatch.setenv("AIRFLOW_CONN_YANDEX_MARKET_DEFAULT", json.dumps(market))
    monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps({"conn_type": "sqlite", "host": str(tmp_path / "crm.db")}))
    run = run_example("market_orders_to_altcraft", datetime(2026, 6, 6, tzinfo=timezone.utc))
    assert run.state == "success"
    delivery = returned(run, "import_orders")
    assert (delivery["rows_read"], delivery["rows_sent"], delivery["rows_rejected"]) == (40, 39, 1)
    summary = altcraft.client.altcraft_summary()
    assert (summary["by_status"], summary["total_by_currency"]) == ({"delivered": 39}, {"RUB": "409.5"})
    assert returned(run, "verify") == {"checked": 39, "by_status": {"delivered": 39}}
