# SPDX-License-Identifier: Apache-2.0
"""Every store of a key by one task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import Asset

from airflow_provider_yandex_orders.exceptions import ConfigurationError, PassingError, ServiceRefused
from airflow_provider_yandex_orders.hooks.market import MarketHook
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.market.market_support import contents
from tests.support.market_official import OfficialCheck

Context = Callable[..., Any]
Operator = Callable[..., Any]

STORES = (1001, 1002)
"""Those of the sandbox's key that can be read; the API of 1003 is switched off, and 1004 has no statistics."""


def asked(sandbox: SandboxServer) -> Counter[str]:
    """How often the orders of each store were asked for."""
    paths = (each["path"].split("/") for each in sandbox.client.requests())
    return Counter(path[-3] for path in paths if path[-2:] == ["stats", "orders"])


def test_every_store_is_fetched_as_alone(
    market: SandboxServer, operator: Operator, context: Context, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    market.client.change_settings(market_stores_per_page=1)
    alone = [operator(campaign_id=store, path=str(tmp_path / "alone")).execute(context()) for store in STORES]
    every = operator(campaign_id="all", path=str(tmp_path / "every")).execute(context())
    assert [stats["campaign_id"] for stats in every] == list(STORES)
    assert [stats["rows"] for stats in every] == [stats["rows"] for stats in alone]
    assert contents(tmp_path / "every") == contents(tmp_path / "alone")
    assert "The API of store 1003 is switched off (DISABLED_BY_INACTIVITY)" in caplog.text
    assert "Store 1004 works by LAAS" in caplog.text
    assert MarketHook().open_stores() == list(STORES)


def test_a_retry_reads_no_store_twice(
    market: SandboxServer, operator: Operator, context: Context, tmp_path: Path, naps: list[float]
) -> None:
    undisturbed = operator(campaign_id="all", path=str(tmp_path / "undisturbed"), page_size=20).execute(context())
    pages, before = [stats["pages"] for stats in undisturbed], asked(market)
    market.client.add_fault(preset="market_internal", path="1002/stats/orders", skip=1, times=5)
    disturbed = operator(campaign_id="all", path=str(tmp_path / "disturbed"), page_size=20)
    with pytest.raises(PassingError):
        disturbed.execute(context())
    found = disturbed.execute(context())
    assert [stats["pages"] for stats in found] == pages
    assert asked(market) - before == {"1001": pages[0], "1002": pages[1] + 5}
    assert contents(tmp_path / "disturbed") == contents(tmp_path / "undisturbed")


def test_a_store_that_is_refused_fails_the_task(market: SandboxServer, operator: Operator, context: Context) -> None:
    market.client.add_fault(preset="market_forbidden", path="1002/stats/orders")
    with pytest.raises(ServiceRefused, match="store 1002"):
        operator(campaign_id="all").execute(context())


def test_a_key_without_a_store_to_read(
    market: SandboxServer, operator: Operator, context: Context, official: OfficialCheck
) -> None:
    stores = [{"id": 7, "placementType": "LAAS", "apiAvailability": "AVAILABLE"}]
    market.client.add_fault(path="v2/campaigns", status=200, body={"campaigns": stores}, times=None)
    with pytest.raises(ConfigurationError, match="none of the 1 that the key of 'yandex_market_default' sees"):
        operator(campaign_id="all").execute(context())
    assert not asked(market)


def test_own_outlets_hear_of_all_stores(market: SandboxServer, operator: Operator, context: Context) -> None:
    class Event:
        extra: dict[str, Any]

    outlet, event = Asset("https://example.com/market_order_stats"), Event()
    given = {**context(), "outlet_events": {outlet: event}}
    every = operator(campaign_id="all", outlets=[outlet], emit_asset=False).execute(given)
    assert event.extra["orders"] == sum(stats["orders"] for stats in every)
    assert event.extra["campaign_ids"] == list(STORES)
