# SPDX-License-Identifier: Apache-2.0
"""``ya-market-api`` and ``marketplaces-mcp-ru``: clients nobody here wrote, at work with the sandbox."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.foreign.conftest import TOKEN

elsewhere = "another environment has it: make test-foreign"
ya_market = pytest.importorskip("ya_market_api.sync_api", reason=elsewhere)
ya_campaign = pytest.importorskip("ya_market_api.campaign.dataclass", reason=elsewhere)
ya_errors = pytest.importorskip("ya_market_api.exception", reason=elsewhere)
mcp = pytest.importorskip("yandex_mcp.server", reason=elsewhere)

STORES = [1001, 1002, 1003, 1004]
DAY = {"dateFrom": "2026-06-01", "dateTo": "2026-06-01"}


class TestYaMarketApi:
    """It leaves the version out of the address, and pages by number."""

    def client(self, server: SandboxServer, token: str = TOKEN) -> Any:
        return ya_market.SyncAPI.build(token, base_url=server.url, campaign_id=STORES[0], business_id=5001)

    def test_stores_by_the_number_of_their_page(self, yandex_sandbox: SandboxServer) -> None:
        client = self.client(yandex_sandbox)
        assert [store.id for store in client.campaign.get_campaign_list().campaigns] == STORES
        found: list[int] = []
        number, pages = 0, 1
        while number < pages:
            number += 1
            asked = ya_campaign.CampaignListRequest(page=number, page_size=3)
            answer = client.campaign.get_campaign_list(asked)
            found += [store.id for store in answer.campaigns]
            pages = answer.pager.page_count
        assert (found, number) == (STORES, 2)

    def test_the_key(self, yandex_sandbox: SandboxServer) -> None:
        key = self.client(yandex_sandbox).guide.get_token_info().result.api_key
        assert [scope.value for scope in key.auth_scopes] == ["ALL_METHODS"]
        with pytest.raises(ya_errors.AuthorizationError):
            self.client(yandex_sandbox, "wrong").guide.get_token_info()

    def test_orders_are_another_method(self, yandex_sandbox: SandboxServer) -> None:
        """It reads orders by ``v1/businesses/{id}/orders`` only, which this package does not call."""
        with pytest.raises(ya_errors.NotFoundError):
            self.client(yandex_sandbox).order.get_order_list()


class TestMarketplacesMcp:
    """A server of tools for language models; the tools are called as such a model calls them."""

    @pytest.fixture(autouse=True)
    def _local(self, yandex_sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
        monkeypatch.setenv("YANDEX_MARKET_API_KEY", TOKEN)
        config = mcp.client.config
        monkeypatch.setattr(config, "scheme", "http")
        monkeypatch.setattr(config, "allowed_host_suffixes", [])
        monkeypatch.setattr(config.store, "path", tmp_path / "cabinets.json")
        for spec in mcp.catalog.all():
            monkeypatch.setattr(spec, "host", yandex_sandbox.url.removeprefix("http://"))

    def call(self, run: Any, tool: str, **arguments: Any) -> dict[str, Any]:
        (text, *_), _ = run(mcp.mcp.call_tool(tool, arguments))
        answer: dict[str, Any] = json.loads(text.text)
        return answer

    def test_stores_by_tokens(self, run: Any) -> None:
        first = self.call(run, "ym_get_campaigns", limit=3)["data"]
        following = first["paging"]["nextPageToken"]
        second = self.call(run, "ym_get_campaigns", limit=3, page_token=following)["data"]
        assert [store["id"] for page in (first, second) for store in page["campaigns"]] == STORES

    def test_every_order_of_a_day(self, run: Any, yandex_sandbox: SandboxServer) -> None:
        yandex_sandbox.client.change_settings(market_orders_per_day=250)
        found = self.call(
            run, "ym_fetch_all", operation_id="ym_get_orders_stats", path_values={"campaignId": 1001}, body=DAY
        )
        assert (found["total_fetched"], found["pages_fetched"], found["truncated"]) == (250, 3, False)
        assert len({order["id"] for order in found["items"]}) == 250

    def test_the_key(self, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        info = {"operation_id": "ym_get_auth_token_info"}
        assert self.call(run, "ym_call_method", **info)["data"]["result"]["apiKey"]["authScopes"] == ["ALL_METHODS"]
        monkeypatch.setenv("YANDEX_MARKET_API_KEY", "wrong")
        refused = self.call(run, "ym_call_method", **info)
        assert (refused["ok"], refused["error_type"], refused["code"]) == (False, "auth", 401)

    def test_orders_are_another_method(self, run: Any) -> None:
        """Its own tool for orders calls ``GET v2/campaigns/{id}/orders``, which this package does not."""
        assert self.call(run, "ym_get_orders", campaign_id=1001)["code"] == 404
