# SPDX-License-Identifier: Apache-2.0
"""The hook over real HTTP: headers, pages, limits, and what it says when something is wrong."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from email.utils import formatdate
from typing import Any

import pytest

from airflow_provider_yandex_orders.exceptions import (
    ConfigurationError,
    PassingError,
    QuotaExceeded,
    ServiceRefused,
    ServiceUnavailable,
)
from airflow_provider_yandex_orders.hooks.market import MarketHook
from airflow_provider_yandex_orders.sandbox.market.access import FINANCE_TOKEN
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.market.market_support import TOKEN, WINDOW, connect_market
from tests.support.market_official import OfficialCheck
from tests.support.ports import free_port

STATS = "stats/orders"


def stats_requests(sandbox: SandboxServer) -> list[dict[str, Any]]:
    return [request for request in sandbox.client.requests() if request["path"].endswith(STATS)]


class TestTheTestButton:
    def test_all_is_well(self, market: SandboxServer) -> None:
        works, told = MarketHook().test_connection()
        assert works
        assert "'Sandbox'" in told
        assert "1001" in told

    def test_without_a_store(self, market: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> None:
        connect_market(monkeypatch, market.url, campaign_id=None)
        works, told = MarketHook().test_connection()
        assert works
        assert "sees 4 store(s)" in told
        assert "must name its store" in told

    def test_an_oauth_token(self, market: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> None:
        connect_market(monkeypatch, market.url, auth_type="oauth")
        assert MarketHook().test_connection()[0]
        assert [request["path"] for request in market.client.requests()] == ["/v2/campaigns"]
        assert len(next(MarketHook().iter_order_stats(**WINDOW))) > 0

    @pytest.mark.parametrize("campaign_id", [1001, None])
    def test_a_missing_scope_is_named(
        self, market: SandboxServer, monkeypatch: pytest.MonkeyPatch, campaign_id: int | None
    ) -> None:
        connect_market(monkeypatch, market.url, token=FINANCE_TOKEN, campaign_id=campaign_id)
        works, told = MarketHook().test_connection()
        assert not works
        assert "it has FINANCE_AND_ACCOUNTING" in told
        assert "INVENTORY_AND_ORDER_PROCESSING_READ_ONLY" in told

    @pytest.mark.parametrize(
        ("campaign_id", "words"),
        [
            (1005, "not this key's: it sees 1001 (FBS), 1002 (FBY)"),
            (7, "not this key's"),
            (1004, "LAAS, which has no order statistics"),
            (1003, "switched off (DISABLED_BY_INACTIVITY)"),
        ],
    )
    def test_a_store_that_cannot_be_read(
        self, market: SandboxServer, monkeypatch: pytest.MonkeyPatch, campaign_id: int, words: str
    ) -> None:
        connect_market(monkeypatch, market.url, campaign_id=campaign_id)
        works, told = MarketHook().test_connection()
        assert not works
        assert words in told

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("auth/token", {}),
            ("auth/token", []),
            ("auth/token", {"status": "OK", "result": None}),
            ("auth/token", {"status": "OK", "result": {"apiKey": ["x"]}}),
            ("auth/token", {"status": "OK", "result": {"apiKey": {"name": "K", "authScopes": "ALL_METHODS"}}}),
            ("auth/token", {"status": "OK", "result": {"apiKey": {"name": "K", "authScopes": [{}]}}}),
            ("campaigns$", {}),
            ("campaigns$", "[]"),
            ("campaigns$", {"campaigns": None}),
            ("campaigns$", {"campaigns": [7]}),
            ("campaigns$", {"campaigns": [], "paging": "next"}),
            ("campaigns$", {"campaigns": [], "pager": {"currentPage": "1"}}),
        ],
        ids=str,
    )
    def test_answers_of_another_shape(
        self, market: SandboxServer, official: OfficialCheck, path: str, body: dict[str, Any]
    ) -> None:
        official.odd_answers = True
        market.client.add_fault(path=path, action="answer", status=200, body=body, times=None)
        works, told = MarketHook().test_connection()
        assert not works
        assert "JSON of another shape than its documentation has" in told

    @pytest.mark.parametrize("body", ["", "<html>", "{"])
    def test_answers_that_are_no_json(self, market: SandboxServer, official: OfficialCheck, body: str) -> None:
        official.odd_answers = True
        market.client.add_fault(path="campaigns$", action="answer", status=200, body=body, times=None)
        works, told = MarketHook().test_connection()
        assert not works
        assert "not JSON" in told

    @pytest.mark.parametrize("key", [{"name": "K"}, {"name": None, "authScopes": None}, {"authScopes": []}])
    def test_a_key_without_scopes(self, market: SandboxServer, official: OfficialCheck, key: dict[str, Any]) -> None:
        official.odd_answers = True
        body = {"status": "OK", "result": {"apiKey": key}}
        market.client.add_fault(path="auth/token", action="answer", status=200, body=body, times=None)
        works, told = MarketHook().test_connection()
        assert not works
        assert "it has none" in told

    def test_words_of_a_store_that_are_new(self, market: SandboxServer, official: OfficialCheck) -> None:
        official.odd_answers = True
        store = {"id": 1001, "placementType": "FBX", "apiAvailability": ["SLOW"]}
        market.client.add_fault(path="campaigns$", action="answer", status=200, body={"campaigns": [store]})
        works, told = MarketHook().test_connection()
        assert works
        assert "Market says placementType FBX and apiAvailability ['SLOW'] of it, which this package does not" in told

    @pytest.mark.parametrize(
        ("token", "extra", "words"),
        [
            ("wrong-key-0123456789", {}, "Make an Api-Key"),
            ("", {}, "no token"),
            ("ACMA:secret:sum", {"auth_type": "oauth"}, "take auth_type out"),
            ("y0_secret", {}, '{"auth_type": "oauth"}'),
            (TOKEN, {"auth_type": "basic"}, "auth_type"),
        ],
    )
    def test_a_wrong_token(
        self, market: SandboxServer, monkeypatch: pytest.MonkeyPatch, token: str, extra: dict[str, Any], words: str
    ) -> None:
        connect_market(monkeypatch, market.url, token=token, **extra)
        works, told = MarketHook().test_connection()
        assert not works
        assert words in told
        assert not token or token not in told

    def test_an_address_where_nobody_is(self, monkeypatch: pytest.MonkeyPatch, naps: list[float]) -> None:
        connect_market(monkeypatch, f"http://127.0.0.1:{free_port()}")
        works, told = MarketHook().test_connection()
        assert not works
        assert "cannot be reached" in told


class TestStores:
    def test_all_pages_are_read(self, market: SandboxServer, official: OfficialCheck) -> None:
        official.odd_answers = True
        body = {"campaigns": [{"id": 7}], "paging": {"nextPageToken": ""}}
        market.client.add_fault(path="campaigns$", query="pageToken=on", action="answer", status=200, body=body)
        body = {"campaigns": [{"id": 6}], "paging": {"nextPageToken": "on"}}
        market.client.add_fault(path="campaigns$", action="answer", status=200, body=body)
        assert [store["id"] for store in MarketHook().campaigns()] == [6, 7]

    @pytest.mark.parametrize("numbered", [False, True])
    def test_both_ways_of_paging(self, market: SandboxServer, numbered: bool) -> None:
        market.client.change_settings(market_stores_per_page=3, market_numbered_pages=numbered)
        assert [store["id"] for store in MarketHook().campaigns()] == [1001, 1002, 1003, 1004]
        first, second = (request["query"] for request in market.client.requests())
        assert first == "limit=100"
        assert ("page=2" in second, "pageToken=" in second) == (numbered, not numbered)

    def test_pages_in_a_circle(self, market: SandboxServer) -> None:
        body = {"campaigns": [], "paging": {"nextPageToken": "again"}}
        market.client.add_fault(path="campaigns$", action="answer", status=200, body=body, times=None)
        with pytest.raises(PassingError, match="circles"):
            MarketHook().campaigns()

    @pytest.mark.parametrize(
        "value", ["abc", "0", "-1", True, "1.5", 1.0, "\u0661\u0660\u0660\u0661", "\u00b2", str(2**63), "9" * 5000]
    )
    def test_an_id_that_is_none(self, market: SandboxServer, value: object) -> None:
        with pytest.raises(ConfigurationError, match="campaign_id"):
            MarketHook().campaign_id(value)  # type: ignore[arg-type]

    def test_no_id_at_all(self, market: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> None:
        connect_market(monkeypatch, market.url, campaign_id=None)
        with pytest.raises(ConfigurationError, match="give campaign_id"):
            MarketHook().campaign_id()


class TestPages:
    def test_orders_are_dicts_with_exact_amounts(self, market: SandboxServer) -> None:
        pages = list(MarketHook().iter_order_stats(**WINDOW, page_size=20))
        assert [len(page) for page in pages[:-1]] == [20] * (len(pages) - 1)
        assert 0 < len(pages[-1]) <= 20
        orders = [order for page in pages for order in page]
        assert len({order["id"] for order in orders}) == len(orders)
        totals = [price["total"] for order in orders for item in order["items"] for price in item["prices"]]
        assert totals
        assert all(isinstance(total, Decimal) for total in totals)

    def test_one_page_is_asked_for_at_a_time(self, market: SandboxServer) -> None:
        pages = MarketHook().iter_order_stats(**WINDOW, page_size=20)
        assert stats_requests(market) == []
        next(pages)
        assert len(stats_requests(market)) == 1

    def test_filters_are_checked_at_the_call(self, market: SandboxServer) -> None:
        with pytest.raises(ConfigurationError, match="no period"):
            MarketHook().iter_order_stats()
        assert market.client.requests() == []

    def test_ids_beyond_one_page_are_asked_for_in_parts(self, market: SandboxServer) -> None:
        market.client.change_settings(market_orders_per_day=100)
        known = [order["id"] for page in MarketHook().iter_order_stats(**WINDOW) for order in page]
        before = len(stats_requests(market))
        found = [order["id"] for page in MarketHook().iter_order_stats(order_ids=known) for order in page]
        assert sorted(found) == sorted(known)
        assert len(stats_requests(market)) - before == -(-len(known) // 200) > 1

    def test_other_filters(self, market: SandboxServer) -> None:
        def ids(**more: Any) -> set[int]:
            return {order["id"] for page in MarketHook().iter_order_stats(**WINDOW, **more) for order in page}

        every = ids()
        assert ids(statuses=["RETURNED"]) < every
        assert ids(has_cis=True) | ids(has_cis=False) == every
        assert not ids(has_cis=True) & ids(has_cis=False)

    @pytest.mark.parametrize(("page", "requests"), [(1, 2), (3, 3)])  # the first page was reached without a token
    def test_a_token_that_repeats_is_no_way_on(self, market: SandboxServer, page: int, requests: int) -> None:
        market.client.change_settings(market_stuck_page=page)
        with pytest.raises(PassingError, match="read before"):
            list(MarketHook().iter_order_stats(**WINDOW, page_size=20))
        assert len(stats_requests(market)) == requests

    def test_pages_without_end(self, market: SandboxServer) -> None:
        for number in range(20):
            body = {"status": "OK", "result": {"orders": [], "paging": {"nextPageToken": f"token-{number}"}}}
            market.client.add_fault(path=STATS, action="answer", status=200, body=body)
        with pytest.raises(PassingError, match=r"the last 10 pages.* repeat earlier ones"):
            list(MarketHook().iter_order_stats(**WINDOW))
        assert len(stats_requests(market)) == 11

    def test_many_periods_without_orders_are_no_circle(self, market: SandboxServer) -> None:
        market.client.change_settings(market_orders_per_day=0, market_longest_period_days=1)
        pages = list(MarketHook().iter_order_stats(date_from="2026-06-01", date_to="2026-06-30"))
        assert [len(page) for page in pages] == [0] * 30

    def test_tokens_of_different_periods_may_be_alike(self, market: SandboxServer, official: OfficialCheck) -> None:
        ids = list(range(1, 401))  # two requests, each with two pages
        for number in range(4):
            paging = {"nextPageToken": "page-2"} if number % 2 == 0 else {}
            body = {"status": "OK", "result": {"orders": [{"id": number}], "paging": paging}}
            market.client.add_fault(path=STATS, action="answer", status=200, body=body)
        official.odd_answers = True
        found = [order["id"] for page in MarketHook().iter_order_stats(order_ids=ids) for order in page]
        assert found == [0, 1, 2, 3]

    def test_a_token_that_died(self, market: SandboxServer) -> None:
        market.client.add_fault(preset="market_bad_page_token", path=STATS, skip=1)
        with pytest.raises(PassingError, match="Bad page token"):
            list(MarketHook().iter_order_stats(**WINDOW, page_size=20))

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            ('{"status":"OK"}', "another shape"),
            ('{"status":"OK","result":{}}', "another shape"),
            ('{"status":"OK","result":{"orders":[7]}}', "another shape"),
            ('{"status":"OK","result":{"orders":', "not JSON"),
            ("<html>", "not JSON"),
            ('{"status":"ERROR","errors":[{"code":"X","message":"no luck"}]}', "no luck"),
        ],
    )
    def test_answers_that_are_none(
        self, market: SandboxServer, official: OfficialCheck, naps: list[float], body: str, words: str
    ) -> None:
        official.odd_answers = True
        market.client.add_fault(path=STATS, action="answer", status=200, body=body, times=None)
        with pytest.raises(ServiceUnavailable, match=words):
            list(MarketHook().iter_order_stats(**WINDOW))
        assert len(naps) == 4


class TestTroubles:
    @pytest.mark.parametrize(
        "fault",
        [
            {"preset": "market_internal"},
            {"preset": "market_unavailable"},
            {"preset": "market_migrating"},
            {"preset": "market_parallel"},
            {"action": "drop"},
            {"action": "truncate", "moment": "after"},
            {"preset": "html"},
        ],
        ids=str,
    )
    def test_a_short_one_is_waited_out(self, market: SandboxServer, naps: list[float], fault: dict[str, Any]) -> None:
        undisturbed = [page.lines for page in MarketHook().iter_order_stats(**WINDOW, page_size=20)]
        market.client.add_fault(path=STATS, skip=2, times=2, **fault)
        assert [page.lines for page in MarketHook().iter_order_stats(**WINDOW, page_size=20)] == undisturbed
        assert len(naps) == 2

    def test_a_long_one_is_handed_back(self, market: SandboxServer, naps: list[float]) -> None:
        market.client.add_fault(preset="market_internal", path=STATS, times=None)
        with pytest.raises(ServiceUnavailable, match="Internal server error") as raised:
            list(MarketHook().iter_order_stats(**WINDOW))
        assert isinstance(raised.value, PassingError)
        assert len(naps) == 4

    def test_an_expired_key(self, market: SandboxServer) -> None:
        market.client.add_fault(preset="market_unauthorized", path=STATS)
        with pytest.raises(ServiceRefused, match="Make an Api-Key"):
            list(MarketHook().iter_order_stats(**WINDOW))
        assert len(market.client.requests()) == 1

    @pytest.mark.parametrize("longest", [1, 2, 3, 100])
    def test_a_period_the_service_finds_too_long_is_split(self, market: SandboxServer, longest: int) -> None:
        window: dict[str, Any] = {"date_from": "2026-06-01", "date_to": "2026-06-05"}
        whole = [order["id"] for page in MarketHook().iter_order_stats(**window) for order in page]
        market.client.change_settings(market_longest_period_days=longest)
        assert [order["id"] for page in MarketHook().iter_order_stats(**window) for order in page] == whole

    @pytest.mark.parametrize("words", ["Too long time period.", "TOO LONG TIME PERIOD"])
    def test_a_refusal_that_names_no_days_halves_the_period(self, market: SandboxServer, words: str) -> None:
        body = {"status": "ERROR", "errors": [{"code": "X", "message": words}]}
        market.client.add_fault(path=STATS, action="answer", status=400, body=body, times=2)
        pages = MarketHook().iter_order_stats(date_from="2026-06-01", date_to="2026-06-07")
        assert len([order for page in pages for order in page]) == 7 * 40
        assert len(stats_requests(market)) == 2 + 4  # 7 days, 4 days, then 2 days at a time

    def test_a_day_the_service_finds_too_long(self, market: SandboxServer) -> None:
        market.client.add_fault(preset="market_too_long_period", path=STATS)
        with pytest.raises(ServiceRefused, match="Ask for a shorter period"):
            list(MarketHook().iter_order_stats(**WINDOW))

    def test_no_token_in_anything_that_is_said(
        self, market: SandboxServer, caplog: pytest.LogCaptureFixture, naps: list[float]
    ) -> None:
        caplog.set_level(logging.DEBUG)
        for preset in ("market_unavailable", "market_forbidden"):
            market.client.add_fault(preset=preset, path=STATS)
        with pytest.raises(ServiceRefused) as raised:
            list(MarketHook().iter_order_stats(**WINDOW))
        assert TOKEN not in caplog.text + str(raised.value) + repr(raised.value.answer)


class TestLimits:
    def test_a_near_420_is_waited_out(self, market: SandboxServer) -> None:
        until = formatdate(time.time() + 3, usegmt=True)
        market.client.add_fault(preset="market_quota", path=STATS, headers={"X-RateLimit-Resource-Until": until})
        started = time.monotonic()
        assert list(MarketHook().iter_order_stats(**WINDOW))
        assert 1 < time.monotonic() - started < 10

    def test_a_distant_420_is_handed_back_at_once(self, market: SandboxServer, naps: list[float]) -> None:
        market.client.add_fault(preset="market_quota", path=STATS)
        started = time.monotonic()
        with pytest.raises(QuotaExceeded, match="Next try not before") as raised:
            list(MarketHook().iter_order_stats(**WINDOW))
        assert time.monotonic() - started < 10
        assert raised.value.retry_after == pytest.approx(1800, abs=10)
        assert naps == []

    def test_a_420_without_a_time(self, market: SandboxServer) -> None:
        body = {"status": "ERROR", "errors": [{"code": "X", "message": "Hit rate limit of 5 requests per 1 hour"}]}
        market.client.add_fault(path=STATS, action="answer", status=420, body=body)
        with pytest.raises(QuotaExceeded) as raised:
            list(MarketHook().iter_order_stats(**WINDOW))
        assert raised.value.retry_after == 600

    def test_nothing_is_sent_when_nothing_is_left(self, market: SandboxServer, naps: list[float]) -> None:
        # The window is a long one: what is left of it is more than the client waits by itself.
        market.client.change_settings(market_requests_per_window=2, market_window_seconds=86_400 * 365)
        pages = MarketHook().iter_order_stats(**WINDOW, page_size=20)
        next(pages)
        next(pages)
        with pytest.raises(QuotaExceeded, match="Nothing was sent") as raised:
            next(pages)
        assert raised.value.retry_after is not None
        assert raised.value.retry_after > 60
        assert [request["status"] for request in stats_requests(market)] == [200, 200]
        with pytest.raises(QuotaExceeded, match="Nothing was sent"):  # another hook of the same key knows too
            next(MarketHook().iter_order_stats(**WINDOW))

    def test_a_short_window_is_waited_for(self, market: SandboxServer) -> None:
        market.client.change_settings(market_requests_per_window=3, market_window_seconds=1)
        pages = list(MarketHook().iter_order_stats(**WINDOW, page_size=40))
        assert len(pages) > 3
        assert {request["status"] for request in stats_requests(market)} == {200}

    def test_two_requests_at_once_for_one_key(self, market: SandboxServer) -> None:
        market.client.change_settings(market_latency_seconds=0.1, market_parallel_requests=2)

        def read(_: int) -> int:
            return sum(len(page) for page in MarketHook().iter_order_stats(**WINDOW, page_size=50))

        with ThreadPoolExecutor(5) as pool:
            counts = list(pool.map(read, range(5)))
        assert len(set(counts)) == 1
        assert {request["status"] for request in stats_requests(market)} == {200}
