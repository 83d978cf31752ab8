# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: S608 - the SQL is put together from constants of this folder, never from what a client sent
"""Which orders and conversions find a visit: the sandbox has no visits, so a setting and the id decide.

Sources: https://yandex.ru/dev/metrika/ru/data-import/contacts , https://www.yandex.com/support/metrica/crm/about.html .
The setting ``linked_share`` is the share of ids that find a visit; the same id always gets the same answer, and an id
that is linked at a share is linked at every larger one. An order is judged by its id, a conversion by its first filled
identifier. An order of the full mode needs a customer with an identifier as well. With ``linking_window`` an order is
linked only if its first upload came at most 21 days after its creation, as the documentation says of the current date.
Whether a date is in the window of the visit itself, the sandbox does not look at.
"""

import hashlib
import sqlite3
from typing import Final

from airflow_provider_yandex_orders.sandbox.metrica import uploads
from airflow_provider_yandex_orders.sandbox.metrica.entities import CONTACTS, ORDERS, Entity
from airflow_provider_yandex_orders.sandbox.metrica.notes import NO_IDENTIFIER
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings

_DAYS: Final = 21
_WHOLE: Final = 1 << 64


def is_linked(identifier: str, share: float) -> bool:
    """Whether an id is among the share that finds a visit."""
    digest = hashlib.sha256(identifier.encode()).digest()
    return int.from_bytes(digest[:8], "big") / _WHOLE < share


def prepare(connection: sqlite3.Connection, settings: SandboxSettings) -> None:
    """Give the connection the SQL function ``is_linked(text)``."""
    share = settings.linked_share

    def found(identifier: str | None) -> bool:
        return identifier is not None and is_linked(identifier, share)

    connection.create_function("is_linked", 1, found, deterministic=True)


def linked_orders(entity: Entity, settings: SandboxSettings) -> str:
    """A SELECT of the orders of a kind that found a visit, with the time of their first upload; needs :func:`prepare`.

    The columns are those of the kind's table and ``received_at``.
    """
    conditions = ["is_linked(coalesce(stored.id, '#' || stored.key))"]
    if settings.linking_window:
        days = "julianday(substr(first.datetime, 1, 10)) - julianday(substr(stored.create_date_time, 1, 10))"
        conditions.append(f"{days} <= {_DAYS}")
    if entity is ORDERS:
        conditions.append(
            f"EXISTS (SELECT 1 FROM {CONTACTS.table} AS contact WHERE contact.counter_id = stored.counter_id"
            f" AND contact.uniq_id = stored.client_uniq_id AND NOT {NO_IDENTIFIER})"
        )
    return (
        f"SELECT stored.*, first.received_at FROM {entity.table} AS stored JOIN {uploads.TABLE} AS first"
        f" ON first.number = CAST(stored.uploads AS INTEGER) WHERE {' AND '.join(conditions)}"
    )
