# SPDX-License-Identifier: Apache-2.0
"""The daily example, run by Airflow in this process: the whole pipeline over the real orders."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from airflow_provider_yandex_orders.demo import crm
from airflow_provider_yandex_orders.demo.broken import BROKEN_ORDERS, DROPPED, REJECTED, SENT_ANYWAY
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.support.examples import returned, run_example
from tests.support.postgres import PostgresServer

DAG_ID = "crm_to_metrica_daily"
TODAY = date(2026, 11, 20)


@pytest.fixture
def crm_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "crm.db"
    with sqlite3.connect(path) as connection:
        crm.create(connection, today=TODAY)
    monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    return path


def day_of(today: date) -> datetime:
    """A logical date whose data interval is the day before ``today``."""
    return datetime.combine(today, time(0), timezone.utc)


def test_all_orders_arrive_once(
    airflow_db: None, crm_database: Path, metrica: SandboxServer, logged: Callable[[], str]
) -> None:
    run = run_example(DAG_ID, day_of(TODAY))
    assert run.state == "success"
    assert f"Delivered: {DAG_ID}" in logged()
    delivery = returned(run, "upload_orders")
    assert delivery["rows_read"] == crm.ORDERS
    assert delivery["rows_rejected"] == REJECTED
    assert delivery["values_dropped"] == DROPPED
    assert delivery["rows_sent"] == crm.ORDERS - REJECTED

    expected = {
        str(row["id"]): row
        for row in crm.iter_orders(TODAY)
        if BROKEN_ORDERS.get(str(row["id"])) in {None, *SENT_ANYWAY}
    }
    held = {order["id"]: order for order in metrica.client.orders(101, limit=crm.ORDERS + 1)}
    assert held.keys() == expected.keys()
    moscow = ZoneInfo("Europe/Moscow")
    for order_id, order in held.items():
        row = expected[order_id]
        made = datetime.fromisoformat(str(row["created_at"])).replace(tzinfo=timezone.utc).astimezone(moscow)
        assert order["create_date_time"] == f"{made:%Y-%m-%d %H:%M:%S}"
        assert Decimal(order["revenue"]) == Decimal(str(row["total"]))
        assert order["order_status"] == crm.STATUS_MAP[str(row["status"])]
        assert order["client_uniq_id"] == row["customer_id"]
        assert order["times_received"] == 1


def test_a_second_run_of_the_same_day_sends_nothing(
    airflow_db: None, crm_database: Path, metrica: SandboxServer
) -> None:
    runs = [run_example(DAG_ID, day_of(TODAY) + timedelta(hours=hours)) for hours in (0, 12)]
    assert [run.state for run in runs] == ["success", "success"]
    first, second = (returned(run, "upload_orders") for run in runs)
    assert (second["rows_sent"], second["rows_unchanged"]) == (0, first["rows_sent"])
    assert len(metrica.client.uploads(101)) == 1


def test_a_day_without_orders_succeeds(airflow_db: None, crm_database: Path, metrica: SandboxServer) -> None:
    run = run_example(DAG_ID, day_of(TODAY - timedelta(days=5)))
    assert run.state == "success"
    assert returned(run, "upload_orders")["rows_read"] == 0
    assert metrica.client.summary(101)["orders"] == 0


def test_a_run_without_a_date_takes_the_last_day(
    airflow_db: None, tmp_path: Path, metrica: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.models import DagRun

    if not hasattr(DagRun, "run_after"):
        pytest.skip("this Airflow gives every run a date and a data interval")
    path = tmp_path / "crm.db"
    with sqlite3.connect(path) as connection:
        crm.create(connection, today=datetime.now(timezone.utc).date() + timedelta(days=1), limit=50)
        hour_ago = datetime.now(timezone.utc) - timedelta(hours=1)
        connection.execute("UPDATE orders SET updated_at = ?", (f"{hour_ago:%Y-%m-%d %H:%M:%S}",))
    monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    run = run_example(DAG_ID, None)
    assert run.state == "success"
    assert returned(run, "upload_orders")["rows_sent"] == 50


def test_a_deferred_wait_finds_a_connection_of_the_form(
    airflow_db: None, crm_database: Path, yandex_sandbox: SandboxServer
) -> None:
    from airflow.models.connection import Connection
    from airflow.utils.session import create_session

    yandex_sandbox.client.change_settings(uploads_judged_at_once=False)
    nothing_yet: dict[str, Any] = {"uploadings": []}
    yandex_sandbox.client.add_fault(path="last_uploadings", status=200, body=nothing_yet, times=1)  # so the wait defers
    fields: dict[str, Any] = {
        "conn_type": "yandex_metrica",
        "host": yandex_sandbox.url,
        "password": "sandbox-token",
        "login": "101",
    }
    with sqlite3.connect(crm_database) as connection:
        connection.execute("DELETE FROM orders WHERE rowid > 50")
    with create_session() as session:
        session.add(Connection(conn_id="yandex_metrica_default", **fields))
    try:
        assert run_example(DAG_ID, day_of(TODAY)).state == "success"
    finally:
        with create_session() as session:
            session.query(Connection).filter_by(conn_id="yandex_metrica_default").delete()
    asked = [each for each in yandex_sandbox.client.requests() if "last_uploadings" in str(each)]
    assert len(asked) == 2


def test_the_same_dag_reads_postgres_by_another_connection(
    airflow_db: None, metrica: SandboxServer, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    psycopg2 = pytest.importorskip("psycopg2")
    connection = psycopg2.connect(postgres.uri)
    crm.create(connection, today=TODAY)
    connection.close()
    settings = {"conn_type": "postgres", "host": postgres.host, "port": postgres.port, "login": postgres.user}
    settings |= {"password": postgres.password, "schema": postgres.database}
    monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps(settings))
    run = run_example(DAG_ID, day_of(TODAY))
    assert run.state == "success"
    delivery = returned(run, "upload_orders")
    assert (delivery["rows_read"], delivery["rows_rejected"]) == (crm.ORDERS, REJECTED)
    assert metrica.client.summary(101)["orders"] == crm.ORDERS - REJECTED
