# SPDX-License-Identifier: Apache-2.0
"""The examples around Market's warehouse, run by Airflow in this process: all stores, the past, paid orders."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.market.market_support import connect_market
from tests.support.connections import connect
from tests.support.examples import returned, run_example
from tests.support.postgres import PostgresServer

pytest.importorskip("dlt", reason="extra warehouse")

DAY = datetime(2026, 6, 2, 1, tzinfo=timezone.utc)  # its interval ends at 04:00 of that day in Moscow
STORES = (1001, 1002)
MOSCOW = timezone(timedelta(hours=3))


@pytest.fixture
def market(yandex_sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> SandboxServer:
    connect(monkeypatch, yandex_sandbox.url)
    connect_market(monkeypatch, yandex_sandbox.url, campaign_id=None)
    yandex_sandbox.client.change_settings(market_orders_per_day=10)
    return yandex_sandbox


@pytest.fixture
def warehouse(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A database without tables behind the connection ``warehouse``; a cursor in it."""
    import psycopg2

    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", postgres.uri)
    with closing(psycopg2.connect(postgres.uri)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("DROP SCHEMA IF EXISTS market CASCADE")
        yield cursor


def select(cursor: Any, query: str) -> list[Any]:
    cursor.execute(query)
    found: list[Any] = cursor.fetchall()
    return found


def test_all_stores_are_loaded_with_a_view_on_top(airflow_db: None, market: SandboxServer, warehouse: Any) -> None:
    for _ in range(2):
        assert run_example("market_stores_to_postgres", DAY).state == "success"
        orders = dict(select(warehouse, "SELECT campaign_id, count(*) FROM market.orders GROUP BY 1"))
        assert set(orders) == set(STORES)
    revenue = select(warehouse, "SELECT campaign_id, sum(orders), sum(revenue) FROM market.revenue GROUP BY 1")
    assert {store for store, _, _ in revenue} == set(STORES)
    assert all(0 < counted < orders[store] for store, counted, _ in revenue)
    assert all(isinstance(total, Decimal) for _, _, total in revenue)


def test_a_store_that_fails_holds_up_no_other(airflow_db: None, market: SandboxServer, warehouse: Any) -> None:
    market.client.add_fault(preset="market_forbidden", path="1002/stats/orders", times=None)
    assert run_example("market_stores_to_postgres", DAY).state == "failed"
    assert select(warehouse, "SELECT DISTINCT campaign_id FROM market.orders") == [(1001,)]


def test_the_past_comes_a_day_of_orders_a_run(airflow_db: None, market: SandboxServer, warehouse: Any) -> None:
    for days in (2, 0, 0):  # in any sequence, and once more
        run = run_example("market_backfill", DAY + timedelta(days=days))
        assert run.state == "success"
    assert [stats["campaign_id"] for stats in returned(run, "fetch_order_stats")] == list(STORES)
    made = dict(select(warehouse, "SELECT creation_date::text, count(*) FROM market.orders GROUP BY 1"))
    # Where runs are partitions, one by hand is none: it reads both days that the 24 hours before it touch.
    assert {"2026-06-01", "2026-06-03"} <= made.keys() <= {f"2026-06-0{day}" for day in range(1, 5)}
    assert set(made.values()) == {10 * len(STORES)}


def test_paid_orders_become_conversions_once(airflow_db: None, market: SandboxServer, warehouse: Any) -> None:
    assert run_example("market_stores_to_postgres", DAY).state == "success"
    sent = 0
    for later in (0, 1):  # the second run reads most of what the first one sent once more
        run = run_example("market_paid_orders_to_metrica", DAY + timedelta(days=later))
        assert run.state == "success"
        delivery = returned(run, "upload_conversions")
        sent += delivery["rows_sent"]
    assert delivery["rows_unchanged"] > 0
    assert delivery["rows_sent"] > 0
    held = market.client.conversions(101, limit=1000)
    assert len(held) == sent
    assert {(each["Target"], each["Currency"], each["times_received"]) for each in held} == {
        ("market_order_paid", "RUB", 1)
    }
    days = sorted(datetime.fromtimestamp(int(each["DateTime"]), MOSCOW).date() for each in held)
    assert (days[-1] - days[0]).days >= 14
    paid = select(
        warehouse,
        "SELECT o.partner_order_id, sum(p.total) FROM market.payments p JOIN market.orders o ON o.order_id = p.order_id"
        f" WHERE p.type = 'PAYMENT' AND p.date BETWEEN '{days[0]}' AND '{days[-1]}' GROUP BY 1",
    )
    assert {each["PurchaseId"]: Decimal(each["Price"]) for each in held} == dict(paid)
