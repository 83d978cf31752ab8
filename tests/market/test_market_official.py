# SPDX-License-Identifier: Apache-2.0
"""The check of every exchange against the official schema notices what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from airflow_provider_yandex_orders.operators.market import MarketFetchOrderStatsOperator
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.market.market_support import lines_of, raw_orders
from tests.support.market_official import OfficialCheck, faults_of, specification


def test_the_check_itself_notices(market: SandboxServer, official: OfficialCheck) -> None:
    specification()
    headers = {"Api-Key": "sandbox-token"}
    url = f"{market.url}/v2/campaigns/1001/stats/orders"
    requests.post(
        url, json={"orders": [], "dateFrom": "2026-02-30"}, params={"limit": 500}, headers=headers, timeout=30
    )
    assert len(official.faults) == 3
    official.faults.clear()
    body = {"status": "OK", "result": {"orders": [{"id": "5"}]}}
    market.client.add_fault(path="stats/orders", action="answer", status=200, body=body)
    requests.post(url, json={}, headers=headers, timeout=30)
    assert any("$.result.orders[0].id" in fault for fault in official.faults)
    assert any("'items' is a required property" in fault for fault in official.faults)
    official.faults.clear()
    requests.delete(f"{market.url}/v2/campaigns", headers=headers, timeout=30)
    assert official.faults == ["DELETE /v2/campaigns is in no schema"]
    official.faults.clear()
    assert faults_of("2026-13-01", {"type": "string", "format": "date"})
    assert faults_of(2**31, {"type": "integer", "format": "int32"})
    assert (official.requests, official.answers) == (2, 2)


@pytest.mark.slow
def test_ten_thousand_orders_are_as_the_schema_has_them(
    market: SandboxServer,
    official: OfficialCheck,
    operator: Callable[..., MarketFetchOrderStatsOperator],
    context: Callable[..., Any],
) -> None:
    """Every request of the fetch and every answer of the sandbox is checked on its way."""
    specification()
    market.client.change_settings(market_orders_per_day=10_000)
    task = operator(date_from="2026-06-01", date_to="2026-06-01", page_size=200)
    stats: Any = task.execute(context("fetch"))
    assert (stats["orders"], stats["pages"], stats["requests"]) == (10_000, 50, 50)
    assert official.requests == official.answers >= 50
    orders = raw_orders(stats["paths"][0])
    assert len(orders) == len(lines_of(stats["tables"]["orders"])) == 10_000
    assert {order["creationDate"] for order in orders.values()} == {"2026-06-01"}
