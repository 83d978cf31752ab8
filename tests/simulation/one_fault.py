# SPDX-License-Identifier: Apache-2.0
"""One task, one fault, at each of its steps in turn: what becomes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.simulation.fetches import DEAD_TOKEN, PRESETS, fetch, orders_in
from tests.simulation.fibres import here
from tests.simulation.kinds import KINDS, METRICA, Kind
from tests.simulation.tries import Attempt, Task
from tests.simulation.weather import Climate
from tests.simulation.wire import TROUBLES
from tests.simulation.world import LAST, Broken, Crm, World

STEPS = 8
"""Of more occasions so many are tried, evenly spread."""
_ENDS = dict.fromkeys(("deaths", "terms"), 30)
"""And so many of those on which a process ends: on few of them a request is under way."""
OTHERS = {
    "the token dies": "tokens",
    "a local disk is full": "disk",
    "the storage does not answer": "storage",
    "the journal's database is locked": "database",
    "the state store does not answer": "store",
    "XCom does not answer": "xcom",
    "the worker is killed": "deaths",
    "Airflow ends the task (SIGTERM)": "terms",
    "the clock jumps": "jumps",
}
"""Faults besides those of requests, by the name the weather has for them."""
IN_THE_TRY, BY_A_RETRY, PEOPLE = "in the try", "by a retry", "people"
NOT_THERE = "-"


@dataclass
class OneTask(World):
    """A small world in which one task meets one fault."""

    ends: list[str] = field(default_factory=list)

    @property
    def waits_apart(self) -> bool:
        """Whether the task that meets it is the sensor after the upload."""
        return False

    def _choose(self) -> None:
        self.processing = 40.0 if self.waits_apart else 0.0
        self.listing_lag = 0.0
        self.waits = "sensor" if self.waits_apart else "no"
        self.spoiled, self.at_once = False, not self.waits_apart
        self.crm = Crm(self.of, self.draw, bad=1)
        self.crm.days = dict.fromkeys(range(1, 5), 1)
        self.workers, self.shared, self.part_rows, self.stores, self.fresh = 1, False, 2, True, False
        self.staging = self.bucket if self.plan and self.plan[0] == "storage" else None

    def _live(self) -> None:
        found = here()
        assert found is not None
        scheduler, people = found
        self.weather.counts = False
        with self.calm():
            self.of.rows.set_up()
        upload = self._task("upload", LAST, lambda: self._operator(LAST, False, 0))
        task = upload
        if self.waits_apart:
            delivery = self._until_done(upload).result
            task = self._task("wait", LAST, lambda: self._sensor(delivery))
        self.weather.counts = True
        self._until_done(task)
        self.weather.counts = False
        scheduler.pause(people, 3600.0)
        with self.calm():
            self.rules.settled()

    def _task(self, name: str, run_id: str, make: Callable[[], Any]) -> Task:
        task = super()._task(name, run_id, make)
        task.retries = task.max_tries = 3
        task.heard = self._heard
        return task

    def _heard(self, task: Task, attempt: Attempt) -> None:
        self.rules.tried(task, attempt)
        if self.weather.counts:
            self.ends.append(attempt.state)

    @property
    def outcome(self) -> str:
        """How the task came through."""
        if "failed" in self.ends:
            return PEOPLE
        return IN_THE_TRY if len(self.ends) == 1 else BY_A_RETRY


class OneWait(OneTask):
    """The same with a sensor, after an upload that nothing happens to."""

    @property
    def waits_apart(self) -> bool:
        return True


@dataclass
class OneFetch(OneTask):
    """The same with a fetch from Market."""

    def _live(self) -> None:
        self.weather.dead_token = DEAD_TOKEN
        self.weather.counts = True
        result = self._until_done(self._task("fetch", LAST, partial(fetch, self, LAST))).result
        self.weather.counts = False
        orders_in(self, LAST, result)


@dataclass(frozen=True)
class Column:
    """A task of the table."""

    name: str
    kind: Kind
    world: Callable[..., OneTask]
    presets: tuple[str, ...]


def columns() -> Iterator[Column]:
    for kind in KINDS:
        if kind.name != "changed simple orders":
            yield Column(kind.name, kind, OneTask, kind.presets)
    for kind in KINDS:
        if kind.name in ("conversions", "Altcraft"):
            yield Column(f"wait: {kind.name}", kind, OneWait, kind.presets)
    yield Column("Market fetch", KINDS[0], OneFetch, PRESETS)


def faults() -> Iterator[tuple[str, str, str]]:
    """Name, the weather's kind of fault, and the trouble of a request."""
    for name, trouble in TROUBLES.items():
        if trouble.later is None:
            yield name, "requests", name
    for name in dict.fromkeys((*METRICA, *(preset for kind in KINDS for preset in kind.presets), *PRESETS)):
        yield name, "requests", name
    for name, kind in OTHERS.items():
        yield name, kind, ""


def cell(column: Column, fault: tuple[str, str, str]) -> str:
    """What becomes of a task that meets a fault, whichever step it is at; the worst comes last.

    :raises Broken: something does not hold.
    """
    _name, kind, trouble = fault
    if trouble and trouble not in TROUBLES and trouble not in column.presets:
        return NOT_THERE
    most = _play(column, (kind, 0, trouble)).weather.occasions[kind]
    found: Counter[str] = Counter()
    for step in range(1, most + 1, max(1, -(-most // _ENDS.get(kind, STEPS)))):
        found[_play(column, (kind, step, trouble)).outcome] += 1
    return ", ".join(each for each in (IN_THE_TRY, BY_A_RETRY, PEOPLE) if found[each]) or NOT_THERE


def _play(column: Column, plan: tuple[str, int, str]) -> OneTask:
    world = column.world(0, Climate(), column.kind, plan)
    try:
        world.run()
    except Broken as broken:
        raise Broken(f"{column.name}, {plan}: {broken}\n{world.story}") from broken
    return world
