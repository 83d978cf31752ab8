# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: S608 - the SQL is put together from constants of this folder, never from what a client sent
"""Offline conversions: files taken in line by line, and an upload's way to its final status.

Sources: https://yandex.ru/dev/metrika/ru/management/openapi/offline_conversions/upload_1 ,
https://yandex.ru/dev/metrika/ru/management/openapi/offline_conversions/findById_1 ,
https://yandex.ru/dev/metrika/ru/management/openapi/offline_conversions/findAll_1 ,
https://yandex.ru/dev/metrika/ru/faq .
Unstated or contradictory there and chosen here:
* whether good lines are kept when one is bad is not said, but that ``line_quantity`` may be less than
  ``source_quantity`` is: so a bad line is dropped and the rest is kept, also when nothing is left. A time in the future
  is such a bad line. A file that is no proper table is refused whole with ``invalid_uploading``;
* a Target without a goal is counted in ``goal_not_found_quantity`` and does not fail the upload; an older client
  reports HTTP 400 for it;
* a line counts once: goal not found, else visitor not found, else linked. Goals and ``linked_share`` are looked at when
  the file comes, the three numbers are 0 until the final status;
* the answer of the POST says UPLOADED (or PREPARED, a setting), the rest of the chain is spread evenly over
  ``processing_seconds``; the list has the newest upload first, and every upload at once;
* a row is the same when identifiers, Target and DateTime are; one sent again without a price keeps the old one. Each
  row that came is kept beside that as an effect of its own, as nobody can know that the service counts it once;
* a setting makes uploads end badly after they were accepted: as LINKAGE_FAILURE, there is no other bad end;
* a currency outside ISO 4217 makes currency and price null.
"""

import json
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import IO, Any, Final

from airflow_provider_yandex_orders.sandbox.metrica import goals, linking, notes, storage
from airflow_provider_yandex_orders.sandbox.metrica.counters import Counter
from airflow_provider_yandex_orders.sandbox.metrica.csv_rows import CsvRows
from airflow_provider_yandex_orders.sandbox.metrica.currencies import CURRENCIES
from airflow_provider_yandex_orders.sandbox.metrica.entities import CONVERSIONS, VISITOR
from airflow_provider_yandex_orders.sandbox.metrica.errors import NO_SUCH_OBJECT, MetricaError
from airflow_provider_yandex_orders.sandbox.metrica.notes import Note
from airflow_provider_yandex_orders.sandbox.metrica.uploads import fingerprint
from airflow_provider_yandex_orders.sandbox.service import Sandbox
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings

TABLE: Final = CONVERSIONS.table
UPLOADS_TABLE: Final = "metrica_conversion_uploads"
TYPES: Final = ("BASIC", "CALLS", "CHATS")
CLIENT_ID_TYPES: Final = {"CLIENT_ID": "ClientId", "USER_ID": "UserId", "YCLID": "Yclid"}
"""The legacy parameter and the column it stands for."""

_IDENTITY: Final = (*VISITOR, *CONVERSIONS.required)
_CHATS: Final = replace(CONVERSIONS, required=("DateTime",))
EFFECTS_TABLE: Final = "metrica_conversion_effects"
WITH_EFFECTS: Final = (
    f"(SELECT stored.*, (SELECT json_group_array(json_object('upload_id', upload, 'received_at', received_at,"
    f" 'Price', Price, 'Currency', Currency)) FROM {EFFECTS_TABLE} WHERE conversion = stored.key) AS effects"
    f" FROM {TABLE} AS stored)"
)
"""SQL of the conversions, each with every time it came."""

