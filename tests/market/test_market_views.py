# SPDX-License-Identifier: Apache-2.0
"""The ready questions of docs/sql/market: their totals are those of the raw files, in DuckDB and in PostgreSQL."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.operators.market import MarketLoadOrderStatsOperator
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.support.market_totals import over, totals
from tests.support.postgres import PostgresServer

pytest.importorskip("dlt", reason="extra warehouse")

Context = Callable[..., Any]
Operator = Callable[..., Any]

QUESTIONS = Path(__file__).parents[2] / "docs" / "sql" / "market"
GUIDE = QUESTIONS.parents[1] / "market.md"
VIEWS = {
    "revenue_by_day_and_store": ("day, campaign_id, currency", "orders, goods, delivery, by_market, paid"),
    "commissions_by_kind": ("campaign_id, month, type, currency", "orders, actual"),
    "returns_by_sku": ("campaign_id, shop_sku", "units_ordered, units_left, units_rejected, units_returned"),
    "unpaid_orders": ("campaign_id, order_id", "price, paid, missing"),
    "orders_changed_after_final": ("order_id, was", "became, paid"),
}
"""Of each view what names a row, and what is compared."""


@pytest.fixture(params=["duckdb", "postgres"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """An empty database behind the connection ``warehouse``; opens it."""
    if request.param == "duckdb":
        duckdb = pytest.importorskip("duckdb", reason="extra warehouse")
        path = str(tmp_path / "warehouse.duckdb")
        monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "duckdb", "host": path}))
        return lambda: duckdb.connect(path)
    import psycopg2

    server: PostgresServer = request.getfixturevalue("postgres")
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", server.uri)
    return lambda: psycopg2.connect(server.uri)


def days_ago(first: int, last: int) -> dict[str, str]:
    today = datetime.now(timezone(timedelta(hours=3))).date()
    return {"date_from": str(today - timedelta(days=first)), "date_to": str(today - timedelta(days=last))}


def changed(order: dict[str, Any]) -> dict[str, Any]:
    """The order as it looks once a unit came back and was paid back."""
    (item, *others), back = order["items"], {"itemStatus": "RETURNED", "itemCount": 1}
    refund = {"id": "77", "date": "2026-06-01", "type": "REFUND", "source": "BUYER", "total": 10.5}
    return {
        **order,
        "status": "PARTIALLY_RETURNED",
        "statusUpdateDate": datetime.now(timezone.utc).isoformat(),
        "items": [{**item, "details": [back]}, *others],
        "payments": [*order["payments"], refund],
    }


def test_every_view_adds_up_as_the_raw_files_do(
    airflow_db: None, market: SandboxServer, operator: Operator, context: Context, warehouse: Callable[[], Any]
) -> None:
    market.client.change_settings(market_orders_per_day=500)  # so that the last of each day is a test order

    def fetch_and_load(**asked: Any) -> list[tuple[int, str]]:
        found = operator(page_size=200, **asked).execute(context())
        load = MarketLoadOrderStatsOperator(task_id="load", source=found, conn_id="warehouse", changed_after_final=True)
        load.execute(context("load"))
        return [(stats["campaign_id"], stats["paths"][0]) for stats in (found if isinstance(found, list) else [found])]

    files = [
        each
        for window in (days_ago(30, 30), days_ago(7, 6), days_ago(3, 3))
        for each in fetch_and_load(campaign_id="all", **window)
    ]
    orders = [json.loads(line) for line in gzip.decompress(Path(files[0][1]).read_bytes()).splitlines()]
    was_over = [order for order in orders if over(order)]
    served = [changed(order) for order in (was_over[0], was_over[5], was_over[-1])]  # the last is a test order
    answer = {"status": "OK", "result": {"orders": served, "paging": {}}}
    market.client.add_fault(path="1001/stats/orders", status=200, body=answer)
    files += fetch_and_load(order_ids=[order["id"] for order in served])

    expected = totals(files)
    with closing(warehouse()) as connection, closing(connection.cursor()) as cursor:
        for view, (key, columns) in VIEWS.items():
            cursor.execute((QUESTIONS / f"{view}.sql").read_text())
            cursor.execute(f"SELECT {key}, {columns} FROM market.{view}")
            width = key.count(",") + 1
            found = [[str(each) if hasattr(each, "isoformat") else each for each in row] for row in cursor.fetchall()]
            told = {tuple(row[:width]): row[width:] for row in found}
            assert len(told) == len(found) > 0, view
            assert told == expected[view], view
            assert not any(isinstance(each, float) for row in found for each in row)
        for question in re.findall(r"^```sql\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            cursor.execute(question)
            assert cursor.fetchall(), question
    assert sum(row[3] for row in expected["returns_by_sku"].values()) > 0
    assert len(expected["orders_changed_after_final"]) == len(served) - 1
    assert sum(row[4] for row in expected["revenue_by_day_and_store"].values()) > Decimal(0)


def test_every_question_is_asked() -> None:
    assert {path.stem for path in QUESTIONS.glob("*.sql")} == set(VIEWS)
