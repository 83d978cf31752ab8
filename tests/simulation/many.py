# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201 - stories are for people
"""Thousands of worlds, in as many processes as there are processors."""

from __future__ import annotations

import os
import time
import traceback
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import tests.conftest  # noqa: F401 - a private Airflow, before anything imports Airflow
from tests.simulation.fetches import world_of
from tests.simulation.world import Broken, simulation

_LOT = 50


def run(first: int, last: int, *, always: bool = False) -> list[str]:
    """Run worlds; the stories of those that broke, or of all."""
    told = []
    with simulation():
        for seed in range(first, last):
            world = world_of(seed)
            try:
                world.run()
            except Broken as broken:
                cause = "".join(traceback.format_exception(broken.__cause__)) if broken.__cause__ else ""
                told.append(f"=== seed {seed}: {broken}\n{world.story}\n{cause}")
            else:
                told += [world.story] if always else []
    return told


def main(first: int, last: int) -> int:
    """Run worlds in as many processes as there are processors; how many broke."""
    began, broken = time.perf_counter(), 0
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as processes:
        for number, lot in enumerate(
            processes.map(run, range(first, last, _LOT), (min(each + _LOT, last) for each in range(first, last, _LOT)))
        ):
            broken += len(lot)
            print(*lot, f"{first + number * _LOT} ... {time.perf_counter() - began:.0f} s", sep="\n", flush=True)
    print(f"{last - first} worlds, {broken} broke")
    return broken
