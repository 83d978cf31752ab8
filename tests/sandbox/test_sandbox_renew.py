# SPDX-License-Identifier: Apache-2.0
"""A sandbox used by one test after another: each finds it as if it had just been started."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings

ORDERS = "/cdp/api/v1/counter/101/data/simple_orders?merge_mode=SAVE"
FILE = "id,create_date_time,client_ids\nA,2025-03-04,1\n"
HEADERS = {"Authorization": "OAuth sandbox-token", "Api-Key": "sandbox-token"}


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxServer]:
    with SandboxServer(SandboxSettings(processing_seconds=0, market_orders_per_day=10)) as server:
        yield server


@pytest.fixture
def server(running: SandboxServer) -> SandboxServer:
    running.renew()
    return running


def send(url: str) -> requests.Response:
    return requests.post(f"{url}{ORDERS}", headers=HEADERS, files={"file": ("data.csv", FILE)}, timeout=30)


def seen(server: SandboxServer) -> dict[str, Any]:
    """What a user can see, without what differs by the moment."""
    client = server.client
    goals = requests.get(f"{server.url}/management/v1/counter/101/goals", headers=HEADERS, timeout=30)
    budget = requests.get(f"{server.url}/v2/campaigns", headers=HEADERS, timeout=30)
    fault = client.add_fault(preset="html")
    log = [{name: each[name] for name in ("method", "path", "status", "fault")} for each in client.requests()]
    return {
        "data": [client.orders(), client.contacts(), client.conversions(), client.uploads(), client.altcraft_orders()],
        "totals": [client.summary(), client.altcraft_summary()],
        "state": [client.settings(), fault, client.faults(), log],
        "services": [goals.json(), budget.headers.get("X-RateLimit-Resource-Remaining")],
    }


def test_it_is_as_a_new_one_whatever_was_done_with_it(server: SandboxServer) -> None:
    fresh = seen(server)
    server.client.clear_faults()
    server.client.change_settings(processing_seconds=5, market_requests_per_window=2, seed=7)
    assert send(server.url).status_code == 200
    goal: dict[str, Any] = {"name": "Paid", "type": "action", "conditions": [{"type": "exact", "url": "paid"}]}
    goals = f"{server.url}/management/v1/counter/101/goals"
    assert requests.post(goals, headers=HEADERS, json={"goal": goal}, timeout=30).status_code == 200
    used = seen(server)
    assert all(used[part] != fresh[part] for part in fresh)
    server.renew()
    assert seen(server) == fresh


def test_the_address_is_new_and_the_old_one_gone(server: SandboxServer) -> None:
    before = server.url
    server.renew()
    assert server.url != before
    assert send(before).status_code == 410
    assert send(server.url.rpartition("/")[0]).status_code == 410
    assert (server.client.orders(), server.client.requests()) == ([], [])
    assert send(server.url).status_code == 200
    assert [each["path"] for each in server.client.requests()] == [ORDERS.partition("?")[0]]


def test_the_page_and_the_control_api_stand_at_both_addresses(server: SandboxServer) -> None:
    for path in ("/", "/_sandbox/orders"):
        answers = [requests.get(url + path, timeout=30) for url in (server.url, server.url.rpartition("/")[0])]
        assert [each.status_code for each in answers] == [200, 200]
    assert server.client.requests() == []


def test_a_call_under_way_leaves_nothing_behind(server: SandboxServer) -> None:
    server.client.add_fault(path="simple_orders", action="delay", seconds=0.3)
    late = threading.Thread(target=send, args=(server.url,))
    late.start()
    while not server.client.requests():
        time.sleep(0.01)
    server.renew()
    late.join()
    assert (server.client.orders(), server.client.requests()) == ([], [])


def test_a_stopped_one_is_started(server: SandboxServer) -> None:
    server.stop()
    server.renew()
    assert send(server.url).status_code == 200
