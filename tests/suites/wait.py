# SPDX-License-Identifier: Apache-2.0
"""What holds for every wait, of a sensor or of an operator: a kind of wait inherits these tests.

Three ways through a wait are tried: in the worker; deferred, where the trigger and the resumed task are made anew from
what Airflow stores of them; and the trigger alone for what happens meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from airflow.providers.common.compat.module_loading import import_string
from airflow.providers.common.compat.sdk import AirflowFailException, TaskDeferred

from airflow_provider_yandex_orders.exceptions import PermanentError, ServiceRefused, UploadFailedError
from airflow_provider_yandex_orders.sandbox.server import SandboxServer

POKE_INTERVAL = 0.02


class WaitSuite:
    """Tests of one kind of wait for two things.

    A subclass makes the task and says how the service says that there is nothing to tell yet.
    """

    asked: ClassVar[str]
    """Regular expression of the path that asks."""
    not_yet: ClassVar[dict[str, Any]]
    """Fault: an answer in which nothing is final."""
    outage: ClassVar[dict[str, Any]]
    """Fault: the service's answer when it cannot now."""
    questions: ClassVar[int] = 1
    """Requests of one poll."""
    late: ClassVar[type[Exception]]
    done: ClassVar[str]
    """The word of a good end."""

    def task(self, sandbox: SandboxServer, folder: Path, **arguments: Any) -> Any:
        """The task that waits; what it waits for is sent already, or is sent by the task."""
        raise NotImplementedError

    def words(self, result: Any) -> set[str]:
        """The final words in the task's result."""
        raise NotImplementedError

    def connect(self, monkeypatch: pytest.MonkeyPatch, url: str, token: str) -> None:
        """Point the task's default connection somewhere."""
        raise NotImplementedError

    @pytest.fixture
    def sandbox(self, yandex_sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> SandboxServer:
        self.connect(monkeypatch, yandex_sandbox.url, "sandbox-token")
        return yandex_sandbox

    @pytest.fixture
    def make(self, sandbox: SandboxServer, tmp_path: Path) -> Callable[..., Any]:
        """Makes the task that waits."""

        def task(timeout: float = 20, **more: Any) -> Any:
            return self.task(sandbox, tmp_path, poke_interval=POKE_INTERVAL, timeout=timeout, **more)

        return task

    @pytest.fixture(autouse=True)
    def _no_waiting(self, naps: list[float]) -> None:
        """Pauses between attempts take no time."""

    def polls(self, sandbox: SandboxServer) -> int:
        asked = [each for each in sandbox.client.requests() if self.asked in each["path"]]
        return len(asked) // self.questions

    def hold(self, sandbox: SandboxServer, polls: int | None, **fault: Any) -> None:
        """Let so many polls hear nothing new, or meet a fault."""
        times = None if polls is None else polls * self.questions
        sandbox.client.add_fault(path=self.asked, times=times, **(fault or self.not_yet))

    # In the worker.

    def test_done_at_once(self, sandbox: SandboxServer, make: Any, context: Any) -> None:
        assert self.words(make().execute(context())) == {self.done}
        assert self.polls(sandbox) == 1

    def test_done_later(self, sandbox: SandboxServer, make: Any, context: Any) -> None:
        self.hold(sandbox, 2)
        assert self.words(make().execute(context())) == {self.done}
        assert self.polls(sandbox) == 3

    def test_too_late_names_what_is_open(self, sandbox: SandboxServer, make: Any, context: Any) -> None:
        self.hold(sandbox, None)
        with pytest.raises(self.late, match=r"not (listed yet|there)") as raised:
            make(timeout=0.1).execute(context())
        assert not isinstance(raised.value, AirflowFailException)

    def test_an_outage_is_sat_out(self, sandbox: SandboxServer, make: Any, context: Any) -> None:
        self.hold(sandbox, 6, **self.outage)
        assert self.words(make().execute(context())) == {self.done}

    def test_a_service_that_names_a_time_is_not_asked_before(
        self, sandbox: SandboxServer, make: Any, context: Any
    ) -> None:
        self.hold(sandbox, None, status=429, body="{}", headers={"Retry-After": "3600"})
        with pytest.raises(self.late):
            make(timeout=0.3).execute(context())
        assert [each["status"] for each in sandbox.client.requests()].count(429) == 1

    # Deferred.

    def defer(self, task: Any, context: Any) -> TaskDeferred:
        with pytest.raises(TaskDeferred) as deferred:
            task.execute(context())
        return deferred.value

    def fire(self, deferred: TaskDeferred) -> dict[str, Any]:
        """Run the trigger as the triggerer does; the event as Airflow stores it."""
        path, arguments = deferred.trigger.serialize()
        again = import_string(path)(**json.loads(json.dumps(arguments)))
        assert again.serialize() == (path, arguments)

        async def collect() -> list[Any]:
            return [event.payload async for event in again.run()]

        (payload,) = asyncio.run(collect())
        event: dict[str, Any] = json.loads(json.dumps(payload))
        return event

    def test_a_trigger_that_is_told_a_time_asks_once(self, sandbox: SandboxServer, make: Any, context: Any) -> None:
        self.hold(sandbox, None, status=429, body="{}", headers={"Retry-After": "3600"})
        deferred = self.defer(make(deferrable=True, timeout=0.3), context)
        assert self.fire(deferred)["status"] == "timeout"
        assert [each["status"] for each in sandbox.client.requests()].count(
            429
        ) == 2  # the task's own, and the trigger's

    def resume(self, task: Any, deferred: TaskDeferred, event: Any, context: Any) -> Any:
        """Resume as a worker does: another process, which has the stored arguments and the event."""
        stored = json.loads(json.dumps(deferred.kwargs or {}))
        return task.resume_execution(deferred.method_name, {**stored, "event": event}, context())

    def test_asks_once_before_it_defers(self, sandbox: SandboxServer, make: Any, context: Any) -> None:
        assert self.words(make(deferrable=True).execute(context())) == {self.done}

    def test_deferred_and_resumed(self, sandbox: SandboxServer, make: Any, context: Any) -> None:
        self.hold(sandbox, 3)
        deferred = self.defer(make(deferrable=True), context)
        event = self.fire(deferred)
        polls = self.polls(sandbox)
        assert self.words(self.resume(make(deferrable=True), deferred, event, context)) == {self.done}
        assert polls == 4
        assert self.polls(sandbox) == polls

    def test_deferred_and_too_late(self, sandbox: SandboxServer, make: Any, context: Any) -> None:
        self.hold(sandbox, None)
        task = make(deferrable=True, timeout=0.1)
        deferred = self.defer(task, context)
        with pytest.raises(self.late, match=r"not (listed yet|there)") as raised:
            self.resume(make(deferrable=True, timeout=0.1), deferred, self.fire(deferred), context)
        assert not isinstance(raised.value, AirflowFailException)

    def test_deferred_through_an_outage(self, sandbox: SandboxServer, make: Any, context: Any) -> None:
        self.hold(sandbox, 12, **self.outage)
        deferred = self.defer(make(deferrable=True), context)
        result = self.resume(make(deferrable=True), deferred, self.fire(deferred), context)
        assert self.words(result) == {self.done}

    def test_a_token_that_dies_meanwhile_ends_the_wait(
        self, sandbox: SandboxServer, make: Any, context: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.hold(sandbox, 1)
        task = make(deferrable=True)
        deferred = self.defer(task, context)
        self.connect(monkeypatch, sandbox.url, "a-token-that-died")
        event = self.fire(deferred)
        with pytest.raises(ServiceRefused) as raised:
            self.resume(task, deferred, event, context)
        assert isinstance(raised.value, AirflowFailException)
        assert "a-token-that-died" not in f"{event}{raised.value}"

    def test_a_connection_that_is_gone_ends_the_wait(
        self, sandbox: SandboxServer, make: Any, context: Any, monkeypatch: pytest.MonkeyPatch, airflow_db: None
    ) -> None:
        self.hold(sandbox, 1)
        task = make(deferrable=True)
        deferred = self.defer(task, context)
        for name in [name for name in os.environ if name.startswith("AIRFLOW_CONN_")]:
            monkeypatch.delenv(name)
        event = self.fire(deferred)
        with pytest.raises(ServiceRefused, match="does not exist any more"):
            self.resume(task, deferred, event, context)

    @pytest.mark.parametrize("event", [None, {}, {"status": "other"}, "done"])
    def test_events_of_nobody_are_named(self, sandbox: SandboxServer, make: Any, context: Any, event: Any) -> None:
        self.hold(sandbox, 1)
        task = make(deferrable=True)
        deferred = self.defer(task, context)
        with pytest.raises(PermanentError, match="versions of the package"):
            self.resume(task, deferred, event, context)


class JudgedWaitSuite(WaitSuite):
    """Tests of a wait whose end can be bad."""

    bad: ClassVar[str]
    """The word of a bad end."""

    def spoil(self, sandbox: SandboxServer) -> None:
        """Make the end of what is sent from now on a bad one."""
        raise NotImplementedError

    def test_a_bad_end_fails_for_good(self, sandbox: SandboxServer, make: Any, context: Any) -> None:
        self.spoil(sandbox)
        with pytest.raises(UploadFailedError, match=self.bad) as raised:
            make().execute(context())
        assert isinstance(raised.value, AirflowFailException)

    def test_a_bad_end_heard_by_the_trigger(self, sandbox: SandboxServer, make: Any, context: Any) -> None:
        self.spoil(sandbox)
        self.hold(sandbox, 1)
        task = make(deferrable=True)
        deferred = self.defer(task, context)
        event = self.fire(deferred)
        with pytest.raises(UploadFailedError, match=self.bad):
            self.resume(task, deferred, event, context)
