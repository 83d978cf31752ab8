# SPDX-License-Identifier: Apache-2.0
"""The sandbox's SQLite file: short connections, one writer at a time, flat memory whatever the size.

A crash of the sandbox loses nothing, a power failure may: the file is not forced to disk, as nothing in it is worth it.
"""

import sqlite3
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Context, Decimal
from pathlib import Path
from threading import Lock
from typing import Final

_CACHE_KIB: Final = 32_768
_BUSY_SECONDS: Final = 60.0
_EXACT: Final = Context(prec=200)


class DecimalSum:
    """SQL aggregate ``decimal_sum(text)``: an exact sum of decimal texts, as text."""

    def __init__(self) -> None:
        self._total = Decimal(0)

    def step(self, value: str | None) -> None:
        """Add one value; null counts as nothing."""
        if value is not None:
            self._total = _EXACT.add(self._total, Decimal(value))

    def finalize(self) -> str:
        """The sum without an exponent."""
        return format(self._total, "f")


class Store:
    """One SQLite file and the tables that the services declare in it."""

    def __init__(self, path: Path | None, schemas: Iterable[str]) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        if path is None:
            self._folder = tempfile.TemporaryDirectory(prefix="yandex-sandbox-", ignore_cleanup_errors=True)
            path = Path(self._folder.name) / "sandbox.sqlite"
        self._path = path
        self._writing = Lock()
        script = "\n".join(schemas)
        try:
            self._prepare(script, zlib.crc32(script.encode()) >> 1)  # SQLite keeps 31 bits
        except sqlite3.DatabaseError as error:
            raise ValueError(f"{path} cannot be the sandbox's store ({error}): name another file") from error

    def _prepare(self, script: str, version: int) -> None:
        """Make the tables, or find those that the same script made."""
        with self.connect() as connection:
            found, filled = (
                connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("user_version", "schema_version")
            )
            if filled and found != version:
                raise ValueError(f"{self._path} was made by another version of the sandbox: delete it, or name another")
            connection.execute("PRAGMA journal_mode=WAL")
            connection.executescript(f"{script}\nPRAGMA user_version = {version};")

    @contextmanager
    def connect(self) -> Iterator[sqlite3.Connection]:
        """A connection in autocommit mode, closed at the end; may be used by one thread at a time."""
        connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            connection.row_factory = sqlite3.Row
            connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
            connection.execute("PRAGMA synchronous=OFF")
            # The type stubs know only aggregates that give an int; SQLite takes text as well.
            connection.create_aggregate("decimal_sum", 1, DecimalSum)  # type: ignore[arg-type]
            yield connection
        finally:
            connection.close()

    @contextmanager
    def transaction(self, connection: sqlite3.Connection) -> Iterator[None]:
        """The one writing transaction of the moment: all of it or nothing."""
        with self._writing:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def clear(self, tables: Sequence[str]) -> None:
        """Empty the named tables; numbering starts again from the beginning."""
        with self.connect() as connection, self.transaction(connection):
            for table in tables:
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 - declared by the services

    def close(self) -> None:
        """Remove the file if it was a temporary one."""
        if self._folder is not None:
            self._folder.cleanup()
