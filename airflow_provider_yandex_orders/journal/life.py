# SPDX-License-Identifier: Apache-2.0
"""The life of deliveries and their parts: what a task that sends writes of them."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import chain, islice
from typing import Any

import msgspec
from sqlalchemy import and_, func, select, update
from sqlalchemy.engine import Connection, CursorResult
from sqlalchemy.sql import ColumnElement, Select
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from airflow_provider_yandex_orders.exceptions import ConfigurationError, JournalUnavailable
from airflow_provider_yandex_orders.journal.database import Database, now
from airflow_provider_yandex_orders.journal.lease import Lease
from airflow_provider_yandex_orders.journal.records import (
    COUNTS,
    FIRST_TRY,
    Destination,
    OpenDelivery,
    PartFile,
    PartState,
    PlacedEntry,
    TaskKey,
    Try,
)
from airflow_provider_yandex_orders.journal.tables import deliveries, destinations, parts, rejects
from airflow_provider_yandex_orders.journal.tables import money as money_table

log = logging.getLogger(__name__)

_CHUNK = 1_000
"""Rows of a statement: of more at once Python's collector of garbage takes its share."""
_WRITTEN = 50
"""Statements of a transaction: other tasks write meanwhile."""
_KEYS = 5_000
_TRIES = 6
COUNTED = (PartState.SENDING.value, PartState.ACCEPTED.value, PartState.GOOD.value)
"""Of parts whose rows count as had, or may be."""


