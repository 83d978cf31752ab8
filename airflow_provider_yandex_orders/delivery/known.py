# SPDX-License-Identifier: Apache-2.0
"""Keys of rows, kept as short sums from one try to the next: nothing personal."""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from typing import TYPE_CHECKING

from airflow_provider_yandex_orders.storage import write_whole

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath


class KnownKeys:
    """A set of keys in one file of a task's folder, which no other task writes: eight bytes a key.

    :param path: where it is kept.
    """

    def __init__(self, path: ObjectStoragePath) -> None:
        self._path = path
        self._sums = array("Q")
        if path.is_file():
            self._sums.frombytes(path.read_bytes())

    def __bool__(self) -> bool:
        return bool(self._sums)

    def __contains__(self, key: str) -> bool:
        return self._has(_sum(key))

    def add(self, keys: Iterable[str]) -> None:
        """Take in keys and write the file anew where there are new ones."""
        new = {wanted for wanted in map(_sum, keys) if not self._has(wanted)}
        if new:
            self._sums = array("Q", sorted([*self._sums, *new]))
            write_whole(self._path, self._sums.tobytes())

    def _has(self, wanted: int) -> bool:
        place = bisect_left(self._sums, wanted)
        return place < len(self._sums) and self._sums[place] == wanted


def _sum(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big")
