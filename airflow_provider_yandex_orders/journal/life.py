# SPDX-License-Identifier: Apache-2.0
"""The life of a delivery and its parts, as writes to the tables."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import and_, select, update
from sqlalchemy.engine import Connection, CursorResult
from sqlalchemy.sql import ColumnElement, Select
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from airflow_provider_yandex_orders.exceptions import JournalUnavailable
from airflow_provider_yandex_orders.journal.database import Database, now
from airflow_provider_yandex_orders.journal.records import (
    Entry,
    Judgement,
    OpenDelivery,
    PartFile,
    PartState,
    TaskKey,
    Try,
)
from airflow_provider_yandex_orders.journal.tables import deliveries, judgements, parts

log = logging.getLogger(__name__)

_CHUNK = 20_000
_KEYS = 5_000
_TRIES = 6
COUNTED = (PartState.SENDING.value, PartState.ACCEPTED.value, PartState.GOOD.value)
"""Of parts whose rows count as had, or may be."""


def begin(connection: Connection, of_destination: int, task: TaskKey, this: Try, *, resend: bool) -> OpenDelivery:
    """The delivery an earlier try left to go on with, without what it planned and did not send; else a new one."""
    tries = {"try_number": this.number, "max_tries": this.most}
    mine = parts.c.delivery_id.in_(select(deliveries.c.delivery_id).where(of_task(of_destination, task)))
    answered = (parts.c.state == PartState.SENDING.value) & (parts.c.told < this.most)  # by people, who cleared it
    connection.execute(update(parts).where(mine, answered).values(state=PartState.ABANDONED.value))
    found = connection.execute(latest(of_destination, task)).first()
    cleared = found is not None and found.max_tries is not None and this.most > found.max_tries
    if found is None or not _goes_on(found, this, resend and cleared):
        complete(connection, of_task(of_destination, task))
        whose = {"destination_id": of_destination, **asdict(task)}
        made = connection.execute(deliveries.insert().values(**whose, **tries, started_at=now()))
        return OpenDelivery(_made(made), None)
    connection.execute(update(deliveries).where(deliveries.c.delivery_id == found.delivery_id).values(**tries))
    unsent = (parts.c.delivery_id == found.delivery_id) & (parts.c.state == PartState.PLANNED.value)
    connection.execute(update(parts).where(unsent).values(state=PartState.DROPPED.value))
    result = None if found.result is None else msgspec.json.decode(found.result)
    return OpenDelivery(found.delivery_id, result, cleared)


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


def latest(of_destination: int, task: TaskKey) -> Select[Any]:
    """The last delivery of a task."""
    return select(deliveries).where(of_task(of_destination, task)).order_by(deliveries.c.delivery_id.desc()).limit(1)


def of_task(of_destination: int, task: TaskKey) -> ColumnElement[bool]:
    """Deliveries of a task to a destination."""
    c = deliveries.c
    return and_(c.destination_id == of_destination, *(c[name] == value for name, value in asdict(task).items()))


def plan(database: Database, delivery_id: int, number: int, file: PartFile, entries: Iterable[Entry]) -> int:
    """Write down a part and the sums of its rows, all of it or nothing."""
    with database.writing() as connection:
        named = {name: getattr(file, name) for name in PartFile.__dataclass_fields__}
        planned = {"delivery_id": delivery_id, "number": number, "state": PartState.PLANNED.value, "planned_at": now()}
        part_id = _made(connection.execute(parts.insert().values(**planned, **named)))
        waiting = _counted(part_id, entries)
        while chunk := list(islice(waiting, _CHUNK)):
            database.bulk.add(connection, part_id, chunk)
    return part_id


def answered(
    database: Database, part_id: int, state: PartState, answer: Mapping[str, Any], refused: Sequence[bytes]
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
            with attempt, database.writing() as connection:
                changed = update(parts).where(parts.c.part_id == part_id).values(state=state.value, **answer)
                if connection.execute(changed).rowcount == 0:
                    log.warning("The journal has lost part %d: the answer to it is not written down.", part_id)
                    return False
                for at in range(0, len(refused), _KEYS):
                    database.bulk.forget(connection, part_id, refused[at : at + _KEYS])
    except JournalUnavailable as error:
        log.warning("The answer to part %d is not written down: %s", part_id, error)
        return False
    return True


def judge(connection: Connection, part_id: int, judgement: Judgement) -> None:
    """Write down how a part ended."""
    moment = now()
    connection.execute(judgements.insert().values(part_id=part_id, judged_at=moment, **asdict(judgement)))
    state = PartState.GOOD if judgement.good else PartState.BAD
    changed: dict[str, Any] = {"state": state.value, "status": judgement.status, "judged_at": moment}
    if judgement.rows_accepted is not None:
        changed["rows_accepted"] = judgement.rows_accepted
    # What people told the journal to forget stays forgotten.
    kept = (parts.c.part_id == part_id) & (parts.c.state != PartState.ABANDONED.value)
    connection.execute(update(parts).where(kept).values(**changed))
    if not judgement.good:
        of_part = select(parts.c.delivery_id).where(parts.c.part_id == part_id)
        complete(connection, deliveries.c.delivery_id == connection.execute(of_part).scalar_one())


def complete(connection: Connection, which: ColumnElement[bool]) -> None:
    """Write down that nothing is left to do in some deliveries."""
    incomplete = which & deliveries.c.completed_at.is_(None)
    connection.execute(update(deliveries).where(incomplete).values(completed_at=now()))


def tell(connection: Connection, delivery_id: int, arrived: bool) -> int:
    """Write down what people know of a delivery; see the journal's own method."""
    of_it = parts.c.delivery_id == delivery_id
    new: dict[str, Any] = {"state": PartState.ABANDONED.value}
    if arrived:
        new = {"state": PartState.ACCEPTED.value, "accepted_at": now()}
    states = [PartState.SENDING.value] if arrived else COUNTED
    count = int(connection.execute(update(parts).where(of_it, parts.c.state.in_(states)).values(**new)).rowcount)
    left = select(parts.c.part_id).where(of_it, parts.c.state == PartState.PLANNED.value)
    if not arrived or (count and connection.execute(left).first() is None):
        complete(connection, deliveries.c.delivery_id == delivery_id)
    return count


def _made(inserted: CursorResult[Any]) -> int:
    """Id of the row that was inserted."""
    key: Any = inserted.inserted_primary_key
    return int(key[0])


def _counted(part_id: int, entries: Iterable[Entry]) -> Iterator[tuple[Any, ...]]:
    """Rows of a part, as the table has them; those without a key, which lie side by side where they are alike, as one
    with their number."""
    key, copies = b"", 0
    for key_sum, content_sum, version in entries:
        if copies and key_sum != key:
            yield key, part_id, None, None, copies
            copies = 0
        if content_sum:
            yield key_sum, part_id, content_sum, version or None, None
        else:
            key, copies = key_sum, copies + 1
    if copies:
        yield key, part_id, None, None, copies
