# SPDX-License-Identifier: Apache-2.0
"""What knows of the sendings goes missing between tries: the journal, or a task's own state store; and what people do.

They do as the docs tell them. A task that stops and names ``journal_conn_id`` gets the right journal again where that
can be found. Where it is lost for good, or was put back to an earlier state, they look at the service, take out of the
source what has arrived, and run the rest in a new run.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.simulation.tries import Attempt, Task
from tests.simulation.wire import TROUBLES

if TYPE_CHECKING:
    from tests.simulation.world import World

DELETED, SET_BACK, ANOTHER = "deleted", "set back", "another's"
NUMBERS = 18
"""So many orders there are where some would be looked up: all of them are."""
_STOPS = ("does not know: it is another one", "knows nothing that was sent to")


@dataclass
class Losses:
    """What becomes of one world's journal.

    :param how: what happens to it; ``None``: nothing.
    """

    world: World
    how: str | None = None
    arrived: dict[int, int] = field(default_factory=dict)
    """Rows that people take out of the source, with the day of what the service has."""
    _before: dict[int, int] = field(default_factory=dict)
    _owner: Task | None = None
    """The task whose own sendings were lost: nobody needs to look before its next try, which must stop."""
    _copy: tuple[Task, Any] | None = None
    """Of the copy that may be put back: between which tries it was made, and what the task knew of itself."""
    _warned: bool = False
    _kept: Path | None = None
    """Where people would find the right journal."""

    @property
    def in_turn(self) -> bool:
        """Whether runs come one after the other: a lease in another journal holds nobody."""
        return self.how is not None and (self.world.of.once or self.how == ANOTHER)

    def choose(self) -> None:
        """What of it is drawn."""
        world = self.world
        assert world.climate is not None
        if not world.climate.journal:
            return
        self.how = world.draw.choice((DELETED, SET_BACK, ANOTHER))
        world.crm.most = NUMBERS
        if self.how == ANOTHER:
            # Nobody hears of it but by the service, which must say at once what it has, and judges no file bad later.
            world.workers, world.shared, world.spoiled = max(world.workers, 2), True, False
            world.processing = world.listing_lag = 0.0
            world.climate.troubles = tuple(each for each in world.climate.troubles if TROUBLES[each].later is None)

    def furnish(self) -> None:
        """Give one worker a journal of its own by mistake."""
        if self.how == ANOTHER:
            self._name(self.world.folder / "another.db", self.world.hosts[-1:])

    def before_try(self, task: Task) -> None:
        """Between two tries something may be lost."""
        world = self.world
        if task.store and world.weather.forgets():
            task.store.clear()
            world.tell(f"the state store of {task.name} of {task.run_id} is lost")
        if self.how not in (DELETED, SET_BACK) or not world.journal.exists() or not self._is_quiet():
            return
        copy = world.folder / "copy.db"
        if self._copy is None or world.draw.random() < 0.3:
            _copied(world.journal, copy)
            self._copy = (task, _sendings(task))
        elif world.weather.journal():
            lost = world.folder / "lost.db"
            with world.calm():
                world.journal.replace(lost)
                self._kept, self._owner, self._before = lost, task, self.arrived
                if self.how == SET_BACK:
                    _copied(copy, world.journal)
                    known = self._copy[1] if self._copy[0] is task else None
                    self._owner = task if _sendings(task) not in (None, known) else None
                    self._look()
            world.tell(f"the journal is {self.how}")
            self._copy = None

    def left(self, run_id: str, days: dict[int, int]) -> dict[int, int]:
        """Rows that a run reads of those of the source."""
        unlooked = self._owner is not None and self._owner.run_id == run_id and self._owner.store
        if unlooked or not self.world.of.once:
            return days
        return {number: day for number, day in days.items() if day > self.arrived.get(number, 0)}

    def stopped(self, attempt: Attempt) -> bool:
        """Whether a task stopped as the journal is not the one it was."""
        stopped = any(words in str(attempt.error) for words in _STOPS)
        if stopped and self.how is None:
            self.world.rules.broken(f"a stop for a journal that was always there: {attempt.error}")
        return stopped

    def warned(self) -> None:
        """A task took over what another journal had sent, and warned: people name one journal for all."""
        world = self.world
        both = self.how == ANOTHER and went_out(world.folder / "another.db") and went_out(world.journal)
        if both and not self._warned:
            self._warned = True
            self.is_put_right()

    def is_put_right(self) -> bool:
        """People give the tasks the right journal again, where there is one; else the rest needs a new run."""
        world, journal = self.world, self.world.journal
        another = world.folder / "another.db"
        if self.how == ANOTHER:
            right = another if went_out(another) and not went_out(journal) else journal
            found = not (went_out(another) and went_out(journal))
            self._name(right, world.hosts)
        else:
            copied = world.folder / "copy.db" if self.how == SET_BACK else None
            found = self._kept is not None and went_out(journal) == went_out(copied) and world.draw.random() < 0.5
        with world.calm():
            if found and self._kept is not None:
                self._kept.replace(journal)
                self.arrived = self._before
            elif not found:
                self._look()
        self._kept = self._owner = self._copy = None
        world.tell("people find the right journal" if found else "people look at the service, and begin a new run")
        return found

    def _name(self, journal: Path, hosts: list[Any]) -> None:
        """Let the connection of some machines name a journal."""
        for host in hosts:
            host.environment["AIRFLOW_CONN_JOURNAL"] = self.world.journal_at(journal)

    def _look(self) -> None:
        effects = self.world.of.rows.effects(self.world)  # type: ignore[arg-type]
        self.arrived = {number: effect.day for number, effect in effects.items()}

    def _is_quiet(self) -> bool:
        """Whether nobody is at work, nothing is on its way, and the service would list all it has."""
        world = self.world
        settled = world.rules.changed_at + 1.0 + world.listing_lag + world.processing
        busy = any(fibre.process.mortal and not fibre.process.dead for fibre in world.scheduler.fibres)
        return not busy and not world.scheduler.later and world.scheduler.now > settled


def _sendings(task: Task) -> Any:
    """What a task knows of its own sendings; answers that it kept are none."""
    records = [{**record, "answers": None} for record in (task.store or {}).values()]
    return records or None


def _copied(journal: Path, copy: Path) -> None:
    copy.unlink(missing_ok=True)
    with closing(sqlite3.connect(journal)) as one, closing(sqlite3.connect(copy)) as other:
        one.backup(other)


def went_out(journal: Path | None) -> int:
    """How many parts went out by a journal."""
    if journal is None or not exists(journal):
        return 0
    with closing(sqlite3.connect(journal)) as connection:
        return int(connection.execute("SELECT count(*) FROM parts WHERE sent_at IS NOT NULL").fetchall()[0][0])


def exists(journal: Path) -> bool:
    """Whether a journal has been made."""
    if not journal.exists():
        return False
    with closing(sqlite3.connect(journal)) as connection:
        return bool(connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'parts'").fetchall())
