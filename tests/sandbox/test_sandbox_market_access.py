# SPDX-License-Identifier: Apache-2.0
"""Keys, stores, limits and refusals of the sandbox's Market."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from airflow_provider_yandex_orders.sandbox.market.access import FINANCE_TOKEN
from airflow_provider_yandex_orders.sandbox.market.errors import ERRORS
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings
from tests.support.market_official import OfficialCheck, official

__all__ = ["official"]

KEY = {"Api-Key": "sandbox-token"}
BODY = {"dateFrom": "2026-06-01", "dateTo": "2026-06-01"}
STATS = "/v2/campaigns/{}/stats/orders"


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxServer]:
    with SandboxServer(SandboxSettings(market_orders_per_day=10)) as server:
        yield server


@pytest.fixture
def server(running: SandboxServer, official: OfficialCheck) -> SandboxServer:
    running.client.reset()
    return running


@pytest.fixture
def _wrong_on_purpose(official: OfficialCheck) -> Iterator[None]:
    yield
    official.faults.clear()


def call(
    server: SandboxServer, method: str, path: str, headers: dict[str, str] | None = None, **arguments: Any
) -> requests.Response:
    return requests.request(
        method, server.url + path, headers=KEY if headers is None else headers, timeout=30, **arguments
    )


def stats(server: SandboxServer, store: object = 1001, **arguments: Any) -> requests.Response:
    return call(server, "POST", STATS.format(store), **{"json": BODY, **arguments})


def told(response: requests.Response) -> tuple[int, str]:
    body = response.json()
    assert body["status"] == "ERROR"
    (error,) = body["errors"]
    assert error["code"]
    return response.status_code, error["message"]


@pytest.mark.parametrize(("method", "path"), [("GET", "/v2/campaigns"), ("POST", "/v2/auth/token")])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Api-Key": "another"}, 401),
        ({"Authorization": "OAuth sandbox-token"}, 401),
        ({"Authorization": "Bearer another"}, 403),
        ({"Api-Key": "another", "Authorization": "Bearer sandbox-token"}, 401),
    ],
)
def test_a_token_is_needed(server: SandboxServer, method: str, path: str, headers: dict[str, str], status: int) -> None:
    assert told(call(server, method, path, headers))[0] == status


def test_scopes(server: SandboxServer) -> None:
    def scopes(token: str) -> list[str]:
        answer = call(server, "POST", "/v2/auth/token", {"Api-Key": token}).json()
        found: list[str] = answer["result"]["apiKey"]["authScopes"]
        return found

    assert scopes("sandbox-token") == ["ALL_METHODS"]
    assert "INVENTORY_AND_ORDER_PROCESSING_READ_ONLY" in scopes("sandbox-read-token")
    assert scopes(FINANCE_TOKEN) == ["FINANCE_AND_ACCOUNTING"]
    assert stats(server, headers={"Api-Key": "sandbox-read-token"}).status_code == 200
    assert told(stats(server, headers={"Api-Key": FINANCE_TOKEN}))[0] == 403
    assert call(server, "GET", "/v2/campaigns", {"Api-Key": FINANCE_TOKEN}).status_code == 200


def test_oauth_reads_orders_and_has_no_scopes(server: SandboxServer) -> None:
    bearer = {"Authorization": "Bearer sandbox-token"}
    assert stats(server, headers=bearer).status_code == 200
    assert told(call(server, "POST", "/v2/auth/token", bearer)) == (403, "The method takes an Api-Key only")


@pytest.mark.parametrize(("business", "status"), [("2001", 200), ("0", 400), ("-5", 400), ("shop", 400), ("", 400)])
def test_the_number_of_a_business_is_one(server: SandboxServer, business: str, status: int) -> None:
    headers = {"Authorization": "Bearer sandbox-token", "X-Business-Id": business}
    assert stats(server, headers=headers).status_code == status


@pytest.mark.parametrize(
    ("store", "status", "words"),
    [
        (1005, 403, "Access denied"),
        (99, 404, "not found"),
        (1003, 403, "DISABLED_BY_INACTIVITY"),
        (1004, 400, "Campaign type is not allowed"),
    ],
)
def test_stores_without_statistics(server: SandboxServer, store: int, status: int, words: str) -> None:
    found, message = told(stats(server, store))
    assert found == status
    assert words in message


def test_stores_come_in_pages(server: SandboxServer) -> None:
    whole = call(server, "GET", "/v2/campaigns").json()
    assert [store["id"] for store in whole["campaigns"]] == [1001, 1002, 1003, 1004]
    assert "paging" not in whole
    first = call(server, "GET", "/v2/campaigns", params={"limit": 3}).json()
    token = first["paging"]["nextPageToken"]
    second = call(server, "GET", "/v2/campaigns", params={"limit": 3, "pageToken": token}).json()
    assert first["campaigns"] + second["campaigns"] == whole["campaigns"]
    assert second["pager"] == {"total": 4, "from": 4, "to": 4, "currentPage": 2, "pagesCount": 2, "pageSize": 3}


@pytest.mark.parametrize("size", [{"pageSize": 3}, {"limit": 3}, {"limit": 3, "pageSize": 1}], ids=str)
def test_stores_come_in_numbered_pages(server: SandboxServer, size: dict[str, int]) -> None:
    pages = [call(server, "GET", "/v2/campaigns", params={**size, "page": number}).json() for number in (1, 2, 3)]
    assert [[store["id"] for store in page["campaigns"]] for page in pages] == [[1001, 1002, 1003], [1004], []]
    assert [(page["pager"]["currentPage"], page["pager"]["pagesCount"]) for page in pages] == [(1, 2), (2, 2), (3, 2)]
    token = pages[0]["paging"]["nextPageToken"]
    assert call(server, "GET", "/v2/campaigns", params={**size, "page": 7, "pageToken": token}).json() == pages[1]


def test_a_page_of_the_older_way_is_never_above_a_hundred(server: SandboxServer) -> None:
    assert call(server, "GET", "/v2/campaigns", params={"pageSize": 1000}).json()["pager"]["pageSize"] == 100


@pytest.mark.usefixtures("_wrong_on_purpose")
@pytest.mark.parametrize("query", [{"page": "10001"}, {"page": "0"}, {"pageSize": "-1"}, {"page": "two"}], ids=str)
def test_numbers_of_pages_out_of_bounds(server: SandboxServer, query: dict[str, str]) -> None:
    assert told(call(server, "GET", "/v2/campaigns", params=query))[0] == 400


@pytest.mark.usefixtures("_wrong_on_purpose")
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({**BODY, "updateFrom": "2026-06-01"}, "can't be specified simultaneously"),
        ({"dateFrom": "2026-06-02", "dateTo": "2026-06-01"}, "'dateTo' must be greater or equal to 'dateFrom'"),
        ({"updateFrom": "2026-06-02", "updateTo": "2026-06-01"}, "'updateTo' must be greater"),
        ({"dateFrom": "2026-02-30"}, "Illegal input at 'dateFrom'"),
        ({"dateFrom": "20260601"}, "Illegal input at 'dateFrom'"),
        ({"dateFrom": "2026-W01-1"}, "Illegal input at 'dateFrom'"),
        ({"orders": []}, "'orders' size must be between"),
        ({"orders": [1, 1]}, "unique"),
        ({"orders": ["1"]}, "Illegal input at 'orders'"),
        ({"orders": [2**63]}, "Illegal input at 'orders'"),
        ({"statuses": ["SOLD"]}, "Illegal input at 'statuses'"),
        ({"hasCis": "yes"}, "Illegal input at 'hasCis'"),
        ([], "Illegal input"),
    ],
    ids=str,
)
def test_bad_bodies(server: SandboxServer, body: Any, words: str) -> None:
    status, message = told(stats(server, json=body) if body else stats(server, json=None, data=b"[]"))
    assert status == 400
    assert words in message


@pytest.mark.usefixtures("_wrong_on_purpose")
def test_no_body_and_another_kind_of_body(server: SandboxServer) -> None:
    assert told(stats(server, json=None)) == (400, "Required request body is missing")
    for broken in (b"{", b'{"x": NaN}', b"[" * 10_000, b'{"x": "\xff"}'):
        assert told(stats(server, json=None, data=broken)) == (400, "Illegal input at ''")
    response = requests.post(
        server.url + STATS.format(1001), data=b"<a/>", headers={**KEY, "Content-Type": "text/xml"}, timeout=30
    )
    assert told(response)[0] == 415


def test_the_version_may_be_left_out(server: SandboxServer) -> None:
    for method, path in (("GET", "/v2/campaigns"), ("POST", "/v2/auth/token"), ("POST", STATS.format(1001))):
        arguments = {"json": BODY} if "stats" in path else {}
        whole, short = (call(server, method, each, **arguments).json() for each in (path, path.removeprefix("/v2")))
        assert whole == short


def test_a_request_has_a_size(server: SandboxServer) -> None:
    big = [10**15 + number for number in range(33_000)]
    assert told(stats(server, json={"orders": big}))[1].startswith("The request is too big")
    assert stats(server, json={"orders": big[:20_000]}).status_code == 200


@pytest.mark.usefixtures("_wrong_on_purpose")
@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("500", "less than or equal to '200' (rejected value: '500')"),
        ("0", "greater than or equal to '1'"),
        ("many", "Type mismatch"),
    ],
)
def test_limits_out_of_bounds(server: SandboxServer, limit: str, words: str) -> None:
    status, message = told(stats(server, params={"limit": limit}))
    assert status == 400
    assert words in message


@pytest.mark.usefixtures("_wrong_on_purpose")
@pytest.mark.parametrize("store", ["abc", "0", "9" * 25])
def test_a_store_that_is_no_number(server: SandboxServer, store: str) -> None:
    assert told(stats(server, store))[0] == 400


@pytest.mark.usefixtures("_wrong_on_purpose")
def test_other_paths_and_methods(server: SandboxServer) -> None:
    for method, path in (("GET", STATS.format(1001)), ("DELETE", "/v2/campaigns"), ("PUT", "/v2/auth/token")):
        assert told(call(server, method, path))[0] == 405
    assert told(call(server, "POST", "/v2/campaigns/1001/orders"))[0] == 404
    assert told(call(server, "GET", "/v2/nothing", {}))[0] == 401


class TestBudget:
    def test_every_answer_says_what_is_left(self, server: SandboxServer) -> None:
        good, refused = stats(server), stats(server, 1001, headers={"Api-Key": "another"})
        assert [answer.headers["X-RateLimit-Resource-Remaining"] for answer in (good, refused)] == ["9999", "9998"]
        assert good.headers["X-RateLimit-Resource-Limit"] == "10000"
        until = parsedate_to_datetime(good.headers["X-RateLimit-Resource-Until"])
        assert until.timestamp() % 3600 == 0
        assert 0 < until.timestamp() - time.time() <= 3600
        assert stats(server, 1002).headers["X-RateLimit-Resource-Remaining"] == "9999"

    def test_beyond_the_limit_is_420_until_the_window_ends(self, server: SandboxServer) -> None:
        server.client.change_settings(market_requests_per_window=2, market_window_seconds=2)
        while stats(server).status_code == 200:
            pass
        response = stats(server)
        assert told(response) == (420, "Hit rate limit of 2 requests per 2 seconds for resource getOrdersStats")
        assert response.headers["X-RateLimit-Resource-Remaining"] == "0"
        until = parsedate_to_datetime(response.headers["X-RateLimit-Resource-Until"]).timestamp()
        time.sleep(max(0.0, until - time.time()) + 0.1)
        assert stats(server).status_code == 200

    def test_a_reset_gives_the_budget_back(self, server: SandboxServer) -> None:
        stats(server)
        server.client.reset()
        assert stats(server).headers["X-RateLimit-Resource-Remaining"] == "9999"

    def test_too_many_at_once(self, server: SandboxServer) -> None:
        server.client.change_settings(market_latency_seconds=3, market_parallel_requests=2)  # all four come within it
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: stats(server), range(4)))
        server.client.change_settings(market_latency_seconds=0)
        assert sorted(answer.status_code for answer in answers) == [200, 200, 420, 420]
        refused = next(answer for answer in answers if answer.status_code == 420)
        assert told(refused)[1].startswith("Hit rate limit of 2 parallel requests for campaignId 1001")
        assert stats(server).status_code == 200

    def test_latency_is_the_least_time_of_an_answer(self, server: SandboxServer) -> None:
        server.client.change_settings(market_latency_seconds=0.3)
        started = time.monotonic()
        stats(server)
        assert time.monotonic() - started >= 0.3


@pytest.mark.parametrize("preset", sorted(ERRORS))
def test_presets_have_the_documented_shape(server: SandboxServer, preset: str) -> None:
    server.client.add_fault(preset=preset, path="stats/orders")
    response = stats(server)
    assert told(response) == (ERRORS[preset][0], ERRORS[preset][2])
    assert ("X-RateLimit-Resource-Until" in response.headers) == (preset == "market_quota")


def test_latency_is_checked_before_the_start() -> None:
    with pytest.raises(ValueError, match="market_latency_seconds"):
        SandboxSettings(market_latency_seconds=-1)
