# SPDX-License-Identifier: Apache-2.0
"""The fetch under a real scheduler: a killed worker, a distant limit, the events of its asset."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.live.live_support import TOKEN
from tests.market.market_support import contents
from tests.support.live_airflow import LiveAirflow

pytestmark = pytest.mark.live

DAG_ID = "market_in_pages"
STATS = "stats/orders"


@pytest.fixture(scope="module")
def undisturbed(airflow: LiveAirflow) -> dict[str, Any]:
    """Result and files of a run that nothing happens to."""
    run_id = airflow.trigger(DAG_ID)
    assert airflow.wait(DAG_ID, run_id, timeout=240) == "success"
    stats: dict[str, Any] = airflow.xcom(DAG_ID, run_id, "fetch")
    return {"stats": stats, "files": contents(Path(stats["paths"][0]).parent)}


def test_the_asset_event_has_counts_and_window(airflow: LiveAirflow, undisturbed: dict[str, Any]) -> None:
    events = airflow.api("GET", "assets/events", params={"source_dag_id": DAG_ID})["asset_events"]
    stats = undisturbed["stats"]
    expected = {
        "campaign_id": 1001,
        "update_from": "2026-06-01",
        "update_to": "2026-06-01",
        "orders": stats["orders"],
        "rows": stats["rows"],
    }
    for event in events:
        assert {name: event["extra"][name] for name in expected} == expected
    named = {event["uri"].rpartition("/1001/")[2] for event in events if event["uri"].startswith("yandex-market://")}
    assert named == {"raw", *stats["tables"]}
    assert len(events) == len(named) + 1  # the task's own outlet


def test_a_killed_worker_goes_on_from_the_last_page(
    airflow: LiveAirflow, sandbox: SandboxServer, undisturbed: dict[str, Any]
) -> None:
    sandbox.client.add_fault(path=STATS, skip=5, action="delay", seconds=600)
    run_id = airflow.trigger(DAG_ID)
    port = urlsplit(sandbox.url).port
    assert port is not None
    airflow.until(lambda: sandbox.client.faults()[0]["hits"] == 1, timeout=180, what="the sixth page under way")
    airflow.kill_task(port)
    assert airflow.wait(DAG_ID, run_id, timeout=240) == "success"
    assert airflow.task_instances(DAG_ID, run_id)["fetch"]["try_number"] == 2
    stats = airflow.xcom(DAG_ID, run_id, "fetch")
    assert contents(Path(stats["paths"][0]).parent) == undisturbed["files"]
    asked = [request for request in sandbox.client.requests() if request["path"].endswith(STATS)]
    assert len(asked) == stats["pages"] + 1


def test_a_distant_limit_frees_the_slot_until_it_is_over(
    airflow: LiveAirflow, sandbox: SandboxServer, undisturbed: dict[str, Any]
) -> None:
    sandbox.client.add_fault(preset="market_quota", path=STATS, skip=2, times=None)
    run_id = airflow.trigger(DAG_ID)
    airflow.wait_for_task(DAG_ID, run_id, "fetch", "up_for_retry", timeout=180)
    log = airflow.task_log(DAG_ID, run_id, "fetch", 1)
    assert "Hit rate limit" in log
    assert "Next try not before" in log
    asked = [request for request in sandbox.client.requests() if request["path"].endswith(STATS)]
    assert len(asked) == 3  # the task's own retry_delay is a second; the service's word holds


def test_no_token_in_any_log(airflow: LiveAirflow) -> None:
    assert TOKEN not in airflow.all_logs()
