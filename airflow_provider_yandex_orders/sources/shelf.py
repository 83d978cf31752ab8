# SPDX-License-Identifier: Apache-2.0
"""Rows on local disk, found again by a key: one side of a join, in flat memory."""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self

BATCH = 2000


class Shelf:
    """Takes rows in any order and gives back those of a key, in an order of their own.

    Like the spool a private temporary file, gone with the process.
    """

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("PRAGMA cache_size = -16000")
        self._db.execute("CREATE TABLE rows (key TEXT NOT NULL, place TEXT NOT NULL, row BLOB NOT NULL)")
        self._db.execute("CREATE TABLE taken (key TEXT PRIMARY KEY) WITHOUT ROWID")
        self._db.execute("BEGIN")
        self._waiting: list[tuple[str, str, bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._db.close()

    def add(self, key: str, place: str, row: Mapping[str, Any]) -> None:
        """Keep one row.

        :param key: what it is found by.
        :param place: of several rows of one key the one with the smaller text comes first.
        """
        plain = {name: bytes(value) if isinstance(value, memoryview) else value for name, value in row.items()}
        self._waiting.append((key, place, pickle.dumps(plain)))
        if len(self._waiting) == BATCH:
            self._flush()

    def close(self) -> None:
        """No more rows will come."""
        self._flush()
        self._db.execute("CREATE INDEX by_key ON rows (key, place)")

    def take(self, key: str) -> list[dict[str, Any]]:
        """The rows of a key; they stay."""
        self._db.execute("INSERT OR IGNORE INTO taken VALUES (?)", (key,))
        found = self._db.execute("SELECT row FROM rows WHERE key = ? ORDER BY place, rowid", (key,))
        return [pickle.loads(row) for (row,) in found]  # noqa: S301 - written by this process a moment ago

    def never_taken(self) -> Iterator[tuple[str, int]]:
        """Keys nobody asked for, with the number of their rows."""
        yield from self._db.execute(
            "SELECT key, count(*) FROM rows WHERE key NOT IN (SELECT key FROM taken) GROUP BY key ORDER BY key"
        )

    def _flush(self) -> None:
        self._db.executemany("INSERT INTO rows VALUES (?, ?, ?)", self._waiting)
        self._waiting.clear()
