# SPDX-License-Identifier: Apache-2.0
"""An Airflow around a task: its tries and their times, deferral, the triggerer, crashed workers, people who clear."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any

from airflow.providers.common.compat import sdk
from airflow.providers.common.compat.module_loading import import_string
from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    TaskDeferred,
)

from tests.simulation.fibres import Fibre, Killed, Process, Scheduler
from tests.simulation.nature import forget_lanes, run_simulated
from tests.simulation.weather import Terminated, Weather

HAS_POLICIES = hasattr(sdk, "RetryPolicy")
"""Whether Airflow can be told when to try again."""
_NOTICED = 300.0
"""Seconds after which the scheduler notices that a worker is no more."""
_OLD_TIMER = "airflow.triggers.temporal"


@dataclass
class Host:
    """A machine: what its processes find there."""

    name: str
    environment: dict[str, str]


def journal_of(process: Process) -> str:
    """The journal of deliveries that a process finds."""
    return process.environment.get("AIRFLOW_CONN_JOURNAL", "")


class StateStore(dict[str, Any]):
    """A task's state store; it may not answer."""

    def __init__(self, weather: Weather) -> None:
        super().__init__()
        self._weather = weather

    def get(self, key: str, default: Any = None) -> Any:
        self._ask("read the state store")
        return super().get(key, default)

    def set(self, key: str, value: Any) -> None:
        self._ask("before the state store is written")
        self[key] = json.loads(json.dumps(value))
        self._weather.point("after the state store was written")

    def _ask(self, what: str) -> None:
        self._weather.point(what)
        if self._weather.store():
            self._weather.story("the state store does not answer")
            raise ConnectionError("Airflow's API does not answer")


@dataclass
class Attempt:
    """How a try ended."""

    state: str
    """``success``, ``skipped``, ``failed``, ``retry``, ``killed`` or ``deferred``."""
    result: Any = None
    error: BaseException | None = None


