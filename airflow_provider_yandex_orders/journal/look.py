# SPDX-License-Identifier: Apache-2.0
"""The journal as people look at it, by its documented views, and what they may tell it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, text, update

from airflow_provider_yandex_orders.journal import life
from airflow_provider_yandex_orders.journal.database import SCHEMA, Database, now
from airflow_provider_yandex_orders.journal.records import PartState
from airflow_provider_yandex_orders.journal.tables import VIEWS, deliveries, parts

UNCLEAR = (PartState.SENDING,)
COUNTED = (PartState.SENDING, PartState.ACCEPTED, PartState.GOOD)


def view(database: Database, name: str, ending: str = "", **values: Any) -> list[dict[str, Any]]:
    """Rows of a view.

    :param name: one of the documented views.
    :param ending: what stands after the name: ``WHERE ... ORDER BY ... LIMIT ...``, with ``:name`` for values.
    """
    if name not in VIEWS:
        raise ValueError(f"there is no view {name}")
    schema = f"{SCHEMA}." if database.postgres else ""
    with database.reading() as connection:
        asked = text(f"SELECT * FROM {schema}{name} {ending}").bindparams(**values)  # noqa: S608 - own names
        return [dict(row) for row in connection.execute(asked).mappings()]


def tell(database: Database, delivery_id: int, *, arrived: bool) -> int:
    """Write down what people know of a delivery, and that nothing is left to do in it.

    :param arrived: the parts without an answer did arrive, and their rows are had; else nothing of the delivery counts
        as had, and its rows are sent again by whoever reads them next.
    :return: how many parts that was.
    """
    states = UNCLEAR if arrived else COUNTED
    of_it = parts.c.delivery_id == delivery_id
    new: dict[str, Any] = {"state": PartState.ABANDONED.value}
    if arrived:
        new = {"state": PartState.ACCEPTED.value, "accepted_at": now()}
    with database.writing() as connection:
        changed = update(parts).where(of_it, parts.c.state.in_([each.value for each in states])).values(**new)
        count = connection.execute(changed).rowcount
        left = select(parts.c.part_id).where(of_it, parts.c.state == PartState.PLANNED.value)
        if not arrived or connection.execute(left).first() is None:
            life.complete(connection, deliveries.c.delivery_id == delivery_id)
        return int(count)