SCHEMA: Final = f"""
CREATE TABLE IF NOT EXISTS {TABLE} (
    key INTEGER PRIMARY KEY,
    counter_id INTEGER NOT NULL,
    {", ".join(f"{name} TEXT" + (" NOT NULL" if name in _IDENTITY else "") for name in CONVERSIONS.columns)},
    goal_found INTEGER NOT NULL,
    visitor_found INTEGER NOT NULL,
    times_received INTEGER NOT NULL,
    UNIQUE (counter_id, {", ".join(_IDENTITY)})
);
CREATE TABLE IF NOT EXISTS {EFFECTS_TABLE} (
    conversion INTEGER NOT NULL,
    counter_id INTEGER NOT NULL,
    upload INTEGER NOT NULL,
    received_at TEXT NOT NULL,
    Price TEXT,
    Currency TEXT
);
CREATE INDEX IF NOT EXISTS {EFFECTS_TABLE}_of ON {EFFECTS_TABLE} (conversion);
CREATE TABLE IF NOT EXISTS {UPLOADS_TABLE} (
    id INTEGER PRIMARY KEY,
    counter_id INTEGER NOT NULL,
    received_at REAL NOT NULL,
    create_time TEXT NOT NULL,
    source_quantity INTEGER NOT NULL,
    line_quantity INTEGER NOT NULL,
    comment TEXT NOT NULL,
    client_id_type TEXT,
    type TEXT NOT NULL,
    visitors INTEGER NOT NULL,
    linked_quantity INTEGER NOT NULL,
    user_not_found_quantity INTEGER NOT NULL,
    goal_not_found_quantity INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    line_errors TEXT NOT NULL,
    notes TEXT NOT NULL,
    lag REAL NOT NULL,
    fails INTEGER NOT NULL
);
"""
# Beyond int32: the documentation says int64.
_FIRST_ID: Final = 5_000_000_001
_CHAIN: Final = ("UPLOADED", "EXPORTED", "MATCHED")
_LISTED: Final = "received_at + lag <= ?"
_COUNTS: Final = ("linked_quantity", "user_not_found_quantity", "goal_not_found_quantity")


def receive(
    sandbox: Sandbox, counter: Counter, source: IO[bytes], *, comment: str, upload_type: str, client_id_type: str | None
) -> dict[str, Any]:
    """Take the good lines of a file, and return the ``uploading`` object."""
    settings = sandbox.settings
    with sandbox.store.connect() as connection:
        entity = _CHATS if upload_type == "CHATS" else CONVERSIONS
        with CsvRows(source, entity, settings.max_reported_errors) as rows:
            kind = _client_id_type(client_id_type, rows.header)
            storage.stage(connection, CONVERSIONS, rows.good())
        size, digest = fingerprint(source)
        with sandbox.store.transaction(connection):
            upload_id = (
                1
                + connection.execute(
                    f"SELECT max({_FIRST_ID - 1}, coalesce(max(id), 0)) FROM {UPLOADS_TABLE}"
                ).fetchone()[0]
            )
            counts = _judge(connection, settings, counter.id)
            found = _notes(connection, counter.id, rows)
            fate = sandbox.fate
            if not fate["fails"]:
                _merge(connection, counter.id, upload_id)
            row = {
                "id": upload_id,
                "counter_id": counter.id,
                "received_at": time.time(),
                "create_time": datetime.now(counter.zone).isoformat(timespec="seconds"),
                "source_quantity": rows.elements,
                "comment": comment,
                "client_id_type": kind,
                "type": upload_type,
                **counts,
                "bytes": size,
                "sha256": digest,
                "line_errors": json.dumps(rows.errors()),
                "notes": json.dumps([note.as_dict() for note in found], ensure_ascii=False),
                **fate,
            }
            places = ", ".join(f":{name}" for name in row)
            connection.execute(f"INSERT INTO {UPLOADS_TABLE} ({', '.join(row)}) VALUES ({places})", row)
        stored = connection.execute(f"SELECT * FROM {UPLOADS_TABLE} WHERE id = ?", (upload_id,)).fetchone()
        return as_answer(stored, settings, first=True)


