# SPDX-License-Identifier: Apache-2.0
"""Which version of each order is the newest: facts move while one pages."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from airflow_provider_yandex_orders.local_tables import LocalTables
from airflow_provider_yandex_orders.market.tables.plain import plain_decoder
from airflow_provider_yandex_orders.market.tables.rows import MOSCOW, Misfit, integer, moment


class _Head(msgspec.Struct):
    """What tells orders and their versions apart, whatever type the service gives it."""

    id: Any = None
    updated: Any = msgspec.field(name="statusUpdateDate", default=None)


_decode_head = msgspec.json.Decoder(_Head).decode
T = TypeVar("T")


def head_of(line: bytes) -> tuple[int | None, float, bool]:
    """Id of an order, a number that is greater for a newer version, and whether all of the order is known.

    An order without a date is older than any.
    """
    try:
        order = plain_decoder()(line)
        updated, known = order.statusUpdateDate, True
    except msgspec.DecodeError:
        order = _decode_head(line)
        updated, known = _fitting(_rounded_moment, order.updated), False
    if updated is not None and updated.tzinfo is None:
        updated = updated.replace(tzinfo=MOSCOW)
    return _fitting(integer, order.id), -math.inf if updated is None else updated.timestamp(), known


def _rounded_moment(value: Any) -> datetime:
    """A moment as the quick way reads it: beyond a millionth of a second it rounds, where Python's own reader cuts."""
    try:
        return msgspec.convert(value, datetime)
    except msgspec.ValidationError:
        return moment(value)


def _fitting(read: Callable[[Any], T], value: Any) -> T | None:
    try:
        return read(value)
    except Misfit:
        return None


class Seen(LocalTables):
    """Keeps id, version and place of every order."""

    def __init__(self) -> None:
        super().__init__(
            "CREATE TABLE seen (id INTEGER PRIMARY KEY, version REAL NOT NULL, place INTEGER NOT NULL)",
            "CREATE TABLE outdated (place INTEGER PRIMARY KEY)",
        )
        self.overtaken = 0
        """Orders that had been called the newest before a newer one came."""

    def is_newest(self, order_id: int, version: float | None, place: int) -> bool:
        """Take in an order, and say whether it is newer than all of the same id before; of equal ones the later is.

        :param version: ``None`` for one that does not say: the later is.
        :param place: the order's number among all that came, which tells it apart from its other versions.
        """
        known = self._db.execute("SELECT version, place FROM seen WHERE id = ?", (order_id,)).fetchone()
        if version is None:
            version = -math.inf if known is None else known[0]
        if known is not None:
            newer = version >= known[0]
            self.overtaken += newer
            self._db.execute("INSERT INTO outdated VALUES (?)", (known[1] if newer else place,))
            if not newer:
                return False
        self._db.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", (order_id, version, place))
        return True

    def outdated(self, places: range) -> set[int]:
        """Places among these whose orders are not the newest of their id."""
        found: Iterable[tuple[int]] = self._db.execute(
            "SELECT place FROM outdated WHERE place >= ? AND place < ?", (places.start, places.stop)
        )
        return {place for (place,) in found}

    def count_outdated(self) -> int:
        """How many orders were not, or are no longer, the newest of their id."""
        count: int = self._db.execute("SELECT count(*) FROM outdated").fetchone()[0]
        return count
