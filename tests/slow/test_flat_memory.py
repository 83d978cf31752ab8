# SPDX-License-Identifier: Apache-2.0
"""A million orders in one task, from SQLite and from a real PostgreSQL, in flat memory."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pytest

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings
from tests.support.memory import peak_growth_mb
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.slow

LIMIT_MB = 150
ROWS = {"sqlite": 1_000_000, "postgres": 300_000}

# The same in both databases: counts up and makes an order of each number.
ORDERS = """
CREATE TABLE orders AS
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {rows})
SELECT 'order-' || n AS id, '2026-11-01 10:00:00' AS create_date_time, 'Buyer' || n || '@Example.com' AS emails,
       '8 999 ' || (1000000 + n % 1000000) AS phones, 'PAID' AS order_status, '10.50' AS revenue
FROM numbers
"""

UPLOAD = """
import sys
from types import SimpleNamespace
from airflow_provider_yandex_orders.operators.metrica import MetricaUploadSimpleOrdersOperator
from airflow_provider_yandex_orders.sources import SqlSource

task = MetricaUploadSimpleOrdersOperator(
    task_id="upload", source=SqlSource("crm", "SELECT * FROM orders"), staging_path=sys.argv[1]
)
context = {"ti": SimpleNamespace(dag_id="d", run_id="r", task_id="upload", map_index=-1)}
SqlSource("crm", "SELECT * FROM orders LIMIT 1")._hook()  # Airflow's own modules are loaded before the mark
mark_memory()
delivery = task.execute(context)
assert delivery["rows_sent"] == int(sys.argv[2]), delivery
"""


def growth(crm: dict[str, object], rows: int, tmp_path: Path) -> float:
    """Peak growth of the uploading process, in MB, after checking that every order has arrived once."""
    with SandboxServer(SandboxSettings(processing_seconds=0)) as sandbox:
        metrica = {"conn_type": "yandex_metrica", "host": sandbox.url, "password": "sandbox-token"}
        environment = os.environ | {
            "AIRFLOW_CONN_CRM": json.dumps(crm),
            "AIRFLOW_CONN_YANDEX_METRICA_DEFAULT": json.dumps(metrica | {"extra": {"counter_id": 101}}),
        }
        grown = peak_growth_mb(UPLOAD, [str(tmp_path / "staging"), str(rows)], env=environment, timeout=900)
        summary = sandbox.client.summary(101)
    assert (summary["orders"], summary["orders_received_more_than_once"]) == (rows, 0)
    return grown


def test_a_million_orders_from_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    with sqlite3.connect(path) as connection:
        connection.execute(ORDERS.format(rows=ROWS["sqlite"]))
    assert growth({"conn_type": "sqlite", "host": str(path)}, ROWS["sqlite"], tmp_path) < LIMIT_MB


def test_orders_from_postgres(postgres: PostgresServer, tmp_path: Path) -> None:
    import psycopg2

    with psycopg2.connect(postgres.uri) as connection, connection.cursor() as cursor:
        cursor.execute(ORDERS.format(rows=ROWS["postgres"]))
    crm = {
        "conn_type": "postgres",
        "host": postgres.host,
        "port": postgres.port,
        "login": postgres.user,
        "password": postgres.password,
        "schema": postgres.database,
    }
    assert growth(crm, ROWS["postgres"], tmp_path) < LIMIT_MB / 2
