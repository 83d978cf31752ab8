# SPDX-License-Identifier: Apache-2.0
"""The examples of the full mode and of offline conversions, run by Airflow in this process."""

from __future__ import annotations

import json
import sqlite3
from datetime import date, datetime, timezone
from pathlib import Path

import pytest

from airflow_provider_yandex_orders.demo import crm
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.support.examples import returned, run_example

TODAY = date(2026, 11, 20)
LOGICAL_DATE = datetime(2026, 11, 20, 4, tzinfo=timezone.utc)


@pytest.fixture(autouse=True)
def _crm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metrica: SandboxServer) -> None:
    path = tmp_path / "crm.db"
    with sqlite3.connect(path) as connection:
        crm.create(connection, today=TODAY)
    monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    metrica.client.change_settings(linked_share=1)


def test_contacts_and_orders(airflow_db: None, metrica: SandboxServer, caplog: pytest.LogCaptureFixture) -> None:
    run = run_example("crm_contacts_and_orders", LOGICAL_DATE)
    assert run.state == "success"
    contacts, orders = returned(run, "upload_contacts"), returned(run, "upload_orders")
    assert contacts["rows_sent"] == len(metrica.client.contacts(101, limit=crm.CUSTOMERS + 1)) >= crm.CUSTOMERS - 5
    assert orders["rows_read"] == crm.ORDERS
    assert orders["rows_sent"] == len(metrica.client.orders(101, kind="orders", limit=crm.ORDERS + 1))
    for held in metrica.client.contacts(101, limit=crm.CUSTOMERS):
        assert not held["emails"]
        assert not held["phones"]
    statuses = {status["id"]: status["type"] for status in _mapping(metrica)}
    assert statuses.items() >= crm.STATUS_MAP.items()
    assert returned(run, "linked_orders")["linked"] >= 0


def test_offline_conversions(airflow_db: None, metrica: SandboxServer) -> None:
    run = run_example("offline_conversions", LOGICAL_DATE)
    assert run.state == "success"
    delivery = returned(run, "upload_conversions")
    sales = list(crm.iter_shop_sales(TODAY))
    assert delivery["rows_read"] == delivery["rows_sent"] == len(sales) > 200
    held = metrica.client.conversions(101, limit=len(sales) + 1)
    assert len(held) == delivery["rows_sent"]
    assert all(each["times_received"] == 1 for each in held)
    assert set(returned(run, "wait_for_metrica").values()) == {"PROCESSED"}


def _mapping(sandbox: SandboxServer) -> list[dict[str, str]]:
    from airflow_provider_yandex_orders.hooks.metrica import MetricaHook

    return MetricaHook().order_statuses()
