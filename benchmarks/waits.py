# SPDX-License-Identifier: Apache-2.0
"""A thousand deferred waits of one counter in one event loop, beside a thousand that poll each on their own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings
from tests.support.memory import peak_growth_mb

WAITS = 1000
EVERY = 10.0
"""Seconds between two polls of a wait."""
TICKS = 2
_CHILD = "import benchmarks.waits as waits; waits.measure_here(mark_memory)"
_CONNECTION = "AIRFLOW_CONN_YANDEX_METRICA_DEFAULT"


def measure() -> list[dict[str, object]]:
    """Both ways, each in a process of its own against the sandbox, which lists none of the uploads."""
    (ours, grown, lag), (peer, peer_grown, peer_lag) = (_measured(way) for way in ("shared", "alone"))
    work = f"{WAITS:,} deferred waits of one counter"
    return [
        {
            "work": f"{work}: requests a tick to those of waits that poll each on their own",
            "ours": f"{ours:g}",
            "peer": f"{peer:g}",
            "ratio": round(ours / peer, 4),
            "note": "goal: one a tick and counter",
        },
        {
            "work": f"{work}: growth of memory",
            "ours": f"{grown:.0f} MB",
            "peer": f"{peer_grown:.0f} MB",
            "ratio": round(grown / peer_grown, 2),
            "note": "goal < 60 MB",
        },
        {
            "work": f"{work}: longest time the event loop was held up",
            "ours": f"{lag * 1000:.0f} ms",
            "peer": f"{peer_lag * 1000:.0f} ms",
            "ratio": round(lag / peer_lag, 2),
            "note": "a triggerer warns at 200 ms",
        },
    ]


def _measured(way: str) -> tuple[float, float, float]:
    """Requests a tick, growth in MB, longest hold-up in seconds."""
    with SandboxServer(SandboxSettings()) as sandbox, tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        told = Path(folder, "told.json")
        connection = {"conn_type": "yandex_metrica", "host": sandbox.url, "password": "sandbox-token"}
        environment = {_CONNECTION: json.dumps(connection)}
        grown = peak_growth_mb(_CHILD, [way, str(told)], env=environment)
        asked = [each for each in sandbox.client.requests() if "last_uploadings" in each["path"]]
        return (len(asked) - 1) / TICKS, grown, json.loads(told.read_text())["lag"]


def measure_here(mark_memory: Any) -> None:
    """What the measured process runs: all waits until their end, which is their last poll."""
    way, told = sys.argv[1:]
    make = {"shared": _shared, "alone": _alone}[way]
    asyncio.run(_run([make("0", time.time() + 1)]))  # one poll: what is imported is imported before the mark
    mark_memory()
    end = time.time() + EVERY * TICKS
    lag = asyncio.run(_run([make(str(number), end) for number in range(1, WAITS + 1)]))
    Path(told).write_text(json.dumps({"lag": lag}))


async def _run(waits: list[Coroutine[Any, Any, None]]) -> float:
    """The longest time in which nothing else could run."""
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.05)
            longest = max(longest, time.monotonic() - before - 0.05)

    watching = asyncio.ensure_future(watch())
    await asyncio.gather(*waits)
    watching.cancel()
    return longest


async def _shared(upload_id: str, end: float) -> None:
    from airflow_provider_yandex_orders.triggers.metrica import MetricaUploadsTrigger

    trigger = MetricaUploadsTrigger(
        family="crm",
        metrica_conn_id="yandex_metrica_default",
        uploads={upload_id: 101},
        poke_interval=EVERY,
        end_time=end,
    )
    async for _ in trigger.run():
        pass


async def _alone(upload_id: str, end: float) -> None:
    """A wait as most triggers are written: a request of its own, in a thread."""
    import requests

    known = json.loads(os.environ[_CONNECTION])
    headers = {"Authorization": f"OAuth {known['password']}"}
    while time.time() < end:
        await asyncio.sleep(max(0.0, min(EVERY, end - time.time())))
        url = f"{known['host']}/cdp/api/v1/counter/101/last_uploadings?limit=1000"
        answer = await asyncio.to_thread(requests.get, url, headers=headers, timeout=60)
        if any(each["uploading_id"] == upload_id for each in answer.json()["uploadings"]):
            return
