# SPDX-License-Identifier: Apache-2.0
"""Mapped uploads, run by Airflow in this process: each has its own rows, and none of them shows any."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime, timezone
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.sandbox.server import SandboxServer

# Both ways a mapped task gets a source: rows of another task, and one object shared by all of its instances.
DAG_FILE = """
import os
from datetime import datetime
from airflow.providers.common.compat.sdk import DAG, task
from airflow_provider_yandex_orders.notifications.delivery import DeliveryNotifier
from airflow_provider_yandex_orders.operators.metrica import MetricaUploadSimpleOrdersOperator
from airflow_provider_yandex_orders.sources import SqlSource

def tell(text):
    with open(os.environ["TOLD"], "a") as file:
        file.write(text)

with DAG("mapped_uploads", schedule=None, start_date=datetime(2026, 1, 1)):
    @task
    def rows():
        return [
            {"id": "X-1", "create_date_time": "2026-11-01 10:00:00", "emails": "secret.buyer@buyers.example",
             "phones": "+7 901 777-11-11", "order_status": "PAID"}
        ]

    rows = rows()
    by_rows = MetricaUploadSimpleOrdersOperator.partial(task_id="by_rows", source=rows).expand(counter_id=[101, 103])
    by_query = MetricaUploadSimpleOrdersOperator.partial(
        task_id="by_query",
        source=SqlSource("crm", "SELECT * FROM orders WHERE shop = '{{ task.counter_id }}'"),
        retries=0,
        on_success_callback=DeliveryNotifier(tell),
    ).expand(counter_id=[101, 103])
    by_rows >> by_query
"""


@pytest.fixture
def dag(airflow_db: None, tmp_path: Path, metrica: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> Any:
    from airflow.models import DagBag

    crm = tmp_path / "crm.db"
    with sqlite3.connect(crm) as connection:
        connection.execute("CREATE TABLE orders (id, create_date_time, emails, order_status, shop)")
        connection.executemany(
            "INSERT INTO orders VALUES (?, '2026-11-01 10:00:00', 'a@example.com', 'PAID', ?)",
            [("S-101", "101"), ("S-103", "103")],
        )
    monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps({"conn_type": "sqlite", "host": str(crm)}))
    monkeypatch.setenv("TOLD", str(tmp_path / "told.txt"))
    folder = tmp_path / "dags"
    folder.mkdir()
    (folder / "mapped_uploads.py").write_text(DAG_FILE)
    bundle = {
        "name": "mapped",
        "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
        "kwargs": {"path": str(folder)},
    }
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", json.dumps([bundle]))
    bag = DagBag(str(folder))
    assert bag.import_errors == {}
    return bag.dags["mapped_uploads"]


def test_rows_stay_apart_and_unseen(dag: Any, metrica: SandboxServer, tmp_path: Path) -> None:
    from airflow.models.renderedtifields import RenderedTaskInstanceFields
    from airflow.utils.session import create_session

    name = "logical_date" if "logical_date" in signature(dag.test).parameters else "execution_date"  # 2.11
    run = dag.test(**{name: datetime(2026, 11, 20, tzinfo=timezone.utc)})
    assert run.state == "success"
    for counter_id in (101, 103):
        held = {each["id"] for each in metrica.client.orders(counter_id)}
        assert held == {"X-1", f"S-{counter_id}"}
        assert f"counter {counter_id}, simple_orders: read 1, sent 1" in (tmp_path / "told.txt").read_text()
    with create_session() as session:
        found = session.query(RenderedTaskInstanceFields).filter_by(dag_id="mapped_uploads").all()
        shown = {(each.task_id, each.map_index): json.dumps(each.rendered_fields) for each in found}
    assert {("by_rows", 0), ("by_rows", 1), ("by_query", 0), ("by_query", 1)} <= set(shown)
    for (task_id, _), text in shown.items():
        if task_id == "by_rows":
            assert "secret.buyer" not in text
            assert "777" not in text
        elif task_id == "by_query":
            assert "SqlSource" in text or "SELECT" in text  # 2.11 keeps the name only
