# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: S608 - the SQL is put together from constants of this folder, never from what a client sent
"""What arrived at Metrica, for the control API and the page: the answers the real service never gives."""

import json
import sqlite3
import time
from collections.abc import Callable
from typing import Any

from airflow_provider_yandex_orders.sandbox.metrica import conversions, storage, uploads
from airflow_provider_yandex_orders.sandbox.metrica.entities import CRM
from airflow_provider_yandex_orders.sandbox.metrica.summary import OURS
from airflow_provider_yandex_orders.sandbox.service import Sandbox


def order_page(sandbox: Sandbox, counter_id: int | None, *, kind: str, limit: int, offset: int) -> dict[str, Any]:
    """Stored orders of one mode in the order of their first arrival."""
    total, orders = _stored(sandbox, counter_id, kind, limit, offset)
    return {"total": total, "orders": orders}


def contact_page(sandbox: Sandbox, counter_id: int | None, *, limit: int, offset: int) -> dict[str, Any]:
    """Stored customers in the order of their first arrival."""
    total, contacts = _stored(sandbox, counter_id, "contacts", limit, offset)
    return {"total": total, "contacts": contacts}


def conversion_page(sandbox: Sandbox, counter_id: int | None, *, limit: int, offset: int) -> dict[str, Any]:
    """Stored offline conversions in the order of their first arrival."""
    values = {"counter": counter_id}
    with sandbox.store.connect() as connection:
        total, rows = _page(connection, conversions.WITH_EFFECTS, OURS, "key", values, limit, offset)
    return {"total": total, "conversions": [conversions.as_dict(row) for row in rows]}


def upload_page(
    sandbox: Sandbox, counter_id: int | None, *, kind: str | None = None, limit: int, offset: int
) -> dict[str, Any]:
    """Uploads, newest first, with the sandbox's notes; without a kind those of CRM data."""
    values = {"counter": counter_id, "kind": kind}
    of_conversions = kind == "conversions"
    table = conversions.UPLOADS_TABLE if of_conversions else uploads.TABLE
    wanted = OURS if of_conversions else f"{OURS} AND (:kind IS NULL OR kind = :kind)"
    number = "id" if of_conversions else "number"
    with sandbox.store.connect() as connection:
        total, rows = _page(connection, table, wanted, f"{number} DESC", values, limit, offset)
    show: Callable[[Sandbox, sqlite3.Row], dict[str, Any]] = _conversion_upload if of_conversions else _crm_upload
    return {"total": total, "uploads": [show(sandbox, row) for row in rows]}


def _stored(
    sandbox: Sandbox, counter_id: int | None, kind: str, limit: int, offset: int
) -> tuple[int, list[dict[str, Any]]]:
    entity = next(entity for entity in CRM if entity.kind == kind)
    with sandbox.store.connect() as connection:
        total, rows = _page(connection, entity.table, OURS, "key", {"counter": counter_id}, limit, offset)
        ids = dict(map(tuple, connection.execute(f"SELECT number, uploading_id FROM {uploads.TABLE}")))
    return total, [storage.as_dict(entity, row, ids) for row in rows]


def _page(
    connection: sqlite3.Connection,
    table: str,
    wanted: str,
    order: str,
    values: dict[str, Any],
    limit: int,
    offset: int,
) -> tuple[int, list[sqlite3.Row]]:
    total = connection.execute(f"SELECT count(*) FROM {table} WHERE {wanted}", values).fetchone()[0]
    query = f"SELECT * FROM {table} WHERE {wanted} ORDER BY {order} LIMIT :limit OFFSET :offset"
    return total, connection.execute(query, {**values, "limit": limit, "offset": offset}).fetchall()


def _crm_upload(sandbox: Sandbox, row: sqlite3.Row) -> dict[str, Any]:
    return {
        "counter_id": row["counter_id"],
        "kind": row["kind"],
        **uploads.as_answer(row),
        "merge_mode": row["merge_mode"],
        "received_at": row["received_at"],
        "bytes": row["bytes"],
        "sha256": row["sha256"],
        "listed": row["received_at"] + row["lag"] <= time.time() - sandbox.settings.processing_seconds,
        "sandbox_notes": json.loads(row["notes"]),
    }


def _conversion_upload(sandbox: Sandbox, row: sqlite3.Row) -> dict[str, Any]:
    return {
        "counter_id": row["counter_id"],
        "kind": "conversions",
        **conversions.as_answer(row, sandbox.settings),
        "received_at": row["received_at"],
        "bytes": row["bytes"],
        "sha256": row["sha256"],
        "line_errors": json.loads(row["line_errors"]),
        "sandbox_notes": json.loads(row["notes"]),
    }