class Deliveries:
    """Writes down what becomes of deliveries and their parts: the half of the journal that a task which sends tells."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._destinations: dict[Destination, int] = {}

    @property
    def named(self) -> str:
        """Where it is, for messages."""
        return self._database.named

    def begin(
        self, destination: Destination, task: TaskKey, this: Try = FIRST_TRY, *, resend: bool = False
    ) -> OpenDelivery:
        """The delivery of a task: the one an earlier try left incomplete, else a new one.

        Parts that an earlier try planned and did not send are dropped: the plan is made anew. Airflow's own retry of a
        task whose delivery is complete gets that one again.

        :param resend: where people cleared a task that had only the wait left, they want a new one.
        """
        here = self._id_of(destination)
        mine = of_task(here, task)
        with self._database.writing() as connection:
            tries = {"try_number": this.number, "max_tries": this.most}
            of_mine = parts.c.delivery_id.in_(select(deliveries.c.delivery_id).where(mine))
            # People were told of these, and cleared the task.
            answered = (parts.c.state == PartState.SENDING.value) & (parts.c.told < this.most)
            connection.execute(update(parts).where(of_mine, answered).values(state=PartState.ABANDONED.value))
            found = connection.execute(latest(mine)).first()
            cleared = found is not None and found.max_tries is not None and this.most > found.max_tries
            if found is None or not _goes_on(found, this, resend and cleared):
                self._complete(connection, mine)
                whose = {"destination_id": here, **asdict(task)}
                made = connection.execute(deliveries.insert().values(**whose, **tries, started_at=now()))
                return OpenDelivery(_made(made), None)
            connection.execute(update(deliveries).where(deliveries.c.delivery_id == found.delivery_id).values(**tries))
            unsent = (parts.c.delivery_id == found.delivery_id) & (parts.c.state == PartState.PLANNED.value)
            connection.execute(update(parts).where(unsent).values(state=PartState.DROPPED.value))
            result = None if found.result is None else msgspec.json.decode(found.result)
            return OpenDelivery(found.delivery_id, result, cleared)

    def plan(
        self, delivery_id: int, files: Iterable[tuple[int, PartFile]], entries: Iterable[PlacedEntry]
    ) -> list[int]:
        """Write down parts and what is in them; nothing of it counts before they go out.

        :param files: the parts with their place in the delivery, from 1.
        :param entries: rows of all of them, each with the place of its file, in the order of their key sums, in which
            they are written quickest.
        :return: the parts' ids in the journal.
        """
        planned = {"delivery_id": delivery_id, "state": PartState.PLANNED.value, "planned_at": now()}
        with self._database.writing() as connection:
            ids = [
                _made(connection.execute(parts.insert().values(**planned, number=number, **_named(file))))
                for number, file in files
            ]
        waiting = iter(entries)
        chunks = iter(lambda: list(islice(waiting, _CHUNK)), [])
        for first in chunks:
            with self._database.writing() as connection:
                for chunk in chain([first], islice(chunks, _WRITTEN - 1)):
                    self._add(connection, ids, chunk)
        return ids

    def _add(self, connection: Connection, ids: Sequence[int], chunk: Sequence[PlacedEntry]) -> None:
        keys, contents, versions, places = zip(*chunk, strict=True)
        if all(contents):
            self._database.bulk.add(connection, keys, [ids[at] for at in places], contents, versions)
            return
        copies = Counter((key, ids[at]) for key, content, _version, at in chunk if not content)
        self._database.bulk.add_copies(connection, [(*which, count) for which, count in copies.items()])
        if keyed := [entry for entry in chunk if entry[1]]:
            self._add(connection, ids, keyed)

    # Parts under way. A part has gone out when ``sending`` is written, and only then may the request be made.

    def sending(self, part_id: int, lease: Lease | None = None) -> None:
        """A part goes out now: until it is answered nobody knows its fate.

        :param lease: the lease its destination is held by, where it is; it is held on to by the same write.
        :raises PassingError: the lease went to another task; the part must not go out.
        """
        with self._database.writing() as connection:
            if lease is not None:
                lease.renew(connection)
            earlier = parts.alias()
            self._database.one_after_the_other(connection)
            turn = select(func.coalesce(func.max(earlier.c.turn), 0) + 1).scalar_subquery()
            self._move(connection, part_id, PartState.SENDING, sent_at=now(), turn=turn)

    def accepted(
        self,
        part_id: int,
        *,
        upload_id: str | None = None,
        status: str | None = None,
        rows_accepted: int | None = None,
        refused: Iterable[bytes] = (),
        good: bool = False,
        money: Mapping[str, str] | None = None,
    ) -> bool:
        """The service took a part: its rows are had.

        :param good: it is judged already.
        :param refused: key sums of rows it would not take.
        :param money: what the others are worth, where there are such rows.
        :return: ``False``: the journal could not be written, also after several tries. The part must not be sent
            again; :class:`~airflow_provider_yandex_orders.journal.tripwire.Tripwire` keeps the answer.
        """
        answer: dict[str, Any] = {"upload_id": upload_id, "status": status, "rows_accepted": rows_accepted}
        answer["accepted_at"] = now()
        if money is not None:
            answer["money"] = money
        if good:
            answer["judged_at"] = now()
        state = PartState.GOOD if good else PartState.ACCEPTED
        return self._answered(part_id, state, answer, list(refused))

    def refused(self, part_id: int, *, status: str | None = None) -> bool:
        """The service surely has nothing of a part.

        :return: as of :meth:`accepted`.
        """
        return self._answered(part_id, PartState.REFUSED, {"status": status})

    def stayed(self, part_id: int) -> bool:
        """A part did not go out after all.

        :return: as of :meth:`accepted`.
        """
        return self._answered(part_id, PartState.DROPPED, {"sent_at": None})

    def unanswered(self, part_id: int) -> None:
        """A part that took a while to go out got no answer: it counts as sent now."""
        self._note(part_id, sent_at=now())

    def told(self, part_id: int) -> None:
        """People were told that nobody knows whether a part has arrived: the task that sent it, cleared, is their
        answer that it has not."""
        most = select(deliveries.c.max_tries).where(deliveries.c.delivery_id == parts.c.delivery_id).scalar_subquery()
        self._note(part_id, told=func.coalesce(most, 0))

    def abandoned(self, part_id: int) -> None:
        """Nobody waits any more to learn what became of a part; its rows count as not had."""
        with self._database.writing() as connection:
            self._move(connection, part_id, PartState.ABANDONED)

    # After the last part.

    def sent(self, delivery_id: int, result: Mapping[str, Any], rejected: Mapping[str, int] | None = None) -> None:
        """Everything of a delivery was sent: the next try goes straight to the wait.

        :param result: what the task returns. Keys and values of rows must not be in it.
        :param rejected: rejected rows by the code of their fault.
        """
        text = msgspec.json.encode(result).decode()
        self.counted(delivery_id, result, rejected, sent_at=now(), result=text)

    def counted(
        self, delivery_id: int, counts: Mapping[str, Any], rejected: Mapping[str, int] | None = None, **more: Any
    ) -> None:
        """What became of the rows of a delivery, as far as it is known.

        :param counts: rows by what became of them, and ``money``.
        """
        columns = {name: counts.get(name) for name in COUNTS} | more
        with self._database.writing() as connection:
            connection.execute(update(deliveries).where(deliveries.c.delivery_id == delivery_id).values(**columns))
            for table, (key, value), told in (
                (rejects, ("code", "rows"), rejected),
                (money_table, ("currency", "amount"), counts.get("money")),
            ):
                connection.execute(table.delete().where(table.c.delivery_id == delivery_id))
                if told:
                    rows = [{"delivery_id": delivery_id, key: each, value: count} for each, count in told.items()]
                    connection.execute(table.insert(), rows)

    def complete(self, destination: Destination, task: TaskKey) -> None:
        """Nothing is left to do in a task's delivery: cleared from now on, it begins a new one."""
        whose = of_task(self._id_of(destination), task)
        with self._database.writing() as connection:
            self._complete(connection, whose)

    def _answered(
        self, part_id: int, state: PartState, answer: Mapping[str, Any], refused: Sequence[bytes] = ()
    ) -> bool:
        """Write down what the service said, and return whether that could be done; a short absence is waited for."""
        tries = Retrying(
            retry=retry_if_exception_type(JournalUnavailable),
            stop=stop_after_attempt(_TRIES),
            wait=wait_exponential(max=10),
            reraise=True,
        )
        try:
            for attempt in tries:
                with attempt, self._database.writing() as connection:
                    changed = update(parts).where(parts.c.part_id == part_id).values(state=state.value, **answer)
                    if connection.execute(changed).rowcount == 0:
                        log.warning("The journal has lost part %d: the answer to it is not written down.", part_id)
                        return False
                    for at in range(0, len(refused), _KEYS):
                        self._database.bulk.forget(connection, part_id, refused[at : at + _KEYS])
        except JournalUnavailable as error:
            log.warning("The answer to part %d is not written down: %s", part_id, error)
            return False
        return True

    def _complete(self, connection: Connection, which: ColumnElement[bool]) -> None:
        """Write down that nothing is left to do in some deliveries."""
        incomplete = which & deliveries.c.completed_at.is_(None)
        connection.execute(update(deliveries).where(incomplete).values(completed_at=now()))

    def _id_of(self, destination: Destination) -> int:
        """Number of a destination, given the first time it is named."""
        if destination not in self._destinations:
            place = asdict(destination)
            with self._database.writing() as connection:
                connection.execute(self._database.insert(destinations).values(place).on_conflict_do_nothing())
                found = connection.execute(select(destinations.c.destination_id).filter_by(**place))
                self._destinations[destination] = found.scalar_one()
        return self._destinations[destination]

    def _note(self, part_id: int, **values: Any) -> None:
        """Write down something of a part that no answer came to; another task may have got one meanwhile."""
        unanswered = (parts.c.part_id == part_id) & (parts.c.state == PartState.SENDING.value)
        with self._database.writing() as connection:
            connection.execute(update(parts).where(unanswered).values(**values))

    def _move(self, connection: Connection, part_id: int, state: PartState, **values: Any) -> None:
        changed = update(parts).where(parts.c.part_id == part_id).values(state=state.value, **values)
        if connection.execute(changed).rowcount == 0:
            raise ConfigurationError(
                f"The journal of deliveries, {self.named}, has lost part {part_id} that this task planned there: it "
                "was emptied or put back to an earlier state meanwhile. Run the task again once it stands still."
            )


