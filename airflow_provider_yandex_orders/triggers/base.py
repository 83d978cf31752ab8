# SPDX-License-Identifier: Apache-2.0
"""What the triggers of all services share: wait for some ids until there is something to tell.

One poll serves all waits of a triggerer that concern one place of one connection, whatever DAG they belong to.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Hashable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import Context
from functools import cache
from typing import Any

from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook
from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_yandex_orders.exceptions import ConfigurationError, PassingError, PermanentError
from airflow_provider_yandex_orders.waiting import UploadState, Wait, pause_after

LAST_POLL = 5.0
"""Seconds the last poll may take, which begins when the time is over."""
ONE_MORE = 0.1
"""Seconds it may take besides for each id that is open: an order is a request of its own."""
LATE_START = 10.0
"""Seconds more where the time is over at the start: the first connection a triggerer reads takes so long."""


class WaitTrigger(BaseTrigger):
    """Fires once, when all ids have a final state, when the time is over, or when asking cannot work.

    It shares the polls of its places with all triggers of this process. A service that does not answer is asked again
    until ``end_time``; one that names a time to wait is left alone so long. A poll is one attempt of each request.
    """

    def __init__(
        self, wait: Wait, *, poke_interval: float | None, end_time: float, heard: Mapping[str, Any] | None
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow leaves it without annotations
        self.wait = wait
        self.poke_interval = poke_interval
        self.end_time = end_time
        self._arguments = {
            **wait.arguments(),
            "poke_interval": poke_interval,
            "end_time": end_time,
            **({"heard": dict(heard)} if heard else {}),
        }
        wait.heard.hear_event(heard or {})

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments, from which Airflow makes the trigger anew."""
        return f"{type(self).__module__}.{type(self).__qualname__}", self._arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait until there is something to tell."""
        waiter = Waiter(self.wait, self.poke_interval, self.end_time)
        late = LAST_POLL + ONE_MORE * len(self.wait.heard.open)
        late += waiter.began + LATE_START if self.end_time < waiter.began else self.end_time
        lasting = None
        with joined(waiter), suppress(TimeoutError):
            async with asyncio.timeout(late - time.time()):
                lasting = await self._listen(waiter)
        if isinstance(lasting, PermanentError):
            yield self._event("error", message=str(lasting))
        elif lasting is not None:
            raise lasting
        elif self.wait.heard.open:
            yield self._event("timeout", asked=self.wait.place(self.wait.heard.open))
        else:
            yield self._event("done")

    async def _listen(self, waiter: Waiter) -> Exception | None:
        """Sit out what passes until no poll is left; the error that ends the wait, if there was one."""
        while waiter.pollers or not waiter.told.empty():
            error = await waiter.told.get()
            if isinstance(error, PassingError):
                self.log.warning("%s Asking again.", error)
            elif error is not None:
                return error
        return None

    def _event(self, status: str, **more: str) -> TriggerEvent:
        wait = self.wait
        return TriggerEvent({"status": status, "uploads": wait.heard.to_event(), "spent": wait.spent._asdict(), **more})


YOUNG = 10.0
"""Seconds in which a wait takes no answer: an event while the deferring process still ends would fail the task."""


@cache
def _threads(hook_class: Any) -> ThreadPoolExecutor:
    """Threads of one service: a slow one takes none of another's."""
    return ThreadPoolExecutor(16, f"poll_{hook_class.__name__}")


class Waiter:
    """One wait among those that share polls.

    :param poke_interval: seconds between two polls; ``None`` for a pause that grows.
    :param end_time: moment of its last poll, in seconds since 1970.
    """

    def __init__(self, wait: Wait, poke_interval: float | None, end_time: float) -> None:
        self.wait = wait
        self.poke_interval = poke_interval
        self.end_time = end_time
        self.began = time.time()
        self.grown = min(self.began + min(YOUNG, self.pause(self.began) / 2), end_time)
        """Moment from which it takes answers."""
        self.pollers: set[_Poller] = set()
        """Those that have something to tell it yet."""
        self.told: asyncio.Queue[Exception | None] = asyncio.Queue()
        """What went wrong with a poll, and ``None`` at the end; what was heard is in the wait."""

    def pause(self, since: float) -> float:
        """Seconds to its next poll after a moment."""
        return pause_after(since - self.began, self.poke_interval)


@contextmanager
def joined(waiter: Waiter) -> Iterator[None]:
    """Let a waiter share the polls of all its places, as long as the block runs."""
    wait, loop = waiter.wait, asyncio.get_running_loop()
    for place in wait.places(wait.heard.open):
        key = (loop, wait.hook_class, wait.conn_id, place)
        poller = _pollers.get(key) or _pollers.setdefault(key, _Poller(key))
        poller.join(waiter)
    try:
        yield
    finally:
        for poller in [*waiter.pollers]:
            poller.leave(waiter)