@dataclass
class Task:
    """A task instance, from its first try to its end.

    :param make: makes the operator, as a process does that reads the DAG.
    :param hosts: where its tries may run.
    """

    name: str
    run_id: str
    make: Callable[[], Any]
    hosts: list[Host]
    triggerer: Host
    scheduler: Scheduler
    weather: Weather
    retries: int
    retry_delay: float
    heard: Callable[[Task, Attempt], None]
    between: Callable[[Task], None]
    stores: bool = True
    tries: int = 0
    max_tries: int = 0
    pushed: dict[str, Any] = field(default_factory=dict)
    store: StateStore | None = None
    journal: str = ""
    """The one its last try went by."""
    resting: bool = False
    """Between a failure of its own and the next try."""

    def __post_init__(self) -> None:
        self.max_tries = self.retries
        self.began = datetime.fromtimestamp(self.scheduler.now, UTC)
        self.store = StateStore(self.weather) if self.stores else None

    def clear(self) -> None:
        """What people do with a task that is to run again."""
        self.max_tries = max(self.max_tries, self.tries + self.retries)

    def run(self, fibre: Fibre) -> Attempt:
        """Tries until Airflow would not try again by itself."""
        while True:
            self.tries += 1
            self.between(self)
            attempt = self._try(fibre)
            self.heard(self, attempt)
            if attempt.state not in ("retry", "killed"):
                return attempt
            wait = self.retry_delay
            if attempt.state == "killed":
                wait += _NOTICED
            if self.tries > self.max_tries:
                return Attempt("failed", error=attempt.error)
            if attempt.error is not None:
                wait = self._wait(attempt.error, wait)
            self.resting = True
            self.scheduler.pause(fibre, wait)
            self.resting = False

    def _wait(self, error: BaseException, usual: float) -> float:
        policy = getattr(self.make(), "retry_policy", None)
        if policy is None:
            return usual
        decision = policy.evaluate(error, self.tries, self.max_tries, None)
        return decision.retry_delay.total_seconds() if decision.retry_delay else usual

    def _try(self, fibre: Fibre) -> Attempt:
        method, arguments = "execute", None
        while True:
            attempt = self._in_process(fibre, self._host(), partial(self._work, method, arguments))
            if attempt.state != "deferred":
                return attempt
            deferred = attempt.result
            method = deferred.method_name
            stored = json.loads(json.dumps(deferred.kwargs or {}))
            arguments = {**stored, "event": self._fired(fibre, deferred)}

    def _host(self) -> Host:
        return self.scheduler.draw.choice(self.hosts)

    def _work(self, method: str, arguments: dict[str, Any] | None) -> Any:
        task, context = self.make(), self._context()
        if method == "execute":
            execute = type(task).execute
            # Airflow 2.11 guards it by a memory that only the main thread has.
            guard = getattr(sys.modules.get("airflow.models.baseoperator"), "ExecutorSafeguard", None)
            if guard is not None and hasattr(guard, "_sentinel"):
                guard._sentinel.callers = {}
            result = getattr(execute, "__wrapped__", execute)(task, context)
        else:
            result = task.resume_execution(method, arguments, context)
        self.weather.point("the end, before Airflow hears of it")
        return json.loads(json.dumps(result))

    def _fired(self, fibre: Fibre, deferred: TaskDeferred) -> Any:
        """The event of a trigger; one whose triggerer died is begun anew from what Airflow stored of it."""
        path, arguments = deferred.trigger.serialize()
        if path.startswith(_OLD_TIMER):
            moment: datetime = arguments["moment"]
            self.scheduler.pause(fibre, moment.timestamp() - self.scheduler.now)
            return None
        arguments = json.loads(json.dumps(arguments))

        async def first() -> Any:
            async with aclosing(import_string(path)(**arguments).run()) as events:
                async for event in events:
                    return event.payload
            raise AssertionError("a trigger ended without an event")

        while True:
            attempt = self._in_process(fibre, self.triggerer, lambda: run_simulated(first()))
            if attempt.state == "success":
                return json.loads(json.dumps(attempt.result))
            if attempt.error is not None and attempt.state != "killed":
                raise AssertionError("a trigger raised an error") from attempt.error
            self.scheduler.pause(fibre, _NOTICED)

    def _in_process(self, fibre: Fibre, host: Host, work: Callable[[], Any]) -> Attempt:
        """Do something in a process of its own, and say how it ended."""
        outside = fibre.process
        process = Process(f"{self.name} {self.run_id} try {self.tries} on {host.name}", host.environment, mortal=True)
        fibre.process, fibre.main = process, True
        self.journal = journal_of(process)
        os.environ.update(process.environment)
        forget_lanes()
        try:
            return Attempt("success", work())
        except (Killed, Terminated):
            return Attempt("killed")
        except TaskDeferred as deferred:
            return Attempt("deferred", deferred)
        except AirflowSkipException as error:
            return Attempt("skipped", error=error)
        except (AirflowFailException, AirflowSensorTimeout) as error:
            return Attempt("failed", error=error)
        except Exception as error:  # noqa: BLE001 - Airflow tries again whatever it is
            return Attempt("retry", error=error)
        finally:
            fibre.process, fibre.main = outside, False
            process.dead = True  # what it leaves behind in threads ends with it

    def _context(self) -> Any:
        def push(key: str, value: Any) -> None:
            if self.weather.xcom():
                raise ConnectionError("Airflow's API does not answer")
            self.pushed[key] = json.loads(json.dumps(value))

        ti = SimpleNamespace(
            dag_id="orders",
            run_id=self.run_id,
            task_id=self.name,
            map_index=-1,
            try_number=self.tries,
            max_tries=self.max_tries,
            xcom_push=push,
        )
        context = {"ti": ti, "task_instance": ti, "dag_run": SimpleNamespace(start_date=self.began, run_type="manual")}
        return context if self.store is None else {**context, "task_state_store": self.store}
