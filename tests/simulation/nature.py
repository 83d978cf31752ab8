# SPDX-License-Identifier: Apache-2.0
"""What a fibre finds in place of the real clock, chance, threads and event loop. Other threads notice nothing.

The clock stands in every module of the package, whatever it is for; of two more is known that they remember something
as long as a process lives.
"""

from __future__ import annotations

import asyncio
import datetime as dates
import functools
import os
import pkgutil
import queue
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from typing import Any
from unittest.mock import patch

from asgiref.sync import SyncToAsync

from tests.simulation.fibres import START, Fibre, Scheduler, check, here, members, start_thread

PACKAGE = "airflow_provider_yandex_orders"
REAL = {name: getattr(time, name) for name in ("time", "monotonic", "sleep")}
_urandom = os.urandom
_DATETIME = dates.datetime
_wait, _join = threading.Condition.wait, threading.Thread.join
_alive = threading.Thread.is_alive
_SimpleQueue = queue.SimpleQueue
_submitted, _shut_down = ThreadPoolExecutor.submit, ThreadPoolExecutor.shutdown
_get_cached = functools.cached_property.__get__
_in_thread = SyncToAsync.__call__


def _time() -> float:
    found = members.get(threading.get_ident())
    if found is None:
        return float(REAL["time"]())
    scheduler, fibre = found
    return scheduler.now + (0.0 if fibre.outside else fibre.process.skew)


def _monotonic() -> float:
    found = members.get(threading.get_ident())
    return float(REAL["monotonic"]()) if found is None else found[0].now - START + 1000.0


def _sleep(seconds: float) -> None:
    found = here()
    if found is None:
        REAL["sleep"](seconds)
    else:
        found[0].pause(found[1], seconds)


def _random_bytes(size: int) -> bytes:
    found = members.get(threading.get_ident())
    return _urandom(size) if found is None else found[0].noise.randbytes(size)


def _condition_wait(self: threading.Condition, timeout: float | None = None) -> bool:
    """What events, queues, semaphores and futures wait by."""
    found = here()
    if found is None:
        return _wait(self, timeout)
    waiter: Any = threading.Lock()
    waiter.acquire()
    condition: Any = self
    condition._waiters.append(waiter)
    held = condition._release_save()
    try:
        found[0].pause(found[1], timeout, lambda: not waiter.locked())
    finally:
        condition._acquire_restore(held)
        if waiter in condition._waiters:
            condition._waiters.remove(waiter)
    return not waiter.locked()


