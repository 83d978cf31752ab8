# SPDX-License-Identifier: Apache-2.0
"""Outputs of other tasks inside a source: an upstream task when the DAG is parsed, a value when it runs."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_yandex_orders.operators.metrica import MetricaUploadSimpleOrdersOperator
from airflow_provider_yandex_orders.sandbox.pytest_plugin import run_dag
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sources import (
    CallableSource,
    FileSource,
    MarketOrdersSource,
    Source,
    SqlSource,
)
from tests.support.examples import returned


@task
def export() -> str:
    return "/data/export.csv"


def new_dag(**options: Any) -> DAG:
    return DAG("a_dag", start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), schedule=None, **options)


def upload(source: Any, **options: Any) -> None:
    MetricaUploadSimpleOrdersOperator(task_id="upload", source=source, **options)


@pytest.mark.parametrize(
    "make",
    [
        lambda path: FileSource(path),
        lambda path: FileSource(["a.csv", path]),
        lambda path: FileSource("a.csv", conn_id=path),
        lambda path: FileSource("a.csv", columns={"id": path}),
        lambda path: SqlSource("crm", path),
        lambda path: SqlSource("crm", "SELECT ?", parameters=[path]),
        lambda path: CallableSource(list, op_kwargs={"seen": {"path": path}}),
        lambda path: MarketOrdersSource(path, "shop", [{"partnerOrderId": "1"}]),
        lambda path: MarketOrdersSource("a.jsonl", "shop", FileSource(path)),
        lambda path: path,
    ],
)
def test_a_source_makes_its_tasks_upstream(make: Any) -> None:
    with new_dag() as dag:
        source = make(export())
        upload(source)
    assert dag.get_task("upload").upstream_task_ids == {"export"}
    assert not isinstance(source, Source) or json.dumps(source.serialize())


def test_mapped_tasks_have_them_too() -> None:
    with new_dag() as dag:
        MetricaUploadSimpleOrdersOperator.partial(task_id="one", source=FileSource(export())).expand(counter_id=[1, 2])
        MetricaUploadSimpleOrdersOperator.partial(task_id="two").expand(
            source=[FileSource("a.csv"), FileSource(export())]
        )
    assert dag.get_task("one").upstream_task_ids == {"export"}
    assert dag.get_task("two").upstream_task_ids == {"export__1"}


def test_the_dag_is_stored_with_them() -> None:
    stored_by: Any = import_module("airflow.serialization.serialized_objects")
    serialized = getattr(stored_by, "DagSerialization", None) or stored_by.SerializedDAG  # Airflow 2.11
    with new_dag() as dag:
        upload(FileSource(export(), columns={"id": "no"}))
    stored = json.dumps(serialized.to_dict(dag))
    assert "xcom_pull" in stored


def test_a_query_is_shown_as_one() -> None:
    fields = pytest.importorskip("airflow.models.renderedtifields").get_serialized_template_fields
    with new_dag() as dag:
        upload(SqlSource("crm", "SELECT 1\nFROM orders", parameters=["ivan@example.com", 2]))
    shown = fields(dag.get_task("upload"))
    if "source.sql" not in shown:
        pytest.skip("this Airflow shows no parts of a field")
    assert shown["source.sql"] == "SELECT 1\nFROM orders"
    assert shown["source"]["parameters"] == "2 values, not shown"
    assert "ivan" not in str(shown)


RUN = """
from datetime import datetime, timezone
from pathlib import Path

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_yandex_orders.operators.metrica import MetricaUploadSimpleOrdersOperator
from airflow_provider_yandex_orders.sources import FileSource

FOLDER = Path({folder!r})
ORDER = '{{"no": "%s", "create_date_time": "2026-11-01 10:00:00", "emails": "a@example.com", "order_status": "PAID"}}'


@task
def write(name: str) -> str:
    path = FOLDER / (name + ".jsonl")
    path.write_text(ORDER % name)
    return str(path)


options = {{"staging_path": str(FOLDER / "staging")}}
no = {{"id": "{{{{ 'no' }}}}"}}
start = datetime(2026, 1, 1, tzinfo=timezone.utc)
with DAG("sources", start_date=start, schedule=None, render_template_as_native_obj=True):
    shared = FileSource(write.expand(name=["one", "two"]), columns=no, encoding="{{{{ 'utf-8' }}}}")
    MetricaUploadSimpleOrdersOperator(task_id="first", source=shared, **options)
    MetricaUploadSimpleOrdersOperator.partial(task_id="mapped", source=shared, **options).expand(counter_id=[103])
"""


def test_they_are_there_when_the_task_runs(
    airflow_db: None, metrica: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "dags" / "sources.py"
    file.parent.mkdir()
    file.write_text(RUN.format(folder=str(tmp_path)))
    bundle = {
        "name": "sources",
        "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
        "kwargs": {"path": str(file.parent)},
    }
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", json.dumps([bundle]))
    run = run_dag(file, "sources", datetime(2026, 11, 20, tzinfo=timezone.utc))
    assert run.state == "success"
    assert returned(run, "first")["rows_sent"] == 2
    for counter_id in (101, 103):
        assert {order["id"] for order in metrica.client.orders(counter_id)} == {"one", "two"}
