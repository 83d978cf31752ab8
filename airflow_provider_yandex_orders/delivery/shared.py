# SPDX-License-Identifier: Apache-2.0
"""Rows checked by several processes, with what one would have made of them, in the same order.

The processes are forks of the task's own: they have its checkers, and whatever was asked of the service. They only
compute. What they would have written or counted they tell, and the task does it.
"""

from __future__ import annotations

import fcntl
import gc
import marshal
import os
import pickle
import signal
import sys
import warnings
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from itertools import cycle, islice
from typing import Any, BinaryIO, Self

from airflow_provider_yandex_orders.delivery.sorter import Sorter
from airflow_provider_yandex_orders.exceptions import PassingError
from airflow_provider_yandex_orders.sources.base import Row, TableRows

BATCH = 2000
"""Rows that go to a process at once."""
_PIPE = 1024 * 1024
"""Bytes that a pipe to a process should hold; the system may give less."""


Batch = tuple[int, tuple[str, ...] | None, list[Any]]
"""The number of the first row; the columns of a table, or ``None``; the rows, those of a table by their cells."""


def take_shared(sorter: Sorter, rows: Iterable[Row], workers: int) -> int:
    """Take all rows of a source; gives their number.

    :param sorter: takes them in this process: the first batch, so that the others have what it asked and learnt.
    :param workers: how many processes check rows beside this one.
    """
    names = rows.names if isinstance(rows, TableRows) else None
    left = iter(rows.cells if isinstance(rows, TableRows) else rows)
    number = sorter.take(_rows(names, list(islice(left, BATCH))))
    batch = list(islice(left, BATCH))
    if not batch:
        return number
    sorter.ask_all()
    with _Workers(sorter, workers) as crew:
        while batch:
            crew.give((number + 1, names, batch))
            number += len(batch)
            sorter.pace.reached(number)
            batch = list(islice(left, BATCH))
        crew.finish()
    return number


def _rows(names: tuple[str, ...] | None, rows: list[Any]) -> Iterable[Row]:
    return rows if names is None else TableRows(names, iter(rows))


class _Workers:
    """Processes that check rows, none of which outlives the block."""

    def __init__(self, sorter: Sorter, count: int) -> None:
        self._sorter = sorter
        self._busy: deque[tuple[_Worker | None, Batch]] = deque()
        self._all: list[_Worker] = []
        self._count = count

    def __enter__(self) -> Self:
        gc.collect()  # garbage of this process is not to be cleared away by its copies
        try:
            for _number in range(self._count):
                self._all.append(_Worker(self._sorter, self._all))
        except BaseException as error:
            self.__exit__()
            if not isinstance(error, OSError):
                raise
            raise PassingError(
                f"Check rows: a process that checks them cannot be started ({error.strerror}). Nothing was sent; the "
                "next try may pass. workers=1 needs no other process."
            ) from None
        self._turns = cycle(self._all)
        return self

    def __exit__(self, *_error: object) -> None:
        for worker in self._all:
            worker.end()

    def give(self, batch: Batch) -> None:
        """Have rows checked.

        A process has its next rows before it is done with others where its pipe holds them: nobody waits then. Longer
        ones go to a process that reads: else each might wait for the other.
        """
        data = _packed(batch)
        answers = []
        of_each = 2 if data is not None and len(data) <= self._all[0].room // 2 else 1
        while len(self._busy) >= of_each * len(self._all):
            answers.append(self._next())
        worker = None
        if data is not None:
            worker = next(self._turns)
            worker.send(data)
        self._busy.append((worker, batch))
        for answer in answers:  # told while the process is at work again
            self._tell(*answer)

    def finish(self) -> None:
        """Wait for all."""
        while self._busy:
            self._tell(*self._next())

    def _next(self) -> tuple[bytes, Batch]:
        worker, batch = self._busy.popleft()
        if worker is None:
            return b"", batch
        return worker.receive(), batch

    def _tell(self, answer: bytes, batch: Batch) -> None:
        """Do what a process has told; rows it could not take are taken here, and fail here if they must."""
        if answer:
            self._sorter.take_told(pickle.loads(answer))  # noqa: S301 - written by a copy of this process
        else:
            first, names, rows = batch
            self._sorter.take(_rows(names, rows), first)


