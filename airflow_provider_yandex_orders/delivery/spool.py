# SPDX-License-Identifier: Apache-2.0
"""All good rows of an upload, on local disk, the newest of each key."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from itertools import islice
from types import TracebackType
from typing import Any

BATCH = 2000


class Spool:
    """Takes encoded rows in any order and gives back the newest of each key, ordered by key.

    The order makes parts the same bytes on every try, whatever order the database gave. The rows lie in a private
    temporary file that SQLite removes from the folder as soon as it is open: a killed worker leaves nothing behind.
    """

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("PRAGMA cache_size = -16000")  # 16 MB, what the index of a million keys needs
        self._db.execute(
            "CREATE TABLE rows "
            "(key TEXT UNIQUE, version TEXT NOT NULL, line BLOB NOT NULL, file TEXT NOT NULL, owner TEXT)"
        )
        self._db.execute("BEGIN")
        self._waiting: list[tuple[str | None, str, bytes, str, str | None]] = []
        self.added = 0
        self._chosen = False

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._db.close()

    def add(self, key: str | None, version: str, line: bytes, *, file: str = "part", owner: str | None = None) -> None:
        """Take one row.

        :param key: what identifies it; a row without a key is kept beside all others.
        :param version: of two rows with one key the greater stays, and of equal ones the later.
        :param line: the row as it will be written.
        :param file: which of the upload's files it goes to.
        :param owner: the customer it belongs to, where customers are counted.
        """
        self._waiting.append((key, version, line, file, owner))
        self.added += 1
        if len(self._waiting) == BATCH:
            self._flush()

    def kept(self) -> int:
        """How many rows :meth:`lines` gives."""
        self._flush()
        count: int = self._db.execute("SELECT count(*) FROM rows").fetchone()[0]
        return count

    def keyless(self) -> int:
        """How many of them have no key."""
        self._flush()
        count: int = self._db.execute("SELECT count(*) FROM rows WHERE key IS NULL").fetchone()[0]
        return count

    def owners(self) -> Iterator[tuple[str, int]]:
        """Each customer with the number of its rows."""
        self._flush()
        yield from self._db.execute("SELECT owner, count(*) FROM rows WHERE owner IS NOT NULL GROUP BY owner")

    def sum_up(self, entry_of: Callable[[str | None, str, bytes], tuple[Any, ...]]) -> bool:
        """Put the journal's sums beside the rows.

        :return: whether a row has no key, or a version.
        """
        self._flush()
        self._db.execute("CREATE TABLE entries (row INTEGER, key_sum BLOB, content_sum BLOB, version TEXT)")
        cursor = self._db.execute("SELECT rowid, key, version, line FROM rows")
        found = False
        while batch := list(islice(cursor, BATCH)):
            found = found or any(key is None or version for _row, key, version, _line in batch)
            entries = [(row, *entry_of(key, version, line)) for row, key, version, line in batch]
            self._db.executemany("INSERT INTO entries VALUES (?, ?, ?, ?)", entries)
        return found

    def entries(self) -> Iterator[tuple[Any, ...]]:
        """Number of each row and its entry, in the order of their key sums."""
        yield from self._db.execute("SELECT row, key_sum, content_sum, version FROM entries ORDER BY key_sum")

    def choose(self, chosen: Iterator[tuple[Any, ...]]) -> None:
        """Let :meth:`lines` give only some rows.

        :param chosen: rows as of :meth:`entries`, each with the file it goes to where that is another than its own.
        """
        self._db.execute("CREATE TABLE chosen (row INTEGER, key_sum BLOB, content_sum BLOB, version TEXT, file TEXT)")
        self._db.execute(
            "CREATE TABLE written (number INTEGER PRIMARY KEY, key_sum BLOB, content_sum BLOB, version TEXT)"
        )
        while batch := list(islice(chosen, BATCH)):
            self._db.executemany("INSERT INTO chosen VALUES (?, ?, ?, ?, ?)", batch)
        self._chosen = True

    def written(self, first: int, last: int) -> Iterator[tuple[Any, ...]]:
        """The entries of rows :meth:`lines` gave, from one number to another, in the order of their key sums."""
        query = "SELECT key_sum, content_sum, version FROM written WHERE number BETWEEN ? AND ? ORDER BY key_sum"
        yield from self._db.execute(query, (first, last))

    def _chosen_lines(self, file: str) -> Iterator[bytes]:
        cursor = self._db.execute(
            "SELECT line, key_sum, content_sum, chosen.version FROM chosen JOIN rows ON rows.rowid = chosen.row "
            "WHERE coalesce(chosen.file, rows.file) = ? ORDER BY key, line",
            (file,),
        )
        while batch := list(islice(cursor, BATCH)):
            entries = [entry for _line, *entry in batch]
            self._db.executemany("INSERT INTO written (key_sum, content_sum, version) VALUES (?, ?, ?)", entries)
            yield from (line for line, *_entry in batch)

    def lines(self, file: str = "part") -> Iterator[bytes]:
        """The rows of one file, those without a key first."""
        if self._chosen:
            yield from self._chosen_lines(file)
            return
        self._flush()
        cursor = self._db.execute("SELECT line FROM rows WHERE file = ? ORDER BY key, line", (file,))
        while batch := list(islice(cursor, BATCH)):
            for (line,) in batch:
                yield line

    def _flush(self) -> None:
        self._db.executemany(
            "INSERT INTO rows VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET version = excluded.version, "
            "line = excluded.line, file = excluded.file, owner = excluded.owner WHERE excluded.version >= version",
            self._waiting,
        )
        self._waiting.clear()
