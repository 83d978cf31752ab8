# SPDX-License-Identifier: Apache-2.0
"""Uploads: one simple_orders file taken in, and the list of what was taken in before.

Sources: https://yandex.ru/dev/metrika/ru/management/openapi/schema/uploadSimpleOrders ,
https://yandex.ru/dev/metrika/ru/management/openapi/schema/getLastUploadings .
Unstated there and chosen here: ``entity_type`` is ``ORDER``; ``elements_count`` counts the rows of the file, also of a
FAILED one; ``api_validation_errors`` is there only when there are any; a FAILED upload is listed like any other; the
answer of the POST already has the final status, the list shows it ``processing_seconds`` later.
"""

import hashlib
import json
import sqlite3
import time
from dataclasses import dataclass
from typing import IO, Any, Final
from uuid import uuid4

from airflow_provider_yandex_orders.sandbox.metrica import goals, orders
from airflow_provider_yandex_orders.sandbox.metrica.counters import Counter
from airflow_provider_yandex_orders.sandbox.metrica.orders_file import DELIMITERS, OrdersFile
from airflow_provider_yandex_orders.sandbox.service import Sandbox

TABLE: Final = "metrica_uploads"
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS metrica_uploads (
    number INTEGER PRIMARY KEY,
    uploading_id TEXT NOT NULL UNIQUE,
    counter_id INTEGER NOT NULL,
    received_at REAL NOT NULL,
    datetime TEXT NOT NULL,
    api_validation_status TEXT NOT NULL,
    elements_count INTEGER NOT NULL,
    entity_type TEXT NOT NULL,
    uploading_format TEXT NOT NULL,
    merge_mode TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    api_validation_errors TEXT NOT NULL,
    notes TEXT NOT NULL
);
"""
_ANSWERED: Final = (
    "uploading_id",
    "datetime",
    "api_validation_status",
    "elements_count",
    "entity_type",
    "uploading_format",
)
_EXAMPLES: Final = 10


@dataclass(frozen=True, slots=True)
class Note:
    """Something that the service would stay silent about and a test may want to know."""

    kind: str
    count: int
    message: str
    examples: tuple[str, ...] = ()
    """Order ids or goal identifiers, a few."""

    def as_dict(self) -> dict[str, Any]:
        """The note as the control API shows it."""
        return {
            "kind": self.kind,
            "count": self.count,
            "message": self.message,
            "examples": list(self.examples),
        }


def receive_orders(
    sandbox: Sandbox, counter: Counter, source: IO[bytes], *, merge_mode: str, delimiter_type: str
) -> dict[str, Any]:
    """Check a file, apply it if every row is good, and return the ``uploading`` object."""
    settings = sandbox.settings
    with sandbox.store.connect() as connection:
        with OrdersFile(source, DELIMITERS[delimiter_type], settings.max_reported_errors) as file:
            orders.stage(connection, file.rows())
            errors = file.errors()
        size, digest = _fingerprint(source)
        with sandbox.store.transaction(connection):
            number = 1 + connection.execute("SELECT coalesce(max(number), 0) FROM metrica_uploads").fetchone()[0]
            notes: list[Note] = []
            if not errors:
                doubled = orders.settle_doubles(connection, f"{settings.seed}/{number}")
                notes = _notes(connection, counter.id, doubled, file.goals)
                orders.merge(connection, counter.id, merge_mode, number)
                goals.ensure_crm_goals(connection, counter.id)
            row = {
                "number": number,
                "uploading_id": str(uuid4()),
                "counter_id": counter.id,
                "received_at": time.time(),
                "datetime": str(counter.now()),
                "api_validation_status": "FAILED" if errors else "PASSED",
                "elements_count": file.elements,
                "entity_type": "ORDER",
                "uploading_format": "CSV",
                "merge_mode": merge_mode,
                "bytes": size,
                "sha256": digest,
                "api_validation_errors": json.dumps(errors),
                "notes": json.dumps([note.as_dict() for note in notes], ensure_ascii=False),
            }
            places = ", ".join(f":{name}" for name in row)
            connection.execute(f"INSERT INTO metrica_uploads ({', '.join(row)}) VALUES ({places})", row)  # noqa: S608 - names of columns only
        query = "SELECT * FROM metrica_uploads WHERE number = ?"
        return as_answer(connection.execute(query, (number,)).fetchone())


def last(sandbox: Sandbox, counter: Counter, *, before: str | None, limit: int) -> list[dict[str, Any]]:
    """The newest uploads whose processing time is over, newest first, only those strictly earlier than ``before``."""
    processed = time.time() - sandbox.settings.processing_seconds
    query = (
        "SELECT * FROM metrica_uploads WHERE counter_id = ? AND received_at <= ? AND (? IS NULL OR datetime < ?)"
        " ORDER BY number DESC LIMIT ?"
    )
    with sandbox.store.connect() as connection:
        rows = connection.execute(query, (counter.id, processed, before, before, limit))
        return [as_answer(row) for row in rows]


def as_answer(row: sqlite3.Row) -> dict[str, Any]:
    """The ``uploading`` object of a stored upload."""
    uploading: dict[str, Any] = {name: row[name] for name in _ANSWERED}
    uploading["uploading_source"] = "API"
    if errors := json.loads(row["api_validation_errors"]):
        uploading["api_validation_errors"] = errors
    return uploading


def _fingerprint(source: IO[bytes]) -> tuple[int, str]:
    source.seek(0)
    digest = hashlib.sha256()
    while block := source.read(1_048_576):
        digest.update(block)
    return source.tell(), digest.hexdigest()


def _notes(connection: sqlite3.Connection, counter_id: int, doubled: list[str], named: set[str]) -> list[Note]:
    notes: list[Note] = []
    if doubled:
        message = "Ids that several rows carried: one row each was applied, drawn at random"
        notes.append(Note("duplicate_ids", len(doubled), message, tuple(doubled[:_EXAMPLES])))
    if nameless := orders.count_without_id(connection):
        notes.append(Note("orders_without_id", nameless, "Rows without id: each made a new order"))
    if changed := orders.find_known(connection, counter_id):
        notes.append(Note("create_date_time_kept", changed, "Known orders sent with another date: the first one stays"))
    if unknown := sorted(named - goals.identifiers(connection, counter_id)):
        message = "Identifiers in order_status or goals that no JavaScript-event goal of the counter has"
        notes.append(Note("unknown_goals", len(unknown), message, tuple(unknown[:_EXAMPLES])))
    return notes
