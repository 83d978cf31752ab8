# SPDX-License-Identifier: Apache-2.0
"""The check of every exchange against the official schema notices what is wrong."""

from __future__ import annotations

import requests

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
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
