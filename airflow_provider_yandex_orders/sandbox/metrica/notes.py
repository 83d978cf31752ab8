# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: S608 - the SQL is put together from constants of this folder, never from what a client sent
"""Notes on an accepted upload: what the service would stay silent about and a test may want to know."""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from airflow_provider_yandex_orders.sandbox.metrica import goals, schema
from airflow_provider_yandex_orders.sandbox.metrica.entities import (
    CONTACTS,
    IDENTIFIERS,
    ORDERS,
    SIMPLE_ORDERS,
    STATUSES,
    Entity,
)
from airflow_provider_yandex_orders.sandbox.metrica.rows import Rows

_EXAMPLES: Final = 10
NO_IDENTIFIER: Final = f"coalesce({', '.join((*IDENTIFIERS, 'user_ids'))}) IS NULL"
"""SQL condition of a contact that no visit can be found by."""


@dataclass(frozen=True, slots=True)
class Note:
    """One kind of oddity and how often it was there."""

    kind: str
    count: int
    message: str
    examples: tuple[str, ...] = ()
    """Order ids or names of goals, statuses and products, a few."""

    def as_dict(self) -> dict[str, Any]:
        """The note as the control API shows it."""
        return {**asdict(self), "examples": list(self.examples)}


def collect(
    connection: sqlite3.Connection, counter_id: int, rows: Rows, *, doubled: list[str], redated: int, comma_file: bool
) -> list[Note]:
    """What is odd about the staged rows of a CRM upload that passed."""
    found: list[Note | None] = [
        named("duplicate_ids", doubled, "Ids that several rows carried: one row each was applied, drawn at random"),
        *_odd_rows(connection, rows.entity, counter_id, comma_file=comma_file),
    ]
    if redated:
        message = "Known orders or customers sent with another creation date: the first one stays"
        found.append(Note("create_date_time_kept", redated, message))
    found += _unknown_names(connection, counter_id, rows)
    return [note for note in found if note is not None]


def named(kind: str, names: Iterable[str], message: str) -> Note | None:
    """A note that counts names, unless there are none."""
    known = sorted(names)
    return Note(kind, len(known), message, tuple(known[:_EXAMPLES])) if known else None


def _odd_rows(
    connection: sqlite3.Connection, entity: Entity, counter_id: int, *, comma_file: bool
) -> Iterator[Note | None]:
    if entity is SIMPLE_ORDERS:
        message = "Rows without id: each made a new order"
        yield _staged(connection, "orders_without_id", "id IS NULL", message)
    elif entity is CONTACTS:
        message = "Customers without any identifier: no visit can be found by them"
        yield _staged(connection, "contacts_without_identifiers", NO_IDENTIFIER, message)
    elif entity is ORDERS:
        message = "Orders whose customer was never uploaded: stored, but not linked to visits until it is"
        absent = f"NOT EXISTS (SELECT 1 FROM {CONTACTS.table} WHERE counter_id = ? AND uniq_id = client_uniq_id)"
        yield _staged(connection, "orders_without_contact", absent, message, counter_id)
        if comma_file:
            message = "Cells with several goals or products: the documentation asks for delimiter_type=SEMICOLON then"
            several = "goals LIKE '%,%' OR products LIKE '%,%'"
            yield _staged(connection, "lists_in_comma_file", several, message)


def _staged(connection: sqlite3.Connection, kind: str, condition: str, message: str, *values: object) -> Note | None:
    count = connection.execute(f"SELECT count(*) FROM staged WHERE {condition}", values).fetchone()[0]
    return Note(kind, count, message) if count else None


def _unknown_names(connection: sqlite3.Connection, counter_id: int, rows: Rows) -> Iterator[Note | None]:
    if not any(rows.named.values()):
        return
    of_goals = goals.identifiers(connection, counter_id)
    statuses, sent = rows.named.get("status", set()) - STATUSES, rows.named.get("goal", set())
    message = "Identifiers in order_status or goals that no JavaScript-event goal of the counter has"
    if rows.entity is SIMPLE_ORDERS:
        yield named("unknown_goals", (sent | statuses) - of_goals, message)
        return
    yield named("unknown_goals", sent - of_goals, message)
    message = "Statuses that are neither mapped nor one of the defaults nor a goal: they count as OTHER"
    unmapped = statuses - of_goals - set(schema.status_types(connection, counter_id))
    yield named("unmapped_statuses", unmapped, message)
    if products := rows.named.get("product"):
        message = "Products that are not in the uploaded list: their names will not be shown"
        yield named("unlisted_products", products - schema.product_names(connection, counter_id, products), message)
