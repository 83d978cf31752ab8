# SPDX-License-Identifier: Apache-2.0
"""The CRM of the examples in a database of one's own, and examples that run on it with nothing but connections."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.demo import crm
from airflow_provider_yandex_orders.demo.__main__ import main
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.support.examples import returned, run_example
from tests.support.postgres import PostgresServer


@pytest.fixture
def stored(airflow_db: None) -> Any:
    """Stores a connection in Airflow's own database, as its form does."""
    from airflow.models.connection import Connection
    from airflow.utils.session import create_session

    def store(**fields: Any) -> None:
        with create_session() as session:
            session.query(Connection).filter_by(conn_id="my_crm").delete()
            session.add(Connection(conn_id="my_crm", **fields))

    return store


@pytest.fixture
def fill(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[], tuple[int, str]]:
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")  # as the command sets it: undone after the test

    def run() -> tuple[int, str]:
        return main(["--fill", "my_crm"]), "".join(capsys.readouterr())

    return run


def test_examples_run_on_it(
    stored: Any,
    fill: Callable[[], tuple[int, str]],
    yandex_connections: SandboxServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "crm.db"
    stored(conn_type="sqlite", host=str(path))
    code, told = fill()
    assert (code, f"{crm.ORDERS:,} orders" in told) == (0, True)
    code, told = fill()
    assert (code, "has orders, order_lines, shop_sales, market_contacts already, and nothing is dropped" in told) == (
        1,
        True,
    )
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM orders").fetchone() == (crm.ORDERS,)
    monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    # The CRM knows the store's customers, so their orders reach the platform; other examples have tests of their own.
    run = run_example("market_orders_to_altcraft", datetime.now(timezone.utc))
    assert run.state == "success"
    delivery = returned(run, "import_orders")
    assert delivery["rows_sent"] > 0.9 * delivery["rows_read"] > 100


def test_postgres(stored: Any, fill: Callable[[], tuple[int, str]], postgres: PostgresServer) -> None:
    stored(
        conn_type="postgres",
        host=postgres.host,
        port=postgres.port,
        login=postgres.user,
        password=postgres.password,
        schema=postgres.database,
    )
    assert fill()[0] == 0
    code, told = fill()
    assert (code, "nothing is dropped" in told) == (1, True)


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"conn_type": "yandex_metrica"}, "this fills sqlite and postgres"), (None, "'my_crm'")],
)
def test_what_cannot_be_filled(
    stored: Any,
    airflow_db: None,
    fill: Callable[[], tuple[int, str]],
    fields: dict[str, Any] | None,
    words: str,
) -> None:
    if fields:
        stored(**fields)
    else:
        from airflow.models.connection import Connection
        from airflow.utils.session import create_session

        with create_session() as session:
            session.query(Connection).filter_by(conn_id="my_crm").delete()
    code, told = fill()
    assert (code, words in told) == (1, True)
