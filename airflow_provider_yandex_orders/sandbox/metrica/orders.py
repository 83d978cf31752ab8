# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: S608 - the SQL is put together from constants of this folder, never from what a client sent
"""Stored orders: staged from a file, then merged in one transaction.

Source: https://yandex.ru/dev/metrika/ru/data-import/modes .
Unstated there and chosen here: simple_orders merges as the other CRM uploads do; an empty cell is an absent attribute;
a status or currency that is absent becomes PAID or RUB for a new order and under SAVE, and stays under UPDATE and
APPEND; a changed creation date is passed over; of several rows with one id a single one, drawn at random, is applied;
APPEND to ``goals`` compares identifiers, and the sent price wins.
"""

import random
import sqlite3
from collections.abc import Iterable
from typing import Any, Final

from airflow_provider_yandex_orders.sandbox.metrica.fields import COLUMNS, DEFAULT_CURRENCY, DEFAULT_STATUS

MERGE_MODES: Final = ("SAVE", "UPDATE", "APPEND")
TABLE: Final = "metrica_orders"
_NAMES: Final = tuple(COLUMNS)
_DEFAULTS: Final = {"order_status": DEFAULT_STATUS, "currency": DEFAULT_CURRENCY}
_IMMUTABLE: Final = frozenset({"id", "create_date_time"})

SCHEMA: Final = f"""
CREATE TABLE IF NOT EXISTS {TABLE} (
    key INTEGER PRIMARY KEY,
    counter_id INTEGER NOT NULL,
    {", ".join(f"{name} TEXT" for name in _NAMES)},
    times_received INTEGER NOT NULL,
    uploads TEXT NOT NULL,
    UNIQUE (counter_id, id)
);
"""
_STAGE: Final = f"CREATE TEMP TABLE staged (line INTEGER PRIMARY KEY, {', '.join(_NAMES)}, received DEFAULT 1)"
_CELLS: Final = ["nullif(?, '')"] * len(_NAMES)
_FILL: Final = f"INSERT INTO staged VALUES (?, {', '.join(_CELLS)}, 1)"


def stage(connection: sqlite3.Connection, rows: Iterable[tuple[object, ...]]) -> None:
    """Keep a file's rows aside, in a temporary table of this connection; an error leaves the connection unusable."""
    connection.execute(_STAGE)
    connection.execute("BEGIN")
    connection.executemany(_FILL, rows)
    connection.execute("COMMIT")


def settle_doubles(connection: sqlite3.Connection, seed: str) -> list[str]:
    """Leave one staged row of each id, drawn at random, and count the others in it; returns the ids concerned."""
    query = (
        "SELECT id, group_concat(line) AS lines FROM staged WHERE id IS NOT NULL"
        " GROUP BY id HAVING count(*) > 1 ORDER BY id"
    )
    doubles = connection.execute(query).fetchall()
    for row in doubles:
        lines = sorted(int(line) for line in row["lines"].split(","))
        chosen = random.Random(f"{seed}/{row['id']}").choice(lines)  # noqa: S311
        connection.execute("UPDATE staged SET received = ? WHERE line = ?", (len(lines), chosen))
        connection.executemany("DELETE FROM staged WHERE line = ?", ((line,) for line in lines if line != chosen))
    return [row["id"] for row in doubles]


def count_without_id(connection: sqlite3.Connection) -> int:
    """How many staged rows will make a nameless order."""
    return int(connection.execute("SELECT count(*) FROM staged WHERE id IS NULL").fetchone()[0])


def find_known(connection: sqlite3.Connection, counter_id: int) -> int:
    """Pair staged rows with the orders they change; returns how many of them give another creation date.

    The pairs stay in a temporary table for :func:`merge`: the search by id is the dear part, so it is done once.
    """
    connection.execute("CREATE TEMP TABLE known (line INTEGER PRIMARY KEY, key INTEGER NOT NULL)")
    connection.execute(
        f"INSERT INTO known SELECT line, key FROM staged CROSS JOIN {TABLE} AS stored"
        " ON stored.counter_id = ? AND stored.id = staged.id",
        (counter_id,),
    )
    query = (
        f"SELECT count(*) FROM known JOIN staged USING (line) JOIN {TABLE} AS stored USING (key)"
        " WHERE stored.create_date_time <> staged.create_date_time"
    )
    return int(connection.execute(query).fetchone()[0])


def merge(connection: sqlite3.Connection, counter_id: int, mode: str, upload: int) -> None:
    """Apply the staged rows to the counter's orders; call after :func:`find_known`, in the same transaction."""
    connection.create_function("append_values", 2, _append_values, deterministic=True)
    connection.create_function("append_goals", 2, _append_goals, deterministic=True)
    changes = ", ".join(f"{name} = {_merged(mode, name)}" for name in _NAMES if name not in _IMMUTABLE)
    connection.execute(
        f"UPDATE {TABLE} AS stored SET {changes}, times_received = times_received + staged.received,"
        " uploads = uploads || ',' || ? FROM known JOIN staged USING (line) WHERE stored.key = known.key",
        (str(upload),),
    )
    values = ", ".join(_with_default(name, f"staged.{name}") for name in _NAMES)
    connection.execute(
        f"INSERT INTO {TABLE} (counter_id, {', '.join(_NAMES)}, times_received, uploads)"
        f" SELECT ?, {values}, received, ? FROM staged WHERE line NOT IN (SELECT line FROM known) ORDER BY line",
        (counter_id, str(upload)),
    )


def _with_default(name: str, value: str) -> str:
    return f"coalesce({value}, '{_DEFAULTS[name]}')" if name in _DEFAULTS else value


def _merged(mode: str, name: str) -> str:
    if mode == "SAVE":
        return _with_default(name, f"staged.{name}")
    if mode == "APPEND" and COLUMNS[name].multiple:
        function = "append_goals" if name == "goals" else "append_values"
        return f"{function}(stored.{name}, staged.{name})"
    return f"coalesce(staged.{name}, stored.{name})"


def _append_values(known: str | None, sent: str | None) -> str | None:
    if known is None or sent is None:
        return known if sent is None else sent
    return ",".join(dict.fromkeys([*known.split(","), *sent.split(",")]))


def _append_goals(known: str | None, sent: str | None) -> str | None:
    if known is None or sent is None:
        return known if sent is None else sent
    merged = {item.partition(":")[0]: item for item in [*known.split(","), *sent.split(",")]}
    return ",".join(merged.values())


def as_dict(row: sqlite3.Row, upload_ids: dict[int, str]) -> dict[str, Any]:
    """A stored order as the control API shows it: lists as lists, money as text."""
    order: dict[str, Any] = {"counter_id": row["counter_id"]}
    for name, column in COLUMNS.items():
        value = row[name]
        order[name] = ([] if value is None else value.split(",")) if column.multiple else value
    order["times_received"] = row["times_received"]
    order["upload_ids"] = [upload_ids[int(number)] for number in row["uploads"].split(",")]
    return order
