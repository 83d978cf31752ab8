# SPDX-License-Identifier: Apache-2.0
"""The journal's tables and views. Only this folder knows the tables; the views are for people."""
# ruff: noqa: S608 - queries are put together from this module's own constants

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

from airflow_provider_yandex_orders.journal.records import COUNTS

metadata = MetaData()

meta = Table(
    "journal_meta", metadata, Column("name", String, primary_key=True), Column("value", String, nullable=False)
)

destinations = Table(
    "journal_destinations",
    metadata,
    Column("destination_id", Integer, primary_key=True),
    Column("service", String, nullable=False),
    Column("host", String, nullable=False),
    Column("counter", String, nullable=False),
    Column("entity", String, nullable=False),
    UniqueConstraint("service", "host", "counter", "entity", name="journal_destinations_place"),
)

deliveries = Table(
    "journal_deliveries",
    metadata,
    Column("delivery_id", Integer, primary_key=True),
    Column("destination_id", ForeignKey(destinations.c.destination_id), nullable=False),
    Column("dag_id", String, nullable=False),
    Column("run_id", String, nullable=False),
    Column("task_id", String, nullable=False),
    Column("map_index", Integer, nullable=False),
    Column("started_at", DateTime, nullable=False),
    Column("sent_at", DateTime),
    Column("completed_at", DateTime),
    *(Column(name, BigInteger) for name in COUNTS),
    Column("result", String),
    Column("try_number", Integer),
    Column("max_tries", Integer),
    Index("journal_deliveries_task", "dag_id", "run_id", "task_id", "map_index"),
    Index("journal_deliveries_started", "started_at"),
    sqlite_autoincrement=True,
)

parts = Table(
    "journal_parts",
    metadata,
    Column("part_id", Integer, primary_key=True),
    Column("delivery_id", ForeignKey(deliveries.c.delivery_id), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("path", String, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", String, nullable=False),
    Column("upload_id", String, index=True),
    Column("status", String),
    Column("rows_accepted", Integer),
    # The order in which parts went out, which is not that of their planning.
    Column("turn", Integer, index=True),
    Column("planned_at", DateTime, nullable=False),
    Column("sent_at", DateTime),
    Column("accepted_at", DateTime),
    Column("judged_at", DateTime),
    Column("told", Integer),
    Column("money", JSON(none_as_null=True)),
    sqlite_autoincrement=True,
)

# No column names the destination: it is in the sum. ``copies`` counts rows without a key.
rows = Table(
    "journal_rows",
    metadata,
    Column("key_sum", LargeBinary, primary_key=True),
    Column("part_id", Integer, primary_key=True, autoincrement=False),
    Column("content_sum", LargeBinary),
    Column("version", String),
    Column("copies", Integer),
    sqlite_with_rowid=False,
)

judgements = Table(
    "journal_judgements",
    metadata,
    Column("judgement_id", Integer, primary_key=True),
    Column("part_id", ForeignKey(parts.c.part_id), nullable=False, index=True),
    Column("judged_at", DateTime, nullable=False),
    Column("good", Boolean, nullable=False),
    Column("status", String, nullable=False),
    Column("rows_accepted", Integer),
    Column("rows_linked", Integer),
)

rejects = Table(
    "journal_rejects",
    metadata,
    Column("delivery_id", ForeignKey(deliveries.c.delivery_id), primary_key=True),
    Column("code", String, primary_key=True),
    Column("rows", BigInteger, nullable=False),
)

# Amounts are text: sums of them are exact where they are made, and in no database's own numbers.
money = Table(
    "journal_money",
    metadata,
    Column("delivery_id", ForeignKey(deliveries.c.delivery_id), primary_key=True),
    Column("currency", String, primary_key=True),
    Column("amount", String, nullable=False),
)

linked = Table(
    "journal_linked",
    metadata,
    Column("destination_id", ForeignKey(destinations.c.destination_id), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("identifier", String, primary_key=True),
    Column("orders_sent", BigInteger),
    Column("orders_linked", BigInteger, nullable=False),
    Column("asked_at", DateTime, nullable=False),
)

leases = Table(
    "journal_leases",
    metadata,
    Column("destination_id", ForeignKey(destinations.c.destination_id), primary_key=True),
    Column("holder", String, nullable=False),
    Column("ends", Float(53), nullable=False),
)

spent = Table(
    "journal_spent",
    metadata,
    Column("account", String, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("requests", BigInteger, nullable=False),
)

# What people were told last: of a task, or, without one, of a DAG.
notices = Table(
    "journal_notices",
    metadata,
    Column("dag_id", String, primary_key=True),
    Column("task_id", String, primary_key=True),
    Column("map_index", Integer, primary_key=True, autoincrement=False),
    Column("state", String, nullable=False),
    Column("told_at", DateTime, nullable=False),
)

_PLACE = "p.service, p.host, p.counter, p.entity"
_TASK = "d.dag_id, d.run_id, d.task_id, d.map_index"
_DELIVERY = "JOIN {schema}journal_deliveries d ON d.delivery_id"
_AT_PLACE = "JOIN {schema}journal_destinations p ON p.destination_id"

VIEWS = {
    "deliveries": f"SELECT d.delivery_id, {_PLACE}, {_TASK}, d.started_at, d.sent_at, d.completed_at, "
    f"{', '.join(f'd.{name}' for name in COUNTS)}, d.result "
    f"FROM {{schema}}journal_deliveries d {_AT_PLACE} = d.destination_id",
    "parts": f"SELECT t.part_id, t.delivery_id, {_PLACE}, {_TASK}, t.number, t.state, t.path, t.rows, t.bytes, "
    "t.sha256, t.upload_id, t.status, t.rows_accepted, t.planned_at, t.sent_at, t.accepted_at, t.judged_at "
    f"FROM {{schema}}journal_parts t {_DELIVERY} = t.delivery_id {_AT_PLACE} = d.destination_id",
    "rejected_by_reason": f"SELECT date(d.started_at) AS day, {_PLACE}, {_TASK}, d.delivery_id, r.code, r.rows "
    f"FROM {{schema}}journal_rejects r {_DELIVERY} = r.delivery_id {_AT_PLACE} = d.destination_id",
    "money": f"SELECT d.delivery_id, {_PLACE}, {_TASK}, d.sent_at, m.currency, m.amount "
    f"FROM {{schema}}journal_money m {_DELIVERY} = m.delivery_id {_AT_PLACE} = d.destination_id",
    "linked_by_day": f"SELECT l.day, {_PLACE}, l.identifier, l.orders_sent, l.orders_linked, "
    "CASE WHEN l.orders_sent > 0 THEN 1.0 * l.orders_linked / l.orders_sent END AS share, l.asked_at "
    f"FROM {{schema}}journal_linked l {_AT_PLACE} = l.destination_id",
    "requests_by_day": "SELECT s.day, s.account, s.requests FROM {schema}journal_spent s",
    "sent_rows": f"SELECT r.key_sum, r.version, r.copies, r.part_id, t.delivery_id, {_PLACE}, {_TASK}, t.state, "
    "t.upload_id, t.sent_at FROM {schema}journal_rows r JOIN {schema}journal_parts t ON t.part_id = r.part_id "
    f"{_DELIVERY} = t.delivery_id {_AT_PLACE} = d.destination_id WHERE t.sent_at IS NOT NULL",
}
"""The documented views and their queries, where ``{schema}`` stands for the schema with its dot."""
