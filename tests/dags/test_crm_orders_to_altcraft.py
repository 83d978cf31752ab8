# SPDX-License-Identifier: Apache-2.0
"""The example with orders and lines from a CRM, run by Airflow in this process; then the token is looked for."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
from collections.abc import Iterator
from datetime import date, datetime, time, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from airflow_provider_yandex_orders.demo import crm, order_lines
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings
from tests.support.connections import connect_altcraft
from tests.support.examples import returned, run_example

DAG_ID = "crm_orders_to_altcraft"
TODAY = date(2026, 11, 20)
TOKEN = "PLANTED-in-the-connection-4711"


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxServer]:
    with SandboxServer(SandboxSettings(write_tokens=(TOKEN,))) as server:
        connect_altcraft(monkeypatch, server.url, token=TOKEN)
        yield server


@pytest.fixture
def crm_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "crm.db"
    with sqlite3.connect(path) as connection:
        crm.create(connection, today=TODAY, limit=1500)
        order_lines.create(connection, today=TODAY, limit=1500)
    monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    return path


def test_orders_arrive_with_their_lines(
    airflow_db: None,
    crm_database: Path,
    platform: SandboxServer,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    # One connection is cut, one batch refused once, on the way.
    platform.client.add_fault(path="orders/import", skip=2, action="drop", moment="after")
    platform.client.add_fault(path="orders/import", skip=3, preset="altcraft_bad_request")
    run = run_example(DAG_ID, datetime.combine(TODAY, time(0), timezone.utc))
    assert run.state == "success"
    delivery = returned(run, "import_orders")
    with sqlite3.connect(crm_database) as connection:
        query = "SELECT id, total, status FROM orders WHERE email <> '' OR phone <> ''"
        rows = {row[0]: row for row in connection.execute(query)}
    assert delivery["rows_read"] == len(rows)
    assert delivery["rows_sent"] + delivery["rows_rejected"] == len(rows)
    assert 0 < delivery["rows_rejected"] < 10
    held = {order["external_id"]: order for order in platform.client.altcraft_orders(limit=2000)}
    assert len(held) == delivery["rows_sent"]
    for order_id, order in held.items():
        _id, total, _status = rows[order_id]
        lines = list(order_lines.lines_of(order_id, Decimal(total), "new"))
        assert Decimal(order["total_price"]) == Decimal(total)
        assert [line["sku"] for line in order["lines"]] == [line["sku"] for line in lines]
    assert returned(run, "verify")["checked"] == 50
    assert f"{delivery['rows_sent']:,}  sent" in returned(run, "report")

    # Everything Airflow and the operators have written since: database (results, rendered fields), files, logs.
    home = Path(os.environ["AIRFLOW_HOME"])
    written = [path for path in home.rglob("*") if path.is_file()]
    assert home / "airflow.db" in written
    assert [path for path in written if path.name.startswith("part-")]
    assert [path for path in written if path.name == "rejected.jsonl"]
    assert [str(path) for path in written if TOKEN.encode() in path.read_bytes()] == []
    captured = capfd.readouterr()
    assert TOKEN not in caplog.text + captured.out + captured.err + str(platform.client.requests())
    database = [path for path in written if path.name.startswith("airflow.db")]  # with its write-ahead log
    assert any(b"rows_rejected" in path.read_bytes() for path in database)


def test_a_day_without_orders(airflow_db: None, crm_database: Path, platform: SandboxServer) -> None:
    run = run_example(DAG_ID, datetime(2026, 11, 10, tzinfo=timezone.utc))
    assert run.state == "success"
    assert returned(run, "import_orders")["rows_read"] == 0
    assert returned(run, "verify") == {"checked": 0, "by_status": {}}
