# SPDX-License-Identifier: Apache-2.0
"""Who hears of an upload under a real scheduler: DAGs by assets, people by messages, OpenLineage by its provider."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.live.conftest import LINEAGE
from tests.support.live_airflow import LiveAirflow

pytestmark = pytest.mark.live

DAG_ID = "told_everyone"
FOLLOWER = "orders_delivered"
TASKS = {"upload_orders": -1, "mapped": 0}
"""Tasks that emit events: of mapped instances the first."""


def followed(airflow: LiveAirflow) -> list[dict[str, Any]]:
    """What the DAG heard that follows deliveries."""
    runs = airflow.api("GET", f"dags/{FOLLOWER}/dagRuns")["dag_runs"]
    done = [run["dag_run_id"] for run in runs if run["state"] == "success"]
    return [extra for run_id in done for extra in airflow.xcom(FOLLOWER, run_id, "look_at_deliveries")]


def uploaded(deliveries: dict[str, dict[str, Any]]) -> list[list[str]]:
    """The upload ids of each delivery."""
    return [[part["upload_id"] for part in each["parts"]] for each in deliveries.values()]


@pytest.fixture(scope="module")
def deliveries(airflow: LiveAirflow, server: SandboxServer) -> dict[str, dict[str, Any]]:
    """What a run delivered, by its task, after the DAG that follows it has heard of it.

    Airflow gives a run the events up to the moment it was asked for, among them those of other tests, and the next one
    those since then, so that an event stored in that moment may reach neither.
    """
    server.client.reset()  # of the faults of tests before
    airflow.wait_for_dag(FOLLOWER)
    airflow.api("PATCH", f"dags/{FOLLOWER}", json={"is_paused": False})
    run_id = airflow.trigger(DAG_ID)
    assert airflow.wait(DAG_ID, run_id, timeout=400) == "success"
    whole, mapped = (airflow.xcom(DAG_ID, run_id, each, map_index=index) for each, index in TASKS.items())
    delivered = dict(zip(TASKS, (whole, mapped), strict=True))
    airflow.until(
        lambda: any(extra["upload_ids"] in uploaded(delivered) for extra in followed(airflow)),
        timeout=240,
        what="a delivery is followed",
    )
    return delivered


def test_each_upload_emits_an_event_of_its_asset(
    airflow: LiveAirflow, sandbox: SandboxServer, deliveries: dict[str, dict[str, Any]]
) -> None:
    events = airflow.api("GET", "assets/events", params={"source_dag_id": DAG_ID})["asset_events"]
    place = f"yandex-metrica://{urlsplit(sandbox.url).netloc}{urlsplit(sandbox.url).path}"
    # Of mapped tasks the first instance emits one: instances that end at once would make Airflow fail one of them.
    assert [event["uri"] for event in events] == [f"{place}/101/simple_orders"] * 2
    told = {event["source_task_id"]: event["extra"] for event in events}
    for task_id, delivery in deliveries.items():
        extra = told[task_id]
        assert extra["upload_ids"] == [part["upload_id"] for part in delivery["parts"]]
        assert extra["rows_sent"] == delivery["rows_sent"]
        assert {"start", "end"} <= extra["partition"].keys()


def test_a_dag_that_follows_deliveries_starts_by_itself(
    airflow: LiveAirflow, deliveries: dict[str, dict[str, Any]]
) -> None:
    heard = [extra["upload_ids"] for extra in followed(airflow)]
    assert {heard.count(each) for each in uploaded(deliveries)} in ({1}, {0, 1})


def test_people_are_told_by_callbacks_and_deadlines(
    airflow: LiveAirflow, deliveries: dict[str, dict[str, Any]]
) -> None:
    told = airflow.home / "told.txt"
    airflow.until(
        lambda: told.exists() and "Опаздывает: told_everyone" in told.read_text(), timeout=120, what="the deadline"
    )
    sent = deliveries["upload_orders"]["rows_sent"]
    assert "Delivered: told_everyone\ntask upload_orders\n" in told.read_text()
    assert f"counter 101, simple_orders: read 5, sent {sent}" in told.read_text()


@pytest.mark.skipif(not find_spec("airflow.providers.openlineage"), reason="the provider of OpenLineage is not here")
def test_openlineage_hears_what_went_where(
    airflow: LiveAirflow, sandbox: SandboxServer, live_folder: Path, deliveries: dict[str, dict[str, Any]]
) -> None:
    file = live_folder / LINEAGE

    def ends() -> list[dict[str, Any]]:
        events = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
        name = f"{DAG_ID}.upload_orders"
        return [each for each in events if each["eventType"] == "COMPLETE" and each["job"]["name"] == name]

    airflow.until(lambda: bool(ends()), timeout=60, what="the event of the upload's end")
    (event,) = ends()
    ((read,), (written,)) = event["inputs"], event["outputs"]
    delivery = deliveries["upload_orders"]
    assert read["name"] == "orders"
    assert {field["name"] for field in read["facets"]["schema"]["fields"]} == {"created_at", "email", "phone", "total"}
    assert read["inputFacets"]["dataQualityMetrics"]["rowCount"] == delivery["rows_read"]
    checks = {each["assertion"]: each for each in read["inputFacets"]["dataQualityAssertions"]["assertions"]}
    assert checks["rows_rejected"]["success"] is (delivery["rows_rejected"] == 0)
    assert checks["values_dropped"]["actual"] == str(delivery["values_dropped"])
    assert written["namespace"] == f"yandex-metrica://{urlsplit(sandbox.url).netloc}"
    assert written["name"].endswith("101/simple_orders")
    assert written["outputFacets"]["outputStatistics"]["rowCount"] == delivery["rows_sent"]
    (mapped,) = written["facets"]["columnLineage"]["fields"]["emails"]["inputFields"]
    assert (mapped["name"], mapped["field"]) == ("orders", "email")
    assert event["job"]["facets"]["sql"]["query"] == "SELECT * FROM orders LIMIT 5"