def _submit(self: ThreadPoolExecutor, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
    """Work of a pool is another fibre of the process; there are no more at once than the pool has threads."""
    found = here()
    if found is None:
        return _submitted(self, work, *args, **kwargs)
    scheduler, fibre = found
    future: Future[Any] = Future()
    pools = fibre.process.pools
    free, futures = pools.setdefault(id(self), (threading.Semaphore(self._max_workers), []))
    futures.append(future)

    def run() -> None:
        with free:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(work(*args, **kwargs))
                except Exception as error:  # noqa: BLE001 - it is of whoever asks for the result
                    future.set_exception(error)

    scheduler.spawn(fibre.process, run, fibre.name)
    return future


def _shutdown(self: ThreadPoolExecutor, wait: bool = True, *, cancel_futures: bool = False) -> None:
    found = here()
    if found is None:
        _shut_down(self, wait, cancel_futures=cancel_futures)
        return
    scheduler, fibre = found
    _free, futures = fibre.process.pools.pop(id(self), (None, []))
    for future in futures if cancel_futures else ():
        future.cancel()
    if wait:
        scheduler.pause(fibre, None, lambda: all(future.done() for future in futures))


def _simple_queue() -> Any:
    """The queue that waits in C; fibres get one that waits by a condition."""
    return _SimpleQueue() if here() is None else queue.Queue()


def _thread_start(self: threading.Thread) -> None:
    """A thread of a process is another of its fibres."""
    found = here()
    if found is None:
        start_thread(self)
        return
    scheduler, fibre = found
    self._simulated = scheduler.spawn(fibre.process, self.run, self.name)  # type: ignore[attr-defined]


def _thread_join(self: threading.Thread, timeout: float | None = None) -> None:
    inner: Fibre | None = getattr(self, "_simulated", None)
    found = here()
    if inner is None or found is None:
        _join(self, timeout)
    elif not inner.done:
        found[0].pause(found[1], timeout, lambda: inner.done)


async def _sync_to_async(self: Any, *args: Any, **kwargs: Any) -> Any:
    """Airflow reads a trigger's connection so, in a thread that all loops share."""
    if here() is None:
        return await _in_thread(self, *args, **kwargs)
    return self.func(*args, **kwargs)


def _is_alive(self: threading.Thread) -> bool:
    inner: Fibre | None = getattr(self, "_simulated", None)
    return _alive(self) if inner is None else not inner.done


def _cached(self: Any, instance: Any, owner: Any = None) -> Any:
    """Python 3.11 holds a lock of all instances, and so of all processes here, while one of them asks the service."""
    if instance is None or here() is None:
        return _get_cached(self, instance, owner)
    if self.attrname not in instance.__dict__:
        instance.__dict__[self.attrname] = self.func(instance)
    return instance.__dict__[self.attrname]


class _Moments(type):
    """``datetime`` with the clock of the fibre; what it makes are real ones."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _DATETIME)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, _DATETIME)

    def __call__(cls, *values: Any, **named: Any) -> Any:
        return _DATETIME(*values, **named)

    def __getattr__(cls, name: str) -> Any:
        return getattr(_DATETIME, name)


class SimulatedDatetime(metaclass=_Moments):
    """Stands in the package's modules for ``datetime``."""

    @staticmethod
    def now(tz: dates.tzinfo | None = None) -> dates.datetime:
        return _DATETIME.fromtimestamp(_time(), tz)


def package_modules() -> list[Any]:
    """Every module of the package, imported: what is imported later would find the real clock."""
    package = import_module(PACKAGE)
    for found in pkgutil.walk_packages(package.__path__, f"{PACKAGE}."):
        if not found.name.endswith("__main__") and f"{PACKAGE}.demo" not in found.name:
            try:
                import_module(found.name)
            except ImportError:  # of an extra that is not installed
                continue
    return [module for name, module in sys.modules.items() if name.startswith(PACKAGE) and module is not None]


def forget_lanes() -> None:
    """A new process knows nothing of the requests of others."""
    lanes = getattr(sys.modules.get(f"{PACKAGE}.http.paced"), "_lanes", None)
    if lanes is not None:
        lanes.clear()


@contextmanager
def simulated() -> Iterator[None]:
    """Let fibres find a simulated nature."""
    state = random.getstate()
    in_place: list[Any] = [
        patch.object(time, "time", _time),
        patch.object(time, "monotonic", _monotonic),
        patch.object(time, "sleep", _sleep),
        patch.object(os, "urandom", _random_bytes),
        patch.object(random, "_urandom", _random_bytes),
        patch.object(threading.Condition, "wait", _condition_wait),
        patch.object(ThreadPoolExecutor, "submit", _submit),
        patch.object(ThreadPoolExecutor, "shutdown", _shutdown),
        patch.object(functools.cached_property, "__get__", _cached),
        patch.object(SyncToAsync, "__call__", _sync_to_async),
        patch.object(threading.Thread, "start", _thread_start),
        patch.object(threading.Thread, "join", _thread_join),
        patch.object(threading.Thread, "is_alive", _is_alive),
    ]
    instead = {_DATETIME: SimulatedDatetime, _SimpleQueue: _simple_queue}
    for module in package_modules():
        named = [(name, value) for name, value in vars(module).items() if isinstance(value, type) and value in instead]
        in_place += [patch.object(module, name, instead[value]) for name, value in named]
    next(tempfile._get_candidate_names())  # type: ignore[attr-defined]  # drawn before, it depends on no world
    for each in in_place:
        each.start()
    try:
        yield
    finally:
        for each in reversed(in_place):
            each.stop()
        random.setstate(state)


class _Loop(asyncio.SelectorEventLoop):
    """An event loop whose idle time is simulated."""

    def __init__(self, scheduler: Scheduler, fibre: Fibre) -> None:
        super().__init__()
        self._clock_resolution = 0.001  # what adding up seconds since 1970 may lose
        select = self._selector.select  # type: ignore[attr-defined]

        def wait(timeout: float | None = None) -> Any:
            if timeout is None or timeout > 0:
                scheduler.pause(fibre, timeout, lambda: bool(self._ready))  # type: ignore[attr-defined]
            return select(0)

        self._selector.select = wait  # type: ignore[attr-defined]


def run_simulated(work: Coroutine[Any, Any, Any]) -> Any:
    """``asyncio.run`` in simulated time."""
    found = here()
    assert found is not None
    loop = _Loop(*found)
    try:
        result = loop.run_until_complete(work)
        check(found[1])
        return result
    finally:
        loop.close()
        # What dies tidies nothing up; of a closed loop nobody waits any more.
        pollers = getattr(sys.modules.get(f"{PACKAGE}.triggers.base"), "_pollers", {})
        for key in [each for each in pollers if each[0] is loop]:
            del pollers[key]
