# SPDX-License-Identifier: Apache-2.0
"""Statuses, custom attributes and products that a client describes."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings
from tests.sandbox.metrica_calls import HEADERS, notes_of, passed, send_csv, send_json

STATUSES = "order_statuses"
ATTRIBUTES = "attributes?entity_type=ORDER"


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxServer]:
    with SandboxServer(SandboxSettings(processing_seconds=0, columns_mapping_required=False)) as server:
        yield server


@pytest.fixture
def server(running: SandboxServer) -> SandboxServer:
    running.client.reset()
    return running


def call(server: SandboxServer, method: str, path: str, body: Any = None, counter: int = 101) -> requests.Response:
    url = f"{server.url}/cdp/api/v1/counter/{counter}/schema/{path}"
    return requests.request(method, url, headers=HEADERS, json=body, timeout=30)


def error_of(response: requests.Response) -> str:
    assert response.status_code == 400, response.text
    found: str = response.json()["errors"][0]["error_type"]
    return found


def test_statuses_are_kept_and_replaced_by_id(server: SandboxServer) -> None:
    won = {"id": "won", "humanized": "Успех", "type": "PAID", "goal_action_ids": ["a", "b"]}
    assert call(server, "POST", STATUSES, {"order_statuses": [won, {"id": "new", "type": "OTHER"}]}).json() == {
        "success": True
    }
    call(server, "POST", STATUSES, {"order_statuses": [{"id": "new", "type": "IN_PROGRESS"}]})

    assert call(server, "GET", STATUSES).json() == {
        "order_statuses": [
            {"id": "new", "type": "IN_PROGRESS", "goal_action_ids": [], "order_status_source": "USER"},
            {**won, "order_status_source": "USER"},
        ]
    }
    assert call(server, "GET", STATUSES, counter=103).json() == {"order_statuses": []}


@pytest.mark.parametrize(
    ("status", "error_type"),
    [
        ({"id": "won"}, "missing_parameter"),
        ({"type": "PAID"}, "missing_parameter"),
        ({"id": "won", "type": "CANCELED"}, "invalid_parameter"),
        ({"id": "won", "type": "paid"}, "invalid_parameter"),
        ({"id": "", "type": "PAID"}, "invalid_parameter"),
        ({"id": "a b", "type": "PAID"}, "invalid_parameter"),
        ({"id": "успех", "type": "PAID"}, "invalid_parameter"),
        ({"id": "x" * 256, "type": "PAID"}, "invalid_parameter"),
        ({"id": "won", "type": "PAID", "humanized": "x" * 4097}, "invalid_parameter"),
        ({"id": "won", "type": "PAID", "goal_action_ids": ["a", "a"]}, "invalid_parameter"),
        ({"id": "won", "type": "PAID", "goal_action_ids": [str(n) for n in range(11)]}, "invalid_parameter"),
        ({"id": "won", "type": "PAID", "goal_action_ids": "a"}, "invalid_json"),
        ({"id": "won", "type": "PAID", "goal_action_ids": [1]}, "invalid_json"),
        ({"id": 1, "type": "PAID"}, "invalid_json"),
        ({"id": "won", "type": "PAID", "colour": "red"}, "invalid_json"),
        ("won", "invalid_json"),
    ],
)
def test_status_that_is_refused(server: SandboxServer, status: Any, error_type: str) -> None:
    assert error_of(call(server, "POST", STATUSES, {"order_statuses": [status]})) == error_type
    assert call(server, "GET", STATUSES).json() == {"order_statuses": []}


def test_bodies_that_are_no_lists_of_statuses(server: SandboxServer) -> None:
    bodies: list[Any] = [[], {}, {"order_statuses": {}}, {"statuses": []}, {"order_statuses": [], "more": 1}]
    for body in bodies:
        assert error_of(call(server, "POST", STATUSES, body)) == "invalid_json"
    twice = [{"id": "won", "type": "PAID"}, {"id": "won", "type": "SPAM"}]
    assert error_of(call(server, "POST", STATUSES, {"order_statuses": twice})) == "invalid_parameter"


def test_mapped_status_gets_no_note(server: SandboxServer) -> None:
    call(server, "POST", STATUSES, {"order_statuses": [{"id": "won", "type": "PAID"}]})
    order = {
        "id": "A",
        "client_uniq_id": "C",
        "client_type": "CONTACT",
        "order_status": "won",
        "create_date_time": "2025-03-04 10:00:00",
    }
    rows = [order, {**order, "id": "B", "order_status": "lost"}, {**order, "id": "D", "order_status": "SPAM"}]
    passed(send_json(server, "orders", rows))

    assert notes_of(server)["unmapped_statuses"]["examples"] == ["lost"]


def test_attributes_by_entity(server: SandboxServer) -> None:
    size = {"name": "size", "multivalued": True, "humanized": "Размер", "type_name": "text", "type_group": "PREDEFINED"}
    assert call(server, "POST", ATTRIBUTES, {"attributes": [size]}).json() == {"success": True}

    found = call(server, "GET", ATTRIBUTES).json()
    assert found["custom_attributes"] == [size]
    system = {attribute["name"]: attribute for attribute in found["system_attributes"]}
    assert system["revenue"]["type_name"] == "numeric"
    assert system["create_date_time"]["type_name"] == "datetime"
    assert system["goals"]["multivalued"] is True
    assert call(server, "GET", "attributes?entity_type=CONTACT").json()["custom_attributes"] == []
    for entity in ("COMPANY", "SIMPLE_ORDER"):
        assert call(server, "POST", f"attributes?entity_type={entity}", {"attributes": [size]}).status_code == 200


@pytest.mark.parametrize(
    ("attribute", "error_type"),
    [
        ({"name": "size"}, "missing_parameter"),
        ({"multivalued": True}, "missing_parameter"),
        ({"name": "size", "multivalued": 1}, "invalid_json"),
        ({"name": "a,b", "multivalued": False}, "invalid_parameter"),
        ({"name": "revenue", "multivalued": False}, "invalid_parameter"),
        ({"name": "size", "multivalued": False, "type_group": "OWN"}, "invalid_parameter"),
        ({"name": "size", "multivalued": False, "type_name": "string"}, "invalid_parameter"),
        ({"name": "size", "multivalued": False, "type_group": "SYSTEM_LIST", "type_name": "x"}, "invalid_parameter"),
    ],
)
def test_attribute_that_is_refused(server: SandboxServer, attribute: Any, error_type: str) -> None:
    assert error_of(call(server, "POST", ATTRIBUTES, {"attributes": [attribute]})) == error_type


@pytest.mark.parametrize(
    ("path", "error_type"),
    [
        ("attributes", "missing_parameter"),
        ("attributes?entity_type=order", "invalid_parameter"),
        ("attributes?entity_type=PRODUCT", "invalid_parameter"),
    ],
)
def test_entity_type_is_checked(server: SandboxServer, path: str, error_type: str) -> None:
    assert error_of(call(server, "GET", path)) == error_type
    assert error_of(call(server, "POST", path, {"attributes": []})) == error_type


def test_product_list(server: SandboxServer) -> None:
    items = [{"name": "pear", "humanized": "Груша"}, {"name": "apple"}]
    assert call(server, "POST", "products", {"attributes": [], "items": items}).json() == {"success": True}
    assert call(server, "POST", "products", {"attributes": []}).json() == {"success": True}
    for body in ({"items": items}, {"attributes": [], "items": "pear"}, {"attributes": [], "items": [{"id": "x"}]}):
        assert error_of(call(server, "POST", "products", body)) == "invalid_json"

    content = (
        "id;client_uniq_id;client_type;order_status;create_date_time;products\n"
        "A;C;CONTACT;PAID;2025-03-04 10:00:00;pear:1,fig:2\n"
    )
    passed(send_csv(server, "orders", content, delimiter_type="SEMICOLON"))
    assert notes_of(server)["unlisted_products"]["examples"] == ["fig"]


def test_rights(server: SandboxServer) -> None:
    for path in (STATUSES, ATTRIBUTES):
        assert call(server, "GET", path, counter=102).status_code == 200
        assert call(server, "POST", path, {}, counter=102).status_code == 403
    assert call(server, "POST", "products", {}, counter=102).status_code == 403
    assert call(server, "GET", "products").status_code == 405
