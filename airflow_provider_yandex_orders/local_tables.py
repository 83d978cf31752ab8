# SPDX-License-Identifier: Apache-2.0
"""Rows on local disk, in flat memory: a private temporary file, gone with the process."""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

BATCH = 2000


class LocalTables:
    """A temporary database. SQLite removes its file from the folder at once: a killed worker leaves nothing behind.

    :param insert: statement by which :meth:`_insert` puts rows in, many at once.
    """

    def __init__(self, *tables: str, insert: str = "") -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        # 16 MB of memory: what the index of a million keys needs.
        for statement in ("PRAGMA journal_mode = OFF", "PRAGMA cache_size = -16000", *tables, "BEGIN"):
            self._db.execute(statement)
        self._statement = insert
        self._waiting: list[Sequence[Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def _insert(self, row: Sequence[Any]) -> None:
        self._waiting.append(row)
        if len(self._waiting) == BATCH:
            self._flush()

    def _flush(self) -> None:
        self._db.executemany(self._statement, self._waiting)
        self._waiting.clear()


class Shelf(LocalTables):
    """Takes rows in any order and gives back those of a key, in an order of their own."""

    def __init__(self) -> None:
        super().__init__(
            "CREATE TABLE rows (key TEXT NOT NULL, place TEXT NOT NULL, row BLOB NOT NULL)",
            "CREATE TABLE taken (key TEXT PRIMARY KEY) WITHOUT ROWID",
            insert="INSERT INTO rows VALUES (?, ?, ?)",
        )

    def add(self, key: str, place: str, row: Mapping[str, Any]) -> None:
        """Keep one row.

        :param place: of several rows of one key the one with the smaller text comes first.
        """
        plain = {name: bytes(value) if isinstance(value, memoryview) else value for name, value in row.items()}
        self._insert((key, place, pickle.dumps(plain)))

    def settle(self) -> None:
        """When all are in: let them be found."""
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
