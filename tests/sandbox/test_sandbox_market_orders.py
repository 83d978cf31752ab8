# SPDX-License-Identifier: Apache-2.0
"""Order statistics of the sandbox: what is found, in which pages, and what moves meanwhile."""

from __future__ import annotations

import json
import time
import tracemalloc
import urllib.request
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
import requests

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings
from tests.support.market_official import OfficialCheck, official

__all__ = ["official"]

HEADERS = {"Api-Key": "sandbox-token"}
MOSCOW = timezone(timedelta(hours=3))
DAY = {"dateFrom": "2026-06-01", "dateTo": "2026-06-01"}
CHANGED = {"updateFrom": "2026-06-01", "updateTo": "2026-06-01"}


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxServer]:
    with SandboxServer(SandboxSettings(market_orders_per_day=50)) as server:
        yield server


@pytest.fixture
def server(running: SandboxServer, official: OfficialCheck) -> SandboxServer:
    running.client.reset()
    return running


def ask(server: SandboxServer, body: dict[str, Any], store: int = 1001, **query: Any) -> requests.Response:
    url = f"{server.url}/v2/campaigns/{store}/stats/orders"
    return requests.post(url, json=body, params=query, headers=HEADERS, timeout=30)


def pages(server: SandboxServer, body: dict[str, Any], store: int = 1001, **query: Any) -> list[list[dict[str, Any]]]:
    found = []
    while True:
        result = ask(server, body, store, **query).json()["result"]
        found.append(result["orders"])
        token = result.get("paging", {}).get("nextPageToken")
        if token is None:
            return found
        query["pageToken"] = token


def orders(server: SandboxServer, body: dict[str, Any], **query: Any) -> dict[int, dict[str, Any]]:
    listed = [order for page in pages(server, body, **query) for order in page]
    by_id = {order["id"]: order for order in listed}
    assert len(by_id) == len(listed)
    return by_id


def test_a_day_has_its_orders_and_each_time_the_same(server: SandboxServer) -> None:
    found = orders(server, DAY)
    assert len(found) == 50
    assert {order["creationDate"] for order in found.values()} == {"2026-06-01"}
    assert orders(server, DAY) == found
    assert not found.keys() & orders(server, DAY, store=1002).keys()


def test_pages_have_the_asked_size_and_the_last_one_no_token(server: SandboxServer) -> None:
    assert [len(page) for page in pages(server, DAY, limit=20)] == [20, 20, 10]
    assert [len(page) for page in pages(server, DAY, limit=25)] == [25, 25]
    server.client.change_settings(market_orders_per_day=150)
    assert [len(page) for page in pages(server, DAY)] == [100, 50]  # the default


def test_orders_are_of_realistic_size(server: SandboxServer) -> None:
    server.client.change_settings(market_orders_per_day=400)
    response = ask(server, DAY, limit=200)
    assert 1600 < len(response.content) / 200 < 2400
    assert b'.50,"' in response.content or b".50}" in response.content  # money has two decimals


def test_changes_are_found_by_their_day(server: SandboxServer) -> None:
    found = orders(server, CHANGED)
    assert {order["creationDate"] for order in found.values()} >= {"2026-06-01", "2026-05-28"}
    days = [day for order in found.values() for day in [order["statusUpdateDate"][:10]]]
    assert "2026-06-01" in days
    paid = [order for order in found.values() if any(one["date"] == "2026-06-01" for one in order["payments"])]
    assert paid  # a payment is a change too, and leaves the status as it is
    assert all(order["statusUpdateDate"][:10] != "2026-06-01" for order in paid)


