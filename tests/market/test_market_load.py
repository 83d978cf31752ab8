# SPDX-License-Identifier: Apache-2.0
"""Fetched orders into real databases: whole orders, the newest ones, all tables or none."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from inspect import unwrap
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

pytest.importorskip("dlt", reason="needs the extra warehouse")
pytest.importorskip("duckdb", reason="needs duckdb")

from airflow_provider_yandex_orders.exceptions import ConfigurationError, PassingError, PermanentError, SourceError
from airflow_provider_yandex_orders.operators.market import MarketLoadOrderStatsOperator
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.market.load_support import Tables, Warehouse, in_files, otherwise
from tests.market.market_support import connect_market
from tests.support.market_official import OfficialCheck
from tests.support.postgres import PostgresServer
from tests.unit.http.scripted_server import Reply, ScriptedServer, running_server

Load = Callable[..., Any]
KINDS = ("postgres", "duckdb", "sqlite")


@pytest.fixture(params=KINDS)
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Warehouse:
    server: PostgresServer | None = None
    if request.param == "postgres":
        server = request.getfixturevalue("postgres")
        empty = Warehouse("postgres", tmp_path, server)
        for schema in ("market", "market_orders_coming"):
            empty.query(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    return Warehouse(request.param, tmp_path / "warehouse.db", server)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with running_server() as answering:
        yield answering


@pytest.fixture
def stats(market: SandboxServer, operator: Callable[..., Any], context: Callable[..., Any]) -> dict[str, Any]:
    market.client.change_settings(market_orders_per_day=3)
    fetched: dict[str, Any] = operator().execute(context())
    return fetched


@pytest.fixture
def load(warehouse: Warehouse, context: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Load:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse.connection)

    def run(source: Any, **arguments: Any) -> Any:
        task = MarketLoadOrderStatsOperator(task_id="load", source=source, conn_id="warehouse", **arguments)
        # Airflow 2.11 guards `execute` by a memory that only the main thread has.
        return unwrap(type(task).execute)(task, context())

    return run


def first_of(tables: Tables) -> int:
    """An order that is final and has several items and payments."""
    final = {row["order_id"] for row in tables["orders"] if row["status"] in ("DELIVERED", "RETURNED")}
    paid = {row["order_id"] for row in tables["payments"]}
    several = (row["order_id"] for row in tables["items"] if row["item_no"] > 1)
    which: int = next(order_id for order_id in several if order_id in final & paid)
    return which


def loses(tables: Tables) -> int:
    """That order loses an item and every payment."""
    which = first_of(tables)
    for name in ("items", "prices", "details"):
        tables[name] = [row for row in tables[name] if (row["order_id"], row["item_no"]) != (which, 2)]
    tables["payments"] = [row for row in tables["payments"] if row["order_id"] != which]
    return which


def later(tables: Tables) -> None:
    """All orders have other amounts, and a later change of status."""
    for row in tables["orders"]:
        row["status_update_date"] = "2026-08-02T00:00:00Z"
    for row in tables["prices"]:
        row["total"] = "10000000000000000000000000000.123456789"


class TestLoad:
    def test_twice_makes_the_same_tables(
        self, load: Load, warehouse: Warehouse, stats: dict[str, Any], logged: Callable[[], str]
    ) -> None:
        expected = in_files(stats)
        done = load(stats)
        assert warehouse.all(expected) == expected
        assert done == {
            "service": "market",
            "dataset": "market",
            "tables": stats["rows"],
            "orders": stats["orders"],
            "orders_new": stats["orders"],
            "orders_changed": 0,
            "orders_unchanged": 0,
            "orders_outdated": 0,
            "changed_after_final": 0,
        }
        assert {row["campaign_id"] for row in warehouse.rows("orders")} == {1001}
        said = logged()
        assert "order statistics, market, dataset market" in said
        assert f"{stats['orders']:>12,}  new to the warehouse" in said
        again = load(stats)
        assert warehouse.all(expected) == expected
        assert again == {**done, "orders_new": 0, "orders_unchanged": stats["orders"]}

    def test_an_order_that_lost_rows_has_lost_them_in_every_table(
        self, load: Load, warehouse: Warehouse, stats: dict[str, Any], tmp_path: Path
    ) -> None:
        changed = otherwise(stats, tmp_path / "changed", loses)
        load(stats, changed_after_final=True)
        assert warehouse.rows("changed_after_final") == []
        done = load([changed], changed_after_final=True)
        files = in_files(changed)
        assert warehouse.all(files) == files
        (which,) = {row["order_id"] for row in in_files(stats)["payments"]} - {
            row["order_id"] for row in files["payments"]
        }
        status = next(row["status"] for row in warehouse.rows("orders") if row["order_id"] == which)
        assert (done["orders_changed"], done["changed_after_final"]) == (1, 1)
        (row,) = warehouse.rows("changed_after_final")
        assert row == {
            "order_id": which,
            "campaign_id": 1001,
            "was": status,
            "became": status,
            "moment": row["moment"],
        }
        assert row["moment"][:19] == changed["fetched_at"][:19]
        assert load(changed, changed_after_final=True)["changed_after_final"] == 0

    def test_the_newest_version_stays(
        self, load: Load, warehouse: Warehouse, stats: dict[str, Any], tmp_path: Path
    ) -> None:
        changed = otherwise(stats, tmp_path / "changed", later, later=-3600)  # read before, though it changed after
        same_date = otherwise(stats, tmp_path / "same", loses, later=-3600)
        count = stats["orders"]
        done = load([changed, stats, None, same_date])
        assert (done["orders"], done["orders_outdated"]) == (count, 2 * count)
        assert warehouse.all(stats["tables"]) == in_files(changed)
        for older in (stats, same_date):
            done = load(older)
            assert (done["orders"], done["orders_outdated"], set(done["tables"].values())) == (0, count, {0})
        assert warehouse.all(stats["tables"]) == in_files(changed)


@pytest.mark.parametrize("warehouse", ["postgres"], indirect=True)
def test_two_tasks_at_once_take_turns(load: Load, warehouse: Warehouse, stats: dict[str, Any], tmp_path: Path) -> None:
    changed = otherwise(stats, tmp_path / "changed", later)
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(load, [stats, changed]))
    assert sum(each["orders_new"] for each in done) == stats["orders"]
    assert warehouse.all(stats["tables"]) == in_files(changed)


def test_a_file_named_like_its_dataset(
    context: Callable[..., Any], stats: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = json.dumps({"conn_type": "duckdb", "host": str(tmp_path / "market.duckdb")})
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", connection)
    task = MarketLoadOrderStatsOperator(task_id="load", source=stats, conn_id="warehouse")
    with pytest.raises(ConfigurationError, match="rename the file"):
        task.execute(context())


@pytest.mark.parametrize("warehouse", ["duckdb"], indirect=True)
class TestSources:
    def test_tables_that_are_chosen(self, load: Load, warehouse: Warehouse, stats: dict[str, Any]) -> None:
        done = load(stats, tables=["payments"])
        assert set(done["tables"]) == {"orders", "payments"}
        load(stats)  # makes the others
        assert warehouse.all(stats["tables"]) == in_files(stats)

    def test_tables_left_out_are_told_and_never_mixed(
        self, load: Load, warehouse: Warehouse, stats: dict[str, Any], tmp_path: Path, logged: Callable[[], str]
    ) -> None:
        changed = otherwise(stats, tmp_path / "changed", later)
        load(changed, tables=["payments"])
        assert "leaves out commissions, details, items, prices, subsidies: they are older now" in logged()
        assert load(stats)["orders_outdated"] == stats["orders"]
        assert [warehouse.rows(name) for name in ("items", "prices")] == [
            [],
            [],
        ]  # what is older than its order stays out
        load(changed)
        assert warehouse.all(stats["tables"]) == in_files(changed)

    def test_half_an_emoji_in_a_name_keeps_no_order_back(
        self,
        load: Load,
        warehouse: Warehouse,
        server: ScriptedServer,
        operator: Callable[..., Any],
        context: Callable[..., Any],
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        official: OfficialCheck,
    ) -> None:
        official.odd_answers = True
        item = rb'{"offerName": "Lamp \uD83D", "shopSku": "\uDE00", "count": 1}'
        order = (
            rb'{"id": 5, "statusUpdateDate": "2026-07-02T10:00:00Z", "partnerOrderId": "\ud83d", "items": [%s]}' % item
        )
        connect_market(monkeypatch, server.url)
        for form in ("jsonl", "parquet"):
            server.script(Reply(body=rb'{"status": "OK", "result": {"orders": [%s], "paging": {}}}' % order))
            done = load(operator(path=str(tmp_path / form), output_format=form).execute(context(run_id=form)))
            assert (done["orders"], done["tables"]["items"]) == (1, 1)
            (found,) = warehouse.rows("items")
            assert (found["offer_name"], found["shop_sku"]) == (
                "Lamp \N{REPLACEMENT CHARACTER}",
                "\N{REPLACEMENT CHARACTER}",
            )

    def test_nothing_to_load(self, load: Load, warehouse: Warehouse, stats: dict[str, Any], tmp_path: Path) -> None:
        empty = otherwise(stats, tmp_path / "empty", lambda tables: tables.update({name: [] for name in tables}))
        assert load([])["orders"] == 0
        assert load(empty, changed_after_final=True)["orders"] == 0
        assert warehouse.rows("payments") == warehouse.rows("changed_after_final") == []

    def test_formats_make_the_same_orders(
        self,
        load: Load,
        stats: dict[str, Any],
        operator: Callable[..., Any],
        context: Callable[..., Any],
        tmp_path: Path,
    ) -> None:
        load(stats)
        parquet = operator(output_format="parquet", path=str(tmp_path / "parquet")).execute(context(run_id="other"))
        done = load(parquet)
        assert (done["orders_unchanged"], done["orders_outdated"]) == (stats["orders"], 0)

    def test_fields_that_are_new(self, load: Load, warehouse: Warehouse, stats: dict[str, Any], tmp_path: Path) -> None:
        def new_field(tables: Tables) -> None:
            tables["orders"][0]["unknown_fields"] = '{"giftWrap":{"price":10.10}}'

        done = load(otherwise(stats, tmp_path / "new", new_field))
        assert done["orders"] == stats["orders"]
        (found,) = warehouse.query(
            "SELECT unknown_fields->'giftWrap'->>'price' AS price FROM market.orders WHERE unknown_fields IS NOT NULL"
        )
        assert found == {"price": "10.1"}

    def test_files_of_two_fetches_are_told(self, load: Load, stats: dict[str, Any], tmp_path: Path) -> None:
        other = otherwise(stats, tmp_path / "other", lambda tables: tables["orders"].pop())
        with pytest.raises(SourceError, match=r"items.* are not those that the fetch wrote"):
            load(other)

    def test_files_that_lost_rows(self, load: Load, stats: dict[str, Any], tmp_path: Path) -> None:
        path = Path(otherwise(stats, tmp_path / "cut", lambda tables: None)["tables"]["payments"])
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
        cut = {**stats, "tables": {**stats["tables"], "payments": str(path)}}
        with pytest.raises(SourceError, match="the files of payments are not those that the fetch wrote"):
            load(cut)

    def test_texts_that_not_every_database_takes(
        self, load: Load, warehouse: Warehouse, stats: dict[str, Any], tmp_path: Path, logged: Callable[[], str]
    ) -> None:
        def odd(tables: Tables) -> None:
            tables["orders"][0] |= {"partner_order_id": "a\0b", "unknown_fields": r'{"a": "\\\u0000", "b": "\\u0000"}'}
            tables["orders"][1]["partner_order_id"] = ""
            tables["orders"][2]["partner_order_id"] = r"a\u0000b"

        load(otherwise(stats, tmp_path / "odd", odd))
        texts = {row["partner_order_id"] for row in warehouse.rows("orders")}
        assert {"a\N{REPLACEMENT CHARACTER}b", r"a\u0000b", None} <= texts
        (odd_one,) = (row for row in warehouse.rows("orders") if row["unknown_fields"])
        assert odd_one["unknown_fields"] == {"a": "\\\N{REPLACEMENT CHARACTER}", "b": r"\u0000"}
        assert "2 NUL signs" in logged()

    @pytest.mark.parametrize("dataset", ["Market", "my-data", "1x", "рынок", "", "a__b", "market_", 'a"b'])
    def test_a_dataset_that_would_have_another_name(self, load: Load, stats: dict[str, Any], dataset: str) -> None:
        with pytest.raises(ConfigurationError, match="small Latin letters"):
            load(stats, dataset=dataset)

    def test_what_is_of_others_stays(self, load: Load, warehouse: Warehouse, stats: dict[str, Any]) -> None:
        for schema in ("market_orders_coming", "theirs"):
            warehouse.query(f"CREATE SCHEMA {schema}")
        warehouse.query("CREATE TABLE market_orders_coming.dbt (a INTEGER)")
        warehouse.query("CREATE TABLE theirs.orders (order_id INTEGER, customer TEXT)")
        load(stats)
        load(stats)
        assert warehouse.query("SELECT * FROM market_orders_coming.dbt") == []
        with pytest.raises(ConfigurationError, match="theirs has tables orders that no load made"):
            load(stats, dataset="theirs")
        assert list(warehouse.query("SELECT * FROM theirs.orders")) == []

    def test_a_table_dropped_by_hand(self, load: Load, warehouse: Warehouse, stats: dict[str, Any]) -> None:
        load(stats)
        warehouse.query("DROP TABLE market.payments")
        with pytest.raises(PermanentError, match="drop the whole dataset"):
            load(stats)

    def test_stores_of_mapped_tasks(self, load: Load, stats: dict[str, Any]) -> None:
        assert load([None, [stats, None]])["orders"] == stats["orders"]

    @pytest.mark.parametrize("source", ["text", 5, None, [{"rows": 1}], {"service": "market", "tables": {}}])
    def test_no_result_of_a_fetch(self, load: Load, source: Any) -> None:
        with pytest.raises(ConfigurationError, match="source is no result of MarketFetchOrderStatsOperator"):
            load(source)

    def test_a_table_there_is_not(self, load: Load, stats: dict[str, Any]) -> None:
        with pytest.raises(ConfigurationError, match="no table goods; there are orders, items"):
            load(stats, tables=["goods"])

    def test_settings_of_dlt_around_do_not_count(
        self,
        load: Load,
        stats: dict[str, Any],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        logged: Callable[[], str],
    ) -> None:
        (tmp_path / ".dlt").mkdir()
        (tmp_path / ".dlt" / "config.toml").write_text('[runtime]\nlog_level = "DEBUG"\n[load]\nworkers = "many"\n')
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("NORMALIZE__WORKERS", "many")
        load(stats)
        assert "|dlt|" not in logged()
        assert "dlt" not in {path.name for path in tmp_path.iterdir()}


class TestConnections:
    @pytest.mark.parametrize("warehouse", ["sqlite"], indirect=True)
    @pytest.mark.parametrize("name", ["a b.db", "a?b=1.db", "a#b.db", "a%20b.db", "a'b.db"])
    def test_a_file_by_its_own_name(
        self, load: Load, stats: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        file = tmp_path / "warehouses" / name
        file.parent.mkdir()
        own = Warehouse("sqlite", file)
        monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", own.connection)
        load(stats, tables=["payments"])
        assert len(own.rows("orders")) == stats["orders"]
        holding = [path for path in file.parent.iterdir() if b"CREATE TABLE" in path.read_bytes()]
        assert {path.name[:3] for path in holding} == {name[:3]}  # SQLAlchemy 1.4 leaves an empty file at the cut name

    @pytest.mark.parametrize("warehouse", ["postgres"], indirect=True)
    def test_a_password_from_around(
        self, load: Load, warehouse: Warehouse, stats: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        password = urlsplit(warehouse.connection).password or ""
        monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse.connection.replace(f":{password}@", "@"))
        monkeypatch.delenv("PGPASSWORD", raising=False)
        with pytest.raises(PassingError, match="refuses the login or the password"):
            load(stats)
        monkeypatch.setenv("PGPASSWORD", password)
        assert load(stats)["orders"] == stats["orders"]

    @pytest.mark.parametrize("warehouse", ["postgres"], indirect=True)
    def test_a_wrong_password(
        self, load: Load, warehouse: Warehouse, stats: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        uri = warehouse.connection.replace(":" + warehouse.connection.split(":")[2].split("@")[0], ":not-the-one")
        monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", uri)
        with pytest.raises(PassingError, match="refuses the login or the password") as raised:
            load(stats)
        assert "not-the-one" not in str(raised.value)
        assert raised.value.__cause__ is None

    @pytest.mark.parametrize("warehouse", ["sqlite"], indirect=True)
    @pytest.mark.parametrize(
        ("connection", "message"),
        [
            (None, "there is no connection 'warehouse'"),
            ({"conn_type": "mongo"}, "is of type mongo. Orders can be loaded by one of type postgres, duckdb, sqlite"),
            ({"conn_type": "duckdb"}, "names no file"),
            ({"conn_type": "snowflake", "host": "h"}, "the connection lacks something"),
        ],
    )
    def test_one_that_cannot_be_used(
        self,
        load: Load,
        stats: dict[str, Any],
        monkeypatch: pytest.MonkeyPatch,
        connection: dict[str, str] | None,
        message: str,
    ) -> None:
        monkeypatch.delenv("AIRFLOW_CONN_WAREHOUSE")
        if connection:
            monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(connection))
        with pytest.raises(ConfigurationError, match=message):
            load(stats)


KILLED = """
import json, os, signal, sys
from types import SimpleNamespace
from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient
from dlt.destinations.impl.postgres.sql_client import Psycopg2SqlClient
from airflow_provider_yandex_orders.operators.market import MarketLoadOrderStatsOperator

