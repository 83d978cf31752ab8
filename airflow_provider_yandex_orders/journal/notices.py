# SPDX-License-Identifier: Apache-2.0
"""What people were told of, and what a message about a run asks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from airflow_provider_yandex_orders.journal.database import Database, now
from airflow_provider_yandex_orders.journal.records import PartState
from airflow_provider_yandex_orders.journal.tables import deliveries, notices, parts

GOOD = "good"
_WEEKS = 4


def notice(database: Database, whose: dict[str, Any], state: str) -> str:
    """Write down the state people are told of now; the one they were told before.

    That is ``good`` where a task that fails again delivered well since then and nobody was told; empty where they were
    told nothing yet.
    """
    known = notices.select().filter_by(**whose)
    values = {"state": state, "told_at": now()}
    insert = database.insert(notices).values(**whose, **values)
    with database.writing() as connection:
        before = connection.execute(known).first()
        connection.execute(insert.on_conflict_do_update(index_elements=list(whose), set_=values))
        if before is None:
            return ""
        again = state == before.state and state.startswith("failed") and whose["task_id"]
        return GOOD if again and _went_well(connection, whose, before.told_at) else str(before.state)


def _went_well(connection: Connection, whose: dict[str, Any], since: Any) -> bool:
    bad = select(parts.c.delivery_id).where(parts.c.state == PartState.BAD.value)
    well = of_tasks(**whose) & (deliveries.c.completed_at > since)
    sent = deliveries.c.sent_at.isnot(None) & deliveries.c.delivery_id.notin_(bad)
    return connection.execute(select(deliveries.c.delivery_id).where(well, sent).limit(1)).first() is not None


def always_sends(connection: Connection, dag_id: str, task_id: str) -> bool:
    """Whether rows went to the destination, or were there, on this day of each of the last weeks."""
    c, today = deliveries.c, now().date()
    days = [today - timedelta(weeks=week) for week in range(1, _WEEKS + 1)]
    some = (c.rows_sent + c.rows_unchanged) > 0
    sent = select(c.started_at).where(of_tasks(dag_id, task_id), some, c.started_at >= now() - timedelta(weeks=5))
    return {*days} <= {each.date() for (each,) in connection.execute(sent)}


def of_tasks(dag_id: str, task_id: str, map_index: int | None = None) -> ColumnElement[bool]:
    """Deliveries of a task, or of all tasks of a DAG where none is named; of one map index where that is."""
    named = {"task_id": task_id or None, "map_index": map_index}
    return and_(
        deliveries.c.dag_id == dag_id,
        *(deliveries.c[name] == value for name, value in named.items() if value is not None),
    )
