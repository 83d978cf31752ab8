# SPDX-License-Identifier: Apache-2.0
"""Links on the pages of tasks: kept with a stored DAG, and empty where nothing is known."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pendulum
import pytest
from airflow.plugins_manager import AirflowPlugin
from airflow.providers.common.compat.sdk import DAG, XCom
from airflow.serialization import serialized_objects

from airflow_provider_yandex_orders.operators.altcraft import AltcraftImportOrdersOperator
from airflow_provider_yandex_orders.operators.market import MarketFetchOrderStatsOperator
from airflow_provider_yandex_orders.operators.metrica import MetricaUploadSimpleOrdersOperator

PAGES = hasattr(AirflowPlugin, "fastapi_apps")
TI = SimpleNamespace(dag_id="a dag", run_id="manual__2026-11-26T10:00:00+00:00", task_id="upload", map_index=3)
COUNTER = {"id": "101"}


@pytest.fixture
def dag() -> DAG:
    with DAG("a_dag", schedule=None, start_date=pendulum.datetime(2026, 1, 1)) as made:
        MetricaUploadSimpleOrdersOperator(task_id="metrica", source=[], counter_id=101)
        AltcraftImportOrdersOperator(task_id="altcraft", source=[], skip_triggers=True)
        MarketFetchOrderStatsOperator(task_id="market", path="/stats")
    return made


def links(task: Any) -> dict[str, str]:
    given: Any = TI
    return {each.name: each.get_link(task, ti_key=given) for each in task.operator_extra_links}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the task has told by XCom: its delivery, or nothing."""
    values: dict[str, Any] = {}
    monkeypatch.setattr(XCom, "get_value", lambda *, ti_key, key: values[key])  # nothing told: an error
    return values


def test_a_stored_dag_keeps_them(dag: DAG) -> None:
    form: Any = getattr(serialized_objects, "DagSerialization" if PAGES else "SerializedDAG")
    stored = form.from_dict(form.to_dict(dag))
    names = {task.task_id: {each.name for each in task.operator_extra_links} for task in stored.tasks}
    assert names == {
        "metrica": {"Delivery", "Rejected rows", "Counter in Metrica"},
        "altcraft": {"Delivery", "Rejected rows"},
        "market": {"Cabinet at Market"},
    }


def test_where_they_lead(dag: DAG, told: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.com/data/")
    told["delivery"] = {"counter_id": 102, "rejected_path": "gs://lake@orders/a dag/rejected.jsonl"}
    found = links(dag.get_task("metrica"))
    page, _, query = found["Delivery"].partition("?")
    assert page == ("https://airflow.example.com/data/yandex-orders/delivery" if PAGES else "")
    assert dict(parse_qsl(query)) == ({**vars(TI), "map_index": "3"} if PAGES else {})
    assert dict(parse_qsl(urlsplit(found["Counter in Metrica"]).query)) == {"id": "102"}
    assert found["Rejected rows"].endswith("/orders/a%20dag/rejected.jsonl")
    assert urlsplit(links(dag.get_task("market"))["Cabinet at Market"]).netloc == "partner.market.yandex.ru"


@pytest.mark.parametrize("delivery", [None, "no delivery", {"rejected_path": "/home/rejected.jsonl"}, {}])
def test_what_is_not_known_is_empty(
    dag: DAG, told: dict[str, Any], monkeypatch: pytest.MonkeyPatch, delivery: Any
) -> None:
    monkeypatch.setenv("AIRFLOW__YANDEX_ORDERS__DELIVERY_PAGE", "False")
    if delivery is not None:
        told["delivery"] = delivery
    assert links(dag.get_task("altcraft")) == {"Delivery": "", "Rejected rows": ""}
    found = links(MetricaUploadSimpleOrdersOperator(task_id="other", source=[], counter_id="{{ params.counter }}"))
    assert found["Counter in Metrica"] == ""


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("http://me:word@127.0.0.1:8765/management/v1", "127.0.0.1:8765"),  # a sandbox, whose counters are its own
        ("https://proxy.example.com", None),
        (None, None),
    ],
)
def test_a_sandbox_is_no_service(
    dag: DAG, told: dict[str, Any], monkeypatch: pytest.MonkeyPatch, host: str | None, place: str | None
) -> None:
    for kind in ("yandex_metrica", "yandex_market"):
        connection = json.dumps({"conn_type": kind, "host": host})
        monkeypatch.setenv(f"AIRFLOW_CONN_{kind.upper()}_DEFAULT", connection)
    found = {**links(dag.get_task("metrica")), **links(dag.get_task("market"))}
    services = {"Counter in Metrica": "metrika.yandex.ru", "Cabinet at Market": "partner.market.yandex.ru"}
    for name, service in services.items():
        assert urlsplit(found[name]).netloc == (place or service)
        assert urlsplit(found[name]).path == ("/dashboard" if service.startswith("metrika") and not place else "/")
