# SPDX-License-Identifier: Apache-2.0
"""The control API and the page: numbers that a test can trust, and nothing that they should not show."""

import hashlib
from collections.abc import Iterator

import pytest
import requests

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings

FILE = """\
id,create_date_time,client_uniq_id,client_ids,emails,order_status,revenue,currency
A,2025-03-04 10:00:00,C1,,ivan@x.example,PAID,0.1,
B,2025-03-04 23:59:59,C1,,ivan@x.example,PAID,0.2,RUB
C,2025-03-04,C2,,petr@x.example,IN_PROGRESS,100,RUB
D,2025-03-05,,77,,PAID,9223372036853.01,EUR
E,2025-03-05,,77,,CANCELLED,5,
F,2025-03-06,,78,,<b>won</b>,,
"""


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxServer]:
    with SandboxServer(SandboxSettings(processing_seconds=0)) as server:
        yield server


@pytest.fixture
def server(running: SandboxServer) -> SandboxServer:
    running.client.reset()
    return running


def send(server: SandboxServer, content: str = FILE, **query: str) -> requests.Response:
    return requests.post(
        f"{server.url}/cdp/api/v1/counter/101/data/simple_orders",
        params={"merge_mode": "SAVE", **query},
        headers={"Authorization": "OAuth sandbox-token"},
        files={"file": ("data.csv", content, "text/csv")},
        timeout=30,
    )


def test_summary_is_exact(server: SandboxServer) -> None:
    content = FILE.replace("<b>won</b>", "won")
    assert send(server, content).json()["uploading"]["api_validation_status"] == "PASSED"
    send(server, "id,create_date_time,client_ids,order_status,revenue\nE,2025-03-05,77,CANCELLED,6\n")

    summary = server.client.summary(101)
    kinds = summary.pop("kinds")
    assert {name: kinds["simple_orders"][name] for name in summary} == summary
    assert summary == {
        "orders": 6,
        "rows_received": 7,
        "orders_received_more_than_once": 1,
        "orders_without_id": 0,
        "orders_without_id_again": 0,
        "customers": 4,
        "by_status": {"CANCELLED": 1, "IN_PROGRESS": 1, "PAID": 3, "won": 1},
        "revenue_by_day": {
            "2025-03-04": {"RUB": "100.3"},
            "2025-03-05": {"RUB": "6", "EUR": "9223372036853.01"},
            "2025-03-06": {"RUB": "0"},
        },
        "paid_revenue_by_day": {
            "2025-03-04": {"RUB": "0.3"},
            "2025-03-05": {"EUR": "9223372036853.01"},
        },
    }
    assert server.client.summary(103)["orders"] == 0


def test_equal_orders_without_id_are_counted(server: SandboxServer) -> None:
    content = "create_date_time,client_ids,revenue\n" + "2025-03-05,77,6\n" * 2 + "2025-03-05,78,6\n"
    for _ in range(2):
        send(server, content)

    summary = server.client.summary(101)
    assert (summary["orders_without_id"], summary["orders_without_id_again"]) == (6, 4)


def test_orders_come_in_pages(server: SandboxServer) -> None:
    send(server, FILE.replace("<b>won</b>", "won"))

    assert [order["id"] for order in server.client.orders(101, limit=2, offset=3)] == ["D", "E"]
    assert server.client.orders(102) == []
    body = requests.get(f"{server.url}/_sandbox/orders", params={"limit": 1}, timeout=30).json()
    assert body["total"] == 6


def test_uploads_name_the_bytes_that_came(server: SandboxServer) -> None:
    content = FILE.replace("<b>won</b>", "won")
    send(server, content)

    (upload,) = server.client.uploads(101)
    assert upload["sha256"] == hashlib.sha256(content.encode()).hexdigest()
    assert (upload["bytes"], upload["merge_mode"], upload["counter_id"]) == (len(content), "SAVE", 101)
    assert upload["elements_count"] == 6


def test_request_log_has_the_calls_and_no_token(server: SandboxServer) -> None:
    send(server, oauth_token="secret-one")
    requests.get(f"{server.url}/management/v1/counter/101", headers={"Authorization": "OAuth secret-two"}, timeout=30)
    requests.get(server.url, timeout=30)

    first, second = server.client.requests()
    assert (first["method"], first["path"]) == ("POST", "/cdp/api/v1/counter/101/data/simple_orders")
    assert first["query"] == "merge_mode=SAVE&oauth_token=***"
    assert first["status"] == 200
    assert first["request_bytes"] > len(FILE)
    assert first["response_bytes"] > 0
    assert (second["path"], second["status"], second["fault"]) == ("/management/v1/counter/101", 403, None)
    assert "secret" not in str([first, second])


def test_reset_forgets_everything(server: SandboxServer) -> None:
    send(server, FILE.replace("<b>won</b>", "won"))
    server.client.add_fault(preset="timeout")
    server.client.change_settings(processing_seconds=5)

    server.client.reset()

    assert server.client.orders() == server.client.uploads() == server.client.faults() == server.client.requests() == []
    assert server.client.settings()["processing_seconds"] == 0
    goals = requests.get(
        f"{server.url}/management/v1/counter/101/goals", headers={"Authorization": "OAuth sandbox-token"}, timeout=30
    )
    assert goals.json() == {"goals": []}


def test_settings_show_no_tokens_and_refuse_nonsense(server: SandboxServer) -> None:
    assert server.client.change_settings(processing_seconds=0.5, seed=3)["processing_seconds"] == 0.5
    assert server.client.settings()["seed"] == 3
    assert server.client.change_settings(linking_window=False, linked_share=0.25)["linking_window"] is False
    assert server.client.settings()["linked_share"] == 0.25
    assert "sandbox-token" not in str(server.client.settings())
    for changes in ({"linked_share": 1.5}, {"processing_seconds": -1.0}, {"max_upload_bytes": 5.0}, {"no_such": 1.0}):
        with pytest.raises(requests.HTTPError, match="422"):
            server.client.change_settings(**changes)
    assert server.client.settings()["processing_seconds"] == 0.5


def test_settings_are_checked_before_the_start() -> None:
    with pytest.raises(ValueError, match="time zone"):
        SandboxSettings(timezone="Moscow")
    with pytest.raises(ValueError, match="processing_seconds"):
        SandboxSettings(processing_seconds=float("nan"))
    with pytest.raises(ValueError, match="linked_share"):
        SandboxSettings(linked_share=-0.1)
    with pytest.raises(ValueError, match="max_orders_per_customer"):
        SandboxSettings(max_orders_per_customer=0)
