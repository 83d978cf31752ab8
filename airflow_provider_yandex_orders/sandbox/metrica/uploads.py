# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: S608 - the SQL is put together from constants of this folder, never from what a client sent
"""CRM uploads: one file or document taken in, and the list of what was taken in before.

Sources: https://yandex.ru/dev/metrika/ru/management/openapi/schema/uploadSimpleOrders ,
https://yandex.ru/dev/metrika/ru/management/openapi/schema/getLastUploadings .
Unstated there and chosen here: ``entity_type`` is ``SYSTEM`` for orders as for customers; ``elements_count`` counts the
rows of the upload, also of a FAILED one; ``api_validation_errors`` is there only when there are any; a FAILED upload is
listed like any other; the answer of the POST already has the final status, the list shows it ``processing_seconds``
later, unless a setting keeps it out of the answer, or makes uploads fail only then, or come late or never; an upload
that would give a customer too many orders is FAILED.
"""

import hashlib
import json
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any, Final
from uuid import uuid4

from airflow_provider_yandex_orders.sandbox.metrica import goals, notes, schema, storage
from airflow_provider_yandex_orders.sandbox.metrica.counters import Counter
from airflow_provider_yandex_orders.sandbox.metrica.csv_rows import DELIMITERS, CsvRows
from airflow_provider_yandex_orders.sandbox.metrica.entities import ORDERS, Entity
from airflow_provider_yandex_orders.sandbox.metrica.errors import MetricaError
from airflow_provider_yandex_orders.sandbox.metrica.json_rows import JsonRows
from airflow_provider_yandex_orders.sandbox.metrica.notes import Note
from airflow_provider_yandex_orders.sandbox.metrica.rows import Rows
from airflow_provider_yandex_orders.sandbox.service import Sandbox

TABLE: Final = "metrica_crm_uploads"
SCHEMA: Final = f"""
CREATE TABLE IF NOT EXISTS {TABLE} (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    uploading_id TEXT NOT NULL UNIQUE,
    counter_id INTEGER NOT NULL,
    received_at REAL NOT NULL,
    datetime TEXT NOT NULL,
    api_validation_status TEXT NOT NULL,
    elements_count INTEGER NOT NULL,
    uploading_format TEXT NOT NULL,
    merge_mode TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    api_validation_errors TEXT NOT NULL,
    notes TEXT NOT NULL,
    lag REAL NOT NULL,
    fails INTEGER NOT NULL
);
"""
_LATE_FAULT: Final = "The upload could not be processed"
_ANSWERED: Final = (
    "uploading_id",
    "datetime",
    "api_validation_status",
    "elements_count",
    "uploading_format",
)


@dataclass(frozen=True, slots=True)
class Upload:
    """What a client sent, and how it wants it read."""

    entity: Entity
    source: IO[bytes]
    merge_mode: str
    uploading_format: str = "CSV"
    delimiter_type: str = "COMMA"
    mapping: Mapping[str, str] = field(default_factory=dict)
    """Of ``columns_mapping``: the attribute and the column of the file that holds it."""

    def rows(self, attributes: Mapping[str, Any], max_errors: int) -> Rows:
        """Start reading."""
        if self.uploading_format == "JSON":
            return JsonRows(self.source, self.entity, max_errors, attributes)
        if unknown := sorted(set(self.mapping) - set(self.entity.columns) - set(attributes)):
            message = f"columns_mapping names {len(unknown)} attributes that {self.entity.kind} do not have"
            raise MetricaError("invalid_parameter", message, "columns_mapping")
        return CsvRows(
            self.source,
            self.entity,
            max_errors,
            delimiter=DELIMITERS[self.delimiter_type],
            attributes=attributes,
            mapping=self.mapping,
        )


