# SPDX-License-Identifier: Apache-2.0
"""The Market example, run by Airflow in this process: fetch, check, load, on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.market.market_support import connect_market
from tests.support.examples import returned, run_example
from tests.support.market_official import OfficialCheck, official
from tests.support.postgres import PostgresServer

__all__ = ["official"]

DAG_ID = "market_order_stats_daily"
DAY = datetime(2026, 6, 2, 1, tzinfo=timezone.utc)  # its interval ends at 04:00 of that day in Moscow


@pytest.fixture
def market(yandex_sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch, official: OfficialCheck) -> SandboxServer:
    connect_market(monkeypatch, yandex_sandbox.url)
    yandex_sandbox.client.change_settings(market_orders_per_day=40)
    return yandex_sandbox


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "warehouse.db"
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    return path


def select(warehouse: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(warehouse)) as connection:
        return connection.execute(query).fetchall()


def counts(warehouse: Path) -> dict[str, int]:
    tables = select(warehouse, "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'market_%'")
    return {name.removeprefix("market_"): select(warehouse, f"SELECT count(*) FROM {name}")[0][0] for (name,) in tables}


def test_a_day_is_fetched_checked_and_loaded(airflow_db: None, market: SandboxServer, warehouse: Path) -> None:
    run = run_example(DAG_ID, DAY)
    assert run.state == "success"
    stats = returned(run, "fetch_order_stats")
    assert stats["window"] == {"update_from": "2026-05-31", "update_to": "2026-06-02"}
    assert stats["orders"] == returned(run, "load") == returned(run, "check")["orders"] > 100
    checked = returned(run, "check")
    assert checked["delivered_paid_in_full"] == checked["delivered_paid"] > 0
    assert counts(warehouse) == stats["rows"]
    total = sum((Decimal(text) for (text,) in select(warehouse, "SELECT total FROM market_payments")), Decimal(0))
    assert total == total.quantize(Decimal("0.01")) > 0


def test_a_run_that_is_repeated_loads_everything_once(airflow_db: None, market: SandboxServer, warehouse: Path) -> None:
    rows = returned(run_example(DAG_ID, DAY), "fetch_order_stats")["rows"]
    assert counts(warehouse) == rows
    run_example(DAG_ID, DAY)
    assert counts(warehouse) == rows


def test_runs_of_the_past_leave_no_gap(airflow_db: None, market: SandboxServer, warehouse: Path) -> None:
    for days in range(3):
        assert run_example(DAG_ID, DAY + timedelta(days=days)).state == "success"
    made = dict(select(warehouse, "SELECT creation_date, count(*) FROM market_orders GROUP BY 1"))
    assert {made[f"2026-0{day}"] for day in ("5-31", "6-01", "6-02", "6-03", "6-04")} == {40}


def test_a_run_without_a_date_takes_the_last_days(airflow_db: None, market: SandboxServer, warehouse: Path) -> None:
    from airflow.models import DagRun

    if not hasattr(DagRun, "run_after"):
        pytest.skip("this Airflow gives every run a date and a data interval")
    run = run_example(DAG_ID, None)
    assert run.state == "success"
    moscow = datetime.now(timezone(timedelta(hours=3))).date()
    assert returned(run, "fetch_order_stats")["window"] == {
        "update_from": str(moscow - timedelta(days=2)),
        "update_to": str(moscow),
    }


def test_a_day_without_orders(airflow_db: None, market: SandboxServer, warehouse: Path) -> None:
    market.client.change_settings(market_orders_per_day=0)
    run = run_example(DAG_ID, DAY)
    assert run.state == "success"
    assert set(counts(warehouse).values()) == {0}


def test_tables_that_do_not_add_up_are_not_loaded(
    airflow_db: None, market: SandboxServer, warehouse: Path, official: OfficialCheck
) -> None:
    official.odd_answers = True
    payments = [{"id": "1", "type": "REFUND", "total": 5.00}]
    order = {"id": 7, "items": [], "payments": payments, "commissions": [], "currency": "RUR"}
    body = {"status": "OK", "result": {"orders": [order]}}
    market.client.add_fault(path="stats/orders", action="answer", status=200, body=body, times=None)
    run = run_example(DAG_ID, DAY)
    assert run.state == "failed"
    assert run.get_task_instance("check").state == "failed"
    assert run.get_task_instance("load").state == "upstream_failed"
    assert not warehouse.exists()


@pytest.mark.slow
def test_the_same_on_postgres(
    airflow_db: None, market: SandboxServer, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg2

    warehouse = {
        "conn_type": "postgres",
        "host": postgres.host,
        "port": postgres.port,
        "login": postgres.user,
        "password": postgres.password,
        "schema": postgres.database,
    }
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(warehouse))
    for _ in range(2):
        run = run_example(DAG_ID, DAY)
        assert run.state == "success"
    with closing(psycopg2.connect(postgres.uri)) as connection, connection.cursor() as cursor:
        for name, rows in returned(run, "fetch_order_stats")["rows"].items():
            cursor.execute(f"SELECT count(*) FROM market_{name}")
            assert cursor.fetchone() == (rows,)
        cursor.execute("SELECT sum(total), min(date) FROM market_payments")
        total, first = cursor.fetchone()
        assert isinstance(total, Decimal)
        assert f"{first:%Y-%m}" >= "2026-05"
        cursor.execute("SELECT max(status_update_date), bool_or(fake) FROM market_orders")
        assert cursor.fetchone()[0].tzinfo is not None
