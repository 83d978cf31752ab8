# SPDX-License-Identifier: Apache-2.0
"""Customers and orders of the full mode: which fields and documents are refused."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings
from tests.sandbox.metrica_calls import HEADERS, failed, passed, refused, send_csv, send_json

MOMENT = "2025-03-04 15:20:00"
ORDER = {
    "id": "704",
    "client_uniq_id": "C-1",
    "client_type": "CONTACT",
    "order_status": "PAID",
    "create_date_time": MOMENT,
}
CONTACT = {"uniq_id": "C-1", "emails": ["a@x.example"]}
ORDER_CSV = f"id,client_uniq_id,client_type,order_status,create_date_time\n704,C-1,CONTACT,PAID,{MOMENT}\n"


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxServer]:
    settings = SandboxSettings(processing_seconds=0, columns_mapping_required=False, max_upload_bytes=100_000)
    with SandboxServer(settings) as server:
        yield server


@pytest.fixture
def server(running: SandboxServer) -> SandboxServer:
    running.client.reset()
    return running


@pytest.mark.parametrize("name", ["id", "client_uniq_id", "client_type", "order_status", "create_date_time"])
def test_required_fields_of_an_order(server: SandboxServer, name: str) -> None:
    (error,) = failed(send_json(server, "orders", [ORDER, {key: value for key, value in ORDER.items() if key != name}]))
    assert error.startswith(f"row 2, column {name}: ")
    (error,) = failed(send_json(server, "orders", [{**ORDER, name: ""}]))
    assert error.startswith(f"row 1, column {name}: ")

    cells = {**ORDER, name: ""}
    (error,) = failed(send_csv(server, "orders", f"{','.join(cells)}\n{','.join(cells.values())}\n"))
    assert error.startswith(f"line 2, column {name}: ")
    del cells[name]
    response = send_csv(server, "orders", f"{','.join(cells)}\n{','.join(cells.values())}\n")
    assert refused(response) == ("invalid_uploading", "file")
    assert server.client.orders(kind="orders") == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", 704),
        ("id", None),
        ("client_type", "COMPANY"),
        ("client_type", "contact"),
        ("create_date_time", "2025-03-04T15:20:00Z"),
        ("create_date_time", "2025-03-04T15:20:00.000Z"),
        ("create_date_time", "2025-03-04 15:20"),
        ("create_date_time", "04.03.2025 15:20:00"),
        ("create_date_time", "2025-03-04"),
        ("create_date_time", "2025-02-30 15:20:00"),
        ("create_date_time", "1969-12-31 15:20:00"),
        ("create_date_time", 1741090807),
        ("finish_date_time", "2025-03-04"),
        ("revenue", "100"),
        ("revenue", -1),
        ("revenue", True),
        ("revenue", None),
        ("cost", [1]),
        ("currency", "rub"),
        ("goals", ["g"]),
        ("goals", {"g": 1}),
        ("goals", "g:300"),
        ("goals", [{"price": 1}]),
        ("goals", [{"goal_action_id": 5}]),
        ("goals", [{"goal_action_id": "g", "price": "1"}]),
        ("goals", [{"goal_action_id": "g", "price": None}]),
        ("goals", [{"goal_action_id": "g", "name": "x"}]),
        ("goals", [{"goal_action_id": "g,h"}]),
        ("goals", [{"goal_action_id": "g:1"}]),
        ("products", 5),
        ("products", ["pear:10"]),
        ("products", {"pear": "10"}),
        ("products", {"pear": 1.5}),
        ("products", {"pear": -1}),
        ("products", {"": 1}),
        ("products", {"a,b": 1}),
        ("revenue", 9223372036855),
        ("cost", 9223372036854.01),
        ("goals", [{"goal_action_id": f"g{number}"} for number in range(101)]),
        ("user_comment", "x" * 1001),
        ("attribute_values", [["size", "L"]]),
        ("attribute_values", {"size": "L"}),
        ("attribute_values", "L"),
        ("attribute_values", [{"size": "L"}]),
        ("secret-name", "x"),
    ],
)
def test_bad_field_of_an_order(server: SandboxServer, name: str, value: Any) -> None:
    (error,) = failed(send_json(server, "orders", [{**ORDER, name: value}]))

    assert error.startswith(f"row 1, column {name}: must be" if name in ORDER or "unknown" not in error else "row 1: ")
    assert "secret-name" not in error
    assert server.client.orders(kind="orders") == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("uniq_id", 7),
        ("birth_date", "2025-03-04 15:20:00"),
        ("birth_date", "04.03.1985"),
        ("client_ids", "123"),
        ("client_ids", ["12a"]),
        ("client_ids", [1.5]),
        ("client_ids", ["1", 1]),
        ("client_ids", [True]),
        ("client_ids", list(range(501))),
        ("emails", ["a@x.example", "a@x.example"]),
        ("emails", [f"a{number}@x.example" for number in range(51)]),
        ("phones_md5", ["a" * 32] * 2),
        ("user_comment", "x" * 1001),
        ("emails", ["Mail@x.example"]),
        ("emails", ["a@x.example,b@x.example"]),
        ("emails", [None]),
        ("emails", [""]),
        ("phones", [79990000000]),
        ("phones", ["+79990000000"]),
        ("emails_md5", ["A" * 32]),
        ("name", ["Ivan"]),
        ("name", "\ud800"),
        ("email", "a@x.example"),
    ],
)
def test_bad_field_of_a_contact(server: SandboxServer, name: str, value: Any) -> None:
    response = send_json(server, "contacts", [{**CONTACT, name: value}])

    if value == "\ud800":
        assert refused(response)[0] == "invalid_json"
    else:
        (error,) = failed(response)
        assert error.startswith(("row 1, column ", "row 1: unknown fields, by number from the left: 3"))
    assert server.client.contacts() == []


def test_good_fields_that_csv_lacks(server: SandboxServer) -> None:
    contact = {**CONTACT, "birth_date": "1985-03-04", "user_ids": ["u"], "company_uniq_id": "K", "user_comment": "-"}
    passed(send_json(server, "contacts", [contact]))
    assert server.client.contacts()[0]["birth_date"] == "1985-03-04"

    for name in ("birth_date", "user_ids", "company_uniq_id", "user_comment"):
        assert refused(send_csv(server, "contacts", f"uniq_id,{name}\nC,1\n")) == ("invalid_uploading", "file")


def test_one_bad_row_keeps_the_good_ones_out(server: SandboxServer) -> None:
    errors = failed(send_json(server, "orders", [ORDER, "x", {**ORDER, "id": "705", "revenue": "1", "cost": "2"}]))

    assert [error.partition(":")[0] for error in errors] == ["row 2", "row 3, column revenue", "row 3, column cost"]
    assert server.client.orders(kind="orders") == []
    assert server.client.uploads()[0]["elements_count"] == 3


@pytest.mark.parametrize(
    ("body", "error_type"),
    [
        ("", "invalid_json"),
        ("{", "invalid_json"),
        ('{"orders": [{"revenue": NaN}]}', "invalid_json"),
        ("\ufeff{}".encode(), "invalid_json"),
        ("{}".encode("utf-16"), "invalid_json"),
        ("[" * 100_000, "invalid_json"),
        ("[]", "invalid_uploading"),
        ("{}", "invalid_uploading"),
        ('{"orders": {}}', "invalid_uploading"),
        ('{"orders": []}', "invalid_uploading"),
        ('{"contacts": [{"uniq_id": "C"}]}', "invalid_uploading"),
        ('{"orders": [{}], "more": 1}', "invalid_uploading"),
        ('{"orders": ["' + "x" * 100_000 + '"]}', "invalid_uploading"),
    ],
)
def test_document_that_is_no_upload_is_refused_whole(server: SandboxServer, body: str | bytes, error_type: str) -> None:
    assert refused(send_json(server, "orders", body))[0] == error_type
    assert server.client.uploads() == []


def test_json_must_call_itself_json(server: SandboxServer) -> None:
    url = f"{server.url}/cdp/api/v1/counter/101/data/orders/json?merge_mode=SAVE"
    assert (
        refused(requests.post(url, headers=HEADERS, data=json.dumps({"orders": [ORDER]}), timeout=30))[0]
        == "invalid_json"
    )
