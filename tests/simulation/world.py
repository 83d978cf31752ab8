# SPDX-License-Identifier: Apache-2.0
"""One seed, one world: a source that changes, runs of a task on several workers, a service, and what happens."""

from __future__ import annotations

import json
import logging
import os
import random
import re
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, NoReturn

from fsspec.implementations.memory import MemoryFileSystem

from airflow_provider_yandex_orders.exceptions import UploadFailedError, UploadUnclearError
from airflow_provider_yandex_orders.sandbox.app import SandboxApp, create_app
from airflow_provider_yandex_orders.sandbox.server import SandboxClient
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings
from airflow_provider_yandex_orders.sources import CallableSource
from tests.simulation import disk, wire
from tests.simulation.disk import watched
from tests.simulation.fibres import START, Fibre, Process, Scheduler, here
from tests.simulation.invariants import Invariants
from tests.simulation.kinds import KINDS, Kind
from tests.simulation.losses import Losses, exists
from tests.simulation.nature import simulated
from tests.simulation.tries import Attempt, Host, Task
from tests.simulation.weather import Climate, Weather, climate_of
from tests.simulation.wire import Wire, wired
from tests.support.journal import tell_arrived
from tests.support.storage import memory_bucket

CLEARS = 15
"""A task that people cleared so often in vain is broken."""
LAST = "run-last"
REST = " rest "
"""Part of the name of a run with what another one left."""
ABANDONED = "abandoned"
"""How a task ends that people do not clear: another run has the rest."""
_ADDRESS = "http://127.0.0.1:7/{seed}"


class Broken(AssertionError):
    """Something that must hold in every world does not."""


@dataclass
class Crm:
    """What the rows come from. It changes."""

    kind: Kind
    draw: Random
    days: dict[int, int] = field(default_factory=dict)
    bad: int = 0
    doubled: int = 0
    most: int = 40

    def rows(self, days: dict[int, int]) -> list[dict[str, Any]]:
        """Rows of some days, bad ones and doubled ones as well."""
        good = [self.kind.rows.row(number, day) for number, day in days.items()]
        keyed = self.kind.rows.row(1, 1).get("id", 1) is not None
        return good + (good[: self.doubled] if keyed else []) + [self.kind.bad_row()] * self.bad

    def change(self) -> None:
        """A day at the shop: rows come, and where they have versions, change."""
        for _ in range(self.draw.randint(1, 4)):
            number = self.draw.randint(1, self.most)
            if number not in self.days:
                self.days[number] = 1
            elif self.kind.versioned:
                self.days[number] = min(self.days[number] + 1, 19)


