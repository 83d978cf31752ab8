# SPDX-License-Identifier: Apache-2.0
"""Warehouses that orders are loaded into, and fetches that came out otherwise."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.market.market_support import rows_of
from tests.support.postgres import PostgresServer

Tables = dict[str, list[dict[str, Any]]]
ADDED = ("campaign_id", "fetched_at", "is_final", "content_sum")


class Warehouse:
    """A database of its own.

    :param kind: ``duckdb``, ``sqlite`` or ``postgres``.
    """

    def __init__(self, kind: str, file: Path, server: PostgresServer | None = None) -> None:
        self.kind, self.file, self._server = kind, file, server

    @property
    def connection(self) -> str:
        return self._server.uri if self._server else json.dumps({"conn_type": self.kind, "host": str(self.file)})

    def query(self, sql: str) -> list[dict[str, Any]]:
        if self._server:
            import psycopg2

            connection: Any = psycopg2.connect(self._server.uri)
        elif self.kind == "duckdb":
            import duckdb

            connection = duckdb.connect(str(self.file))
            connection.execute("SET TimeZone = 'UTC'")
        else:
            connection = sqlite3.connect(self.file.with_name(f"{self.file.stem}__market.db"))
        with closing(connection), closing(connection.cursor()) as cursor:
            cursor.execute(sql)
            rows = [] if cursor.description is None else cursor.fetchall()
            names = [column[0] for column in cursor.description or ()]
            connection.commit()
        return [dict(zip(names, row, strict=True)) for row in rows]

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows, as the files have them: amounts, days and moments are texts."""
        found = self.query(f"SELECT * FROM {'' if self.kind == 'sqlite' else 'market.'}{table}")
        return sorted(({name: _text(name, value) for name, value in row.items()} for row in found), key=_sorting)

    def all(self, tables: Any) -> Tables:
        """What no load but the last knows is left out."""
        return {
            name: sorted(
                ({column: value for column, value in row.items() if column not in ADDED} for row in self.rows(name)),
                key=_sorting,
            )
            for name in tables
        }


def _text(name: str, value: Any) -> Any:
    if isinstance(value, (int, float)) and name in ("fake", "is_delivery") and value in (0, 1):
        return bool(value)
    if name in ("unknown_fields", "cis_list") and isinstance(value, (str, dict, list)):
        return json.loads(value) if isinstance(value, str) else value
    if isinstance(value, datetime) or (name.endswith(("status_update_date", "moment")) and isinstance(value, str)):
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return moment.replace(tzinfo=None).isoformat() + "Z"
    if isinstance(value, str) and name in AMOUNTS:
        return _number(value)
    if value is not None and type(value).__name__ in ("Decimal", "date"):
        return _number(f"{value:f}") if type(value).__name__ == "Decimal" else str(value)
    return value


AMOUNTS = ("bid_fee", "cofinance_threshold", "cofinance_value", "cost_per_item", "total", "actual", "amount")


def _number(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def in_files(stats: dict[str, Any]) -> Tables:
    """The rows a fetch brought, in the same form."""
    return {
        name: sorted(
            ({column: _text(column, value) for column, value in row.items()} for row in rows_of(path)), key=_sorting
        )
        for name, path in stats["tables"].items()
    }


def otherwise(
    stats: dict[str, Any], folder: Path, change: Callable[[Tables], object], *, later: float = 3600
) -> dict[str, Any]:
    """The result of another fetch, whose tables differ.

    :param later: seconds after the first one.
    """
    tables = {name: rows_of(path) for name, path in stats["tables"].items()}
    change(tables)
    folder.mkdir()
    for name, rows in tables.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    moment = datetime.fromisoformat(stats["fetched_at"]) + timedelta(seconds=later)
    paths = {name: str(folder / f"{name}.jsonl") for name in tables}
    rows_now = {name: len(rows) for name, rows in tables.items()}
    return {**stats, "tables": paths, "rows": rows_now, "fetched_at": moment.isoformat()}


def _sorting(row: dict[str, Any]) -> str:
    return json.dumps(row, sort_keys=True, default=str)
