# SPDX-License-Identifier: Apache-2.0
"""Many waits in a real triggerer: they share a poll, hold nothing up, and outlive a restart."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.support.live_airflow import LiveAirflow

pytestmark = pytest.mark.live

DAG, WAITS, EVERY = "many_waits", 200, 10.0


def test_two_hundred_waits_are_one_request_a_tick(airflow: LiveAirflow, sandbox: SandboxServer) -> None:
    def asked() -> int:
        return sum("last_uploadings" in each["path"] for each in sandbox.client.requests())

    def blocked() -> int:
        return (airflow.service_logs / "triggerer.log").read_text().count("async thread was blocked")

    def ticks(number: int) -> float:
        """Wait for so many requests more; how long they took."""
        began, before = time.monotonic(), asked()
        airflow.until(lambda: asked() >= before + number, timeout=120, what=f"{number} polls")
        return time.monotonic() - began

    run_id = airflow.trigger(DAG)
    try:
        all_deferred = {f"wait_{number}": "deferred" for number in range(WAITS)}
        airflow.until(lambda: airflow.task_states(DAG, run_id) == all_deferred, timeout=180, what="all are deferred")
        ticks(1)
        held_up, took = [blocked()], 0.0
        for _ in range(4):
            took += ticks(1)
            held_up.append(blocked())
        assert took > EVERY * 2.9
        # A busy machine holds up any triggerer now and then; polls that did so would do it every time.
        assert any(before == after for before, after in pairwise(held_up)), held_up
        airflow.restart_triggerer()
        ticks(1)
        assert ticks(1) > EVERY * 0.5
        assert airflow.task_states(DAG, run_id) == all_deferred
    finally:
        airflow.api("PATCH", f"dags/{DAG}/dagRuns/{run_id}", json={"state": "failed"})
