# SPDX-License-Identifier: Apache-2.0
"""The statements that meet every row of an upload, in the database's own SQL: a million rows take seconds.

To bind a value costs a driver many times what the database needs to write it down. So values travel joined to one
text, in places of equal width, and the database takes them apart.
"""
# ruff: noqa: S608 - statements are put together from constants

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy.engine import Connection

from airflow_provider_yandex_orders.journal.records import CONTENT_BYTES, KEY_BYTES

_COLUMNS = "key_sum, part_id, content_sum, version, copies"
"""What the tuples here hold."""
_DIGITS = 10


class _Bulk:
    """For both databases.

    :param rows: the table.
    :param given: a table of the numbers from 0 to ``count`` - 1, called ``i``.
    :param value: a value by its name.
    :param text: bytes as text.
    :param one_of: whether a column is one of the results of a query.
    """

    def __init__(self, rows: str, given: str, value: str, text: str, one_of: str) -> None:
        def at(name: str, width: object) -> str:
            return f"substr({value % name}, i * {width} + 1, {width})"

        def number(name: str) -> str:
            return f"CAST({text % at(name, _DIGITS)} AS INTEGER)"

        key, versions = at("keys", KEY_BYTES), at("versions", value % "width")
        among = f"key_sum {one_of % f'SELECT {key} FROM {given}'}"
        into = f"INSERT INTO {rows} ({_COLUMNS}) SELECT {key}, {number('parts')}, "
        self._between = (
            f"SELECT {_COLUMNS} FROM {rows} WHERE key_sum >= {value % 'first'} AND key_sum <= {value % 'last'} "
            f"LIMIT {value % 'most'}"
        )
        self._sent = f"SELECT {_COLUMNS} FROM {rows} WHERE {among}"
        self._forget = f"DELETE FROM {rows} WHERE part_id = {value % 'part'} AND {among}"
        self._add = f"{into}{at('contents', CONTENT_BYTES)}, nullif(rtrim({text % versions}), ''), NULL FROM {given}"
        self._add_copies = (
            f"{into}NULL, NULL, {number('copies')} FROM {given} WHERE true ON CONFLICT (key_sum, part_id) "
            f"DO UPDATE SET copies = {rows.rpartition('.')[2]}.copies + excluded.copies"
        )

    def between(self, connection: Connection, first: bytes, last: bytes, most: int) -> Sequence[Any]:
        """Every part on record that has one of the keys from the first to the last, as tuples: so many at most."""
        return _found(connection, self._between, {"first": first, "last": last, "most": most})

    def sent(self, connection: Connection, keys: Sequence[bytes]) -> Sequence[Any]:
        """Every part on record that has one of the keys, as tuples."""
        return _found(connection, self._sent, _joined(keys))

    def add(
        self,
        connection: Connection,
        keys: Sequence[bytes],
        parts: Collection[int],
        contents: Iterable[bytes],
        versions: Sequence[str],
    ) -> None:
        """Write down rows of parts, by columns."""
        width = max(map(len, versions))
        if min(map(len, versions)) < width:
            versions = [each.ljust(width) for each in versions]
        more = {"parts": _numbers(parts), "contents": b"".join(contents), "versions": "".join(versions).encode("ascii")}
        connection.exec_driver_sql(self._add, {**_joined(keys), **more, "width": width})

    def add_copies(self, connection: Connection, rows: Iterable[tuple[bytes, int, int]]) -> None:
        """Write down rows without a key: key sum, part, and how many; to those of the part that are there."""
        keys, parts, copies = zip(*rows, strict=True)
        more = {"parts": _numbers(parts), "copies": _numbers(copies)}
        connection.exec_driver_sql(self._add_copies, {**_joined(keys), **more})

    def forget(self, connection: Connection, part_id: int, keys: Sequence[bytes]) -> None:
        """Take rows of a part out."""
        connection.exec_driver_sql(self._forget, {**_joined(keys), "part": part_id})


class SqliteBulk(_Bulk):
    """For SQLite."""

    def __init__(self) -> None:
        numbers = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :count) SELECT i FROM n"
        super().__init__("journal_rows", f"({numbers})", ":%s", "CAST(%s AS TEXT)", "IN (%s)")

    def renew(self, connection: Connection, newer: Sequence[tuple[str, bytes, int]]) -> None:
        """Put newer versions: version, key sum and part."""
        query = "UPDATE journal_rows SET version = ? WHERE key_sum = ? AND part_id = ?"
        connection.exec_driver_sql(query, list(newer))


class PostgresBulk(_Bulk):
    """For PostgreSQL.

    :param schema: schema with its dot.
    """

    def __init__(self, schema: str) -> None:
        self._rows = f"{schema}journal_rows"
        given = "generate_series(0, %(count)s - 1) AS given(i)"
        super().__init__(self._rows, given, "%%(%s)s", "convert_from(%s, 'UTF8')", "= ANY(ARRAY(%s))")

    def renew(self, connection: Connection, newer: Sequence[tuple[str, bytes, int]]) -> None:
        """Put newer versions: version, key sum and part."""
        versions, keys, parts = (list(column) for column in zip(*newer, strict=True))
        query = (
            f"UPDATE {self._rows} r SET version = v FROM "
            "unnest(%(versions)s::varchar[], %(keys)s::bytea[], %(parts)s::int[]) AS given(v, k, p) "
            "WHERE r.key_sum = k AND r.part_id = p"
        )
        connection.exec_driver_sql(query, {"versions": versions, "keys": keys, "parts": parts})


def _found(connection: Connection, query: str, values: dict[str, Any]) -> Sequence[Any]:
    found = connection.exec_driver_sql(query, values).fetchall()
    if not found or isinstance(found[0][0], bytes):
        return found
    # One of the drivers gives memoryviews.
    return [(bytes(key), part, content and bytes(content), *others) for key, part, content, *others in found]


def _joined(keys: Sequence[bytes]) -> dict[str, Any]:
    return {"keys": b"".join(keys), "count": len(keys)}


def _numbers(numbers: Collection[int]) -> bytes:
    digits = {each: b"%010d" % each for each in set(numbers)}
    return b"".join([digits[each] for each in numbers])