def find(sandbox: Sandbox, counter: Counter, upload_id: str) -> dict[str, Any]:
    """One upload; the live service is reported to answer an unknown id with 400, not with 404."""
    known = upload_id.isascii() and upload_id.isdigit() and len(upload_id) < len(str(1 << 63))
    query = f"SELECT * FROM {UPLOADS_TABLE} WHERE counter_id = ? AND id = ? AND {_LISTED}"
    with sandbox.store.connect() as connection:
        row = connection.execute(query, (counter.id, int(upload_id) if known else 0, time.time())).fetchone()
    if row is None:
        raise MetricaError("invalid_parameter", NO_SUCH_OBJECT)
    return as_answer(row, sandbox.settings)


def listed(sandbox: Sandbox, counter: Counter, *, upload_type: str, limit: int, offset: int) -> list[dict[str, Any]]:
    """Uploads of one type, newest first."""
    query = (
        f"SELECT * FROM {UPLOADS_TABLE} WHERE counter_id = ? AND type = ? AND {_LISTED}"
        " ORDER BY id DESC LIMIT ? OFFSET ?"
    )
    with sandbox.store.connect() as connection:
        rows = connection.execute(query, (counter.id, upload_type, time.time(), limit, offset)).fetchall()
    return [as_answer(row, sandbox.settings) for row in rows]


def as_answer(row: sqlite3.Row, settings: SandboxSettings, *, first: bool = False) -> dict[str, Any]:
    """The ``uploading`` object; ``first`` is the answer of the POST, which knows no further status."""
    status = _status(row, settings, first=first)
    uploading: dict[str, Any] = {
        name: row[name] for name in ("id", "create_time", "source_quantity", "line_quantity", "comment")
    }
    if row["client_id_type"]:
        uploading["client_id_type"] = row["client_id_type"]
    uploading["status"] = status
    if settings.conversion_counts:
        final = status not in {"PREPARED", *_CHAIN}
        uploading |= {"type": row["type"], **{name: row[name] if final else 0 for name in _COUNTS}}
    return uploading


def as_dict(row: sqlite3.Row) -> dict[str, Any]:
    """A stored conversion as the control API shows it."""
    found: dict[str, Any] = {"counter_id": row["counter_id"]}
    found |= {name: row[name] or None for name in CONVERSIONS.columns}
    found |= {name: bool(row[name]) for name in ("goal_found", "visitor_found")}
    effects = json.loads(row["effects"])
    found["times_received"] = row["times_received"]
    found["upload_ids"] = list(dict.fromkeys(effect["upload_id"] for effect in effects))
    return {**found, "effects": effects}


def _status(row: sqlite3.Row, settings: SandboxSettings, *, first: bool) -> str:
    chain = ("PREPARED", *_CHAIN) if settings.conversions_start_prepared else _CHAIN
    past = time.time() - row["received_at"]
    if first:
        return chain[0]
    if past >= settings.processing_seconds:
        return "PROCESSED" if row["visitors"] and not row["fails"] else "LINKAGE_FAILURE"
    return chain[int(max(past, 0) / settings.processing_seconds * len(chain))]


def _client_id_type(asked: str | None, header: list[str]) -> str | None:
    if asked is None:
        return next((kind for kind, column in CLIENT_ID_TYPES.items() if column in header), None)
    if CLIENT_ID_TYPES[asked] not in header:
        message = f"client_id_type asks for the column {CLIENT_ID_TYPES[asked]}"
        raise MetricaError("invalid_uploading", message, "file")
    return asked


