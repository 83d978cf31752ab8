# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: S608 - the SQL is put together from constants of this folder, never from what a client sent
"""Stored orders and contacts: staged from an upload, then merged in one transaction.

Source: https://yandex.ru/dev/metrika/ru/data-import/modes .
Unstated there and chosen here: simple_orders merges as the other CRM uploads do, and keeps its orders apart from the
ones of the full mode; an empty cell is an absent attribute; a status or currency that is absent becomes PAID or RUB for
a new order and under SAVE, and stays under UPDATE and APPEND; a changed creation date is passed over; of several rows
with one id a single one, drawn at random, is applied; APPEND to ``goals`` and ``products`` compares names, and the sent
price or quantity wins.
"""

import json
import random
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, Final

from airflow_provider_yandex_orders.sandbox.metrica.entities import ATTRIBUTES, CRM, Entity
from airflow_provider_yandex_orders.sandbox.metrica.fields import item_name

MERGE_MODES: Final = ("SAVE", "UPDATE", "APPEND")
_CREATED: Final = "create_date_time"


def _table(entity: Entity) -> str:
    names = ", ".join(f"{name} TEXT" for name in entity.stored)
    index = (
        f"CREATE INDEX IF NOT EXISTS {entity.table}_customer ON {entity.table} (counter_id, client_uniq_id);"
        if "client_type" in entity.columns
        else ""
    )
    return f"""
CREATE TABLE IF NOT EXISTS {entity.table} (
    key INTEGER PRIMARY KEY,
    counter_id INTEGER NOT NULL,
    {names},
    times_received INTEGER NOT NULL,
    uploads TEXT NOT NULL,
    UNIQUE (counter_id, {entity.key})
);
{index}
"""


SCHEMA: Final = "".join(_table(entity) for entity in CRM)
TABLES: Final = tuple(entity.table for entity in CRM)


def stage(connection: sqlite3.Connection, entity: Entity, rows: Iterable[tuple[object, ...]]) -> None:
    """Keep an upload's rows aside, in a temporary table of this connection; an error leaves the connection unusable."""
    names = entity.stored
    connection.execute(
        f"CREATE TEMP TABLE staged (line INTEGER PRIMARY KEY, {', '.join(names)}, received DEFAULT 1)",
    )
    cells = ", ".join(["nullif(?, '')"] * len(names))
    connection.execute("BEGIN")
    connection.executemany(f"INSERT INTO staged VALUES (?, {cells}, 1)", rows)
    connection.execute("COMMIT")


def settle_doubles(connection: sqlite3.Connection, entity: Entity, seed: str) -> list[str]:
    """Leave one staged row of each id, drawn at random, and count the others in it; returns the ids concerned."""
    query = (
        f"SELECT {entity.key} AS id, group_concat(line) AS lines FROM staged WHERE {entity.key} IS NOT NULL"
        " GROUP BY 1 HAVING count(*) > 1 ORDER BY 1"
    )
    doubles = connection.execute(query).fetchall()
    for row in doubles:
        lines = sorted(int(line) for line in row["lines"].split(","))
        chosen = random.Random(f"{seed}/{row['id']}").choice(lines)  # noqa: S311
        connection.execute("UPDATE staged SET received = ? WHERE line = ?", (len(lines), chosen))
        connection.executemany("DELETE FROM staged WHERE line = ?", ((line,) for line in lines if line != chosen))
    return [row["id"] for row in doubles]


def find_known(connection: sqlite3.Connection, entity: Entity, counter_id: int) -> int:
    """Pair staged rows with the objects they change; returns how many of them give another creation date.

    The pairs stay in a temporary table for :func:`merge`: the search by id is the dear part, so it is done once.
    """
    connection.execute("CREATE TEMP TABLE known (line INTEGER PRIMARY KEY, key INTEGER NOT NULL)")
    connection.execute(
        f"INSERT INTO known SELECT line, key FROM staged CROSS JOIN {entity.table} AS stored"
        f" ON stored.counter_id = ? AND stored.{entity.key} = staged.{entity.key}",
        (counter_id,),
    )
    query = (
        f"SELECT count(*) FROM known JOIN staged USING (line) JOIN {entity.table} AS stored USING (key)"
        f" WHERE stored.{_CREATED} <> staged.{_CREATED}"
    )
    return int(connection.execute(query).fetchone()[0])


