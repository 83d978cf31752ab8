# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: S608 - the SQL is put together from constants of this folder, never from what a client sent
"""Totals over what arrived at Metrica, kind by kind; money as exact decimal text, by currency."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from decimal import Context, Decimal
from typing import Any, Final

from airflow_provider_yandex_orders.sandbox.metrica import conversions, linking
from airflow_provider_yandex_orders.sandbox.metrica.entities import (
    CONTACTS,
    IDENTIFIERS,
    ORDERS,
    SIMPLE_ORDERS,
    Entity,
)
from airflow_provider_yandex_orders.sandbox.metrica.notes import NO_IDENTIFIER
from airflow_provider_yandex_orders.sandbox.service import Sandbox

OURS: Final = "(:counter IS NULL OR counter_id = :counter)"
"""SQL condition of the counter asked for, or of any."""

_EXACT: Final = Context(prec=200)
_PAID: Final = "PAID"
# A customer is its CRM id, else the first kind of identifier the order has.
_CUSTOMER: Final[Mapping[str, str]] = {
    SIMPLE_ORDERS.kind: "coalesce(client_uniq_id, {})".format(
        ", ".join(f"'{name}:' || {name}" for name in IDENTIFIERS)
    ),
    ORDERS.kind: "client_uniq_id",
}

_CONTENT: Final[Mapping[str, str]] = {
    entity.kind: ", ".join(("counter_id", *entity.columns)) for entity in (SIMPLE_ORDERS, ORDERS)
}


def summary(sandbox: Sandbox, counter_id: int | None) -> dict[str, Any]:
    """Totals of simplified orders, and under ``kinds`` those of every kind."""
    values = {"counter": counter_id}
    with sandbox.store.connect() as connection:
        linking.prepare(connection, sandbox.settings)
        simple = _orders(connection, SIMPLE_ORDERS, values)
        kinds = {
            SIMPLE_ORDERS.kind: {**simple, **_linked(connection, sandbox, SIMPLE_ORDERS, values)},
            ORDERS.kind: {
                **_orders(connection, ORDERS, values),
                **_linked(connection, sandbox, ORDERS, values),
                "orders_without_contact": _without_contact(connection, values),
            },
            CONTACTS.kind: _contacts(connection, values),
            "conversions": _conversions(connection, values),
        }
    return {**simple, "kinds": kinds}


def statuses(connection: sqlite3.Connection, entity: Entity) -> list[tuple[int, str, int]]:
    """Counter, status and number of the orders of one mode."""
    query = f"SELECT counter_id, order_status, count(*) FROM {entity.table} GROUP BY 1, 2"
    return list(map(tuple, connection.execute(query)))


def _totals(
    connection: sqlite3.Connection, table: str, kind: str, more: str, values: Mapping[str, Any]
) -> dict[str, Any]:
    query = (
        f"SELECT count(*) AS {kind}, coalesce(sum(times_received), 0) AS rows_received,"
        f" coalesce(sum(times_received > 1), 0) AS {kind}_received_more_than_once, {more} FROM {table} WHERE {OURS}"
    )
    return dict(connection.execute(query, values).fetchone())


def _orders(connection: sqlite3.Connection, entity: Entity, values: Mapping[str, Any]) -> dict[str, Any]:
    equal = f"SELECT count(*) AS equal FROM {entity.table} WHERE id IS NULL AND {OURS} GROUP BY {_CONTENT[entity.kind]}"
    more = (
        f"coalesce(sum(id IS NULL), 0) AS orders_without_id, count(DISTINCT {_CUSTOMER[entity.kind]}) AS customers,"
        f" (SELECT coalesce(sum(equal - 1), 0) FROM ({equal})) AS orders_without_id_again"
    )
    groups = _groups(connection, entity, values)
    return {
        **_totals(connection, entity.table, "orders", more, values),
        "by_status": _by_status(groups),
        "revenue_by_day": _by_day(groups),
        "paid_revenue_by_day": _by_day(group for group in groups if group["order_status"] == _PAID),
    }


def _linked(
    connection: sqlite3.Connection, sandbox: Sandbox, entity: Entity, values: Mapping[str, Any]
) -> dict[str, int]:
    query = f"SELECT count(*) FROM ({linking.linked_orders(entity, sandbox.settings)}) WHERE {OURS}"
    return {"linked": connection.execute(query, values).fetchone()[0]}


def _without_contact(connection: sqlite3.Connection, values: Mapping[str, Any]) -> int:
    query = (
        f"SELECT count(*) FROM {ORDERS.table} AS stored WHERE {OURS} AND NOT EXISTS (SELECT 1 FROM {CONTACTS.table}"
        " AS contact WHERE contact.counter_id = stored.counter_id AND contact.uniq_id = stored.client_uniq_id)"
    )
    return int(connection.execute(query, values).fetchone()[0])


def _contacts(connection: sqlite3.Connection, values: Mapping[str, Any]) -> dict[str, Any]:
    more = f"coalesce(sum({NO_IDENTIFIER}), 0) AS contacts_without_identifiers"
    return _totals(connection, CONTACTS.table, "contacts", more, values)


def _conversions(connection: sqlite3.Connection, values: Mapping[str, Any]) -> dict[str, Any]:
    more = (
        "coalesce(sum(goal_found AND visitor_found), 0) AS linked,"
        " coalesce(sum(goal_found AND NOT visitor_found), 0) AS user_not_found,"
        " coalesce(sum(NOT goal_found), 0) AS goal_not_found"
    )
    by_target = f"SELECT Target, count(*) FROM {conversions.TABLE} WHERE {OURS} GROUP BY 1 ORDER BY 1"
    money = (
        "SELECT coalesce(Currency, '') AS currency, decimal_sum(Price) AS revenue"
        f" FROM {{}} WHERE {OURS} AND Price IS NOT NULL GROUP BY 1 ORDER BY 1"
    )
    revenue, received = (
        {row["currency"]: row["revenue"] for row in connection.execute(money.format(table), values)}
        for table in (conversions.TABLE, conversions.EFFECTS_TABLE)
    )
    return {
        **_totals(connection, conversions.TABLE, "conversions", more, values),
        "by_target": dict(map(tuple, connection.execute(by_target, values))),
        "revenue": revenue,
        "revenue_received": received,
    }


def _groups(connection: sqlite3.Connection, entity: Entity, values: Mapping[str, Any]) -> list[sqlite3.Row]:
    query = (
        "SELECT substr(create_date_time, 1, 10) AS day, order_status, currency, count(*) AS orders,"
        f" decimal_sum(revenue) AS revenue FROM {entity.table} WHERE {OURS} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )
    return connection.execute(query, values).fetchall()


def _by_status(groups: Sequence[sqlite3.Row]) -> dict[str, int]:
    by_status: dict[str, int] = {}
    for group in groups:
        by_status[group["order_status"]] = by_status.get(group["order_status"], 0) + group["orders"]
    return by_status


def _by_day(groups: Iterable[sqlite3.Row]) -> dict[str, dict[str, str]]:
    """Day and currency: the exact sum of the groups."""
    sums: dict[str, dict[str, Decimal]] = {}
    for group in groups:
        of_day, currency = sums.setdefault(group["day"], {}), group["currency"]
        of_day[currency] = _EXACT.add(of_day.get(currency, Decimal(0)), Decimal(group["revenue"]))
    return {day: {name: format(total, "f") for name, total in of_day.items()} for day, of_day in sums.items()}
