# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201 - stories are for people
"""The worlds notice what they are for: the package is broken on purpose, one promise at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.simulation.breaks import (
    BREAKS,
    asks_again_after_a_quota,
    does_not_wait_until_the_service_lists,
    forgets_the_tripwire,
)
from tests.simulation.kinds import KINDS
from tests.simulation.tries import HAS_POLICIES
from tests.simulation.weather import Climate
from tests.simulation.world import Broken, World, simulation

pytestmark = pytest.mark.slow
MOST = 200
CLIMATES: dict[Callable[[], Any], dict[str, Any]] = {
    does_not_wait_until_the_service_lists: {
        "requests": 0.4,
        "troubles": ("reset after", "half an answer"),
        "most": 8,
    },
    forgets_the_tripwire: {"deaths": 0.02, "journal": 0.8, "most": 16},
}
"""For what shows rarely: with lost answers alone, and only where the service lists late; with a journal put back."""


@pytest.mark.parametrize("break_it", BREAKS, ids=lambda each: each.__name__)
def test_seeds_find_it(break_it: Callable[[], Any]) -> None:
    if break_it is asks_again_after_a_quota and not HAS_POLICIES:
        pytest.skip("this Airflow cannot be told when to try again")
    (kind,) = [kind for kind in KINDS if kind.name == BREAKS[break_it]]

    def climate() -> Climate | None:
        return Climate(**CLIMATES[break_it]) if break_it in CLIMATES else None

    with simulation(), break_it():
        for seed in range(MOST):
            world = World(seed, climate(), kind)
            try:
                world.run()
            except Broken as found:
                print(f"seed {seed}: {found}\n{world.story}")
                break
        else:
            pytest.fail(f"{MOST} worlds noticed nothing")
    with simulation():
        World(seed, climate(), kind).run()  # and it was that