def _goes_on(found: Any, this: Try, anew: bool) -> bool:
    """Whether a try goes on with the last delivery of its task.

    :param anew: whether people cleared it to send all once more.
    """
    most = this.most if found.max_tries is None else found.max_tries
    if found.completed_at is None:
        return found.result is None or not anew
    # The worker died after the end and before Airflow heard of it: the same end is told once more. A run that was
    # deleted and made again counts its tries anew, and wants its rows sent.
    again = this.most == most and this.number > (found.try_number or this.number)
    return again and found.result is not None and this.since is not None and found.completed_at >= this.since


def latest(whose: ColumnElement[bool]) -> Select[Any]:
    """The last of some deliveries."""
    return select(deliveries).where(whose).order_by(deliveries.c.delivery_id.desc()).limit(1)


def of_task(of_destination: int, task: TaskKey) -> ColumnElement[bool]:
    """Deliveries of a task to a destination."""
    c = deliveries.c
    return and_(c.destination_id == of_destination, *(c[name] == value for name, value in asdict(task).items()))


def _made(inserted: CursorResult[Any]) -> int:
    """Id of the row that was inserted."""
    key: Any = inserted.inserted_primary_key
    return int(key[0])


def _named(file: PartFile) -> dict[str, Any]:
    return {name: getattr(file, name) for name in PartFile.__dataclass_fields__}
