# SPDX-License-Identifier: Apache-2.0
"""A hundred thousand Market orders: in flat memory, and hardly slower than the service answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.sandbox.server import SandboxClient
from tests.support.memory import peak_growth_mb
from tests.support.ports import free_port

pytestmark = pytest.mark.slow

LIMIT_MB = {"jsonl.gz": 60, "parquet": 150}
LATENCY = 0.15
ATTEMPTS = 3  # a machine that is busy with something else measures itself

FETCH = """
import json, sys, time
import requests
from types import SimpleNamespace
from airflow_provider_yandex_orders.hooks.market import MarketHook
from airflow_provider_yandex_orders.operators.market import MarketFetchOrderStatsOperator
from airflow.providers.common.compat.sdk import ObjectStoragePath

folder, arguments = sys.argv[1], json.loads(sys.argv[2])
if arguments.get("output_format") == "parquet":
    import pyarrow.parquet
ObjectStoragePath(folder).exists()
MarketHook().campaigns()  # what Airflow and the client load is loaded before the mark
task = MarketFetchOrderStatsOperator(
    task_id="fetch", path=f"{folder}/files", staging_path=f"{folder}/staging", **arguments
)
send, waits = requests.Session.send, []

def timed(*arguments, **more):
    started = time.monotonic()
    try:
        return send(*arguments, **more)
    finally:
        waits.append(time.monotonic() - started)

requests.Session.send = timed
mark_memory()
started = time.monotonic()
stats = task.execute({"ti": SimpleNamespace(dag_id="d", run_id="r", task_id="fetch", map_index=-1)})
with open(f"{folder}/took.json", "w") as file:
    json.dump({"seconds": time.monotonic() - started, "waited": sum(waits), **stats}, file)
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxClient]:
    """A sandbox in a process of its own, whose work is not the client's."""
    port = free_port()
    command = [sys.executable, "-m", "airflow_provider_yandex_orders.sandbox", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().removeprefix("Sandbox: ").strip()
        connection = {"conn_type": "yandex_market", "host": url, "password": "sandbox-token"}
        os.environ["AIRFLOW_CONN_YANDEX_MARKET_DEFAULT"] = json.dumps(connection | {"extra": {"campaign_id": 1001}})
        try:
            yield SandboxClient(url)
        finally:
            del os.environ["AIRFLOW_CONN_YANDEX_MARKET_DEFAULT"]
            server.terminate()


def run(folder: Path, **arguments: Any) -> tuple[float, dict[str, Any]]:
    """Memory growth in MB, and the result with the seconds it took."""
    folder.mkdir()
    grown = peak_growth_mb(FETCH, [str(folder), json.dumps(arguments)], timeout=900)
    return grown, json.loads((folder / "took.json").read_text())


@pytest.mark.parametrize("output_format", ["jsonl.gz", "parquet"])
def test_memory_stays_flat(sandbox: SandboxClient, tmp_path: Path, output_format: str) -> None:
    if output_format == "parquet":
        pytest.importorskip("pyarrow")
    sandbox.change_settings(market_orders_per_day=50_000, market_latency_seconds=0)
    window = {"date_from": "2026-06-01", "date_to": "2026-06-02"}
    grown, stats = run(tmp_path / "all", output_format=output_format, **window)
    assert (stats["orders"], stats["pages"]) == (100_000, 500)
    assert grown < LIMIT_MB[output_format]


def test_the_service_is_what_takes_the_time(sandbox: SandboxClient, tmp_path: Path) -> None:
    """A fetch takes hardly longer than its requests: pages are worked on while the next one is on its way."""
    sandbox.change_settings(market_orders_per_day=10_000, market_latency_seconds=LATENCY)
    days = ["2026-06-01", "2026-06-02"]
    best = [float("inf")] * 2  # of one stream, and of the slower of two at once
    for attempt in range(ATTEMPTS):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        _, whole = run(folder / "whole", date_from=days[0], date_to=days[1])
        with ThreadPoolExecutor(2) as pool:
            halves = list(pool.map(lambda day: run(folder / day, date_from=day, date_to=day)[1], days))  # noqa: B023
        assert whole["pages"] == whole["requests"] == 100
        assert sum(each["orders"] for each in halves) == whole["orders"]
        one, *two = (each["seconds"] / each["waited"] for each in (whole, *halves))
        best = list(map(min, best, (one, max(two))))
        if max(best) < 1.15:
            return
    raise AssertionError(f"one stream took {best[0]:.3f} and two took {best[1]:.3f} of the time of their requests")