def _judge(connection: sqlite3.Connection, settings: SandboxSettings, counter_id: int) -> Mapping[str, int]:
    """Mark the staged lines whose goal and whose visitor is known, and count them."""
    linking.prepare(connection, settings)
    of_goals = f"SELECT identifier FROM {goals.TABLE} WHERE counter_id = ? AND identifier IS NOT NULL"
    connection.execute(
        f"CREATE TEMP TABLE judged AS SELECT line, coalesce(Target IN ({of_goals}), 1) AS goal_found,"
        f" is_linked(coalesce({', '.join(VISITOR)})) AS visitor_found FROM staged",
        (counter_id,),
    )
    query = (
        "SELECT count(*) AS line_quantity, coalesce(sum(visitor_found), 0) AS visitors,"
        " coalesce(sum(goal_found AND visitor_found), 0) AS linked_quantity,"
        " coalesce(sum(goal_found AND NOT visitor_found), 0) AS user_not_found_quantity,"
        " coalesce(sum(NOT goal_found), 0) AS goal_not_found_quantity FROM judged"
    )
    return dict(connection.execute(query).fetchone())


def _notes(connection: sqlite3.Connection, counter_id: int, rows: CsvRows) -> list[Note]:
    """What is odd about the staged lines; also takes the money off those with an unknown currency."""
    found: list[Note | None] = []
    connection.create_function("is_currency", 1, lambda code: code in CURRENCIES, deterministic=True)
    unknown = connection.execute(
        "UPDATE staged SET Price = NULL, Currency = NULL WHERE Currency IS NOT NULL AND NOT is_currency(Currency)"
    ).rowcount
    if unknown:
        message = "Lines with a currency that is not supported: currency and price are null"
        found.append(Note("unsupported_currency", unknown, message))
    same = " AND ".join(f"stored.{name} = coalesce(staged.{name}, '')" for name in _IDENTITY)
    identity = " || char(31) || ".join(f"coalesce({name}, '')" for name in _IDENTITY)
    known = f"EXISTS (SELECT 1 FROM {TABLE} AS stored WHERE stored.counter_id = ? AND {same})"
    query = f"SELECT count(*) - count(DISTINCT CASE WHEN NOT {known} THEN {identity} END) FROM staged"
    if repeated := connection.execute(query, (counter_id,)).fetchone()[0]:
        found.append(Note("repeated_rows", repeated, "Lines that came before: a new price replaces the old one"))
    nobody = f"SELECT count(*) FROM staged WHERE coalesce({', '.join(VISITOR)}) IS NULL"
    if lost := connection.execute(nobody).fetchone()[0]:
        found.append(Note("rows_without_identifiers", lost, "Lines without any identifier: they are not attributed"))
    message = "Targets that no JavaScript-event goal of the counter has in a condition exact or contain"
    found.append(notes.named("unknown_goals", rows.named["goal"] - goals.identifiers(connection, counter_id), message))
    return [note for note in found if note is not None]


def _merge(connection: sqlite3.Connection, counter_id: int, upload_id: int) -> None:
    values = ", ".join(f"coalesce({name}, '')" if name in _IDENTITY else name for name in CONVERSIONS.columns)
    names = ", ".join(CONVERSIONS.columns)
    connection.execute(
        f"INSERT INTO {TABLE} (counter_id, {names}, goal_found, visitor_found, times_received)"
        f" SELECT ?, {values}, goal_found, visitor_found, 1 FROM staged JOIN judged USING (line) WHERE true"
        f" ORDER BY line ON CONFLICT (counter_id, {', '.join(_IDENTITY)}) DO UPDATE SET"
        " times_received = times_received + 1,"
        " Price = coalesce(excluded.Price, Price), Currency = coalesce(excluded.Currency, Currency),"
        " goal_found = excluded.goal_found, visitor_found = excluded.visitor_found",
        (counter_id,),
    )
    same = " AND ".join(f"stored.{name} = coalesce(staged.{name}, '')" for name in _IDENTITY)
    connection.execute(
        f"INSERT INTO {EFFECTS_TABLE} SELECT stored.key, ?, ?, ?, staged.Price, staged.Currency FROM staged"
        f" JOIN {TABLE} AS stored ON stored.counter_id = ? AND {same} ORDER BY line",
        (counter_id, upload_id, datetime.now(UTC).isoformat(timespec="milliseconds"), counter_id),
    )
