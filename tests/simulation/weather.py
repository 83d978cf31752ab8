# SPDX-License-Identifier: Apache-2.0
"""Which faults a world has, when, and how many: all drawn from its seed."""

from __future__ import annotations

import errno
import signal
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.simulation.fibres import Fibre, Killed, Scheduler, check, here
from tests.simulation.wire import FINE, TROUBLES, Trouble


class Terminated(BaseException):
    """What Airflow raises in a task that it ends: the code may still tidy up."""


@dataclass
class Climate:
    """How often what happens, of so many chances; and how much altogether."""

    requests: float = 0.0
    troubles: tuple[str, ...] = ()
    presets: tuple[str, ...] = ()
    """Answers of the service itself, by their names in the sandbox."""
    disk: float = 0.0
    storage: float = 0.0
    database: float = 0.0
    deaths: float = 0.0
    """Of the points between two effects."""
    terms: float = 0.0
    jumps: float = 0.0
    xcom: float = 0.0
    store: float = 0.0
    tokens: float = 0.0
    journal: float = 0.0
    """It is lost, between tries."""
    forgets: float = 0.0
    """The task's state store is empty at the next try."""
    most: int = 0
    """Faults altogether: no weather is bad for ever."""


def climate_of(draw: Random, presets: tuple[str, ...], *, later: bool) -> Climate:
    """The climate of a world: some kinds of fault, and not all at once.

    :param presets: what the service can answer.
    :param later: whether a request that nobody waits for any more may still take effect.
    """

    def rate(share: float, *rates: float) -> float:
        return draw.choice(rates) if draw.random() < share else 0.0

    names = [name for name in TROUBLES if later or TROUBLES[name].later is None]
    return Climate(
        requests=rate(0.8, 0.05, 0.15, 0.4),
        troubles=tuple(draw.sample(names, draw.randint(1, 6))),
        presets=tuple(draw.sample(presets, draw.randint(0, min(3, len(presets))))),
        disk=rate(0.3, 0.01, 0.05),
        storage=rate(0.3, 0.02, 0.1),
        database=rate(0.35, 0.004, 0.02, 0.06),
        deaths=rate(0.6, 0.004, 0.01, 0.03),
        terms=rate(0.2, 0.004, 0.01),
        jumps=rate(0.2, 0.002),
        xcom=rate(0.2, 0.3),
        store=rate(0.2, 0.1),
        tokens=rate(0.2, 0.05),
        journal=rate(0.3, 0.3, 0.8),
        forgets=rate(0.2, 0.3),
        most=draw.choice((2, 4, 8, 16)),
    )


@dataclass
class Weather:
    """What happens in one world, and the story of it."""

    scheduler: Scheduler
    climate: Climate
    presets: Any
    story: Any
    plan: tuple[str, int, str] | None = None
    """Where all is told beforehand: the kind of fault, at which of its occasions, and what a request meets."""
    had: int = 0
    token_dead: bool = False
    quota: tuple[float, str] | None = None
    """Until when, by the service's clock, a quota is used up, and its name."""
    occasions: Counter[str] = field(default_factory=Counter)
    """With a plan: how many there were of each kind of fault."""

    def _happens(self, kind: str) -> bool:
        if self.plan is not None:
            self.occasions[kind] += self.counts
            return self.counts and (kind, self.occasions[kind]) == self.plan[:2]
        rate: float = getattr(self.climate, kind)
        if not rate or self.had >= self.climate.most or self.scheduler.draw.random() >= rate:
            return False
        self.had += 1
        return True

    counts: bool = True
    """With a plan: whether occasions count now."""

    # What the wire asks.

    def judge(self, fibre: Fibre, method: str, path: str) -> Trouble:
        """What becomes of a request."""
        if self.quota is not None:
            if self.scheduler.now < self.quota[0]:
                return self._preset(self.quota[1])
            self.quota = None
        if self.token_dead or self._happens("tokens"):
            self.token_dead = True
            return self._preset(self.dead_token)
        if not self._happens("requests"):
            return FINE
        choice = [*self.climate.troubles, *self.climate.presets]
        name = self.scheduler.draw.choice(choice) if self.plan is None else self.plan[2]
        if name in TROUBLES:
            return TROUBLES[name]
        if name in LASTING:
            self.quota = (_next_day(self.scheduler.now) if LASTING[name] == "day" else self.scheduler.now + 3600, name)
        return self._preset(name)

    dead_token: str = "invalid_token"

    def _preset(self, name: str) -> Trouble:
        made = self.presets[name](None)
        return Trouble(name, answer=(made.status, dict(made.headers), made.body))

    # What files, storages and databases ask.

    def disk(self, what: str) -> Exception | None:
        """What a local file raises."""
        if what == "unlink" or not self._happens("disk"):
            return None
        self.story(f"the disk is full at {what}")
        return OSError(errno.ENOSPC, "No space left on device")

    def storage(self, what: str) -> Exception | None:
        """What an object storage raises."""
        if not self._happens("storage"):
            return None
        self.story(f"the storage is away at {what}")
        return ConnectionError("the storage is away")

    def database(self, statement: str) -> str | None:
        """What the journal's database says."""
        if not self._happens("database"):
            return None
        self.story(f"the database is locked at {statement.split()[0]}")
        return "database is locked"

    def point(self, what: str, *, switch: bool = True) -> None:
        """A place between two effects.

        :raises Killed: the process ends here.
        :raises Terminated: Airflow ends the task here.
        """
        found = here()
        if found is None:
            return
        scheduler, fibre = found
        check(fibre)
        process = fibre.process
        if process.mortal:
            if self._happens("deaths"):
                self.story(f"killed: {what}")
                process.dead = True
                raise Killed(what)
            if fibre.main and self._happens("terms"):
                self.story(f"ended by signal {int(signal.SIGTERM)}: {what}")
                raise Terminated(what)
            if self._happens("jumps"):
                process.skew += scheduler.draw.choice((-120.0, -5.0, 5.0, 120.0))
                self.story(f"the clock jumps, and is wrong by {process.skew:g} s now")
        if switch:
            scheduler.switch(fibre)

    def xcom(self) -> bool:
        """Whether Airflow does not take what a task pushes."""
        return self._happens("xcom")

    def store(self) -> bool:
        """Whether the task's state store does not answer."""
        return self._happens("store")

    def journal(self) -> bool:
        """Whether the journal is lost now."""
        return self._happens("journal")

    def forgets(self) -> bool:
        """Whether the task's state store is lost now."""
        return self._happens("forgets")


LASTING = {
    "quota_requests_by_uid": "day",
    "quota_requests_by_counter_id": "day",
    "quota_delegate_requests": "hour",
}
"""Quotas after which nothing may be asked for long, and until when."""


def _next_day(now: float) -> float:
    return (now // 86_400 + 1) * 86_400
