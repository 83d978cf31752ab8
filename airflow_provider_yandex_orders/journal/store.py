# SPDX-License-Identifier: Apache-2.0
"""The journal that an upload, a sensor and a page talk to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, fields, replace
from datetime import date, timedelta
from typing import Any

import msgspec
from sqlalchemy import and_, bindparam, func, select, text, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from airflow_provider_yandex_orders.journal import retention
from airflow_provider_yandex_orders.journal.database import SCHEMA, now, open_database
from airflow_provider_yandex_orders.journal.lease import Lease
from airflow_provider_yandex_orders.journal.life import COUNTED, Deliveries, latest, of_task
from airflow_provider_yandex_orders.journal.questions import Subtraction
from airflow_provider_yandex_orders.journal.records import (
    AnyEntry,
    Destination,
    Judgement,
    PartState,
    SentPart,
    Sums,
    TaskKey,
    Verdict,
)
from airflow_provider_yandex_orders.journal.tables import (
    deliveries,
    destinations,
    judgements,
    linked,
    notices,
    parts,
    spent,
)

_GOOD = "good"
_WEEKS = 4


def open_journal(journal_conn_id: str | None = None) -> Journal:
    """Open the journal; its tables are made or upgraded where that is needed.

    :param journal_conn_id: a connection to PostgreSQL or SQLite; ``None`` for ``[yandex_orders] journal_conn_id`` of
        the configuration, and where that is empty, a SQLite file under ``$AIRFLOW_HOME/yandex_orders``.
    :raises ConfigurationError: it cannot be used.
    :raises JournalUnavailable: it does not answer.
    """
    return Journal(open_database(journal_conn_id))


class Journal(Deliveries):
    """One memory for all deliveries. Every method may raise ``JournalUnavailable``, and then nothing that was written
    counts."""

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_error: object) -> None:
        self._database.close()

    @property
    def id(self) -> str:
        """What tells this journal from another one."""
        return self._database.meta["journal_id"]

    def lease(self, destination: Destination, doing: str = "", busy: str = "") -> Lease:
        """A context that holds the destination from the subtraction to the last acceptance.

        :param doing: what it is held for, and ``busy`` why others wait, for messages; by default an upload.
        :raises PassingError: on entering, when another task holds it, also after a minute's wait.
        """
        busy = busy or "another task sends there now, and two at once could send a row twice"
        return Lease(self._database, [self._id_of(destination)], doing or f"Upload {destination}", busy)

    def place(self, account: Destination, token: str, at_once: int, *, doing: str, patience: float) -> Lease:
        """A context that holds one of the places an account has for requests at once, over all processes.

        :param account: the service and where it is; the token gets places of its own, by a keyed sum.
        :param patience: for how many seconds to wait for one.
        :raises PassingError: on entering, when others hold them all, also after that wait.
        """
        key = self.sums(account).key(token).hex()
        places = [replace(account, counter=key, entity=f"{account.entity} {number + 1}") for number in range(at_once)]
        busy = f"other tasks with the same token are at it, and the service takes {at_once} requests at once"
        return Lease(self._database, [self._id_of(each) for each in places], doing, busy, patience=patience)

    def knows(self, destination: Destination) -> bool:
        """Whether anything on record ever went to a destination."""
        d, p = deliveries.c, parts.c
        sent = (
            select(p.part_id)
            .join(deliveries, d.delivery_id == p.delivery_id)
            .where(d.destination_id == self._id_of(destination), p.sent_at.isnot(None), p.state != PartState.REFUSED)
        )
        with self._database.reading() as connection:
            return connection.execute(sent.limit(1)).first() is not None

    def open_parts(self, destination: Destination, task: TaskKey | None = None) -> list[SentPart]:
        """Parts that went out to a destination and were not answered, or not judged, the oldest first.

        :param task: only those of its earlier deliveries.
        """
        states, there = (PartState.SENDING.value, PartState.ACCEPTED.value), self._id_of(destination)
        which = deliveries.c.destination_id == there
        if task is not None:
            which = of_task(there, task) & deliveries.c.completed_at.isnot(None)
        return self._sent_parts(which, parts.c.state.in_(states))

    def accepted_parts(self, delivery_id: int) -> list[SentPart]:
        """Parts of a delivery that the service took, however they ended, in the order they were planned."""
        states = (PartState.ACCEPTED.value, PartState.GOOD.value, PartState.BAD.value)
        return self._sent_parts(parts.c.delivery_id == delivery_id, parts.c.state.in_(states))

    def last_parts(self, destination: Destination, task: TaskKey) -> list[SentPart]:
        """Parts of a task's last delivery that the service took."""
        mine = of_task(self._id_of(destination), task)
        with self._database.reading() as connection:
            return self.accepted_parts(connection.execute(latest(mine)).scalar() or 0)

    def has_upload(self, destination: Destination, upload_id: str) -> bool:
        """Whether an upload to the destination's service is on record, of whatever rows."""
        service, host = destinations.c.service == destination.service, destinations.c.host == destination.host
        here = deliveries.c.destination_id.in_(select(destinations.c.destination_id).where(service, host))
        return bool(self._sent_parts(here, parts.c.upload_id == upload_id))

    def _sent_parts(self, *which: Any) -> list[SentPart]:
        columns = [parts.c[field.name] for field in fields(SentPart)]
        joined = select(*columns).join(deliveries, deliveries.c.delivery_id == parts.c.delivery_id)
        with self._database.reading() as connection:
            return [
                SentPart(**row._mapping) for row in connection.execute(joined.where(*which).order_by(parts.c.part_id))
            ]

    def sums(self, destination: Destination) -> Sums:
        """What makes entries of a destination's rows."""
        return Sums(bytes.fromhex(self._database.meta["secret"]), destination)

    def turn(self) -> int:
        """The turn of the part that went out last: a plan is made as of it."""
        with self._database.reading() as connection:
            return connection.execute(select(func.max(parts.c.turn))).scalar() or 0

    def subtract(
        self, entries: Iterable[AnyEntry], delivery_id: int = 0, planned: int | None = None
    ) -> Iterator[Verdict]:
        """A verdict on each row, in the order the rows come.

        :param entries: rows of one destination in the order of their ``key_sum``, each key once; rows without a key
            as often as they are.
        :param delivery_id: the delivery that asks; 0 for none.
        :param planned: the turn after which rows with a key must not have gone out; ``None`` for no such limit.
        :raises ValueError: they come in another order.
        :raises ConfigurationError: ``journal_days`` cannot work.
        """
        return Subtraction(self._database, delivery_id, planned, retention.days_of(None)).verdicts(entries)

    # How it ends.

    def judge_uploads(
        self, service: str, host: str, entities: Collection[str], judgements: Mapping[str, Judgement]
    ) -> int:
        """How the service ended uploads, all or none: a bad end forgets its rows, and completes its delivery, for which
        nobody asks any more.

        :param entities: what may have been in them.
        :return: how many parts on record that was: none where another journal, or nobody, sent them.
        """
        c = destinations.c
        place = [c.service == service, c.host == host, c.entity.in_(list(entities))]
        wanted = (
            select(parts.c.part_id)
            .join(deliveries, deliveries.c.delivery_id == parts.c.delivery_id)
            .join(destinations, c.destination_id == deliveries.c.destination_id)
            .where(*place)
        )
        judged = 0
        with self._database.writing() as connection:
            for upload_id, judgement in judgements.items():
                for (part_id,) in connection.execute(wanted.where(parts.c.upload_id == upload_id)).all():
                    self._judge(connection, part_id, judgement)
                    judged += 1
        return judged

    def _judge(self, connection: Connection, part_id: int, judgement: Judgement) -> None:
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
            self._complete(connection, deliveries.c.delivery_id == connection.execute(of_part).scalar_one())

    def tell(self, delivery_id: int, *, arrived: bool) -> int:
        """What people know of a delivery; where that leaves nothing to do in it, it is complete.

        :param arrived: the parts without an answer did arrive, and their rows are had; else nothing of the delivery
            counts as had, and its rows are sent again by whoever reads them next.
        :return: how many parts that was.
        """
        of_it = parts.c.delivery_id == delivery_id
        new: dict[str, Any] = {"state": PartState.ABANDONED.value}
        if arrived:
            new = {"state": PartState.ACCEPTED.value, "accepted_at": now()}
        states = [PartState.SENDING.value] if arrived else COUNTED
        with self._database.writing() as connection:
            told = update(parts).where(of_it, parts.c.state.in_(states)).values(**new)
            count = int(connection.execute(told).rowcount)
            left = select(parts.c.part_id).where(of_it, parts.c.state == PartState.PLANNED.value)
            if not arrived or (count and connection.execute(left).first() is None):
                self._complete(connection, deliveries.c.delivery_id == delivery_id)
            return count

    def linked(self, destination: Destination, day: date, *, linked_orders: int, sent_orders: int | None) -> None:
        """How many orders of a day found a visit, as of now; by which identifier, no report tells."""
        key = {"destination_id": self._id_of(destination), "day": day, "identifier": ""}
        values = {"orders_sent": sent_orders, "orders_linked": linked_orders, "asked_at": now()}
        insert = self._database.insert(linked).values(**key, **values)
        with self._database.writing() as connection:
            connection.execute(insert.on_conflict_do_update(index_elements=list(key), set_=values))

    def spend(self, account: str, day: date, requests: int, *, waiting: bool = False) -> tuple[int, int]:
        """Add requests to what an account spent in a day.

        :param account: what the service counts by, in words that hold no token.
        :param day: the day by the service's own clock.
        :param waiting: whether a wait took them.
        :return: the sum so far, and how many of it waits took.
        """
        sums = []
        with self._database.writing() as connection:
            for name, count in ((account, requests), (f"waits of {account}", requests * waiting)):
                key = {"account": name, "day": day}
                insert = self._database.insert(spent).values(**key, requests=count)
                added = {"requests": spent.c.requests + count}
                if count:
                    connection.execute(insert.on_conflict_do_update(index_elements=list(key), set_=added))
                wanted = select(spent.c.requests).where(spent.c.account == name, spent.c.day == day)
                sums.append(int(connection.execute(wanted).scalar() or 0))
        return sums[0], sums[1]

    # Messages.

    def notice(self, dag_id: str, task_id: str, map_index: int, state: str) -> str:
        """Write down the state people are told of now: of a task, or of a DAG where ``task_id`` is empty.

        :return: what they were told before; ``good`` where a delivery went well since, empty where nothing.
        """
        whose = {"dag_id": dag_id, "task_id": task_id, "map_index": map_index}
        values = {"state": state, "told_at": now()}
        insert = self._database.insert(notices).values(**whose, **values)
        with self._database.writing() as connection:
            before = connection.execute(notices.select().filter_by(**whose)).first()
            connection.execute(insert.on_conflict_do_update(index_elements=list(whose), set_=values))
            if before is None:
                return ""
            again = state == before.state and state.startswith("failed") and task_id
            since = _of_tasks(dag_id, task_id, map_index) & (deliveries.c.completed_at > before.told_at)
            return _GOOD if again and _went_well(connection, since) else str(before.state)

    def always_sends(self, dag_id: str, task_id: str) -> bool:
        """Whether rows of a task, or of a DAG, went out or were there on this day of each of the last four weeks."""
        c, today = deliveries.c, now().date()
        days = {today - timedelta(weeks=week) for week in range(1, _WEEKS + 1)}
        some = (c.rows_sent + c.rows_unchanged) > 0
        sent = select(c.started_at).where(_of_tasks(dag_id, task_id), some, c.started_at >= now() - timedelta(weeks=5))
        with self._database.reading() as connection:
            return days <= {each.date() for (each,) in connection.execute(sent)}

    def results(
        self, dag_id: str, run_id: str, task_id: str = "", map_index: int | None = None
    ) -> list[dict[str, Any]]:
        """What the last delivery of each task of a run came to, of one task or of all, as far as it was sent."""
        c, which = deliveries.c, _of_tasks(dag_id, task_id, map_index)
        found = select(c.task_id, c.map_index, c.result).where(which, c.run_id == run_id).order_by(c.delivery_id)
        with self._database.reading() as connection:
            last = {(task, index): result for task, index, result in connection.execute(found)}
        return [msgspec.json.decode(result) for result in last.values() if result]

    def ask(self, question: str, **given: Any) -> list[Any]:
        """Rows that answer a question about the documented views.

        :param question: a SELECT, the same in PostgreSQL and SQLite; ``:name`` stands for a value, ``IN :name`` for a
            list of them.
        """
        # A list of nothing but NULL fits every column, and nothing is in it.
        values: list[Any] = [
            bindparam(name, [None] if value == [] else value, expanding=isinstance(value, list))
            for name, value in given.items()
        ]
        with self._database.reading() as connection:
            if self._database.postgres:
                connection.execute(text(f"SET LOCAL search_path TO {SCHEMA}"))
            return list(connection.execute(text(question).bindparams(*values)))

    def went_out(self, part_id: int, delivery_id: int, task: TaskKey) -> bool:
        """Whether a part of a task's delivery got a turn to go out.

        One that stayed counts: the task's state store may have it on record though it did not answer.
        """
        whose = select(deliveries.c.delivery_id).filter_by(delivery_id=delivery_id, **asdict(task))
        out = (parts.c.part_id == part_id) & parts.c.turn.isnot(None) & parts.c.delivery_id.in_(whose)
        with self._database.reading() as connection:
            return connection.execute(select(parts.c.part_id).where(out)).first() is not None

    def purge(self, days: int | None = None, *, always: bool = False) -> int:
        """Forget what is older than ``journal_days``; done at most once a week unless ``always``.

        :param days: ``None`` for ``[yandex_orders] journal_days`` of the configuration.
        :return: how many parts were forgotten.
        """
        return retention.purge(self._database, retention.days_of(days), always=always)


def _went_well(connection: Connection, which: ColumnElement[bool]) -> bool:
    bad = select(parts.c.delivery_id).where(parts.c.state == PartState.BAD.value)
    sent = deliveries.c.sent_at.isnot(None) & deliveries.c.delivery_id.notin_(bad)
    return connection.execute(select(deliveries.c.delivery_id).where(which, sent).limit(1)).first() is not None


def _of_tasks(dag_id: str, task_id: str, map_index: int | None = None) -> ColumnElement[bool]:
    """Deliveries of a task, or of all tasks of a DAG where none is named; of one map index where that is."""
    named = {"task_id": task_id or None, "map_index": map_index}
    return and_(
        deliveries.c.dag_id == dag_id,
        *(deliveries.c[name] == value for name, value in named.items() if value is not None),
    )
