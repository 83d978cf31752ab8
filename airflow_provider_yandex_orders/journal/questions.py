# SPDX-License-Identifier: Apache-2.0
"""Which rows a destination has: the subtraction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import islice, repeat
from operator import lt
from typing import Any

from sqlalchemy import bindparam, select

from airflow_provider_yandex_orders.journal.database import Database, now
from airflow_provider_yandex_orders.journal.records import AnyEntry, PartState, Verdict
from airflow_provider_yandex_orders.journal.tables import parts

CHUNK = 2_000
SETTLED = timedelta(days=7)
"""An accepted part that nobody judged for so long will not end badly any more."""

_HAD = frozenset({PartState.ACCEPTED.value, PartState.GOOD.value})
_PLANNED = PartState.PLANNED.value
_SENDING = PartState.SENDING.value
_GONE = (PartState.DROPPED.value, False, 0, -1)
"""What a part is that is not on record any more."""

_STATES = select(parts.c.part_id, parts.c.state, parts.c.accepted_at, parts.c.turn, parts.c.delivery_id).where(
    parts.c.part_id.in_(bindparam("ids", expanding=True)), parts.c.planned_at >= bindparam("forgotten")
)


class Subtraction:
    """Judges the rows of one delivery.

    Rows whose content is had are noted to have the newer version; sendings that newer ones stand over are cleared.

    ``delivery_id`` and ``planned`` are those of :meth:`~airflow_provider_yandex_orders.journal.store.Journal.subtract`.

    :param days: parts planned longer ago are forgotten, whether they were purged already or not.
    """

    def __init__(self, database: Database, delivery_id: int, planned: int | None, days: int) -> None:
        self._forgotten = now() - timedelta(days=days)
        self._database = database
        self._planned = planned
        self._delivery_id = delivery_id
        self._states: dict[int, tuple[str, bool, int, int]] = {}
        self._last = b""
        # Of the content without a key that is looked at: how many of which verdict are not matched yet.
        self._copies: dict[Verdict, int] = {}
        # Whether the journal has few rows between those that are asked for: it is read as it lies then.
        self._dense = True
        self._gone: defaultdict[int, list[bytes]] = defaultdict(list)
        self._newer: list[tuple[str, bytes, int]] = []

    def verdicts(self, entries: Iterable[AnyEntry]) -> Iterator[Verdict]:
        """A verdict on each row, in the order the rows come."""
        waiting = iter(entries)
        while chunk := list(islice(waiting, CHUNK)):
            keys = [entry[0] for entry in chunk]
            known = self._known(keys)
            if not known and keys[0] > self._last and all(map(lt, keys, keys[1:])):
                self._last, self._copies = keys[-1], {}
                yield from repeat(Verdict.NEW, len(keys))
                continue
            verdicts = [self._verdict(entry, known) for entry in chunk]
            self._clear()
            yield from verdicts

    def _clear(self) -> None:
        if not self._gone and not self._newer:
            return
        with self._database.writing() as connection:
            for part, keys in self._gone.items():
                self._database.bulk.forget(connection, part, keys)
            if self._newer:
                self._database.bulk.renew(connection, self._newer)
        self._gone.clear()
        self._newer.clear()

    def _known(self, keys: Sequence[bytes]) -> Mapping[bytes, list[Any]]:
        known: defaultdict[bytes, list[Any]] = defaultdict(list)
        bulk, most = self._database.bulk, 2 * CHUNK
        with self._database.reading() as connection:
            found = bulk.between(connection, keys[0], keys[-1], most) if self._dense else ()
            if not self._dense or len(found) == most:
                self._dense, found = False, bulk.sent(connection, keys)
            for sent in found:
                known[sent[0]].append(sent)
            ids = {sent[1] for sent in found} - self._states.keys()
            settled = now() - SETTLED
            for at in range(0, len(ids), CHUNK):
                given = {"ids": list(islice(ids, at, at + CHUNK)), "forgotten": self._forgotten}
                for part_id, state, accepted_at, turn, whose in connection.execute(_STATES, given):
                    waited = state == PartState.ACCEPTED.value and accepted_at is not None and accepted_at < settled
                    self._states[part_id] = (state, waited or state == PartState.GOOD.value, turn or 0, whose)
        return known

    def _verdict(self, entry: AnyEntry, known: Mapping[bytes, list[Any]]) -> Verdict:
        key = entry[0]
        if key < self._last or (key == self._last and entry[1]):
            raise ValueError("rows must come in the order of their key sums, each key once")
        first, self._last = key != self._last, key
        sendings = known.get(key)
        if entry[1]:
            return self._keyed(entry, sendings) if sendings else Verdict.NEW
        if first:
            self._copies = self._count(key, sendings or ())
        for verdict, copies in self._copies.items():
            if copies:
                self._copies[verdict] -= 1
                return verdict
        return Verdict.NEW

    def _keyed(self, entry: AnyEntry, sendings: list[Any]) -> Verdict:
        """The last part that is had tells what the destination has; those under it are kept until it is settled."""
        verdict: Verdict | None = None
        settled = False
        unclear: str | None = None  # the newest version of those
        if len(sendings) > 1:
            # In the order they went out.
            sendings.sort(key=lambda sent: (self._states.get(sent[1], _GONE)[2], sent[1]), reverse=True)
        for _key, part_id, content, version, _copies in sendings:
            state, is_settled, turn, whose = self._states.get(part_id, _GONE)
            if state == _PLANNED:
                continue
            later = self._planned is not None and turn > self._planned and whose != self._delivery_id
            if later and content != entry[1] and state in (*_HAD, _SENDING):
                return Verdict.MOVED
            if settled or (state not in _HAD and state != _SENDING):
                self._gone[part_id].append(entry[0])
            elif state in _HAD:
                settled = is_settled
                if verdict is None:
                    verdict = self._compared(entry, part_id, content, version or "", unclear)
            else:
                unclear = max(unclear or "", version or "")
        if verdict is None and unclear is not None:
            return Verdict.OUTDATED if entry[2] and entry[2] < unclear else Verdict.UNCLEAR
        return verdict or Verdict.NEW

    def _compared(
        self, entry: AnyEntry, part_id: int, content: bytes | None, version: str, unclear: str | None
    ) -> Verdict:
        # Also with the same content: sent again it would stand over the version it was newer than.
        if entry[2] and entry[2] < max(version, unclear or ""):
            return Verdict.OUTDATED
        if unclear is not None:
            return Verdict.UNCLEAR
        if content == entry[1]:
            if entry[2] > version:
                self._newer.append((entry[2], entry[0], part_id))
            return self._had(part_id)
        return Verdict.CHANGED

    def _had(self, part_id: int) -> Verdict:
        return Verdict.DELIVERED if self._states[part_id][3] == self._delivery_id else Verdict.UNCHANGED

    def _count(self, key: bytes, sendings: Iterable[Any]) -> dict[Verdict, int]:
        """How many of a content without a key this delivery sent, others sent, and nobody knows the fate of."""
        copies_of = dict.fromkeys((Verdict.DELIVERED, Verdict.UNCHANGED, Verdict.UNCLEAR), 0)
        for _key, part_id, _content, _version, copies in sendings:
            state = self._states.get(part_id, _GONE)[0]
            if state in _HAD:
                copies_of[self._had(part_id)] += copies
            elif state == _SENDING:
                copies_of[Verdict.UNCLEAR] += copies
            elif state != _PLANNED:
                self._gone[part_id].append(key)
        return copies_of
