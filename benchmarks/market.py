# SPDX-License-Identifier: Apache-2.0
"""Market's orders: pages into files beside ``json`` and ``zlib``, and a whole fetch beside what the service needs."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

from airflow_provider_yandex_orders.sandbox.server import SandboxClient
from tests.support.ports import free_port

from .pairs import SCALE, Line, Side, in_turn, line

LATENCY = 0.15
DAYS = 10
FETCHED = max(DAYS, round(100 * SCALE))
"""Pages of a fetch; few enough for a minute, so that what a task does before its first request counts for more."""
_TIMES = 5
_FORMATS = {"jsonl.gz": "goal <= 0.2", "parquet": "goal <= 0.4, growth < 80 MB"}
_STREAMS = {1: "goal <= 1.04, growth < 10 MB", 2: "goal <= 0.53, growth < 10 MB"}


def pages_by_json(folder: str) -> Callable[[], object]:
    """Orders decoded, encoded and compressed, as a script does it."""
    answers = [path.read_bytes() for path in Path(folder).iterdir()]

    def run() -> object:
        packed = 0
        for answer in answers * _TIMES:
            lines = "".join(f"{json.dumps(order)}\n" for order in json.loads(answer)["result"]["orders"])
            packed += len(zlib.compress(lines.encode(), 6))
        return packed

    return run


def pages_by_package(folder: str, output_format: str, tables: bool) -> Callable[[], object]:
    """The same answers to the package's files."""
    from airflow_provider_yandex_orders.market.fetch import head_of
    from airflow_provider_yandex_orders.market.pages import decode_page
    from airflow_provider_yandex_orders.market.tables.files import Outputs

    answers = [path.read_bytes() for path in Path(folder).iterdir()]

    def run(times: int = _TIMES) -> object:
        place = Path(tempfile.mkdtemp())
        with Outputs(place, output_format, tables=tables) as outputs:
            for answer in answers * times:
                heads = ((head_of(order), order) for order in decode_page(answer).lines)
                outputs.add([(order_id, order, known) for (order_id, _, known), order in heads])
        return sum(file.stat().st_size for file in place.iterdir())

    run(1)  # what is imported is imported before the mark
    return run


def fetch(parallel: int) -> Callable[[], object]:
    """A period by the operator."""
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    from airflow_provider_yandex_orders.hooks.market import MarketHook
    from airflow_provider_yandex_orders.operators.market import MarketFetchOrderStatsOperator

    folder = tempfile.mkdtemp()
    ObjectStoragePath(folder).exists()
    task = MarketFetchOrderStatsOperator(
        task_id="fetch",
        path=f"{folder}/files",
        staging_path=f"{folder}/staging",
        date_from="2026-06-01",
        date_to="2026-06-10",
        parallel=parallel,
    )
    with MarketHook().places(parallel):
        MarketHook().campaigns()
    ti = SimpleNamespace(dag_id="d", run_id="r", task_id="fetch", map_index=-1)
    return lambda: task.execute({"ti": ti})["pages"]  # type: ignore[typeddict-item, call-overload]


@contextmanager
def _sandbox() -> Iterator[tuple[str, dict[str, str]]]:
    """A sandbox in a process of its own, and the connection to it."""
    command = [sys.executable, "-m", "airflow_provider_yandex_orders.sandbox", "--port", str(free_port())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().removeprefix("Sandbox: ").strip()
        known = {"conn_type": "yandex_market", "host": url, "password": "sandbox-token"}
        try:
            with_store = json.dumps({**known, "extra": {"campaign_id": 1001}})
            yield url, {"AIRFLOW_CONN_YANDEX_MARKET_DEFAULT": with_store}
        finally:
            server.terminate()


def measure(rounds: int = 3) -> list[Line]:
    """Pages in time of the processor, fetches in time on the wall.

    :param rounds: how often each side runs.
    """
    with _sandbox() as (url, connection), tempfile.TemporaryDirectory(prefix="benchmark-market-") as folder:
        sandbox = SandboxClient(url)
        sandbox.change_settings(market_orders_per_day=5000)
        lines = list(_pages(url, Path(folder), rounds))
        per_day = FETCHED * 200 // DAYS
        sandbox.change_settings(market_orders_per_day=per_day, market_latency_seconds=LATENCY)
        return [*lines, *_fetches(connection, per_day, min(rounds, 2))]


def _pages(url: str, folder: Path, rounds: int) -> Iterator[Line]:
    import requests

    token: str | None = None
    for number in range(10):
        answer = requests.post(
            f"{url}/v2/campaigns/1001/stats/orders",
            params={"limit": 200, "pageToken": token},
            json={"dateFrom": "2026-06-01", "dateTo": "2026-06-01"},
            headers={"Api-Key": "sandbox-token"},
            timeout=60,
        )
        (folder / f"{number}.json").write_bytes(answer.content)
        token = answer.json()["result"]["paging"]["nextPageToken"]
    here, count = {"folder": str(folder)}, 10 * _TIMES
    sides = {
        f"{form}{' and seven tables' if tables else ''}": Side(
            "benchmarks.market:pages_by_package", {**here, "output_format": form, "tables": tables}
        )
        for tables in (False, True)
        for form in _FORMATS
    }
    peer, *found = in_turn(Side("benchmarks.market:pages_by_json", here), *sides.values(), rounds=rounds)
    for (name, side), ours in zip(sides.items(), found, strict=True):
        goal = "" if side.arguments["tables"] else _FORMATS[str(side.arguments["output_format"])]
        yield line(
            f"a page of 200 orders to {name}: our CPU time to json.loads, json.dumps and zlib 6",
            f"{ours.cpu / count * 1000:.1f} ms",
            f"{peer.cpu / count * 1000:.1f} ms",
            ours.cpu / peer.cpu,
            goal,
            f"growth {ours.growth:.0f} MB",
        )


def _fetches(connection: dict[str, str], per_day: int, rounds: int) -> Iterator[Line]:
    given = [Side("benchmarks.market:fetch", {"parallel": each}, connection) for each in _STREAMS]
    for (streams, goal), ours in zip(_STREAMS.items(), in_turn(*given, rounds=rounds), strict=True):
        limit = LATENCY * FETCHED
        yield line(
            f"fetch of {per_day * DAYS} orders at {LATENCY * 1000:.0f} ms a page, {streams} at once: "
            "our wall time to latency x pages",
            f"{ours.wall:.1f} s",
            f"{limit:.1f} s",
            ours.wall / limit,
            goal,
            f"growth {ours.growth:.0f} MB, {ours.result} pages",
        )
