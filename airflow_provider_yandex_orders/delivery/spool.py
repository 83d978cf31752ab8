# SPDX-License-Identifier: Apache-2.0
"""All good rows of an upload, on local disk, one of each key."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

BATCH = 2000
_WRITTEN = "FROM written JOIN entries USING (row) WHERE number BETWEEN ? AND ?"
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
            "mark TEXT NOT NULL, file TEXT NOT NULL, owner TEXT, content BLOB, note BLOB)"
        )
        self._db.execute("CREATE TABLE refused (number INTEGER, key TEXT, version TEXT NOT NULL)")
        self._db.execute("BEGIN")
        self._chosen = False
        self._has_notes = False
        self._waiting: list[tuple[Any, ...]] = []

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_error: object) -> None:
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
        content: bytes | None = None,
        note: bytes | None = None,
    ) -> None:
        """Take one row.

        :param number: its number in the source: each is given once.
        :param key: what identifies it; a row without a key is kept beside all others.
        :param version: of two rows with one key the greater stays; nothing is neither greater nor less.
        :param line: the row as it will be written.
        :param mark: what tells it from others of its key besides the line.
        :param file: which of the upload's files it goes to.
        :param owner: the customer it belongs to, where customers are counted.
        :param content: what it means, however it is written; ``None`` where that is the line.
        :param note: what :meth:`noted` gives of it, if it is chosen.
        """
        self._waiting.append((number, key, version, line, mark, file, owner, content, note))
        self._has_notes = self._has_notes or note is not None
        if len(self._waiting) == BATCH:
            self._flush()

    def refuse(self, number: int, key: str, version: str) -> None:
        """Take note of a row that cannot be sent, and so takes the place of none."""
        self._db.execute("INSERT INTO refused VALUES (?, ?, ?)", (number, key, version))

    def replaced(self, *, last: bool = False) -> Iterator[tuple[int, str]]:
        """When all are in: number and key of each row a refused one may have replaced; they are gone afterwards.

        :param last: of those that are equally new, the one that came last replaces the others.
        """
        self._sort()
        # A cross join goes through the refused first: there are few.
        self._db.execute(
            "CREATE TABLE replaced AS SELECT rows.number, rows.key FROM (SELECT key, min(version) AS low, "
            "max(version) AS high, max(number) AS latest FROM refused GROUP BY key) AS bad CROSS JOIN rows "
            "ON rows.key = bad.key WHERE NOT (low <> '' AND version > high) AND (number < latest OR NOT ? "
            "OR (version <> '' AND version < high))",
            (last,),
        )
        yield from self._all("SELECT number, key FROM replaced ORDER BY key, number")
        self._db.execute("DELETE FROM rows WHERE number IN (SELECT number FROM replaced)")

    def settle(self, *, last: bool = False) -> None:
        """When all are in: keep the newest of each key, and one of equal ones.

        :param last: of those that are equally new and differ, keep the one that came last; else :meth:`differing` gives
            them.
        """
        self._sort()
        self._db.execute(f"CREATE TABLE doubled AS {_DOUBLED}")
        self._db.execute(
            "DELETE FROM rows WHERE number IN (SELECT number FROM doubled JOIN rows AS old USING (key) WHERE version "
            "<> '' AND version < (SELECT max(version) FROM rows AS newer WHERE newer.key = old.key))"
        )
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

    def by_key(self) -> Iterator[tuple[str, bytes]]:
        """Key and line of every row, key by key."""
        return self._all("SELECT key, line FROM rows ORDER BY key, number")

    def kept(self) -> tuple[int, int]:
        """How many rows :meth:`lines` gives, and how many of them have no key."""
        ((rows, keyless),) = self._all("SELECT count(*), count(*) - count(key) FROM rows")
        return rows, keyless

    def owners(self) -> Iterator[tuple[str, int]]:
        """Each customer with the number of its rows."""
        return self._all("SELECT owner, count(*) FROM rows WHERE owner IS NOT NULL GROUP BY owner")

    def sum_up(self, entry_of: Callable[[str | None, str, bytes], tuple[Any, ...]]) -> bool:
        """Put the journal's sums beside the rows.

        :return: whether a row has no key, or a version.
        """
        self._flush()
        self._db.execute("CREATE TABLE entries (row INTEGER PRIMARY KEY, key_sum BLOB, content_sum BLOB, version TEXT)")
        cursor = self._db.execute("SELECT rowid, key, version, coalesce(content, line) FROM rows")
        found = False
        while batch := list(islice(cursor, BATCH)):
            found = found or any(key is None or version for _row, key, version, _content in batch)
            entries = [(row, *entry_of(key, version, content)) for row, key, version, content in batch]
            self._db.executemany("INSERT INTO entries VALUES (?, ?, ?, ?)", entries)
        return found

    def entries(self) -> Iterator[tuple[Any, ...]]:
        """Number of each row and its entry, in the order of their key sums."""
        return self._all("SELECT row, key_sum, content_sum, version FROM entries ORDER BY key_sum")

    def choose(self, chosen: Iterator[tuple[Any, ...]]) -> None:
        """Let :meth:`lines` give only some rows.

        :param chosen: the number :meth:`entries` gives of each row, the file it goes to where that is another than its
            own, and the verdict on it.
        """
        self._db.execute("CREATE TABLE chosen (row INTEGER, file TEXT, verdict TEXT)")
        self._db.execute("CREATE TABLE written (number INTEGER PRIMARY KEY, row INTEGER)")
        while batch := list(islice(chosen, BATCH)):
            self._db.executemany("INSERT INTO chosen VALUES (?, ?, ?)", batch)
        self._chosen = True

    def noted(self) -> Iterator[tuple[int, str, bytes]]:
        """Number, verdict and note of the rows :meth:`lines` gives that have a note; without a verdict they are new."""
        chosen = "verdict, note FROM rows JOIN chosen ON row = number" if self._chosen else "'new', note FROM rows"
        query = f"SELECT number, {chosen} WHERE note IS NOT NULL ORDER BY number"
        return self._all(query) if self._has_notes else iter(())

    def leave_out(self, numbers: Iterator[int]) -> None:
        """Forget some rows."""
        self._db.execute("CREATE TABLE left_out (number INTEGER PRIMARY KEY)")
        while batch := list(islice(numbers, BATCH)):
            self._db.executemany("INSERT INTO left_out VALUES (?)", ((number,) for number in batch))
        self._db.execute("DELETE FROM rows WHERE number IN (SELECT number FROM left_out)")

    def written(self, first: int, last: int) -> Iterator[tuple[Any, ...]]:
        """The entries of rows :meth:`lines` gave, from one number to another, in the order of their key sums."""
        return self._all(f"SELECT key_sum, content_sum, version {_WRITTEN} ORDER BY key_sum", first, last)

    def versions(self, first: int, last: int) -> Iterator[str]:
        """The versions of the same rows, in the order of the lines."""
        return (version for (version,) in self._all(f"SELECT version {_WRITTEN} ORDER BY number", first, last))

    def _chosen_lines(self, file: str) -> Iterator[bytes]:
        cursor = self._db.execute(
            "SELECT row, line FROM chosen JOIN rows ON number = row WHERE coalesce(chosen.file, rows.file) = ? "
            "ORDER BY key, line",
            (file,),
        )
        while batch := list(islice(cursor, BATCH)):
            self._db.executemany("INSERT INTO written (row) VALUES (?)", ((row,) for row, _line in batch))
            yield from (line for _row, line in batch)

    def lines(self, file: str = "part") -> Iterator[bytes]:
        """The rows of one file, those without a key first."""
        if self._chosen:
            return self._chosen_lines(file)
        return (line for (line,) in self._all("SELECT line FROM rows WHERE file = ? ORDER BY key, line", file))

    def _all(self, query: str, *values: object) -> Iterator[Any]:
        self._flush()
        return self._db.execute(query, values)

    def _sort(self) -> None:
        self._flush()
        self._db.execute("CREATE INDEX IF NOT EXISTS by_key ON rows (key, version)")

    def _flush(self) -> None:
        self._db.executemany("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", self._waiting)
        self._waiting.clear()