def receive(sandbox: Sandbox, counter: Counter, upload: Upload) -> dict[str, Any]:
    """Check an upload, apply it if every row is good, and return the ``uploading`` object."""
    settings, entity = sandbox.settings, upload.entity
    with sandbox.store.connect() as connection:
        attributes = schema.attribute_columns(connection, counter.id, entity.attributes_of)
        with upload.rows(attributes, settings.max_reported_errors) as rows:
            storage.stage(connection, entity, rows.good())
        size, digest = fingerprint(upload.source)
        errors = rows.errors()
        with sandbox.store.transaction(connection):
            number = 1 + connection.execute(f"SELECT coalesce(max(number), 0) FROM {TABLE}").fetchone()[0]
            found: list[Note] = []
            fate = sandbox.fate
            if not errors:
                doubled = storage.settle_doubles(connection, entity, f"{settings.seed}/{number}")
                redated = storage.find_known(connection, entity, counter.id)
                errors = _excess(connection, entity, counter.id, settings.max_orders_per_customer)
            if not errors:
                comma = upload.uploading_format == "CSV" and upload.delimiter_type == "COMMA"
                found = notes.collect(connection, counter.id, rows, doubled=doubled, redated=redated, comma_file=comma)
                if not fate["fails"]:
                    storage.merge(connection, entity, counter.id, upload.merge_mode, number)
                    goals.ensure_crm_goals(connection, counter.id)
            row = {
                "number": number,
                "kind": entity.kind,
                "uploading_id": str(uuid4()),
                "counter_id": counter.id,
                "received_at": time.time(),
                "datetime": str(counter.now()),
                "api_validation_status": "FAILED" if errors or fate["fails"] else "PASSED",
                "elements_count": rows.elements,
                "uploading_format": upload.uploading_format,
                "merge_mode": upload.merge_mode,
                "bytes": size,
                "sha256": digest,
                "api_validation_errors": json.dumps(errors or ([_LATE_FAULT] if fate["fails"] else [])),
                "notes": json.dumps([note.as_dict() for note in found], ensure_ascii=False),
                **fate,
            }
            places = ", ".join(f":{name}" for name in row)
            connection.execute(f"INSERT INTO {TABLE} ({', '.join(row)}) VALUES ({places})", row)
        query = f"SELECT * FROM {TABLE} WHERE number = ?"
        answer = as_answer(connection.execute(query, (number,)).fetchone())
    if fate["fails"] and not errors:
        del answer["api_validation_errors"]
        answer["api_validation_status"] = "PASSED"
    if not settings.uploads_judged_at_once:
        del answer["api_validation_status"]
    return answer


def last(sandbox: Sandbox, counter: Counter, *, before: str | None, limit: int) -> list[dict[str, Any]]:
    """The newest uploads whose processing time is over, newest first, only those strictly earlier than ``before``."""
    processed = time.time() - sandbox.settings.processing_seconds
    query = (
        f"SELECT * FROM {TABLE} WHERE counter_id = ? AND received_at + lag <= ? AND (? IS NULL OR datetime < ?)"
        " ORDER BY number DESC LIMIT ?"
    )
    with sandbox.store.connect() as connection:
        rows = connection.execute(query, (counter.id, processed, before, before, limit))
        return [as_answer(row) for row in rows]


def as_answer(row: sqlite3.Row) -> dict[str, Any]:
    """The ``uploading`` object of a stored upload."""
    uploading: dict[str, Any] = {name: row[name] for name in _ANSWERED}
    uploading |= {"entity_type": "SYSTEM", "uploading_source": "API"}
    if errors := json.loads(row["api_validation_errors"]):
        uploading["api_validation_errors"] = errors
    return uploading


def fingerprint(source: IO[bytes]) -> tuple[int, str]:
    """The size and the SHA-256 of what a client sent."""
    source.seek(0)
    digest = hashlib.sha256()
    while block := source.read(1_048_576):
        digest.update(block)
    return source.tell(), digest.hexdigest()


def _excess(connection: sqlite3.Connection, entity: Entity, counter_id: int, most: int) -> list[str]:
    crowded = storage.count_crowded(connection, entity, counter_id, most) if entity is ORDERS else 0
    return [f"{crowded} customers would have more than {most} orders"] if crowded else []
