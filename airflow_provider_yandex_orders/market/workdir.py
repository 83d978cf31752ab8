# SPDX-License-Identifier: Apache-2.0
"""The local folder a fetch writes its files in: gone when the fetch ends, and removed by a later one after a kill."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "order-stats-"


@contextmanager
def work_folder() -> Iterator[Path]:
    """An empty folder, closed to others. A lock that dies with the process tells a later fetch that it is in use."""
    remove_abandoned()
    folder, lock = _locked_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def remove_abandoned() -> None:
    """Remove the folders of killed fetches of this user. What cannot be removed is no reason to fail."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            if folder.stat().st_uid != os.geteuid():
                continue
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # somebody writes there
            continue
        finally:
            os.close(lock)


def _locked_folder() -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # taken for abandoned between the two calls, and removed
            os.close(lock)
            continue
        except OSError:  # a file system without locks: nobody else gets one either
            return folder, lock
        if folder.exists():
            return folder, lock
        os.close(lock)
