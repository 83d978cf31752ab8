# SPDX-License-Identifier: Apache-2.0
"""What is loaded where: the newest version of each order, and each type of connection as dlt wants it."""

from __future__ import annotations

import json
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from airflow.models import Connection
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_yandex_orders.market.tables.order_stats import TABLES
from airflow_provider_yandex_orders.market.warehouse.declare import is_final
from airflow_provider_yandex_orders.market.warehouse.destinations import destination_of
from airflow_provider_yandex_orders.market.warehouse.incoming import fetched_of, write_incoming

MORNING = datetime(2026, 6, 1, tzinfo=timezone.utc)
HOURS = st.integers(0, 3)
FETCHES = st.lists(
    st.tuples(HOURS, st.dictionaries(st.integers(1, 5), st.tuples(st.none() | HOURS, st.integers(0, 3)))), max_size=4
)


def at(hour: int) -> str:
    return (MORNING + timedelta(hours=hour)).isoformat()


def result(folder: Path, hour: int, orders: dict[int, tuple[int | None, int]]) -> dict[str, Any]:
    """A fetch of orders, each with the hour of its status and so many payments."""
    folder.mkdir()
    rows: dict[str, list[dict[str, Any]]] = {table.name: [] for table in TABLES}
    for order_id, (updated, payments) in orders.items():
        status_update_date = None if updated is None else at(updated)
        rows["orders"].append(
            {"order_id": order_id, "status_update_date": status_update_date, "payment_type": str(hour)}
        )
        rows["payments"] += [{"order_id": order_id, "payment_no": number, "total": "1.5"} for number in range(payments)]
    paths = {}
    for table in TABLES:
        path = folder / f"{table.name}.jsonl"
        lines = [json.dumps({name: row.get(name) for name in table.names}) + "\n" for row in rows[table.name]]
        path.write_text("".join(lines))
        paths[table.name] = str(path)
    counts = {name: len(found) for name, found in rows.items()}
    return {"campaign_id": 1001, "fetched_at": at(hour), "tables": paths, "rows": counts}


@given(FETCHES)
def test_the_newest_version_of_each_order_is_written_with_all_its_rows(
    fetches: list[tuple[int, dict[int, tuple[int | None, int]]]],
) -> None:
    newest: dict[int, tuple[int, int, int]] = {}
    for hour, orders in sorted(fetches, key=lambda fetch: fetch[0]):
        for order_id, (updated, payments) in orders.items():
            known = newest[order_id][0] if order_id in newest else -1
            version = known if updated is None else updated  # one that does not say gives way to none before it
            if version >= known:
                newest[order_id] = version, hour, payments
    with tempfile.TemporaryDirectory() as name:
        results = [result(Path(name) / str(number), *fetch) for number, fetch in enumerate(fetches)]
        incoming = write_incoming(fetched_of(results), Path(name))
        written = pq.read_table(f"{name}/orders.parquet").to_pylist()
        payments = pq.read_table(f"{name}/payments.parquet").to_pylist()
    assert {row["order_id"]: (row["payment_type"], row["fetched_at"].isoformat()) for row in written} == {
        order_id: (str(hour), at(hour)) for order_id, (_, hour, _) in newest.items()
    }
    assert len(written) == len(newest) == incoming.rows["orders"]
    assert incoming.outdated == sum(len(orders) for _, orders in fetches) - len(newest)
    assert incoming.rows["payments"] == len(payments) == sum(count for _, _, count in newest.values())


@pytest.mark.parametrize(
    ("status", "paid", "final"),
    [
        ("DELIVERED", True, True),
        ("DELIVERED", False, False),
        ("PARTIALLY_RETURNED", True, True),
        ("RETURNED", False, True),
        ("CANCELLED_IN_DELIVERY", False, True),
        ("DELIVERY", True, False),
        ("A_NEW_ONE", True, False),
        (None, True, False),
    ],
)
def test_which_orders_are_final(status: str | None, paid: bool, final: bool) -> None:
    assert is_final(status, paid) is final


KEY = {"type": "service_account", "project_id": "own", "private_key": "k", "client_email": "e"}


@pytest.mark.parametrize(
    ("connection", "name", "arguments"),
    [
        (
            {"conn_type": "postgres", "schema": "dwh", "extra": {"sslmode": "require", "cursor": "dictcursor"}},
            "postgres",
            {"port": 5432, "database": "dwh", "query": {"sslmode": "require"}},
        ),
        (
            {"conn_type": "clickhouse"},
            "clickhouse",
            {"port": 9000, "http_port": 8123, "database": "default", "secure": 0},
        ),
        (
            {"conn_type": "clickhouse", "port": 9441, "schema": "dwh", "extra": {"secure": True, "http_port": 8444}},
            "clickhouse",
            {"port": 9441, "http_port": 8444, "database": "dwh", "secure": 1},
        ),
        (
            {"conn_type": "mysql", "schema": "dwh"},
            "sqlalchemy",
            {"port": 3306, "database": "dwh", "query": {"charset": "utf8mb4"}, "drivername": "mysql+pymysql"},
        ),
        (
            {"conn_type": "snowflake", "extra": {"account": "a-b", "database": "D", "warehouse": "W", "role": "R"}},
            "snowflake",
            {"host": "a-b", "database": "D", "warehouse": "W", "role": "R"},
        ),
    ],
)
def test_a_connection_of_a_server(connection: dict[str, Any], name: str, arguments: dict[str, Any]) -> None:
    given_ = {"login": "user", "password": "p@ss:/?", "host": "db.example", **connection}
    made = destination_of(Connection(conn_id="warehouse", **given_))
    expected = {"username": "user", "password": "p@ss:/?", "host": "db.example", **arguments}
    if "drivername" in arguments:
        expected["drivername"] = made.arguments["credentials"]["drivername"]
        assert expected["drivername"] in ("mysql+pymysql", "mysql+mysqldb")
    assert (made.name, dict(made.arguments)) == (name, {"credentials": expected})
    assert "p@ss" not in made.place


def test_a_connection_of_snowflake_with_a_key() -> None:
    extra = {"account": "a-b", "database": "D", "private_key_file": "/key.p8"}
    made = destination_of(Connection(conn_id="w", conn_type="snowflake", login="u", password="phrase", extra=extra))
    assert made.arguments["credentials"] == {
        **{"username": "u", "host": "a-b", "database": "D"},
        **{"private_key_path": "/key.p8", "private_key_passphrase": "phrase"},
    }


@pytest.mark.parametrize("conn_type", ["gcpbigquery", "google_cloud_platform"])
@pytest.mark.parametrize("kind", ["text", "file", "none"])
def test_a_connection_of_bigquery(conn_type: str, kind: str, tmp_path: Path) -> None:
    (tmp_path / "key.json").write_text(json.dumps(KEY))
    key = {"text": {"keyfile_dict": json.dumps(KEY)}, "file": {"key_path": str(tmp_path / "key.json")}, "none": {}}[
        kind
    ]
    extra = {**key, "project": "other", "location": "EU"}
    made = destination_of(Connection(conn_id="w", conn_type=conn_type, extra=extra))
    credentials = {} if kind == "none" else {"credentials": {**KEY, "project_id": "other"}}
    assert (made.name, made.arguments) == ("bigquery", {**credentials, "location": "EU"})