@dataclass
class World:
    """Everything of one seed.

    :param climate: another weather than the seed's.
    :param kind: another kind of rows than the seed's.
    :param plan: the one fault there is, as the weather takes it.
    """

    seed: int
    climate: Climate | None = None
    kind: Kind | None = None
    plan: tuple[str, int, str] | None = None
    lines: list[str] = field(default_factory=list)
    asked: bool = False
    """Whether a task has asked people to look at the service."""
    looked: dict[tuple[Path, int], bool] = field(default_factory=dict)
    """By journal and part: whether it had arrived when people looked."""

    def run(self) -> None:
        """Let it happen, and check what must hold.

        :raises Broken: it does not hold.
        """
        global _app
        draw = self.draw = Random(self.seed)
        random.seed(self.seed)
        scheduler = self.scheduler = Scheduler(draw)
        self.folder = Path(tempfile.mkdtemp(prefix="world-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")))
        self.bucket = f"memory://world-{self.seed}"
        kind = self.of = self.kind or draw.choice(KINDS)
        _app = _app or create_app(SandboxSettings(processing_seconds=0))
        self.app = _app
        self.app.sandbox.reset()
        self.address = _ADDRESS.format(seed=self.seed)
        if self.climate is None:
            self.climate = climate_of(draw, kind.presets, later=kind.later)
        presets = self.app.sandbox.faults.presets
        self.weather = Weather(scheduler, self.climate, presets, self.tell, self.plan, dead_token=kind.dead_token)
        self.rules = Invariants(self)
        self.losses = Losses(self)
        line = Wire(self.app, self.address, self.weather.judge, self.weather.point, self.rules.heard)
        wire.wires[id(scheduler)] = line
        disk.watchers[id(scheduler)] = self.weather
        self.wire = line
        environment = dict(os.environ)
        elsewhere, tempfile.tempdir = tempfile.tempdir, str(self.folder)
        try:
            self._choose()
            self._furnish()
            scheduler.spawn(Process("people"), self._live, "people")
            scheduler.run()
        except Broken:
            raise
        except BaseException as error:
            raise Broken(f"{type(error).__name__}: {error}") from error
        finally:
            self._leave()
            del wire.wires[id(scheduler)], disk.watchers[id(scheduler)]
            tempfile.tempdir = elsewhere
            os.environ.clear()
            os.environ.update(environment)
            MemoryFileSystem.store.clear()
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def story(self) -> str:
        """What happened, in order; what is the same again and again once."""
        told: list[str] = []
        for line in self.lines:
            if not told or line.partition(" s  ")[2] != told[-1].partition(" s  ")[2]:
                told.append(line)
        return "\n".join(told).replace(str(self.folder), "")

    def tell(self, what: str) -> None:
        """Add to the story."""
        found = here()
        who = "" if found is None else found[1].process.name
        self.lines.append(f"{self.scheduler.now - START:10.1f} s  {who}: {what}")

    # What there is.

    def _choose(self) -> None:
        """What of the world but the weather is drawn."""
        draw, kind = self.draw, self.of
        self.processing = draw.choice((0.0, 0.0, 40.0, 1800.0))
        self.listing_lag = draw.choice((0.0, 0.0, 30.0, 240.0))
        self.waits = draw.choice(("no", "no", "here", "deferred", "sensor", "deferred sensor"))
        self.spoiled = kind.spoilable and self.waits != "no" and draw.random() < 0.25
        """Whether the service takes files and then judges them bad."""
        self.at_once = not self.spoiled and draw.random() < 0.7
        self.crm = Crm(kind, draw, bad=draw.choice((0, 0, 1)), doubled=draw.choice((0, 2)))
        self.crm.days = dict.fromkeys(range(1, draw.randint(3, 14)), 1)
        self.workers = draw.choice((1, 1, 2, 3))
        self.shared = self.workers > 1 or draw.random() < 0.3
        """Whether the journal is a database that all reach."""
        self.staging = draw.choice((None, None, str(self.folder / "shared"), self.bucket))
        self.part_rows = draw.choice((1, 2, 3, 5, 50))
        self.stores = draw.random() < 0.7
        self.fresh = draw.random() < 0.2
        """Whether nobody has used the journal before."""
        self.losses.choose()

    def _furnish(self) -> None:
        """Make it."""
        self.app.sandbox.change(
            {
                "linked_share": 1,
                "processing_seconds": self.processing,
                "listing_lag_seconds": self.listing_lag,
                "uploads_fail_later": self.spoiled,
                "uploads_judged_at_once": self.at_once,
                "market_orders_per_day": 8,
            }
        )
        connections = {
            "AIRFLOW_CONN_YANDEX_METRICA_DEFAULT": _connection("yandex_metrica", self.address, {"counter_id": 101}),
            "AIRFLOW_CONN_YANDEX_MARKET_DEFAULT": _connection("yandex_market", self.address, {"campaign_id": 1001}),
            "AIRFLOW_CONN_ALTCRAFT_DEFAULT": _connection("altcraft", self.address, {}),
            "AIRFLOW_CONN_JOURNAL": self.journal_at(self.folder / "journal.db"),
        }
        self.hosts = [
            Host(f"worker {number}", {**connections, "AIRFLOW_HOME": str(self.folder / f"home-{number}")})
            for number in range(1, self.workers + 1)
        ]
        home = self.folder / ("home-1" if self.workers == 1 else "home-triggerer")
        self.triggerer = Host("the triggerer", {**connections, "AIRFLOW_HOME": str(home)})
        self.losses.furnish()
        os.environ.update(self.hosts[0].environment)
        if not self.fresh and (self.workers == 1 or self.shared):
            self.journal.parent.mkdir(parents=True, exist_ok=True)
            self.journal.write_bytes(_used_journal())
        self.tell(
            f"{self.of.name}, {len(self.crm.days)} rows, parts of {self.part_rows}, {self.workers} worker(s), waits: "
            f"{self.waits}, staging: {self.staging}, shared journal: {self.shared}, which is "
            f"{self.losses.how or 'kept'}, {self.climate}"
        )

    @property
    def client(self) -> SandboxClient:
        """The control API, as the matrix's kinds ask for it."""
        return SandboxClient(self.address)

    # What happens.

    def _live(self) -> None:
        found = here()
        assert found is not None
        scheduler, people = found
        draw, kind = self.draw, self.of
        os.environ.update(self.hosts[0].environment)
        with self.calm():
            kind.rows.set_up()
        started: list[Fibre] = []
        for number in range(1, draw.choice((1, 1, 2, 3)) + 1):
            started.append(scheduler.spawn(Process("airflow"), self._run(f"run-{number}"), f"run-{number}"))
            if self.losses.in_turn:
                scheduler.pause(people, None, lambda: started[-1].done)
            scheduler.pause(people, draw.choice((0.0, 0.0, 1.0, 100.0, 4000.0)))
            if draw.random() < 0.4:
                self.crm.change()
        scheduler.pause(people, None, lambda: all(fibre.done for fibre in started))
        self.weather.climate.most = 0
        self.weather.token_dead = False
        self._unspoil()
        self.tell("the weather is fine from now on; one more run")
        scheduler.pause(people, 86_400.0 * 2)
        self._run(LAST)()
        scheduler.pause(people, 3_600.0)
        with self.calm():
            self.rules.settled()

    @contextmanager
    def calm(self) -> Iterator[None]:
        """Let nothing happen meanwhile."""
        judge, weather = self.wire._judge, self.weather
        most = weather.climate.most
        weather.climate.most = 0
        self.wire._judge = lambda *_: wire.FINE
        try:
            yield
        finally:
            self.wire._judge, weather.climate.most = judge, most

    def _run(self, run_id: str) -> Callable[[], None]:
        return lambda: self._upload_and_wait(run_id)

    def _upload_and_wait(self, run_id: str) -> None:
        draw = self.draw
        moves = draw.random() < 0.4
        old = draw.choice((0, 0, 0, 1)) if run_id != LAST and not self.losses.how else 0
        upload = self._task("upload", run_id, lambda: self._operator(run_id, moves, old))
        for again in range(8):
            attempt = self._until_done(upload)
            if attempt.state == ABANDONED:
                rest = partial(self._operator, run_id, moves, old, resend=True)
                upload = self._task("upload", f"{run_id}{REST}{again}", rest)
                continue
            # Of uploads whose end nobody heard yet, and then nobody asks for, a bad end would never be known.
            unheard = self.spoiled and "sensor" in self.waits
            once = unheard or REST in upload.run_id  # with resend=True a run that is cleared sends all again
            if attempt.state == "success" and draw.random() < 0.1 and self.weather.climate.most and not once:
                self.tell(f"people clear {run_id} though it is done")
                upload.clear()
                attempt = self._until_done(upload)
            if attempt.state == ABANDONED:
                continue
            if attempt.state != "success" or "sensor" not in self.waits:
                return
            delivery = attempt.result
            sensor = self._task("wait", run_id, lambda: self._sensor(delivery))  # noqa: B023
            if self._until_done(sensor, upload).state == "success":
                return

    def _task(self, name: str, run_id: str, make: Callable[[], Any]) -> Task:
        return Task(
            name,
            run_id,
            make,
            self.hosts,
            self.triggerer,
            self.scheduler,
            self.weather,
            self.draw.choice((0, 1, 2, 4)),
            self.draw.choice((10.0, 300.0)),
            self.rules.tried,
            self.losses.before_try,
            self.stores,
        )

    def _operator(self, run_id: str, moves: bool, old: int, resend: bool = False) -> Any:
        """The upload.

        :param moves: whether the source changes between its tries.
        :param old: how many days the versions that it reads are old.
        :param resend: whether all that it reads is sent.
        """
        kind = self.of

        def read() -> Iterator[dict[str, Any]]:
            if moves and self.draw.random() < 0.5:
                self.crm.change()
            days = {number: max(1, day - old) for number, day in self.crm.days.items()}
            rows = self.crm.rows(self.losses.left(run_id, days))
            yield from rows
            self.rules.read(run_id, rows, days)

        return kind.rows.operator(
            task_id="upload",
            source=CallableSource(read),
            max_rejected=5,
            journal_conn_id="journal" if self.shared else None,
            staging_path=self.staging,
            deferrable=self.waits == "deferred",
            poke_interval=30,
            timeout=7200,
            resend=resend,
            **{kind.part_rows: self.part_rows, kind.wait: self.waits in ("here", "deferred"), **kind.rows.arguments},
        )

    def _sensor(self, delivery: Any) -> Any:
        kind = self.of
        told = {"order_ids": delivery} if kind.name == "Altcraft" else {"upload_ids": delivery}
        if kind.name != "Altcraft" and self.shared:
            told["journal_conn_id"] = "journal"
        return kind.sensor(
            task_id="wait", poke_interval=30, timeout=7200, deferrable=self.waits == "deferred sensor", **told
        )

    def _until_done(self, task: Task, upload: Task | None = None) -> Attempt:
        """Let Airflow try, and people clear, until the task is green.

        :param upload: of a sensor: the task that people clear in its place where the end was bad.
        """
        found = here()
        assert found is not None
        scheduler, fibre = found
        for cleared in range(CLEARS):
            attempt = task.run(fibre)
            if attempt.state in ("success", "skipped"):
                self.losses.warned()
                return attempt
            self.rules.failed(attempt)
            self.asked = self.asked or isinstance(attempt.error, UploadUnclearError)
            scheduler.pause(fibre, 3600.0)
            self._repair(attempt)
            if self.losses.stopped(attempt) and not self.losses.is_put_right():
                return Attempt(ABANDONED, error=attempt.error)
            if upload is not None and isinstance(attempt.error, UploadFailedError):
                self.tell(f"people clear the upload of {task.run_id}")
                upload.clear()
                return attempt
            if self.spoiled and "sensor" in self.waits and attempt.error is None:
                self._hear(task.run_id, fibre)
            self.tell(f"people clear {task.name} of {task.run_id}")
            task.clear()
            if cleared > CLEARS // 2:
                self.weather.climate.most, self.weather.quota = 0, None  # a quota of two days outlasts all clears
        raise Broken(f"{task.name} of {task.run_id} fails however often it is cleared: {attempt.error}")

    def _hear(self, run_id: str, fibre: Fibre) -> None:
        """Wait for the uploads of a task that died at its end: cleared, it begins anew, and its sensor with it."""
        ids = [row[0] for row in self.ask("SELECT upload_id FROM parts WHERE state = 'accepted'")]
        task = self._task("wait", f"{run_id}{REST}heard", lambda: self._sensor(ids))
        heard = not ids
        while not heard:
            self.tell(f"people wait for {len(ids)} uploads that the journal names")
            attempt = task.run(fibre)
            heard = attempt.state == "success" or isinstance(attempt.error, UploadFailedError)
            self._repair(attempt)
            task.clear()

    def _repair(self, attempt: Attempt) -> None:
        """What people do about an error that tells them to."""
        self.weather.token_dead = False
        self.rules.quiet.clear()
        if isinstance(attempt.error, UploadFailedError):
            self._unspoil()
        # People clear no task while a message asks them to look at the service, whichever task it came from.
        if self.asked:
            with self.calm():
                self._look_and_tell()

    def _unspoil(self) -> None:
        self.app.sandbox.change({"uploads_fail_later": False})

    def _look_and_tell(self) -> None:
        """Where the service has the rows of a part, tell the journal so, as the docs say."""
        kind = self.of
        there = set(kind.rows.effects(self))  # type: ignore[arg-type]

        def arrived(part: int, path: str) -> bool:
            numbers = {int(found) for found in re.findall(r"17000000(\d\d)", _text(path))}
            # Who has looked before knows it: the file may be another's by now.
            return self.looked.setdefault((journal, part), bool(numbers) and numbers <= there)

        options = ("--journal-conn-id", "journal") if self.shared else ()
        for host in self.hosts:  # each may have a journal of its own
            os.environ.update(host.environment)
            journal = self.journal_of(host)
            tell_arrived(journal, *options, is_there=arrived)
        self.tell("people look at the service, and tell the journal what has arrived")

    # What is left.

    @property
    def url(self) -> str:
        return self.address

    @staticmethod
    def journal_at(path: Path) -> str:
        """The connection of a journal."""
        return json.dumps({"conn_type": "sqlite", "host": str(path)})

    @property
    def journal(self) -> Path:
        """The file of the journal."""
        return self.journal_of(self.hosts[0])

    def journal_of(self, host: Host) -> Path:
        """The file of a machine's journal."""
        local = Path(host.environment["AIRFLOW_HOME"]) / "yandex_orders" / "journal.db"
        return Path(json.loads(host.environment["AIRFLOW_CONN_JOURNAL"])["host"]) if self.shared else local

    def ask(self, sql: str) -> list[Any]:
        """Ask the journal's views, as people do."""
        if not exists(self.journal):
            return []
        with closing(sqlite3.connect(self.journal)) as connection:
            return connection.execute(sql).fetchall()

    def _leave(self) -> None:
        """Called before all is removed."""


