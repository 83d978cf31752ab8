# SPDX-License-Identifier: Apache-2.0
"""The four statements that meet every row of an upload, in the database's own SQL: a million rows take seconds."""
# ruff: noqa: S608 - statements are put together from constants

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.engine import Connection

_COLUMNS = "key_sum, part_id, content_sum, version, copies"
"""What the tuples here hold."""


class SqliteBulk:
    """For SQLite."""

    def sent(self, connection: Connection, keys: Sequence[bytes]) -> Sequence[Any]:
        """Every part on record that has one of the keys, as tuples."""
        query = f"SELECT {_COLUMNS} FROM journal_rows WHERE key_sum IN ({_marks(keys)})"
        return connection.exec_driver_sql(query, tuple(keys)).fetchall()

    def add(self, connection: Connection, part_id: int, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write down rows of a part."""
        connection.exec_driver_sql(f"INSERT INTO journal_rows ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)", list(rows))

    def forget(self, connection: Connection, part_id: int, keys: Sequence[bytes]) -> None:
        """Take rows of a part out."""
        query = f"DELETE FROM journal_rows WHERE part_id = ? AND key_sum IN ({_marks(keys)})"
        connection.exec_driver_sql(query, (part_id, *keys))

    def renew(self, connection: Connection, newer: Sequence[tuple[str, bytes, int]]) -> None:
        """Put newer versions: version, key sum and part."""
        query = "UPDATE journal_rows SET version = ? WHERE key_sum = ? AND part_id = ?"
        connection.exec_driver_sql(query, list(newer))


class PostgresBulk:
    """For PostgreSQL, where rows travel as columns.

    :param schema: schema with its dot.
    """

    def __init__(self, schema: str) -> None:
        self._rows = f"{schema}journal_rows"

    def sent(self, connection: Connection, keys: Sequence[bytes]) -> Sequence[Any]:
        """Every part on record that has one of the keys, as tuples."""
        query = f"SELECT {_COLUMNS} FROM {self._rows} WHERE key_sum = ANY(%(keys)s::bytea[])"
        found = connection.exec_driver_sql(query, {"keys": list(keys)}).fetchall()
        # One of the drivers gives memoryviews.
        return [(bytes(key), part, content and bytes(content), *others) for key, part, content, *others in found]

    def add(self, connection: Connection, part_id: int, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write down rows of a part."""
        keys, _parts, contents, versions, copies = (list(column) for column in zip(*rows, strict=True))
        query = (
            f"INSERT INTO {self._rows} ({_COLUMNS}) SELECT k, %(part)s, c, v, n FROM "
            "unnest(%(keys)s::bytea[], %(contents)s::bytea[], %(versions)s::varchar[], %(copies)s::int[]) "
            "AS given(k, c, v, n)"
        )
        values = {"part": part_id, "keys": keys, "contents": contents, "versions": versions, "copies": copies}
        connection.exec_driver_sql(query, values)

    def forget(self, connection: Connection, part_id: int, keys: Sequence[bytes]) -> None:
        """Take rows of a part out."""
        query = f"DELETE FROM {self._rows} WHERE part_id = %(part)s AND key_sum = ANY(%(keys)s::bytea[])"
        connection.exec_driver_sql(query, {"part": part_id, "keys": list(keys)})

    def renew(self, connection: Connection, newer: Sequence[tuple[str, bytes, int]]) -> None:
        """Put newer versions: version, key sum and part."""
        versions, keys, parts = (list(column) for column in zip(*newer, strict=True))
        query = (
            f"UPDATE {self._rows} r SET version = v FROM "
            "unnest(%(versions)s::varchar[], %(keys)s::bytea[], %(parts)s::int[]) AS given(v, k, p) "
            "WHERE r.key_sum = k AND r.part_id = p"
        )
        connection.exec_driver_sql(query, {"versions": versions, "keys": keys, "parts": parts})


def _marks(keys: Sequence[bytes]) -> str:
    return ", ".join("?" * len(keys))
