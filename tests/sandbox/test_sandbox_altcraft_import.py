# SPDX-License-Identifier: Apache-2.0
"""The sandbox's import of orders: the envelope, what an order needs, JSON and XML, all of a batch or nothing."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from airflow_provider_yandex_orders.sandbox.server import SandboxServer

BASE = "/api/v1.1/market/orders/"
ORDER: dict[str, Any] = {
    "external_id": "A-1",
    "email": "a@example.com",
    "endpoint": "shop",
    "status": "new",
    "total_price": "21.00",
    "currency": "RUB",
    "lines": [{"external_id": "1", "status": "new", "sku": "S", "final_price_per_item": "10.50", "count": 2}],
}
XML_ORDER = """<external_id>{}</external_id><email>a@example.com</email><endpoint>shop</endpoint><tags>one</tags>
<status>new</status><total_price>21.00</total_price><currency>RUB</currency>
<custom_fields><field>1</field></custom_fields>
<lines><external_id>1</external_id><status>new</status><sku>S</sku>
<final_price_per_item>10.50</final_price_per_item><count>2</count></lines>"""


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        yield server


@pytest.fixture
def server(running: SandboxServer) -> SandboxServer:
    running.client.reset()
    return running


def post(server: SandboxServer, body: Any, path: str = "import", **headers: str) -> dict[str, Any]:
    """One call; the transport is always good, the envelope tells."""
    if isinstance(body, (dict, list)):
        body, headers = json.dumps(body), {"Content-Type": "application/json", **headers}
    response = requests.post(server.url + BASE + path, data=body.encode(), headers=headers, timeout=30)
    assert response.status_code == 200
    answer: dict[str, Any] = response.json()
    assert set(answer) >= {"error", "error_text"}
    return answer


def order(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**ORDER, **changes}.items() if value is not None}


def line(**changes: Any) -> list[dict[str, Any]]:
    return [{name: value for name, value in {**ORDER["lines"][0], **changes}.items() if value is not None}]


def send(server: SandboxServer, *orders: Any, **request: Any) -> dict[str, Any]:
    return post(server, {"token": "sandbox-token", "data": list(orders), **request})


def test_a_good_order_is_stored_as_it_came(server: SandboxServer) -> None:
    assert send(server, ORDER) == {"error": 0, "error_text": ""}
    (held,) = server.client.altcraft_orders()
    assert held == {**ORDER, "number": 1, "times_received": 1, "triggers_started": 1}


def test_an_order_sent_again_replaces_the_old_one_and_is_counted(server: SandboxServer) -> None:
    send(server, ORDER)
    send(server, order(status="paid", total_price="30"), skip_triggers=True)
    (held,) = server.client.altcraft_orders()
    assert (held["status"], held["times_received"], held["triggers_started"]) == ("paid", 2, 1)
    assert server.client.altcraft_summary() == {
        "orders": 1,
        "orders_received": 2,
        "orders_received_more_than_once": 1,
        "lines": 1,
        "triggers_started": 1,
        "triggers_started_more_than_once": 0,
        "by_status": {"paid": 1},
        "total_by_currency": {"RUB": "30"},
    }


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"external_id": None}, "external_id must be a text"),
        ({"external_id": 5}, "external_id must be a text"),
        ({"currency": "XXX"}, "the currency is not set up"),
        ({"endpoint": "unknown-1"}, "the endpoint is not set up"),
        ({"region": "unknown-1"}, "the region is not set up"),
        ({"status": "cancelled"}, "status is none"),
        ({"total_price": 21.0}, "total_price must be a decimal number as text"),
        ({"delivery_cost": "1,5"}, "delivery_cost must be"),
        ({"create_time": "2026-01-25 15:04:05"}, "create_time is not RFC 3339"),
        ({"update_time": "2026-01-25T15:04:05"}, "update_time is not RFC 3339"),
        ({"tags": "one"}, "tags must be a list"),
        ({"custom_fields": [1]}, "custom_fields must be an object"),
        ({"custom_fields": {"unknown-f": 1}}, "a custom field is not set up"),
        ({"email": None}, "matching email needs email"),
        ({"matching": "push_sub"}, "matching push_sub needs provider, subscription_id"),
        ({"matching": "email_phone", "email": None}, "matching email_phone needs email or phone"),
        ({"matching": "telegram"}, "matching is none"),
        ({"lines": []}, "there are no lines"),
        ({"lines": line(sku=None)}, "lines[0]: either sku or product"),
        ({"lines": line(product="P")}, "lines[0]: either sku or product"),
        ({"lines": line(sku="unknown-sku")}, "lines[0]: the sku is not set up"),
        ({"lines": line(status="")}, "lines[0]: status must be a text"),
        ({"lines": line(count="2")}, "lines[0]: count must be"),
        ({"lines": line(count=0)}, "lines[0]: count must be"),
        ({"lines": line(final_price_per_item=None)}, "lines[0]: final_price_per_item must be"),
        ({"lines": line(base_price_per_item=1)}, "lines[0]: base_price_per_item must be"),
    ],
)
def test_one_bad_order_refuses_the_batch(server: SandboxServer, changes: dict[str, Any], told: str) -> None:
    answer = send(server, order(external_id="good"), order(**changes))
    assert answer["error"] == 400
    assert "data[1]" in answer["error_text"]
    assert told in answer["error_text"]
    assert "a@example.com" not in answer["error_text"]
    assert server.client.altcraft_orders() == []


@pytest.mark.parametrize("name", ["external_id", "endpoint", "status", "total_price", "currency", "lines"])
def test_required_fields(server: SandboxServer, name: str) -> None:
    assert send(server, order(**{name: None}))["error"] == 400
    for field in ("external_id", "status", "final_price_per_item", "count"):
        assert send(server, order(lines=line(**{field: None})))["error"] == 400
    assert server.client.altcraft_orders() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"matching": "phone", "email": None, "phone": "+79990000000"},
        {"matching": "custom", "email": None, "field_name": "loyalty", "field_value": 5},
        {"matching": "email_phone_sub", "email": None, "phone": "+79990000000"},
        {"create_time": "2026-01-23T15:04:05.141Z", "update_time": "2026-01-23T15:04:05+03:00"},
        {"total_price": "1"},
        {"lines": line(sku=None, product="P", status="my_status")},
        {"something_more": {"way": "card"}},
    ],
)
def test_what_passes(server: SandboxServer, changes: dict[str, Any]) -> None:
    assert send(server, order(**changes))["error"] == 0


@pytest.mark.parametrize("data", ["<data><row>{}</row><row>{}</row></data>", "<data>{}</data><data>{}</data>"])
def test_xml_in_both_readings(server: SandboxServer, data: str) -> None:
    orders = data.format(XML_ORDER.format("A-1"), XML_ORDER.format("A-2"))
    body = f"<xml><token>sandbox-token</token><skip_triggers>true</skip_triggers>{orders}</xml>"
    assert post(server, body, **{"Content-Type": "application/xml"})["error"] == 0
    held = server.client.altcraft_orders()
    assert [(each["external_id"], each["tags"], each["triggers_started"]) for each in held] == [
        ("A-1", ["one"], 0),
        ("A-2", ["one"], 0),
    ]
    assert held[0]["lines"][0]["count"] == 2
    assert held[0]["custom_fields"] == {"field": "1"}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("", "application/json"),
        ("[]", "application/json"),
        ("{", "application/json"),
        ('{"token": "sandbox-token"}', "text/plain"),
        ("<xml><token>", "application/xml"),
        ("<data><token>sandbox-token</token></data>", "application/xml"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><xml><token>&a;</token></xml>', "application/xml"),
        ('{"token": "sandbox-token", "data": []}', "application/json"),
        ('{"token": "sandbox-token", "data": {}}', "application/json"),
        ('{"token": "sandbox-token", "data": [5]}', "application/json"),
        ('{"token": "sandbox-token", "data": [{}], "skip_triggers": "yes"}', "application/json"),
    ],
)
def test_bodies_that_are_none(server: SandboxServer, body: str, kind: str) -> None:
    assert post(server, body, **{"Content-Type": kind})["error"] == 400


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ({"custom_fields": {}}, "custom_fields must be a list"),
        ({"custom_fields": [{"external_id": "f", "name": "F"}]}, "custom_fields[0]: required is missing"),
        ({"custom_line_statuses": [{"external_id": "s", "name": "S", "type": "new"}]}, "type is none"),
    ],
)
def test_bad_definitions(server: SandboxServer, request_: dict[str, Any], told: str) -> None:
    answer = send(server, ORDER, **request_)
    assert answer["error"] == 400
    assert told in answer["error_text"]


def test_good_definitions(server: SandboxServer) -> None:
    field = {
        "external_id": "f",
        "name": "F",
        "entity_type": "order",
        "required": False,
        "value_type": "enum",
        "default_value": "a",
        "enum_values": {"a": "A"},
    }
    status = {"external_id": "s", "name": "S", "type": "in_process"}
    assert send(server, ORDER, custom_fields=[field], custom_line_statuses=[status])["error"] == 0


def test_a_large_body_is_refused(server: SandboxServer) -> None:
    assert send(server, order(tags=["x" * 10_000_000]))["error"] == 400
    assert server.client.altcraft_orders() == []


@pytest.mark.parametrize(
    ("token", "header", "code"),
    [
        ("sandbox-token", None, 0),
        (None, "Bearer sandbox-token", 0),
        (None, "sandbox-token", 0),
        (None, None, 401),
        ("another", None, 401),
        (None, "OAuth sandbox-token", 401),
        ("sandbox-read-token", None, 403),
    ],
)
def test_tokens(server: SandboxServer, token: str | None, header: str | None, code: int) -> None:
    headers = {"Authorization": header} if header else {}
    request = {"data": [ORDER], **({"token": token} if token else {})}
    assert post(server, request, **headers)["error"] == code


def test_a_token_in_the_address_is_none_and_is_not_logged(server: SandboxServer) -> None:
    assert post(server, {"data": [ORDER]}, path="import?token=sandbox-token")["error"] == 401
    assert "sandbox-token" not in str(server.client.requests())


def test_a_failing_batch_of_many_stays_readable(server: SandboxServer) -> None:
    text = send(server, *(order(external_id=str(n), currency="XXX") for n in range(50)))["error_text"]
    assert "data[9]" in text
    assert "and 40 more" in text
    assert "data[10]" not in text