@dataclass
class _First(World):
    """A world in which an upload sends nothing, for the journal it leaves: making one takes long."""

    def _choose(self) -> None:
        super()._choose()
        self.workers, self.shared, self.fresh = 1, True, True
        self.crm.days, self.crm.bad = {}, 0

    def _live(self) -> None:
        self._until_done(self._task("upload", LAST, lambda: self._operator(LAST, False, 0)))

    def _leave(self) -> None:
        global _used
        _used = self.journal.read_bytes()


def _used_journal() -> bytes:
    """A journal that others have used."""
    assert _used is not None
    return _used


_used: bytes | None = None
_app: SandboxApp | None = None


def _text(path: str) -> str:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    return ObjectStoragePath(path).read_text()


def _connection(conn_type: str, url: str, extra: dict[str, Any]) -> str:
    return json.dumps({"conn_type": conn_type, "host": url, "password": "sandbox-token", "extra": extra})


@contextmanager
def simulation() -> Iterator[None]:
    """Everything that worlds need in place."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # nobody reads the logs of thousands of worlds
    structlog: Any = sys.modules.get("structlog")  # what Airflow 3 logs by
    processors = structlog and structlog.get_config()["processors"]
    if structlog:
        structlog.configure(processors=[lambda *_event: _drop(structlog.DropEvent)])
    global _app
    _app = _app or create_app(SandboxSettings(processing_seconds=0))
    memory_bucket()  # the scheme is known from now on
    try:
        with simulated(), wired(), watched():
            if _used is None:
                _First(0, Climate(), KINDS[0]).run()
            yield
    finally:
        if structlog:
            structlog.configure(processors=processors)
        logging.disable(level)


def _drop(dropped: type[Exception]) -> NoReturn:
    raise dropped
