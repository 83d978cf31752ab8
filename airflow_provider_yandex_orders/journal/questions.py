# SPDX-License-Identifier: Apache-2.0
"""Which rows a destination has: the subtraction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import bindparam, select

from airflow_provider_yandex_orders.journal.database import Database, now
from airflow_provider_yandex_orders.journal.records import Entry, PartState, Verdict
from airflow_provider_yandex_orders.journal.tables import parts

CHUNK = 5_000
SETTLED = timedelta(days=7)
"""An accepted part that nobody judged for so long will not end badly any more."""

_HAD = frozenset({PartState.ACCEPTED.value, PartState.GOOD.value})
_PLANNED = PartState.PLANNED.value
_SENDING = PartState.SENDING.value
_GONE = (PartState.DROPPED.value, False, 0)
"""What a part is that is not on record any more."""

_STATES = select(parts.c.part_id, parts.c.state, parts.c.accepted_at, parts.c.turn).where(
    parts.c.part_id.in_(bindparam("ids", expanding=True))
)


def subtract(database: Database, entries: Iterable[Entry]) -> Iterator[Verdict]:
    """A verdict on each row, in the order the rows come.

    Rows whose content is had are noted to have the newer version; sendings that newer ones stand over are cleared.

    :param entries: rows of one destination in the order of their ``key_sum``, each key once; rows without a key as
        often as they are.
    :raises ValueError: they come in another order.
    """
    waiting = iter(entries)
    subtraction = _Subtraction(database)
    while chunk := list(islice(waiting, CHUNK)):
        yield from subtraction.verdicts(chunk)


class _Subtraction:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._states: dict[int, tuple[str, bool, int]] = {}
        self._last = b""
        # Of the content without a key that is looked at: how many are had and unclear and not matched yet.
        self._had = self._unclear = 0
        self._gone: defaultdict[int, list[bytes]] = defaultdict(list)
        self._newer: list[tuple[str, bytes, int]] = []

    def verdicts(self, chunk: Sequence[Entry]) -> list[Verdict]:
        known = self._known(chunk)
        verdicts = [self._verdict(entry, known) for entry in chunk]
        if self._gone or self._newer:
            with self._database.writing() as connection:
                for part, keys in self._gone.items():
                    self._database.bulk.forget(connection, part, keys)
                if self._newer:
                    self._database.bulk.renew(connection, self._newer)
            self._gone.clear()
            self._newer.clear()
        return verdicts

    def _known(self, chunk: Sequence[Entry]) -> dict[bytes, list[Any]]:
        keys = list(dict.fromkeys(entry.key_sum for entry in chunk))
        known: dict[bytes, list[Any]] = {}
        with self._database.reading() as connection:
            ids = set()
            for sent in self._database.bulk.sent(connection, keys):
                key, part_id = sent[0], sent[1]
                if key in known:
                    known[key].append(sent)
                else:
                    known[key] = [sent]
                if part_id not in self._states:
                    ids.add(part_id)
            settled = now() - SETTLED
            for at in range(0, len(ids), CHUNK):
                asked = list(islice(ids, at, at + CHUNK))
                for part_id, state, accepted_at, turn in connection.execute(_STATES, {"ids": asked}):
                    self._states[part_id] = (state, _is_settled(state, accepted_at, settled), turn or 0)
        return known

    def _verdict(self, entry: Entry, known: dict[bytes, list[Any]]) -> Verdict:
        key = entry.key_sum
        if key < self._last or (key == self._last and entry.content_sum):
            raise ValueError("rows must come in the order of their key sums, each key once")
        first, self._last = key != self._last, key
        sendings = known.get(key)
        if entry.content_sum:
            return self._keyed(entry, sendings) if sendings else Verdict.NEW
        if first:
            self._had, self._unclear = self._count(key, sendings or ())
        if self._had:
            self._had -= 1
            return Verdict.UNCHANGED
        if self._unclear:
            self._unclear -= 1
            return Verdict.UNCLEAR
        return Verdict.NEW

    def _keyed(self, entry: Entry, sendings: list[Any]) -> Verdict:
        """The last part that is had tells what the destination has; those under it are kept until it is settled."""
        verdict: Verdict | None = None
        settled = unclear = False
        if len(sendings) > 1:
            sendings.sort(key=self._turn, reverse=True)
        for _key, part_id, content, version, _copies in sendings:
            state, is_settled, _turn = self._states.get(part_id, _GONE)
            if state == _PLANNED:
                continue
            if settled or (state not in _HAD and state != _SENDING):
                self._gone[part_id].append(entry.key_sum)
            elif state in _HAD:
                settled = is_settled
                if verdict is None:
                    verdict = self._compared(entry, part_id, content, version or "", unclear)
            else:
                unclear = True
        return verdict or (Verdict.UNCLEAR if unclear else Verdict.NEW)

    def _turn(self, sending: Any) -> tuple[int, int]:
        """Sorts the parts of a key in the order they went out."""
        part_id = sending[1]
        return self._states.get(part_id, _GONE)[2], part_id

    def _compared(self, entry: Entry, part_id: int, content: bytes | None, version: str, unclear: bool) -> Verdict:
        if unclear:
            return Verdict.OUTDATED if entry.version and entry.version < version else Verdict.UNCLEAR
        if content == entry.content_sum:
            if entry.version > version:
                self._newer.append((entry.version, entry.key_sum, part_id))
            return Verdict.UNCHANGED
        return Verdict.OUTDATED if entry.version and entry.version < version else Verdict.CHANGED

    def _count(self, key: bytes, sendings: Iterable[Any]) -> tuple[int, int]:
        """How many of a content without a key are had, and how many are unclear."""
        had = unclear = 0
        for _key, part_id, _content, _version, copies in sendings:
            state, _settled, _turn = self._states.get(part_id, _GONE)
            if state in _HAD:
                had += copies
            elif state == _SENDING:
                unclear += copies
            elif state != _PLANNED:
                self._gone[part_id].append(key)
        return had, unclear


def _is_settled(state: str, accepted_at: datetime | None, before: datetime) -> bool:
    return state == PartState.GOOD.value or (
        state == PartState.ACCEPTED.value and accepted_at is not None and accepted_at < before
    )
