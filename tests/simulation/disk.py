# SPDX-License-Identifier: Apache-2.0
"""Where a fibre writes: files, object storage, the journal's database. Each effect is a point, and each may fail."""

from __future__ import annotations

import builtins
import io
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol
from unittest.mock import patch

from fsspec.implementations.memory import MemoryFileSystem
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import OperationalError

from tests.simulation.fibres import Fibre, Scheduler, here


class Watcher(Protocol):
    """Hears of each effect before and after it, and may break it."""

    def disk(self, what: str) -> Exception | None: ...
    def storage(self, what: str) -> Exception | None: ...
    def database(self, statement: str) -> str | None: ...
    def point(self, what: str, *, switch: bool = True) -> None: ...


watchers: dict[int, Watcher] = {}
"""What watches each scheduler's world, by its id."""
_BUSY = 60.0
_STORAGE = ("pipe_file", "put_file", "cat_file", "ls", "info", "rm_file", "mv", "makedirs", "_open")
_CHANGES = frozenset({"pipe_file", "put_file", "rm_file", "mv"})


def _watched() -> tuple[Watcher, Scheduler, Fibre] | None:
    found = here()
    return None if found is None else (watchers[id(found[0])], *found)


class _Written:
    """A local file whose disk may be full."""

    def __init__(self, file: Any, watcher: Watcher) -> None:
        self._file, self._watcher = file, watcher

    def write(self, data: bytes) -> int:
        if error := self._watcher.disk("write"):
            raise error
        return int(self._file.write(data))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> Any:
        self._file.__enter__()
        return self

    def __exit__(self, *error: Any) -> Any:
        return self._file.__exit__(*error)


def _fdopen(real: Any) -> Any:
    def opened(number: int, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        found = _watched()
        file = real(number, mode, *args, **kwargs)
        return file if found is None or "w" not in mode else _Written(file, found[0])

    return opened


def _opened(real: Any) -> Any:
    def opened(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        found = _watched()
        made = real(file, mode, *args, **kwargs)
        ours = found is not None and set(mode) & set("wax") and not isinstance(file, int)
        return _Written(made, found[0]) if ours and found is not None else made

    return opened


def _point_around(real: Any, name: str) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        found = _watched()
        if found is None:
            return real(*args, **kwargs)
        watcher = found[0]
        watcher.point(f"before {name}", switch=False)
        if error := watcher.disk(name):
            raise error
        result = real(*args, **kwargs)
        watcher.point(f"after {name}", switch=False)
        return result

    return call


def _stored(real: Any, name: str) -> Any:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        found = _watched()
        if found is None:
            return real(self, *args, **kwargs)
        watcher = found[0]
        if name in _CHANGES:
            watcher.point(f"before storage {name}", switch=False)
        if error := watcher.storage(name):
            raise error
        result = real(self, *args, **kwargs)
        if name in _CHANGES:
            watcher.point(f"after storage {name}", switch=False)
        return result

    return call


def _before_statement(
    connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool
) -> None:
    found = _watched()
    if found is None:
        return
    watcher, scheduler, fibre = found
    watcher.point("statement", switch=False)
    said = watcher.database(statement)
    if said is not None:
        if statement.startswith("BEGIN"):
            scheduler.pause(fibre, _BUSY)
        raise OperationalError(statement, {}, sqlite3.OperationalError(said))


def _commit(real: Any) -> Any:
    def commit(self: Any, connection: Any) -> None:
        found = _watched()
        if found is None:
            real(self, connection)
            return
        watcher = found[0]
        writes = connection.in_transaction if hasattr(connection, "in_transaction") else True
        watcher.point("before commit", switch=False)
        if said := watcher.database("COMMIT"):
            raise sqlite3.OperationalError(said)
        real(self, connection)
        watcher.point("after commit", switch=writes)

    return commit


def _days(moment: str) -> float | None:
    """SQLite's ``julianday``: what the journal takes for its clock."""
    import time

    return time.time() / 86_400.0 + 2_440_587.5 if moment == "now" else None


def _connected(connection: Any, _record: Any) -> None:
    if here() is not None and hasattr(connection, "create_function"):
        connection.create_function("julianday", 1, _days)


@contextmanager
def watched() -> Iterator[None]:
    """Let the effects of fibres be seen and broken."""
    in_place: list[Any] = [
        patch.object(os, "fdopen", _fdopen(os.fdopen)),
        patch.object(io, "open", _opened(io.open)),
        patch.object(builtins, "open", _opened(builtins.open)),
        patch.object(os, "replace", _point_around(os.replace, "replace")),
        patch.object(os, "unlink", _point_around(os.unlink, "unlink")),
        patch.object(tempfile, "mkstemp", _point_around(tempfile.mkstemp, "mkstemp")),
        patch.object(DefaultDialect, "do_commit", _commit(DefaultDialect.do_commit)),
        *(patch.object(MemoryFileSystem, name, _stored(getattr(MemoryFileSystem, name), name)) for name in _STORAGE),
    ]
    listeners: list[tuple[str, Callable[..., Any]]] = [
        ("before_cursor_execute", _before_statement),
        ("connect", _connected),
    ]
    for each in in_place:
        each.start()
    for name, listener in listeners:
        event.listen(Engine, name, listener)
    try:
        yield
    finally:
        for name, listener in listeners:
            event.remove(Engine, name, listener)
        for each in reversed(in_place):
            each.stop()
