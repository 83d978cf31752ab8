# SPDX-License-Identifier: Apache-2.0
"""What must hold in every world."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn

from airflow_provider_yandex_orders.exceptions import PassingError, PermanentError
from tests.simulation.fibres import Fibre, here
from tests.simulation.kinds import Effect
from tests.simulation.tries import HAS_POLICIES, Attempt, Task, journal_of
from tests.simulation.weather import LASTING
from tests.simulation.wire import Trouble

if TYPE_CHECKING:
    from tests.simulation.world import World

COUNTS = ("rows_sent", "rows_rejected", "rows_duplicate", "rows_deferred", "rows_unchanged", "rows_outdated")
_CURE = re.compile(
    r"\b(ask|check|choose|clear|compare|correct|create|get|give|install|let|look|make|name|prepare|put|run|set|tell|"
    r"next try|tries)\b",
    re.IGNORECASE,
)
_AT_ONCE = {"/v2/": 4}
"""Requests of one account at once, by how the path begins; of Metrica 3."""


class Invariants:
    """Watches one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.last: dict[tuple[str, str], tuple[list[dict[str, Any]], dict[int, int]]] = {}
        """What each run read last, by the journal it had then: all rows, and the good ones with their days. A try that
        goes on with a delivery of one journal knows nothing of rows that were read beside another."""
        self.wanted: dict[int, set[int]] = {}
        """Days of each row that a run read."""
        self.quiet: dict[str, float] = {}
        """Until when a process, or a run's task, must not ask, as a quota said no."""
        self.changed_at = 0.0
        """When a request last took effect."""

    def broken(self, what: str, cause: BaseException | None = None) -> NoReturn:
        from tests.simulation.world import Broken

        raise Broken(what) from cause

    # While it happens.

    def read(self, run_id: str, rows: list[dict[str, Any]], days: dict[int, int]) -> None:
        """A run has read all of the source."""
        found = here()
        assert found is not None
        key = (run_id, journal_of(found[1].process))
        self.last.pop(key, None)
        self.last[key] = (rows, days)
        for number, day in days.items():
            self.wanted.setdefault(number, set()).add(day)

    def heard(self, fibre: Fibre, method: str, path: str, trouble: Trouble, status: int | None, body: bytes) -> None:
        """A request has ended."""
        process = fibre.process
        if trouble.effect and method == "POST":
            self.changed_at = self.world.scheduler.now
        if trouble.later:
            self.changed_at = self.world.scheduler.now + trouble.later
        if not process.mortal:
            return
        self.world.tell(f"{method} {path}: {status or 'no answer'} {trouble.name}".rstrip())
        if process.calls >= _AT_ONCE.get(path[:4], 3):
            self.broken(f"{process.calls + 1} requests at once")
        now = self.world.scheduler.now
        if now < max(self.quiet.get(process.name, 0.0), self.quiet.get(process.name.partition(" try ")[0], 0.0)):
            self.broken(f"a request after a quota said no: {method} {path}")
        if trouble.name in LASTING and self.world.weather.quota is not None:
            self.quiet[process.name] = self.world.weather.quota[0]

    def tried(self, task: Task, attempt: Attempt) -> None:
        """A try has ended."""
        said = f": {type(attempt.error).__name__}: {attempt.error}" if attempt.error else ""
        self.world.tell(
            f"{task.name} of {task.run_id}, try {task.tries} of {task.max_tries + 1}: {attempt.state}{said}"
        )
        if attempt.state == "retry":
            self._passing(attempt.error)
            told = getattr(attempt.error, "retry_after", None)
            if told and HAS_POLICIES:
                self.quiet[f"{task.name} {task.run_id}"] = self.world.scheduler.now + told - 1
        if attempt.state == "success" and task.name == "upload":
            self._green(task, attempt.result)

    def _passing(self, error: BaseException | None) -> None:
        if not isinstance(error, PassingError):
            self.broken(f"a raw error: {type(error).__name__}: {error}", error)

    def failed(self, attempt: Attempt) -> None:
        """Airflow gave up."""
        error = attempt.error
        if error is None:
            return  # killed at its last try
        if not _CURE.search(str(error)):
            self.broken(f"an end that does not say what to do: {type(error).__name__}: {error}")
        if isinstance(error, AssertionError) or (isinstance(error, PermanentError) and len(str(error)) < 40):
            self.broken(f"an end that says nothing: {error}")

    def _green(self, task: Task, delivery: Any) -> None:
        """Of a task that ended well, all counts add up."""
        _rows, days = self.last.get((task.run_id.partition(" ")[0], task.journal), ([], {}))
        counted = sum(delivery[name] for name in COUNTS)
        if counted != delivery["rows_read"]:
            self.broken(f"the counts do not add up: {delivery}")
        if delivery["rows_rejected"] < self.world.crm.bad:
            self.broken(f"a bad row was not rejected: {delivery}")
        if not self.world.spoiled:
            with self.world.calm():
                self._all_there(days)

    def _all_there(self, days: dict[int, int]) -> dict[int, Effect]:
        """The service has these rows, of that day or a later one; what it has."""
        kind = self.world.of
        effects = kind.rows.effects(self.world)  # type: ignore[arg-type]
        if lost := sorted(days.keys() - effects.keys()):
            self.broken(f"rows are lost: {lost}")
        if kind.versioned and (old := [each for each, day in days.items() if effects[each].day < day]):
            self.broken(f"rows are lost in their newest form: {old}")
        return effects

    # When all is over.

    def settled(self) -> None:
        """The end of the world."""
        world, kind = self.world, self.world.of
        *_, (_rows, days) = (read for (run_id, _), read in self.last.items() if run_id == "run-last")
        effects = self._all_there(days)
        world.tell(f"at the end the service has {effects}")
        for number, effect in effects.items():
            wanted = self.wanted.get(number)
            if wanted is None:
                self.broken(f"row {number} was never read")
                continue
            if number in days and kind.versioned and effect.day != max(wanted):
                self.broken(f"row {number} is of day {effect.day}, and of day {max(wanted)} at the source")
            if kind.once and effect.counted > (len(wanted) if kind.versioned else 1):
                self.broken(f"row {number} took effect {effect.counted} times, of days {wanted}")
        self._journal()

    def _journal(self) -> None:
        """Nothing is had that the service never took."""
        world, kind = self.world, self.world.of
        parts = world.ask("SELECT state, upload_id, rows, path, delivery_id FROM parts")
        had = [part for part in parts if part[0] in ("accepted", "good")]
        if kind.name == "Altcraft":
            return
        ids = {str(each.get("uploading_id") or each.get("id")) for each in self._uploads()}
        for _state, upload_id, rows, path, _delivery in had:
            if upload_id is not None and upload_id not in ids:
                self.broken(f"the journal has upload {upload_id} of {rows} rows in {path}, which the service has not")
        if waiting := [part for part in parts if part[0] == "planned"]:
            world.tell(f"left planned: {waiting}")

    def _uploads(self) -> list[dict[str, Any]]:
        client = self.world.client
        return [*client.uploads(101, limit=1000), *client.uploads(101, kind="conversions", limit=1000)]