class _Poller:
    """Asks for the open ids of all its waiters at once, as often as the most impatient of them wants.

    A poll that fails for good ends with those it was for; who joined since then learns by a poll of his own.
    """

    def __init__(self, key: tuple[asyncio.AbstractEventLoop, Any, str, Hashable]) -> None:
        self._key = key
        _, self._hook_class, self._conn_id, self._place = key
        self._waiters: dict[Waiter, None] = {}
        self._asked = self._busy_until = self._planned = 0.0
        self._missed: dict[str, int] = {}
        self._sooner = asyncio.Event()
        # A context of its own: what it logs belongs to no task, and not to the one that came first.
        self._task = key[0].create_task(self._run(), context=Context())

    def join(self, waiter: Waiter) -> None:
        """Poll for a waiter as well."""
        self._waiters[waiter] = None
        waiter.pollers.add(self)
        if self._due(waiter) < self._planned:
            self._sooner.set()

    def leave(self, waiter: Waiter) -> None:
        """Poll for a waiter no more; without any the poller ends."""
        self._waiters.pop(waiter, None)
        waiter.pollers.discard(self)
        if not self._waiters and _pollers.get(self._key) is self:
            del _pollers[self._key]
            self._task.cancel()

    async def _run(self) -> None:
        try:
            await self._poll_in_time()
        except Exception as error:  # noqa: BLE001 - a wait that hears nothing would sit there until its end
            for waiter in [*self._waiters]:
                self.leave(waiter)
                waiter.told.put_nowait(error)

    async def _poll_in_time(self) -> None:
        while self._waiters:
            self._planned = min(map(self._due, self._waiters))
            left = self._planned - time.time()
            if left <= 0:
                await self._poll()
                continue
            self._sooner.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._sooner.wait(), left)

    def _due(self, waiter: Waiter) -> float:
        since = max(self._asked, waiter.began)
        return min(max(since + waiter.pause(since), self._busy_until), waiter.end_time)

    async def _poll(self) -> None:
        now = time.time()
        asking = {each: self._open(each) for each in self._waiters if each.grown <= now}
        wanted = list(dict.fromkeys(upload_id for ids in asking.values() for upload_id in ids))
        answer: tuple[Mapping[str, UploadState], int, Exception | None] = {}, 0, None
        if now >= self._busy_until:  # else it is the last poll of one whose time is over
            answer = await self._answer(next(iter(asking)).wait, wanted)
        states, sent, error = answer
        self._asked = time.time()
        if isinstance(error, PassingError):
            self._busy_until = self._asked + (error.retry_after or 0)
        here = [each for each in asking if each in self._waiters]
        for number, waiter in enumerate(here):
            waiter.wait.heard.hear({each: states[each] for each in asking[waiter] if each in states})
            waiter.wait.spent = waiter.wait.spent.plus(sent, own=number == 0, others=len(here) - 1)
            lasting = error is not None and not isinstance(error, PassingError)
            if lasting or waiter.end_time <= now or not self._open(waiter):
                self.leave(waiter)
            if error is not None or not waiter.pollers:
                waiter.told.put_nowait(error)

    def _open(self, waiter: Waiter) -> list[str]:
        return waiter.wait.places(waiter.wait.heard.open).get(self._place, [])

    async def _answer(self, wait: Wait, ids: list[str]) -> tuple[Mapping[str, UploadState], int, Exception | None]:
        """States, requests sent, and what went wrong. The connection is read anew: people change it meanwhile."""
        try:
            hook = self._hook_class(self._conn_id, connection=await _connection(self._conn_id))
        except (ConfigurationError, PassingError) as error:
            return {}, 0, error

        def ask() -> tuple[Mapping[str, UploadState], int, Exception | None]:
            try:
                client = hook.once().client
            except Exception as error:  # noqa: BLE001 - told to every waiter, each raises or tells it
                return {}, 0, error
            with client.session:
                try:
                    return wait.ask(hook, self._place, ids, self._missed), client.sent, None
                except Exception as error:  # noqa: BLE001 - as above
                    return {}, client.sent, error

        return await self._key[0].run_in_executor(_threads(self._hook_class), ask)


_pollers: dict[Hashable, _Poller] = {}


async def _connection(conn_id: str) -> Any:
    from airflow.providers.common.compat.connection import get_async_connection

    try:
        try:
            return await get_async_connection(conn_id)
        except AirflowNotFoundException:
            # Where `airflow dags test` runs a trigger, only the other way leads to what Airflow's database stores.
            return await asyncio.to_thread(BaseHook.get_connection, conn_id)
    except AirflowNotFoundException:
        raise ConfigurationError(
            f"Wait: the connection {conn_id!r} does not exist any more. Create it and clear the task."
        ) from None
    except Exception as error:  # noqa: BLE001 - whatever Airflow's API client raises
        raise PassingError(
            f"Wait: Airflow does not give the connection {conn_id!r} ({type(error).__name__})."
        ) from None