def dying(execute):
    def run(client, sql, *arguments, **named):
        if str(sql).startswith('INSERT INTO') and '"market"."payments"' in str(sql):
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(client, sql, *arguments, **named)
    return run

for client in (DuckDbSqlClient, Psycopg2SqlClient):
    client.execute_sql = dying(client.execute_sql)
task = MarketLoadOrderStatsOperator(task_id="load", source=json.loads(sys.argv[1]), conn_id="warehouse")
task.execute({"ti": SimpleNamespace(dag_id="d", run_id="r", task_id="load", map_index=-1)})
"""


@pytest.mark.parametrize("warehouse", ["postgres", "duckdb"], indirect=True)
def test_a_load_that_is_killed_in_the_middle_leaves_the_old_orders(
    load: Load, warehouse: Warehouse, stats: dict[str, Any], tmp_path: Path
) -> None:
    load(stats)
    changed = otherwise(stats, tmp_path / "changed", later)
    # With a journal of its own: what the dead one holds there ends by itself after a while.
    died = subprocess.run(
        [sys.executable, "-c", KILLED, json.dumps(changed)],
        env={**os.environ, "AIRFLOW_HOME": str(tmp_path / "home"), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()[-2000:]
    assert warehouse.all(stats["tables"]) == in_files(stats)
    assert load(changed)["orders_changed"] == stats["orders"]
    assert warehouse.all(stats["tables"]) == in_files(changed)