def test_every_kind_of_life_is_there(server: SandboxServer) -> None:
    server.client.change_settings(market_orders_per_day=1000)
    found = orders(server, DAY, limit=200).values()
    assert {order["status"] for order in found} == {
        "DELIVERED",
        "CANCELLED_BEFORE_PROCESSING",
        "CANCELLED_IN_DELIVERY",
        "PARTIALLY_RETURNED",
        "RETURNED",
    }
    assert any("initialItems" in order for order in found)
    assert any("subsidies" in order for order in found)
    assert sum(order["fake"] for order in found) == 2
    items = [item for order in found for item in order["items"]]
    assert any(item["offerName"] == "Доставка" for item in items)
    assert any("cisList" in item for item in items)
    assert {one["type"] for order in found for one in order["payments"]} == {"PAYMENT", "REFUND"}


def test_payments_are_the_price_of_what_remains(server: SandboxServer) -> None:
    for order in orders(server, DAY, limit=200).values():
        price = sum(round(one["prices"][0]["total"] * 100) for one in order["items"])
        for payment in order["payments"]:
            total = round(payment["total"] * 100)
            assert total == price if payment["type"] == "PAYMENT" else 0 < total <= price
        if order["status"].startswith("CANCELLED"):
            assert order["payments"] == []


def test_filters(server: SandboxServer) -> None:
    every = orders(server, DAY)
    assert orders(server, {**DAY, "statuses": ["RETURNED"]}).keys() == {
        number for number, order in every.items() if order["status"] == "RETURNED"
    }
    marked = {n for n, order in every.items() if any("cisList" in item for item in order["items"])}
    assert orders(server, {**DAY, "hasCis": True}).keys() == marked
    assert orders(server, {**DAY, "hasCis": False}).keys() == every.keys() - marked
    some = sorted(every)[3:6]
    assert list(orders(server, {"orders": some})) == some
    assert orders(server, {"orders": [5, 2**62, some[0] + 1]}) == {}


def test_an_open_period_reaches_to_today(server: SandboxServer) -> None:
    today = datetime.now(MOSCOW).date()
    found = orders(server, {"dateFrom": str(today - timedelta(days=2))}, limit=200).values()
    assert {order["creationDate"] for order in found} >= {
        str(today - timedelta(days=2)),
        str(today - timedelta(days=1)),
    }
    assert orders(server, {"dateFrom": "2999-01-01", "dateTo": "2999-01-02"}) == {}


EVER = {"dateFrom": "0001-01-01", "dateTo": "9999-12-31"}
FAR_AND_WIDE = [
    EVER,
    {"updateFrom": "0001-01-01", "updateTo": "9999-12-31"},
    {**EVER, "statuses": ["LOST"]},  # no order is
    {"dateTo": "0001-01-01"},
    {"updateTo": "0001-01-01"},
    {"updateFrom": "9999-12-31"},
    {**EVER, "statuses": ["RETURNED"], "hasCis": True},
    {},
]


