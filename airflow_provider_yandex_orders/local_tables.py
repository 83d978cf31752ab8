# SPDX-License-Identifier: Apache-2.0
"""Rows on local disk, in flat memory: a private temporary file, gone with the process."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Self

BATCH = 2000


class LocalTables:
    """A temporary database. SQLite removes its file from the folder at once: a killed worker leaves nothing behind.

    :param tables: statements that make the tables.
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
