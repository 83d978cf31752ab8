# SPDX-License-Identifier: Apache-2.0
"""Object storage in memory that says no, is down, or breaks in the middle of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFile, MemoryFileSystem

CALLS = ("pipe_file", "put_file", "cat_file", "ls", "info", "rm_file", "open")


@contextmanager
def breaks_after(size: int) -> Iterator[None]:
    """Each file takes so many bytes; then its line breaks. What it has is committed, as files of fsspec do."""
    write = MemoryFile.write

    def some(self: Any, data: bytes) -> int:
        room = size - self.tell()
        if len(data) <= room:
            return int(write(self, data))
        write(self, data[:room])
        raise ConnectionError("the line broke")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MemoryFile, "write", some)
        patch.setattr(MemoryFile, "__init__", _init_by_writing)
        yield


def _init_by_writing(self: Any, fs: Any = None, path: Any = None, data: bytes | None = None) -> None:
    self.fs, self.path, self.mode = fs, path, "rb+"
    self.modified = datetime.now(tz=UTC)
    if data:
        try:
            self.write(data)
        except ConnectionError:
            fs.store[path] = self
            raise
        self.seek(0)


@contextmanager
def raising(error: Exception, *names: str, last: str = "") -> Iterator[None]:
    """The storage answers these calls, by default all, with an error; with ``last`` only for paths that end so."""
    with pytest.MonkeyPatch.context() as patch:
        for name in names or CALLS:
            patch.setattr(MemoryFileSystem, name, _failing(getattr(MemoryFileSystem, name), error, last))
        yield


def _failing(call: Callable[..., Any], error: Exception, last: str) -> Callable[..., Any]:
    def fail(self: Any, path: Any, *args: Any, **kwargs: Any) -> Any:
        if str(path).endswith(last):
            raise error
        return call(self, path, *args, **kwargs)

    return fail
