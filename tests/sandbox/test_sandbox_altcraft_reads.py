# SPDX-License-Identifier: Apache-2.0
"""What the sandbox tells of stored orders: one, or all of them page by page; and its error presets."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from airflow_provider_yandex_orders.sandbox.altcraft.errors import PRESETS
from airflow_provider_yandex_orders.sandbox.server import SandboxServer

BASE = "/api/v1.1/market/orders/"


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        yield server


@pytest.fixture
def server(running: SandboxServer) -> SandboxServer:
    running.client.reset()
    return running


def post(server: SandboxServer, path: str, token: str = "sandbox-read-token", **body: Any) -> dict[str, Any]:
    response = requests.post(server.url + BASE + path, json={"token": token, **body}, timeout=30)
    assert response.status_code == 200
    answer: dict[str, Any] = response.json()
    return answer


def fill(server: SandboxServer, count: int) -> None:
    orders = [
        {
            "external_id": f"A-{number}",
            "email": "a@example.com",
            "endpoint": f"shop-{number % 2}",
            "status": "paid",
            "total_price": "10",
            "currency": "RUB",
            "lines": [{"external_id": "1", "status": "new", "product": "P", "final_price_per_item": "10", "count": 1}],
        }
        for number in range(count)
    ]
    assert post(server, "import", token="sandbox-token", data=orders)["error"] == 0


def test_the_status_of_one_order(server: SandboxServer) -> None:
    fill(server, 2)
    expected = {"error": 0, "error_text": "", "result": {"endpoint": "shop-1", "status": "paid"}}
    assert post(server, "get_status", external_id="A-1") == expected
    assert post(server, "get_status", id=2) == expected


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"external_id": "B"}, 404),
        ({"id": 9}, 404),
        ({}, 400),
        ({"id": 1, "external_id": "A"}, 400),
        ({"id": "1"}, 400),
    ],
)
def test_no_such_order(server: SandboxServer, body: dict[str, Any], code: int) -> None:
    assert post(server, "get_status", **body)["error"] == code


def test_the_list_goes_on_from_its_pointer(server: SandboxServer) -> None:
    fill(server, 5)
    found, pointer = [], ""
    for size in (2, 2, 1):
        answer = post(server, "list", from_id=pointer, limit=2)
        assert len(answer["result"]) == size
        found += [each["external_id"] for each in answer["result"]]
        pointer = answer["next_from_id"]
    assert found == ["A-0", "A-1", "A-2", "A-3", "A-4"]
    assert pointer == ""
    (first, *_rest) = post(server, "list", endpoint="shop-1")["result"]
    assert (first["external_id"], set(first["profile"])) == ("A-1", {"profile_id", "xxh"})
    assert first["lines"] == [
        {"external_id": "1", "product": "P", "final_price_per_item": "10", "count": 1, "currency": "RUB"}
    ]


@pytest.mark.parametrize("body", [{"limit": 0}, {"limit": 1001}, {"limit": "5"}, {"from_id": "x"}, {"from_id": 5}])
def test_bad_lists(server: SandboxServer, body: dict[str, Any]) -> None:
    assert post(server, "list", **body)["error"] == 400


def test_an_empty_list(server: SandboxServer) -> None:
    assert post(server, "list") == {"error": 0, "error_text": "", "result": [], "next_from_id": ""}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_every_call_is_a_post(server: SandboxServer, method: str) -> None:
    for name in ("import", "get_status", "list", "preorder"):
        answer = requests.request(method, server.url + BASE + name, json={"token": "sandbox-token"}, timeout=30)
        assert answer.status_code == 405


def test_reads_need_a_token_and_unknown_methods_are_told(server: SandboxServer) -> None:
    assert post(server, "list", token="another")["error"] == 401
    assert post(server, "preorder")["error"] == 404
    assert post(server, "preorder", token="another")["error"] == 401


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_presets_have_the_envelope(server: SandboxServer, preset: str) -> None:
    server.client.add_fault(preset=preset, path="orders/list")
    response = requests.post(server.url + BASE + "list", json={"token": "sandbox-token"}, timeout=30)
    assert response.json()["error"] > 0
    assert response.status_code in (200, response.json()["error"])
    assert post(server, "list")["error"] == 0


def test_a_reset_forgets_the_orders(server: SandboxServer) -> None:
    fill(server, 3)
    server.client.reset()
    assert server.client.altcraft_orders() == []
    assert server.client.altcraft_summary()["orders"] == 0


def test_stored_orders_come_in_pages(server: SandboxServer) -> None:
    fill(server, 5)
    assert [each["external_id"] for each in server.client.altcraft_orders(limit=2, offset=3)] == ["A-3", "A-4"]
