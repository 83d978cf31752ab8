# SPDX-License-Identifier: Apache-2.0
"""Two hundred worlds, each of another seed; ``make simulate SEEDS=10000`` runs more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from tests.simulation.fetches import world_of
from tests.simulation.world import Broken, simulation

SEEDS, OF_ONE_TEST = 200, 10


@pytest.fixture(autouse=True)
def _simulation() -> Iterator[None]:
    with simulation():
        yield


BROKE = (3672, 4320, 7107, 8887, 9408, 9692)
"""Seeds of worlds that something was mended for."""


@pytest.mark.parametrize(
    "seeds", [BROKE, *(range(first, first + OF_ONE_TEST) for first in range(0, SEEDS, OF_ONE_TEST))], ids=min
)
def test_nothing_is_lost_nothing_doubled_and_nothing_told(seeds: Sequence[int]) -> None:
    for seed in seeds:
        world = world_of(seed)
        try:
            world.run()
        except Broken as broken:
            pytest.fail(f"{broken}\n{world.story}\nOnly this one: python -m tests.simulation {seed}")


def test_a_seed_is_a_world() -> None:
    """The same story each time, whatever ran before."""
    stories = []
    for seed in (3, 4, 3):
        world = world_of(seed)
        world.run()
        stories.append(world.story)
    assert stories[0] == stories[2] != stories[1]
    assert len(stories[0].splitlines()) > 5
