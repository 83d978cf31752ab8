# SPDX-License-Identifier: Apache-2.0
"""Worlds in which order statistics are fetched from Market, several runs at once."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from airflow_provider_yandex_orders.operators.market import MarketFetchOrderStatsOperator
from tests.simulation.fibres import Process, here
from tests.simulation.kinds import KINDS
from tests.simulation.weather import climate_of
from tests.simulation.world import LAST, World

PRESETS = ("market_parallel", "market_quota", "market_migrating", "market_internal", "market_unavailable")
DEAD_TOKEN = "market_unauthorized"
EVERY = 8
"""Of so many seeds one is such a world."""


def fetch(world: World, run_id: str) -> Any:
    """The task that reads two days long over."""
    return MarketFetchOrderStatsOperator(
        task_id="fetch",
        path=str(world.folder / "fetched" / run_id),
        update_from="2026-06-01",
        update_to="2026-06-02",
        page_size=5,
        staging_path=world.staging,
        journal_conn_id="journal" if world.shared else None,
        parallel=1 if world.plan else world.draw.choice((1, 2)),
    )


def orders_in(world: World, run_id: str, result: dict[str, Any]) -> list[int]:
    """Ids of the orders in a run's files: each once, and as many as it told."""
    (path,) = (world.folder / "fetched" / run_id).glob("*.raw.jsonl.gz")
    orders = [json.loads(line)["id"] for line in gzip.decompress(path.read_bytes()).splitlines()]
    if not len(orders) == len(set(orders)) == result["orders"] > 0:
        world.rules.broken(f"{len(orders)} orders in the file of {run_id}, {result['orders']} told")
    (items,) = (world.folder / "fetched" / run_id).glob("*.items.jsonl.gz")
    rows = [json.loads(line)["order_id"] for line in gzip.decompress(items.read_bytes()).splitlines()]
    if set(rows) - set(orders) or len(rows) != result["rows"]["items"]:
        world.rules.broken(f"{len(rows)} items in the file of {run_id}, {result['rows']} told")
    return sorted(orders)


@dataclass
class Fetches(World):
    """Runs that fetch the same days: all get the same orders."""

    results: dict[str, Any] = field(default_factory=dict)

    def _choose(self) -> None:
        self.of = KINDS[0]
        self.climate = self.weather.climate = climate_of(self.draw, PRESETS, later=False)
        self.weather.dead_token = DEAD_TOKEN
        super()._choose()

    def _live(self) -> None:
        found = here()
        assert found is not None
        scheduler, people = found
        runs = [f"run-{number}" for number in range(self.draw.choice((1, 1, 2)))]
        started = [scheduler.spawn(Process("airflow"), partial(self._fetch, run), run) for run in runs]
        scheduler.pause(people, None, lambda: all(fibre.done for fibre in started))
        self.weather.climate.most = 0
        self.weather.token_dead = False
        self._fetch(LAST)
        found_by = {run: orders_in(self, run, result) for run, result in self.results.items()}
        if any(orders != found_by[LAST] for orders in found_by.values()):
            self.rules.broken(f"runs found other orders than the last: {found_by}")

    def _fetch(self, run_id: str) -> None:
        self.results[run_id] = self._until_done(self._task("fetch", run_id, partial(fetch, self, run_id))).result


def world_of(seed: int) -> World:
    """The world of a seed."""
    return Fetches(seed) if seed % EVERY == EVERY - 1 else World(seed)
