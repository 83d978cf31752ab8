# SPDX-License-Identifier: Apache-2.0
"""Many more rows than memory holds, in ascending order: an external merge sort."""

from __future__ import annotations

import marshal
import os
import tempfile
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, islice
from typing import IO, Any

from airflow_provider_yandex_orders.storage_faults import named_faults

MEMORY = 6 * 1024 * 1024
"""Bytes of rows that are held, about."""
BLOCK = 32 * 1024
"""Bytes of a block's rows once they are read back, about."""
RUNS = 128
"""How many runs are merged at once: of each a block is in memory."""
_CURE = "Let the environment variable TMPDIR of the worker name a folder that can be written to."
_ROW = 400  # bytes of a tuple and of what is in it besides the text that is counted

Row = tuple[Any, ...]


class Ordered:
    """Takes tuples in any order and, once all are in, gives them in ascending order, as often as asked.

    Up to a bound they stay in memory. Beyond it sorted runs go to a temporary file without a name: a killed worker
    leaves nothing behind. A run that follows the one before it, as in a source that is ordered itself, goes on with
    that one; only others have to be merged.
    """

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._free = MEMORY
        self._file: IO[bytes] | None = None
        self._number = self._end = 0
        self._runs: list[tuple[int, array[int]]] = []
        """Where each begins, and how long its blocks are."""
        self._last: Row = ()
        self._block_rows = MEMORY

    def add(self, row: Row, size: int = 0) -> None:
        """Take one tuple.

        :param row: texts, bytes, numbers and ``None``.
        :param size: length of what may be long in it.
        """
        self.extend((row,), size)

    def extend(self, rows: Sequence[Row], size: int = 0) -> None:
        """Take tuples.

        :param size: length of what may be long in them, in all.
        """
        self._rows += rows
        self._free -= _ROW * len(rows) + size
        if self._free < 0:
            self._spill()

    def __iter__(self) -> Iterator[Row]:
        return chain.from_iterable(self._blocks())

    def _blocks(self) -> Iterable[list[Row]]:
        self._rows.sort()
        if not self._runs:
            return [self._rows]
        if self._rows:
            self._spill()
        while (over := len(self._runs) - RUNS) > 0:
            several = self._runs[: over + 1][:RUNS]
            del self._runs[: len(several)]
            self._runs.append(self._written(chain.from_iterable(self._merged(several))))
        return self._merged(self._runs)

    def close(self) -> None:
        """Forget all."""
        self._rows.clear()
        self._runs.clear()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _spill(self) -> None:
        self._rows.sort()
        self._block_rows = min(self._block_rows, max(BLOCK * len(self._rows) // (MEMORY - self._free), 1))
        run = self._written(self._rows)
        if self._runs and self._last < self._rows[0]:
            self._runs[-1][1].extend(run[1])
        else:
            self._runs.append(run)
        self._last = self._rows[-1]
        self._rows.clear()
        self._free = MEMORY

    def _written(self, rows: Iterable[Row]) -> tuple[int, array[int]]:
        begin, lengths = self._end, array("I")
        waiting = iter(rows)
        with named_faults("Sort rows in the temporary folder", tempfile.gettempdir(), _CURE):
            if self._file is None:
                self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed by `close`
                self._number = self._file.fileno()
            while block := list(islice(waiting, self._block_rows)):
                left = memoryview(marshal.dumps(block))
                lengths.append(len(left))
                self._end += len(left)
                while left:
                    left = left[self._file.write(left) :]
        return begin, lengths

    def _merged(self, runs: Sequence[tuple[int, array[int]]]) -> Iterator[list[Row]]:
        """Rows of all runs: up to the least of the last rows that are read of each, all that come before are read."""
        reads = [map(self._read, lengths, accumulate(lengths, initial=begin)) for begin, lengths in runs]
        heads: list[tuple[list[Row], Iterator[list[Row]]]] = [(next(blocks), blocks) for blocks in reads]
        while len(heads) > 1:
            least = min(rows[-1] for rows, _blocks in heads)
            ready: list[Row] = []
            left = []
            for rows, blocks in heads:
                at = bisect_right(rows, least)
                ready += rows[:at]
                if more := rows[at:] or next(blocks, []):
                    left.append((more, blocks))
            heads = left
            ready.sort()  # of runs that are sorted themselves
            yield ready
        for rows, blocks in heads:
            yield rows
            yield from blocks

    def _read(self, length: int, begin: int) -> list[Row]:
        rows: list[Row] = marshal.loads(os.pread(self._number, length, begin))  # noqa: S302 - our own file
        return rows