def plainly(server: SandboxServer, body: dict[str, Any], token: str = "") -> dict[str, Any]:
    """The answer, read without the schema's check, so that nothing but the sandbox costs anything."""
    url = f"{server.url}/v2/campaigns/1001/stats/orders?limit=200{token and '&pageToken='}{token}"
    request = urllib.request.Request(url, json.dumps(body).encode(), HEADERS | {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["result"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("body", FAR_AND_WIDE, ids=str)
def test_any_period_is_answered_at_once_in_flat_memory(server: SandboxServer, body: dict[str, Any]) -> None:
    server.client.change_settings(market_orders_per_day=300)
    tracemalloc.start()
    try:
        result = plainly(server, body)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 30_000_000
    for _ in range(3):  # a page further on costs no more
        token = result.get("paging", {}).get("nextPageToken", "")
        costs = []
        for _ in range(3):  # what else goes on in this process is counted too
            before = time.process_time()
            result = plainly(server, body, token)
            costs.append(time.process_time() - before)
        assert min(costs) < 0.2


def test_a_period_of_years_is_read_to_its_end(server: SandboxServer) -> None:
    server.client.change_settings(market_orders_per_day=1)
    found, token = [], ""
    while token is not None:
        result = plainly(server, EVER, token)
        found += [(order["creationDate"], order["id"]) for order in result["orders"]]
        token = result.get("paging", {}).get("nextPageToken")
    first, today = date(2020, 1, 1), datetime.now(MOSCOW).date()
    assert found == sorted(set(found))
    assert found[0][0] == str(first)  # no store is older
    assert len(found) in ((today - first).days, (today - first).days + 1)  # today's may be to come
    ends = [found[0][1], found[-1][1]]
    assert list(orders(server, {"orders": ends[::-1]})) == ends


def test_young_orders_go_on_living(server: SandboxServer) -> None:
    today = datetime.now(MOSCOW).date()
    body = {"dateFrom": str(today - timedelta(days=5)), "dateTo": str(today - timedelta(days=1))}
    found = orders(server, body, limit=200).values()
    assert {"DELIVERY", "DELIVERED"} <= {order["status"] for order in found}
    assert all(order["payments"] == [] for order in found)


def test_what_happened_lately_is_not_known_yet(server: SandboxServer) -> None:
    yesterday = str(datetime.now(MOSCOW).date() - timedelta(days=1))
    body = {"dateFrom": yesterday, "dateTo": yesterday}
    assert len(orders(server, body)) == 50
    server.client.change_settings(market_lag_seconds=3 * 86_400)
    assert orders(server, body) == {}


def test_changed_orders_come_again_newer_and_then_older(server: SandboxServer) -> None:
    server.client.change_settings(market_changes_per_page=2)
    first, second, third, *_ = pages(server, DAY, limit=20)
    ids = [[order["id"] for order in page] for page in (first, second, third)]
    assert [len(page) for page in (first, second)] == [20, 20]
    changed = ids[0][:2]
    assert ids[1][-2:] == changed
    assert ids[2][-2:] == changed
    before, newer, older = first[0], second[-2], third[-2]
    assert newer["statusUpdateDate"] > before["statusUpdateDate"]
    assert newer["commissions"] != before["commissions"]
    assert older == before


def test_every_order_comes_while_others_change(server: SandboxServer) -> None:
    expected = orders(server, DAY).keys()
    server.client.change_settings(market_changes_per_page=7)
    for limit in (1, 2, 3, 20, 60):
        assert {order["id"] for page in pages(server, DAY, limit=limit) for order in page} == expected


def test_a_stuck_page_names_itself(server: SandboxServer) -> None:
    server.client.change_settings(market_stuck_page=2)
    first = ask(server, DAY, limit=20).json()["result"]
    second = ask(server, DAY, limit=20, pageToken=first["paging"]["nextPageToken"]).json()["result"]
    third = ask(server, DAY, limit=20, pageToken=second["paging"]["nextPageToken"]).json()["result"]
    assert third == second != first


@pytest.mark.parametrize(
    ("body", "query"),
    [
        (DAY, {"limit": 21}),
        ({**DAY, "hasCis": True}, {"limit": 20}),
        (DAY, {"limit": 20, "pageToken": "nonsense"}),
        (DAY, {"limit": 20, "pageToken": "W10="}),
    ],
)
def test_a_token_is_good_for_its_own_request_only(
    server: SandboxServer, body: dict[str, Any], query: dict[str, Any]
) -> None:
    token = ask(server, DAY, limit=20).json()["result"]["paging"]["nextPageToken"]
    assert ask(server, DAY, limit=20, pageToken=token).status_code == 200
    response = ask(server, body, **{"pageToken": token, **query})
    assert (response.status_code, response.json()["errors"][0]["message"]) == (400, "Bad page token")


def test_the_older_name_of_the_token_works(server: SandboxServer, official: OfficialCheck) -> None:
    token = ask(server, DAY, limit=20).json()["result"]["paging"]["nextPageToken"]
    newer, older = (ask(server, DAY, limit=20, **{name: token}) for name in ("pageToken", "page_token"))
    official.faults.clear()  # the alias is in the documentation and not in the schema
    assert newer.json() == older.json()
