# SPDX-License-Identifier: Apache-2.0
"""All good rows of an upload, on local disk, one of each key."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import islice
from types import TracebackType
from typing import Any

BATCH = 2000
_DOUBLED = "SELECT key FROM rows WHERE key IS NOT NULL GROUP BY key HAVING count(*) > 1"


class Spool:
    """Takes encoded rows in any order and gives back one of each key, ordered by key.

    The order makes parts the same bytes on every try, whatever order the database gave. The rows lie in a private
    temporary file that SQLite removes from the folder as soon as it is open: a killed worker leaves nothing behind.
    """

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("PRAGMA cache_size = -16000")  # 16 MB, what the index of a million keys needs
        self._db.execute(
            "CREATE TABLE rows (number INTEGER PRIMARY KEY, key TEXT, version TEXT NOT NULL, line BLOB NOT NULL, "
            "mark TEXT NOT NULL, file TEXT NOT NULL, owner TEXT)"
        )
        self._db.execute("BEGIN")
        self._waiting: list[tuple[int, str | None, str, bytes, str, str, str | None]] = []

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._db.close()

    def add(
        self,
        number: int,
        key: str | None,
        version: str,
        line: bytes,
        *,
        mark: str = "",
        file: str = "part",
        owner: str | None = None,
    ) -> None:
        """Take one row.

        :param number: its number in the source: each is given once.
        :param key: what identifies it; a row without a key is kept beside all others.
        :param version: of two rows with one key the greater stays; nothing is neither greater nor less.
        :param line: the row as it will be written.
        :param mark: what tells it from others of its key besides the line.
        :param file: which of the upload's files it goes to.
        :param owner: the customer it belongs to, where customers are counted.
        """
        self._waiting.append((number, key, version, line, mark, file, owner))
        if len(self._waiting) == BATCH:
            self._flush()

    def settle(self, *, last: bool = False, copies: bool = False) -> None:
        """When all are in: keep the newest of each key, and one of equal ones.

        :param last: of those that are equally new and differ, keep the one that came last; else :meth:`differing` gives
            them.
        :param copies: keep equal ones too.
        """
        self._flush()
        self._db.execute("CREATE INDEX by_key ON rows (key, version)")
        self._db.execute(f"CREATE TABLE doubled AS {_DOUBLED}")
        self._db.execute(
            "DELETE FROM rows WHERE number IN (SELECT number FROM doubled JOIN rows AS old USING (key) WHERE version "
            "<> '' AND version < (SELECT max(version) FROM rows AS newer WHERE newer.key = old.key))"
        )
        if copies:
            return
        self._db.execute(
            "DELETE FROM rows WHERE number IN (SELECT number FROM rows JOIN (SELECT key, max(number) AS kept "
            "FROM doubled JOIN rows USING (key) GROUP BY key "
            "HAVING ? OR (min(line) = max(line) AND min(mark) = max(mark))) USING (key) WHERE number < kept)",
            (last,),
        )

    def differing(self) -> Iterator[tuple[int, str, bytes]]:
        """Number, key and line of each row whose key is another row's too, key by key; they are gone afterwards."""
        self._db.execute(f"CREATE TABLE differing AS {_DOUBLED}")
        yield from self._all("SELECT number, key, line FROM differing JOIN rows USING (key) ORDER BY key, number")
        self._db.execute("DELETE FROM rows WHERE key IN (SELECT key FROM differing)")

    def by_key(self) -> Iterator[tuple[int, str, bytes]]:
        """Number, key and line of every row, key by key."""
        return self._all("SELECT number, key, line FROM rows ORDER BY key, number")

    def kept(self) -> int:
        """How many rows :meth:`lines` gives."""
        return self._count("SELECT count(*) FROM rows")

    def keyless(self) -> int:
        """How many of them have no key."""
        return self._count("SELECT count(*) FROM rows WHERE key IS NULL")

    def owners(self) -> Iterator[tuple[str, int]]:
        """Each customer with the number of its rows."""
        return self._all("SELECT owner, count(*) FROM rows WHERE owner IS NOT NULL GROUP BY owner")

    def lines(self, file: str = "part") -> Iterator[bytes]:
        """The rows of one file, those without a key first."""
        return (line for (line,) in self._all("SELECT line FROM rows WHERE file = ? ORDER BY key, line", file))

    def _count(self, query: str) -> int:
        ((count,),) = self._all(query)
        return int(count)

    def _all(self, query: str, *values: str) -> Iterator[Any]:
        self._flush()
        cursor = self._db.execute(query, values)
        while batch := list(islice(cursor, BATCH)):
            yield from batch

    def _flush(self) -> None:
        self._db.executemany("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?)", self._waiting)
        self._waiting.clear()