class _Worker:
    """A process that checks rows.

    :param others: those that were begun before.
    """

    room = 0
    """Bytes that the pipe to it holds."""

    def __init__(self, sorter: Sorter, others: list[_Worker]) -> None:
        (their_in, our_out), (our_in, their_out) = os.pipe(), os.pipe()
        self.ends: tuple[int, ...] = (our_out, our_in)
        if sys.platform == "linux":
            with suppress(OSError):  # more than this user may have
                for each in self.ends:
                    fcntl.fcntl(each, fcntl.F_SETPIPE_SZ, _PIPE)
            self.room = fcntl.fcntl(our_out, fcntl.F_GETPIPE_SZ)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of threads: what they hold is not used there
                self._pid = os.fork()
        except OSError:
            for descriptor in (their_in, our_out, our_in, their_out):
                os.close(descriptor)
            raise
        if self._pid == 0:
            try:
                for each in (signal.SIGTERM, signal.SIGINT):
                    signal.signal(each, signal.SIG_DFL)
                for descriptor in (*self.ends, *(end for other in others for end in other.ends)):
                    os.close(descriptor)  # else nobody would hear that the task is gone
                gc.freeze()
                _work(sorter, os.fdopen(their_in, "rb"), os.fdopen(their_out, "wb"))
            finally:
                os._exit(0)
        os.close(their_in)
        os.close(their_out)
        self._out, self._in = os.fdopen(our_out, "wb"), os.fdopen(our_in, "rb")

    def send(self, data: bytes) -> None:
        try:
            _write(self._out, data)
        except BrokenPipeError:
            raise self._died() from None

    def receive(self) -> bytes:
        answer = _read(self._in)
        if answer is None:
            raise self._died()
        return answer

    def _died(self) -> PassingError:
        _pid, status = os.waitpid(self._pid, 0)
        self._pid = 0
        code = os.waitstatus_to_exitcode(status)
        why = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        return PassingError(
            f"Check rows: a process that checks them has ended {why}, perhaps for want of memory. Nothing was sent; "
            "the next try may pass. workers=1 needs no other process."
        )

    def end(self) -> None:
        """End the process, whatever it does."""
        if self._pid:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        for end in (self._out, self._in):
            with suppress(OSError):
                end.close()


def _work(sorter: Sorter, source: BinaryIO, answers: BinaryIO) -> None:
    """What the other processes do, until the task closes the pipe."""
    tell = sorter.tells_only()
    while (data := _read(source)) is not None:
        try:
            first, names, rows = _unpacked(data)
            sorter.take(_rows(names, rows), first)
            answer = pickle.dumps(tell(), pickle.HIGHEST_PROTOCOL)
        except Exception:  # noqa: BLE001 - the task takes these rows itself, and says what is wrong
            with suppress(ValueError):  # of values that cannot be told
                tell()
            answer = b""
        _write(answers, answer)


def _packed(batch: Batch) -> bytes | None:
    """Rows for another process; ``None`` where they hold what cannot be sent."""
    first, names, rows = batch
    if names is None:  # of rows that have the same columns these go only once
        keys = tuple(rows[0])
        if all(type(row) is dict and tuple(row) == keys for row in rows):
            batch = first, keys, [tuple(row.values()) for row in rows]
    with suppress(ValueError):  # of what is more than texts and numbers
        return marshal.dumps(batch)
    try:
        return pickle.dumps(batch, pickle.HIGHEST_PROTOCOL)
    except Exception:  # noqa: BLE001 - whatever a value's own class raises
        return None


def _unpacked(data: bytes) -> Batch:
    load = pickle.loads if data[:1] == pickle.PROTO else marshal.loads
    batch: Batch = load(data)
    return batch


def _write(file: BinaryIO, data: bytes) -> None:
    file.write(len(data).to_bytes(8, "big") + data)
    file.flush()


def _read(file: BinaryIO) -> bytes | None:
    size = file.read(8)
    length = int.from_bytes(size, "big")
    data = file.read(length) if len(size) == 8 else b""
    return data if len(size) == 8 and len(data) == length else None  # else who wrote it died over it
