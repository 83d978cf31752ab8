# SPDX-License-Identifier: Apache-2.0
"""Rows found again by a key: one side of a join, in flat memory."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from typing import Any

from airflow_provider_yandex_orders.local_tables import LocalTables


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

        :param key: what it is found by.
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
