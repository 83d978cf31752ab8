# SPDX-License-Identifier: Apache-2.0
"""Threads of which one runs at a time, in simulated time: the seed alone says which, and nothing ever waits.

A fibre gives the turn away where it sleeps, waits or passes a point between two effects. Each belongs to a process,
and one that is killed does nothing more: every further effect of its fibres raises ``Killed``, that of the code that
tidies up too, as after a signal that nothing can catch.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from threading import get_ident
from typing import Any

START = 1_763_640_000.0 + 365 * 86_400
"""The moment all worlds begin, in seconds since 1970."""
LONGEST = 90 * 86_400.0
"""A world that is not done after so many seconds never will be."""
_TURN = 60.0


class Killed(BaseException):
    """The process is no more."""


class NeverEnds(AssertionError):
    """A world that does not settle."""


@dataclass
class Process:
    """What a worker, a triggerer or a person runs in.

    :param environment: what differs from other processes.
    :param skew: by how many seconds its clock is wrong.
    """

    name: str
    environment: dict[str, str] = field(default_factory=dict)
    skew: float = 0.0
    mortal: bool = False
    """Whether it may be killed."""
    dead: bool = False
    calls: int = 0
    """Requests under way."""
    pools: dict[int, Any] = field(default_factory=dict)
    """Pools of threads by their id: how many may work, and what they have to do."""


class Fibre:
    """One line of work."""

    def __init__(self, process: Process, work: Callable[[], Any], name: str) -> None:
        self.process, self.name = process, name
        self.born_in = process
        self.main = False
        """Whether it is the one a process began with."""
        self.work = work
        self.turn = threading.Lock()
        self.turn.acquire()
        self.wakes: float | None = None
        self.ready: Callable[[], bool] | None = None
        self.done = False
        self.outside = False
        """Whether it is at the service, where nothing of the simulation happens."""
        self.thread: Any = None

    def may_run(self, now: float) -> bool:
        waits = self.wakes is not None or self.ready is not None
        return (
            not waits
            or self.process.dead
            or (self.wakes is not None and self.wakes <= now)
            or (self.ready is not None and self.ready())
        )


members: dict[int, tuple[Scheduler, Fibre]] = {}
"""The fibres of all worlds, by the id of their thread."""


def here() -> tuple[Scheduler, Fibre] | None:
    """The fibre that asks, where it is one and not at the service."""
    found = members.get(get_ident())
    return None if found is None or found[1].outside else found


class Scheduler:
    """Gives the turn to one fibre after the other, and moves the clock when all sleep."""

    def __init__(self, draw: Random) -> None:
        self.draw = draw
        self.noise = Random(draw.random())
        """What the code under test draws: that must not change what happens."""
        self.now = START
        self.fibres: list[Fibre] = []
        self.later: list[tuple[float, Callable[[], Any]]] = []
        """What happens at the service at a moment, whoever sleeps."""
        self.failure: BaseException | None = None
        self._back = threading.Lock()
        self._back.acquire()

    def spawn(self, process: Process, work: Callable[[], Any], name: str) -> Fibre:
        """Begin another line of work; it runs when it gets its turn."""
        fibre = Fibre(process, work, name)
        fibre.thread = threading.Thread(target=self._live, args=(fibre,), name=name, daemon=True)
        self.fibres.append(fibre)
        parent = members.get(get_ident(), (self, fibre))[1]
        before, parent.outside = parent.outside, True  # until the thread has begun the wait is real
        start_thread(fibre.thread)
        parent.outside = before
        return fibre

    def run(self) -> None:
        """Until all is done.

        :raises NeverEnds: it does not end.
        """
        service = Fibre(Process("the service"), lambda: None, "the service")
        service.outside = True
        members[get_ident()] = (self, service)  # what happens later at the service happens in this thread
        try:
            self._turns()
        finally:
            del members[get_ident()]
        if self.failure is not None:
            raise self.failure

    def _turns(self) -> None:
        while self.fibres and self.failure is None:
            runnable = [fibre for fibre in self.fibres if fibre.may_run(self.now)]
            if not runnable:
                self._advance()
                continue
            self._give(runnable[0] if len(runnable) == 1 else self.draw.choice(runnable))
        self._end()

    def _advance(self) -> None:
        moments = [fibre.wakes for fibre in self.fibres if fibre.wakes is not None]
        moments += [moment for moment, _what in self.later]
        if not moments or min(moments) > START + LONGEST:
            stuck = ", ".join(fibre.name for fibre in self.fibres)
            raise NeverEnds(f"nothing goes on: {stuck}")
        self.now = max(self.now, min(moments))
        self._happen()

    def _happen(self) -> None:
        due = sorted((each for each in self.later if each[0] <= self.now), key=lambda each: each[0])
        self.later = [each for each in self.later if each[0] > self.now]
        for _moment, what in due:
            what()

    def _give(self, fibre: Fibre) -> None:
        fibre.wakes = fibre.ready = None
        os.environ.update(fibre.process.environment)
        fibre.turn.release()
        if not self._back.acquire(timeout=_TURN):
            raise NeverEnds(f"{fibre.name} does not give its turn away: it waits for something real")
        if fibre.done:
            self.fibres.remove(fibre)

    def _live(self, fibre: Fibre) -> None:
        members[get_ident()] = (self, fibre)
        fibre.turn.acquire()
        try:
            if not fibre.process.dead:
                fibre.work()
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001 - the world ends by it
            self.failure = self.failure or error
        finally:
            del members[get_ident()]
            fibre.done = True
            self._back.release()

    def _end(self) -> None:
        """Let every fibre that is left unwind."""
        for fibre in list(self.fibres):
            while not fibre.done:
                fibre.process.dead = fibre.born_in.dead = True
                self._give(fibre)

    # Called by fibres.

    def pause(self, fibre: Fibre, seconds: float | None = None, ready: Callable[[], bool] | None = None) -> None:
        """Give the turn away until some seconds are over or something is so."""
        check(fibre)
        fibre.wakes = None if seconds is None else self.now + max(seconds, 0.0)
        fibre.ready = ready
        if self._goes_on(fibre):
            fibre.wakes = fibre.ready = None
            return
        self._back.release()
        fibre.turn.acquire()
        check(fibre)

    def _goes_on(self, fibre: Fibre) -> bool:
        """Move the clock without a change of turns where nobody else has anything to do before."""
        if any(other is not fibre and other.may_run(self.now) for other in self.fibres):
            return False
        if fibre.may_run(self.now):
            return True
        if fibre.wakes is None:
            return False
        others = [other.wakes for other in self.fibres if other is not fibre and other.wakes is not None]
        others += [moment for moment, _what in self.later]
        if (others and min(others) <= fibre.wakes) or fibre.wakes > START + LONGEST:
            return False
        self.now = fibre.wakes
        return True

    def switch(self, fibre: Fibre) -> None:
        """Let the seed say who goes on."""
        if len(self.fibres) > 1 and any(other is not fibre and other.may_run(self.now) for other in self.fibres):
            self.pause(fibre, 0.0)


def check(fibre: Fibre) -> None:
    """The dead do nothing.

    :raises Killed: the fibre's process was killed.
    """
    if fibre.process.dead:
        raise Killed(fibre.process.name)


start_thread = threading.Thread.start
"""What starts a real thread."""
