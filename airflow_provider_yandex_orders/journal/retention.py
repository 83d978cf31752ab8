# SPDX-License-Identifier: Apache-2.0
"""What the journal forgets, and when."""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.common.compat.sdk import conf
from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.engine import Connection

from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.journal.database import Database, now
from airflow_provider_yandex_orders.journal.records import PartState
from airflow_provider_yandex_orders.journal.tables import (
    deliveries,
    judgements,
    linked,
    meta,
    money,
    notices,
    parts,
    rejects,
    rows,
    spent,
)

DAYS = 400
EVERY = timedelta(days=7)
_SLICES = 256
_NOT_HAD = tuple(state.value for state in (PartState.DROPPED, PartState.REFUSED, PartState.ABANDONED, PartState.BAD))


def days_of(days: int | None) -> int:
    """How many days are kept.

    :raises ConfigurationError: not a whole number, or so few that conversions of the linking window are forgotten.
    """
    given = conf.get("yandex_orders", "journal_days", fallback="") if days is None else days
    try:
        kept = int(given or DAYS)
    except ValueError:
        kept = 0
    if kept < 30:
        raise ConfigurationError(
            f"[yandex_orders] journal_days is {given!r}: it must be a whole number of 30 or more, as rows that the "
            "journal forgets are sent again where a source still has them."
        )
    return kept


def purge(database: Database, days: int, *, always: bool = False) -> int:
    """Forget what is older than so many days, in short transactions; how many parts that was.

    One day is added: a subtraction that runs meanwhile counts by the days, and finds what it counted at its begin.
    """
    days += 1
    with database.writing() as connection:
        if not always and not _is_due(connection, database):
            return 0
        moment = now()
        old = parts.c.planned_at < moment - timedelta(days=days)
        first_kept = connection.execute(select(func.min(parts.c.part_id)).where(~old)).scalar()
        # Parts get their ids as time goes by: the last old one says which rows are old.
        last_old = connection.execute(select(func.max(parts.c.part_id)).where(old)).scalar()
    if last_old is not None and first_kept is not None:
        last_old = min(last_old, first_kept - 1)
    _forget_rows(database, -1 if last_old is None else last_old)
    return _forget_deliveries(database, days) if last_old is not None else 0


def _is_due(connection: Connection, database: Database) -> bool:
    """Whether it is time; whoever asks first does it."""
    today = now().date()
    never = database.insert(meta).values(name="purged_on", value="")
    connection.execute(never.on_conflict_do_nothing())
    due = and_(meta.c.name == "purged_on", meta.c.value <= (today - EVERY).isoformat())
    return connection.execute(update(meta).where(due).values(value=today.isoformat())).rowcount == 1


def _forget_rows(database: Database, last_old: int) -> None:
    """By the first byte of the sum, so that no transaction is long."""
    # Sums of what came to nothing are of no use; its part stays for people to see.
    useless = and_(parts.c.state.in_(_NOT_HAD), parts.c.planned_at < now() - EVERY)
    gone = or_(rows.c.part_id <= last_old, rows.c.part_id.in_(select(parts.c.part_id).where(useless)))
    for number in range(_SLICES):
        here = rows.c.key_sum >= bytes([number])
        if number + 1 < _SLICES:
            here = and_(here, rows.c.key_sum < bytes([number + 1]))
        with database.writing() as connection:
            connection.execute(delete(rows).where(here, gone))


def _forget_deliveries(database: Database, days: int) -> int:
    before = now() - timedelta(days=days)
    with database.writing() as connection:
        old_parts = select(parts.c.part_id).where(parts.c.planned_at < before)
        connection.execute(delete(judgements).where(judgements.c.part_id.in_(old_parts)))
        forgotten = connection.execute(delete(parts).where(parts.c.planned_at < before)).rowcount
        kept = select(parts.c.delivery_id)
        old = and_(deliveries.c.started_at < before, deliveries.c.delivery_id.notin_(kept))
        ids = select(deliveries.c.delivery_id).where(old)
        for table in (rejects, money):
            connection.execute(delete(table).where(table.c.delivery_id.in_(ids)))
        connection.execute(delete(deliveries).where(old))
        connection.execute(delete(linked).where(linked.c.day < before.date()))
        connection.execute(delete(spent).where(spent.c.day < before.date()))
        connection.execute(delete(notices).where(notices.c.told_at < before))
    return int(forgotten)
