# SPDX-License-Identifier: Apache-2.0
"""Databases as sources, on SQLite."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.exceptions import ConfigurationError, SourceError, SourceUnavailable
from airflow_provider_yandex_orders.sources import SqlSource
from airflow_provider_yandex_orders.sources.sql import FETCH_ROWS
from tests.support.postgres import PostgresServer
from tests.unit.unit_support import set_connection

pytest.importorskip("airflow.providers.sqlite")


@pytest.fixture
def crm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database with 10,000 orders, as the connection ``crm``."""
    path = tmp_path / "crm.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE orders (id INTEGER, mail TEXT)")
        database.executemany("INSERT INTO orders VALUES (?, ?)", ((n, f"c{n}@example.com") for n in range(10_000)))
    set_connection(monkeypatch, "crm", {"conn_type": "sqlite", "host": str(path)})
    return path


def read(sql: str, **arguments: Any) -> list[dict[str, Any]]:
    with SqlSource("crm", sql, **arguments).open() as stream:
        return [dict(row) for row in stream.rows]


@pytest.mark.usefixtures("crm")
def test_rows_and_columns() -> None:
    with SqlSource("crm", "SELECT id, mail AS emails, NULL AS x FROM orders ORDER BY id").open() as stream:
        assert stream.columns is not None
        assert list(stream.columns) == ["id", "emails", "x"]
        rows = list(stream.rows)
    assert len(rows) == 10_000
    assert rows[-1] == {"id": 9999, "emails": "c9999@example.com", "x": None}


@pytest.mark.usefixtures("crm")
@pytest.mark.parametrize(
    ("sql", "parameters", "count"),
    [
        ("SELECT * FROM orders WHERE id < ?", [5], 5),
        ("SELECT * FROM orders WHERE id < :top", {"top": 7}, 7),
        ("SELECT * FROM orders WHERE mail LIKE 'c999%'", None, 11),
        ("SELECT * FROM orders WHERE mail LIKE 'c999%'", [], 11),
        ("SELECT * FROM orders WHERE 0", None, 0),
    ],
)
def test_parameters(sql: str, parameters: Any, count: int) -> None:
    assert len(read(sql, parameters=parameters)) == count


@pytest.mark.usefixtures("crm")
def test_of_equal_names_the_last_counts() -> None:
    assert read("SELECT id, mail, id + 1 AS id FROM orders WHERE id = 7") == [{"id": 8, "mail": "c7@example.com"}]


@pytest.mark.parametrize("cursor", ["", "dictcursor", "namedtuplecursor"])
def test_cursors_of_postgres(cursor: str, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("airflow.providers.postgres")
    given = {"conn_type": "postgres", "host": postgres.host, "port": postgres.port, "login": postgres.user}
    given |= {"password": postgres.password, "schema": postgres.database}
    set_connection(monkeypatch, "crm", {**given, "extra": {"cursor": cursor} if cursor else {}})
    assert read("SELECT n AS id, n::text AS mail FROM generate_series(1, 2) AS n") == [
        {"id": 1, "mail": "1"},
        {"id": 2, "mail": "2"},
    ]


def test_an_empty_result_has_columns(crm: Path) -> None:
    with SqlSource("crm", "SELECT id FROM orders WHERE 0").open() as stream:
        assert list(stream.columns or ()) == ["id"]
        assert list(stream.rows) == []


def test_rows_are_fetched_in_steps(crm: Path) -> None:
    """The database computes no row before it is asked for: the broken row is behind the second step."""
    broken = f"SELECT CASE WHEN id >= {2 * FETCH_ROWS + 1} THEN abs(-9223372036854775808) ELSE id END AS id FROM orders"
    with SqlSource("crm", broken).open() as stream:
        for number in range(FETCH_ROWS):
            assert next(stream.rows)["id"] == number
        for _ in range(FETCH_ROWS):
            next(stream.rows)
        with pytest.raises(SourceError, match="integer overflow"):
            next(stream.rows)


@pytest.mark.usefixtures("crm")
@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELEC 1", "syntax error"),
        ("SELECT * FROM nosuch", "no such table"),
        ("SELECT nosuch FROM orders", "no such column"),
        ("SELECT 'open", "unrecognized token"),
        ("SELECT * FROM (SELECT 1", "incomplete input"),
        ("SELECT ?", "binding"),
    ],
)
def test_a_refused_query_is_permanent(sql: str, said: str) -> None:
    with pytest.raises(SourceError, match="refuses the query") as caught:
        read(sql)
    assert said in str(caught.value)


@pytest.mark.usefixtures("crm")
@pytest.mark.parametrize("sql", ["INSERT INTO orders VALUES (1, 'x')", "DELETE FROM orders", ""])
def test_not_a_select(sql: str) -> None:
    with pytest.raises(SourceError, match="must be a SELECT"):
        read(sql)
    assert len(read("SELECT * FROM orders")) == 10_000  # and nothing was changed


def test_a_locked_database_passes(crm: Path) -> None:
    with sqlite3.connect(crm) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(SourceUnavailable, match="locked"):
            read("SELECT * FROM orders")


def test_an_unreachable_database_passes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    set_connection(monkeypatch, "crm", {"conn_type": "sqlite", "host": str(tmp_path / "no folder" / "crm.db")})
    with pytest.raises(SourceUnavailable, match="the next try"):
        read("SELECT 1")


def test_personal_data_in_a_drivers_message(crm: Path) -> None:
    with pytest.raises(SourceError) as caught:
        read('SELECT "ivan@example.com" FROM orders WHERE nothing = 1 OR "+7 (999) 123-45-67".x = 1')
    assert "ivan@example.com" not in str(caught.value)
    assert "123-45-67" not in str(caught.value)


@pytest.mark.usefixtures("crm")
def test_values_in_a_drivers_message() -> None:
    with pytest.raises(SourceError) as caught:
        read("SELECT json_extract('Ivan Petrov', '$.x')")
    assert "Petrov" not in str(caught.value)
    with pytest.raises(SourceError, match="nosuch"):  # a name of the query's own helps
        read("SELECT nosuch FROM orders")


def test_no_such_connection() -> None:
    with pytest.raises(ConfigurationError, match="no connection 'crm'"):
        read("SELECT 1")


@pytest.mark.parametrize("conn_type", ["fs", "no_such_type"])
def test_a_connection_that_is_no_database(monkeypatch: pytest.MonkeyPatch, conn_type: str) -> None:
    set_connection(monkeypatch, "crm", {"conn_type": conn_type, "host": "x"})
    with pytest.raises(ConfigurationError, match="'crm'"):
        read("SELECT 1")


def test_what_is_shown_of_a_source() -> None:
    source = SqlSource("crm", "SELECT 1\nFROM x", parameters={"mail": "ivan@example.com"}, columns={"id": "no"})
    assert source.serialize() == {
        "conn_id": "crm",
        "sql": "SELECT 1\nFROM x",
        "parameters": "1 value, not shown",
        "columns": {"id": "no"},
    }
    assert "ivan" not in repr(source) + str(source.serialize())
    assert SqlSource("crm", "", parameters=[1, 2]).serialize()["parameters"] == "2 values, not shown"
    assert "parameters" not in SqlSource("crm", "").serialize()


@pytest.mark.usefixtures("crm")
def test_arguments_of_the_hook() -> None:
    """An empty schema is what the hook of SQLite takes without a word; a wrong name is its own complaint."""
    assert len(read("SELECT * FROM orders", hook_params={"schema": "main"})) == 10_000
    with SqlSource("crm", "SELECT 1", hook_params={"log_sql": False}).open() as stream:
        assert len(list(stream.rows)) == 1
