# SPDX-License-Identifier: Apache-2.0
"""The journal that an upload, a sensor and a page talk to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, fields, replace
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import bindparam, func, select, text, update
from sqlalchemy.engine import Connection

from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.journal import life, notices, retention
from airflow_provider_yandex_orders.journal.database import SCHEMA, Database, now, open_database
from airflow_provider_yandex_orders.journal.lease import Lease
from airflow_provider_yandex_orders.journal.questions import Subtraction
from airflow_provider_yandex_orders.journal.records import (
    COUNTS,
    FIRST_TRY,
    Destination,
    Entry,
    Judgement,
    OpenDelivery,
    PartFile,
    PartState,
    SentPart,
    Sums,
    TaskKey,
    Try,
    Verdict,
)
from airflow_provider_yandex_orders.journal.tables import (
    deliveries,
    destinations,
    linked,
    parts,
    rejects,
    spent,
)
from airflow_provider_yandex_orders.journal.tables import money as money_table


def open_journal(journal_conn_id: str | None = None) -> Journal:
    """Open the journal; its tables are made or upgraded where that is needed.

    :param journal_conn_id: a connection to PostgreSQL or SQLite; ``None`` for ``[yandex_orders] journal_conn_id`` of
        the configuration, and where that is empty, a SQLite file under ``$AIRFLOW_HOME/yandex_orders``.
    :raises ConfigurationError: it cannot be used.
    :raises JournalUnavailable: it does not answer.
    """
    return Journal(open_database(journal_conn_id))


class Journal:
    """One memory for all deliveries. Every method may raise ``JournalUnavailable``, and then nothing was written."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._destinations: dict[Destination, int] = {}

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_error: object) -> None:
        self._database.close()

    @property
    def id(self) -> str:
        """What tells this journal from another one."""
        return self._database.meta["journal_id"]

    @property
    def named(self) -> str:
        """Where it is, for messages."""
        return self._database.named

    # Before the first part.

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

    def begin(
        self, destination: Destination, task: TaskKey, this: Try = FIRST_TRY, *, resend: bool = False
    ) -> OpenDelivery:
        """The delivery of a task: the one an earlier try left incomplete, else a new one.

        Parts that an earlier try planned and did not send are dropped: the plan is made anew. Airflow's own retry of a
        task whose delivery is complete gets that one again.

        :param resend: where people cleared a task that had only the wait left, they want a new one.
        """
        destination_id = self._id_of(destination)
        with self._database.writing() as connection:
            return life.begin(connection, destination_id, task, this, resend=resend)

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
            which = life.of_task(there, task) & deliveries.c.completed_at.isnot(None)
        return self._sent_parts(which, parts.c.state.in_(states))

    def accepted_parts(self, delivery_id: int) -> list[SentPart]:
        """Parts of a delivery that the service took, however they ended, in the order they were planned."""
        states = (PartState.ACCEPTED.value, PartState.GOOD.value, PartState.BAD.value)
        return self._sent_parts(parts.c.delivery_id == delivery_id, parts.c.state.in_(states))

    def last_parts(self, destination: Destination, task: TaskKey) -> list[SentPart]:
        """Parts of a task's last delivery that the service took."""
        with self._database.reading() as connection:
            return self.accepted_parts(connection.execute(life.latest(self._id_of(destination), task)).scalar() or 0)

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

    def subtract(self, entries: Iterable[Entry], delivery_id: int = 0, planned: int | None = None) -> Iterator[Verdict]:
        """A verdict on each row, in the order the rows come.

        :param entries: rows of one destination in the order of their ``key_sum``, each key once; rows without a key
            as often as they are.
        :param delivery_id: the delivery that asks; 0 for none.
        :param planned: the turn after which rows with a key must not have gone out; ``None`` for no such limit.
        :raises ValueError: they come in another order.
        :raises ConfigurationError: ``journal_days`` cannot work.
        """
        return Subtraction(self._database, delivery_id, planned, retention.days_of(None)).verdicts(entries)

    def plan(self, delivery_id: int, number: int, file: PartFile, entries: Iterable[Entry]) -> int:
        """Write down a part and what is in it; nothing of it counts before it goes out.

        :param number: its place in the delivery, from 1.
        :param entries: its rows, in the order of their ``key_sum``.
        :return: the part's id in the journal.
        """
        return life.plan(self._database, delivery_id, number, file, entries)

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
        return life.answered(self._database, part_id, state, answer, list(refused))

    def refused(self, part_id: int, *, status: str | None = None) -> bool:
        """The service surely has nothing of a part.

        :return: as of :meth:`accepted`.
        """
        return life.answered(self._database, part_id, PartState.REFUSED, {"status": status}, [])

    def stayed(self, part_id: int) -> bool:
        """A part did not go out after all.

        :return: as of :meth:`accepted`.
        """
        return life.answered(self._database, part_id, PartState.DROPPED, {"sent_at": None}, [])

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
        whose = life.of_task(self._id_of(destination), task)
        with self._database.writing() as connection:
            life.complete(connection, whose)

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
                    life.judge(connection, part_id, judgement)
                    judged += 1
        return judged

    def linked(self, destination: Destination, day: date, *, linked_orders: int, sent_orders: int | None) -> None:
        """How many orders of a day found a visit, as of now; by which identifier, no report tells."""
        key = {"destination_id": self._id_of(destination), "day": day, "identifier": ""}
        values = {"orders_sent": sent_orders, "orders_linked": linked_orders, "asked_at": now()}
        insert = self._database.insert(linked).values(**key, **values)
        with self._database.writing() as connection:
            connection.execute(insert.on_conflict_do_update(index_elements=list(key), set_=values))

    # Quotas.

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
        return notices.notice(self._database, {"dag_id": dag_id, "task_id": task_id, "map_index": map_index}, state)

    def always_sends(self, dag_id: str, task_id: str) -> bool:
        """Whether a task, or a DAG, had rows for its destination on this day of each of the last four weeks."""
        with self._database.reading() as connection:
            return notices.always_sends(connection, dag_id, task_id)

    def results(
        self, dag_id: str, run_id: str, task_id: str = "", map_index: int | None = None
    ) -> list[dict[str, Any]]:
        """What the last delivery of each task of a run came to, of one task or of all, as far as it was sent."""
        c, which = deliveries.c, notices.of_tasks(dag_id, task_id, map_index)
        found = select(c.task_id, c.map_index, c.result).where(which, c.run_id == run_id).order_by(c.delivery_id)
        with self._database.reading() as connection:
            last = {(task, index): result for task, index, result in connection.execute(found)}
        return [msgspec.json.decode(result) for result in last.values() if result]

    # What people tell and ask.

    def tell(self, delivery_id: int, *, arrived: bool) -> int:
        """What people know of a delivery; where that leaves nothing to do in it, it is complete.

        :param arrived: the parts without an answer did arrive, and their rows are had; else nothing of the delivery
            counts as had, and its rows are sent again by whoever reads them next.
        :return: how many parts that was.
        """
        with self._database.writing() as connection:
            return life.tell(connection, delivery_id, arrived)

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

    # Memory that ends.

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
