# SPDX-License-Identifier: Apache-2.0
"""A journal in each kind of database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.journal.store import Journal, open_journal
from tests.support.postgres import PostgresServer


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def open_one(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Journal]:
    """Opens the journal of the test, as often as it is called: the default file, or an empty database."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    if request.param == "sqlite":
        return open_journal
    import psycopg2

    server: PostgresServer = request.getfixturevalue("postgres")
    with psycopg2.connect(server.uri) as connection, connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS yandex_orders CASCADE")
    connection.close()
    monkeypatch.setenv("AIRFLOW_CONN_JOURNAL", server.uri)
    monkeypatch.setenv("AIRFLOW__YANDEX_ORDERS__JOURNAL_CONN_ID", "journal")
    return open_journal


@pytest.fixture
def journal(open_one: Callable[[], Journal]) -> Iterator[Journal]:
    """The journal of the test."""
    with open_one() as opened:
        yield opened


@pytest.fixture
def query(journal: Journal) -> Callable[..., list[tuple[Any, ...]]]:
    """Asks the database itself, as a person would."""

    def ask(sql: str) -> list[tuple[Any, ...]]:
        with journal._database.writing() as connection:
            if journal._database.postgres:
                connection.exec_driver_sql("SET LOCAL search_path TO yandex_orders")
            answer = connection.exec_driver_sql(sql)
            return [tuple(row) for row in answer] if answer.returns_rows else []

    return ask