def count_crowded(connection: sqlite3.Connection, entity: Entity, counter_id: int, most: int) -> int:
    """How many customers would have more than ``most`` orders; call after :func:`find_known`.

    Source of the limit: https://yandex.ru/dev/metrika/en/management/openapi/schema/uploadOrders .
    """
    query = (
        "SELECT count(*) FROM (SELECT client_uniq_id FROM ("
        " SELECT client_uniq_id, count(*) AS orders FROM staged GROUP BY 1"
        f" UNION ALL SELECT client_uniq_id, count(*) FROM {entity.table} WHERE counter_id = ?"
        " AND client_uniq_id IN (SELECT client_uniq_id FROM staged) AND key NOT IN (SELECT key FROM known) GROUP BY 1"
        ") GROUP BY 1 HAVING sum(orders) > ?)"
    )
    return int(connection.execute(query, (counter_id, most)).fetchone()[0])


def merge(connection: sqlite3.Connection, entity: Entity, counter_id: int, mode: str, upload: int) -> None:
    """Apply the staged rows to the counter's objects; call after :func:`find_known`, in the same transaction."""
    connection.create_function("append_items", 3, _append_items, deterministic=True)
    connection.create_function("merge_attributes", 3, _merge_attributes, deterministic=True)
    names = entity.stored
    changes = ", ".join(f"{name} = {_merged(entity, mode, name)}" for name in names if name != entity.key)
    connection.execute(
        f"UPDATE {entity.table} AS stored SET {changes}, times_received = times_received + staged.received,"
        " uploads = uploads || ',' || ? FROM known JOIN staged USING (line) WHERE stored.key = known.key",
        (str(upload),),
    )
    values = ", ".join(_with_default(entity, name) for name in names)
    connection.execute(
        f"INSERT INTO {entity.table} (counter_id, {', '.join(names)}, times_received, uploads)"
        f" SELECT ?, {values}, received, ? FROM staged WHERE line NOT IN (SELECT line FROM known) ORDER BY line",
        (counter_id, str(upload)),
    )


def as_dict(entity: Entity, row: sqlite3.Row, upload_ids: Mapping[int, str]) -> dict[str, Any]:
    """A stored object as the control API shows it: lists as lists, money as text."""
    found: dict[str, Any] = {"counter_id": row["counter_id"]}
    for name, column in entity.columns.items():
        value = row[name]
        found[name] = ([] if value is None else value.split(",")) if column.multiple else value
    if entity.attributes_of:
        found[ATTRIBUTES] = json.loads(row[ATTRIBUTES] or "{}")
    found["times_received"] = row["times_received"]
    found["upload_ids"] = [upload_ids[number] for number in dict.fromkeys(map(int, row["uploads"].split(",")))]
    return found


def _with_default(entity: Entity, name: str) -> str:
    default = entity.defaults.get(name)
    return f"staged.{name}" if default is None else f"coalesce(staged.{name}, '{default}')"


def _merged(entity: Entity, mode: str, name: str) -> str:
    if name == _CREATED:
        return f"coalesce(stored.{name}, staged.{name})"
    if mode == "SAVE":
        return _with_default(entity, name)
    if name == ATTRIBUTES:
        return f"merge_attributes('{mode}', stored.{name}, staged.{name})"
    if mode == "APPEND" and entity.columns[name].multiple:
        return f"append_items('{entity.columns[name].form}', stored.{name}, staged.{name})"
    return f"coalesce(staged.{name}, stored.{name})"


def _append_items(form: str, known: str | None, sent: str | None) -> str | None:
    if known is None or sent is None:
        return known if sent is None else sent
    return ",".join({item_name(form, item): item for item in [*known.split(","), *sent.split(",")]}.values())


def _merge_attributes(mode: str, known: str | None, sent: str | None) -> str | None:
    if known is None or sent is None:
        return known if sent is None else sent
    merged = json.loads(known)
    for name, value in json.loads(sent).items():
        both = mode == "APPEND" and isinstance(value, list) and isinstance(merged.get(name), list)
        merged[name] = list(dict.fromkeys([*merged[name], *value])) if both else value
    return json.dumps(merged, ensure_ascii=False)
