# SPDX-License-Identifier: Apache-2.0
"""Customers and orders of the full mode: which files and documents pass, and how the others are refused."""

import json
from collections.abc import Iterator

import pytest
import requests

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings
from tests.sandbox.metrica_calls import HEADERS, failed, notes_of, passed, refused, send_csv, send_json

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

# The vendor's own sample: https://yandex.com/dev/metrika/en/management/openapi/schema/uploadOrdersJson_1
VENDOR_SAMPLE = """\
{"orders": [
  {"id": "704", "client_uniq_id": "J3QQ4-H7H2V-2HCH4-M3HK8-6M8VW", "client_type": "CONTACT",
   "order_status": "IN_PROGRESS", "create_date_time": "2022-09-21 09:48:23", "update_date_time": "2022-10-15 10:48:34",
   "cost": 4000, "revenue": 5000,
   "goals": [{"goal_action_id": "goal_id1", "price": 123.5}], "products": {"pear": 10, "apple": 30}},
  {"id": "706", "client_uniq_id": "ZYX4-H7H2V-2HCH4-M3HK8-6M8VW", "client_type": "CONTACT", "order_status": "PAID",
   "create_date_time": "2022-09-30 10:48:23", "cost": 10000, "revenue": 13000,
   "goals": [{"goal_action_id": "goal_id2", "price": 123.5}], "products": {"apple": 30, "cherry": 20}}
]}
"""


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxServer]:
    settings = SandboxSettings(
        processing_seconds=0, columns_mapping_required=False, max_upload_bytes=100_000, max_orders_per_customer=3
    )
    with SandboxServer(settings) as server:
        yield server


@pytest.fixture
def server(running: SandboxServer) -> SandboxServer:
    running.client.reset()
    return running


def test_vendor_sample_passes_unchanged(server: SandboxServer) -> None:
    answer = passed(send_json(server, "orders", VENDOR_SAMPLE))

    assert answer["elements_count"] == 2
    assert (answer["entity_type"], answer["uploading_format"], answer["uploading_source"]) == ("SYSTEM", "JSON", "API")
    first, second = server.client.orders(101, kind="orders")
    assert first["goals"] == ["goal_id1:123.5"]
    assert first["products"] == ["pear:10", "apple:30"]
    assert (first["revenue"], first["cost"], first["currency"]) == ("5000", "4000", "RUB")
    assert (first["update_date_time"], second["update_date_time"]) == ("2022-10-15 10:48:34", None)
    notes = notes_of(server)
    assert notes["orders_without_contact"]["count"] == 2
    assert notes["unknown_goals"]["examples"] == ["goal_id1", "goal_id2"]
    assert notes["unlisted_products"]["examples"] == ["apple", "cherry", "pear"]


def test_contacts_in_both_formats_are_the_same(server: SandboxServer) -> None:
    as_csv = (
        "uniq_id,name,create_date_time,update_date_time,client_ids,emails,phones,emails_md5,phones_md5\n"
        f'C-1,Ivan,04.03.2025 15:20,{MOMENT},"1,2","a@x.example,b@x.example",79990000000,{"a" * 32},\n'
    )
    as_json = {
        "uniq_id": "C-1",
        "name": "Ivan",
        "create_date_time": MOMENT,
        "update_date_time": MOMENT,
        "client_ids": ["1", 2],
        "emails": ["a@x.example", "b@x.example"],
        "phones": ["79990000000"],
        "emails_md5": ["a" * 32],
        "phones_md5": [],
    }
    answer = passed(send_csv(server, "contacts", as_csv))
    assert (answer["entity_type"], answer["uploading_format"], answer["elements_count"]) == ("SYSTEM", "CSV", 1)
    (from_csv,) = server.client.contacts(101)
    server.client.reset()
    passed(send_json(server, "contacts", [as_json]))
    (from_json,) = server.client.contacts()

    assert {**from_csv, "upload_ids": []} == {**from_json, "upload_ids": []}
    assert from_json["client_ids"] == ["1", "2"]


def test_orders_in_both_formats_are_the_same(server: SandboxServer) -> None:
    as_csv = (
        "id;client_uniq_id;client_type;order_status;create_date_time;revenue;cost;currency;products;goals\n"
        f"704;C-1;CONTACT;Won, at last;{MOMENT};10.50;3;EUR;Red pear:2,a:b:1;g:300,h\n"
    )
    as_json = {
        **ORDER,
        "order_status": "Won, at last",
        "currency": "EUR",
        "cost": 3,
        "products": {"Red pear": 2, "a:b": 1},
        "goals": [{"goal_action_id": "g", "price": 300}, {"goal_action_id": "h"}],
    }
    passed(send_csv(server, "orders", as_csv, delimiter_type="SEMICOLON"))
    (from_csv,) = server.client.orders(kind="orders")
    server.client.reset()
    text = json.dumps({"orders": [{**as_json, "revenue": 0}]}).replace('"revenue": 0', '"revenue": 10.50')
    passed(send_json(server, "orders", text))
    (from_json,) = server.client.orders(kind="orders")

    assert {**from_csv, "upload_ids": []} == {**from_json, "upload_ids": []}
    assert (from_json["revenue"], from_json["products"]) == ("10.50", ["Red pear:2", "a:b:1"])


def test_kinds_are_told_apart(server: SandboxServer) -> None:
    passed(send_json(server, "contacts", [CONTACT]))
    passed(send_json(server, "orders", [ORDER]))

    assert server.client.orders() == []
    assert len(server.client.orders(kind="orders")) == len(server.client.contacts()) == 1
    assert [upload["kind"] for upload in server.client.uploads()] == ["orders", "contacts"]
    assert [upload["kind"] for upload in server.client.uploads(kind="contacts")] == ["contacts"]
    summary = server.client.summary(101)
    assert summary["orders"] == 0
    assert summary["kinds"]["contacts"]["contacts"] == 1
    assert summary["kinds"]["orders"]["orders"] == 1
    assert summary["kinds"]["orders"]["by_status"] == {"PAID": 1}
    assert summary["kinds"]["orders"]["orders_without_contact"] == 0
    assert notes_of(server) == {}


def test_uploads_are_listed_with_their_types(server: SandboxServer) -> None:
    passed(send_json(server, "contacts", [CONTACT]))
    passed(send_csv(server, "orders", ORDER_CSV))

    url = f"{server.url}/cdp/api/v1/counter/101/last_uploadings"
    listed = requests.get(url, headers=HEADERS, timeout=30).json()["uploadings"]
    assert [(each["entity_type"], each["uploading_format"]) for each in listed] == [
        ("SYSTEM", "CSV"),
        ("SYSTEM", "JSON"),
    ]


def test_notes_on_orders(server: SandboxServer) -> None:
    header = "id,client_uniq_id,client_type,order_status,create_date_time,goals\n"
    content = header + f'A,C,CONTACT,call ok?,{MOMENT},"g,h"\nB,C,CONTACT,SPAM,{MOMENT},\n'
    passed(send_csv(server, "orders", content))

    notes = notes_of(server)
    assert notes["unmapped_statuses"]["examples"] == ["call ok?"]
    assert notes["orders_without_contact"]["count"] == 2
    assert notes["lists_in_comma_file"]["count"] == 1

    semicolons = content.replace('"', "").replace(",", ";").replace("g;h", "g,h")
    passed(send_csv(server, "orders", semicolons, delimiter_type="SEMICOLON"))
    assert server.client.orders(kind="orders")[0]["goals"] == ["g", "h"]
    assert "lists_in_comma_file" not in notes_of(server)


def test_contact_without_identifiers_is_noted(server: SandboxServer) -> None:
    passed(send_json(server, "contacts", [{"uniq_id": "C"}, {"uniq_id": "D", "user_ids": ["u 1"]}]))

    assert notes_of(server)["contacts_without_identifiers"]["count"] == 1
    assert server.client.contacts()[1]["user_ids"] == ["u 1"]


@pytest.mark.parametrize("path", ["orders/csv", "orders/json", "contacts/csv", "contacts/json"])
def test_merge_mode_and_rights(server: SandboxServer, path: str) -> None:
    url = f"{server.url}/cdp/api/v1/counter/101/data/{path}"
    assert refused(requests.post(url, headers=HEADERS, timeout=30)) == ("missing_parameter", "merge_mode")
    answer = requests.post(f"{url}?merge_mode=save", headers=HEADERS, timeout=30)
    assert refused(answer) == ("invalid_parameter", "merge_mode")
    reader = {"Authorization": "OAuth sandbox-read-token"}
    assert requests.post(f"{url}?merge_mode=SAVE", headers=reader, timeout=30).status_code == 403
    foreign = url.replace("/101/", "/102/")
    assert requests.post(f"{foreign}?merge_mode=SAVE", headers=HEADERS, timeout=30).status_code == 403


def test_columns_mapping(server: SandboxServer) -> None:
    content = f"number,who,client_type,state,create_date_time\n704,C-1,CONTACT,PAID,{MOMENT}\n"
    mapping = '"id":"number","client_uniq_id":"who","order_status":"state"'

    passed(send_csv(server, "orders", content, columns_mapping=mapping))

    (order,) = server.client.orders(kind="orders")
    assert (order["id"], order["client_uniq_id"], order["order_status"]) == ("704", "C-1", "PAID")


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        ("id:number", ("invalid_parameter", "columns_mapping")),
        ('"id":"number";"order_status":"state"', ("invalid_parameter", "columns_mapping")),
        ('"id":"number",', ("invalid_parameter", "columns_mapping")),
        ('"id": "number"', ("invalid_parameter", "columns_mapping")),
        ('"id":""', ("invalid_parameter", "columns_mapping")),
        ('"id":"a","id":"b"', ("invalid_parameter", "columns_mapping")),
        ('"id":"a","order_status":"a"', ("invalid_parameter", "columns_mapping")),
        ('"order_number":"id"', ("invalid_parameter", "columns_mapping")),
        ('"revenue":"money"', ("invalid_uploading", "file")),
        ('"revenue":"id"', ("invalid_uploading", "file")),
        ('"client_uniq_id":"id"', ("invalid_uploading", "file")),
    ],
)
def test_columns_mapping_is_checked(server: SandboxServer, mapping: str, expected: tuple[str, str]) -> None:
    assert refused(send_csv(server, "orders", ORDER_CSV, columns_mapping=mapping)) == expected


def test_orders_of_one_customer_are_limited(server: SandboxServer) -> None:
    for number in range(3):
        passed(send_json(server, "orders", [{**ORDER, "id": str(number)}]))

    passed(send_json(server, "orders", [{**ORDER, "id": "0"}, {**ORDER, "id": "9", "client_uniq_id": "C-2"}]))
    (error,) = failed(send_json(server, "orders", [{**ORDER, "id": "4"}]))
    assert "C-1" not in error
    failed(send_json(server, "orders", [{**ORDER, "id": "9"}]))
    assert len(server.client.orders(kind="orders")) == 4
    passed(send_json(server, "orders", [{**ORDER, "id": "0", "client_uniq_id": "C-2"}]))
    passed(send_json(server, "orders", [{**ORDER, "id": "4"}]))


def test_customers_sent_later_settle_the_note(server: SandboxServer) -> None:
    passed(send_json(server, "orders", [ORDER]))
    assert server.client.summary()["kinds"]["orders"]["orders_without_contact"] == 1

    passed(send_json(server, "contacts", [CONTACT]))
    assert server.client.summary()["kinds"]["orders"]["orders_without_contact"] == 0


def test_crm_goals_come_with_the_first_upload(server: SandboxServer) -> None:
    passed(send_json(server, "contacts", [CONTACT]))

    goals = requests.get(f"{server.url}/management/v1/counter/101/goals", headers=HEADERS, timeout=30).json()["goals"]
    assert len(goals) == 4


def test_columns_mapping_is_required(server: SandboxServer) -> None:
    server.client.change_settings(columns_mapping_required=True)

    assert refused(send_csv(server, "orders", ORDER_CSV)) == ("missing_parameter", "columns_mapping")
    passed(send_csv(server, "orders", ORDER_CSV, columns_mapping='"id":"id"'))
    passed(send_json(server, "contacts", [CONTACT]))


def test_uploads_with_another_end_than_they_began(server: SandboxServer) -> None:
    def upload(number: int, **settings: float) -> str:
        server.client.change_settings(**settings)
        answer = passed(send_json(server, "contacts", [{"uniq_id": f"C-{number}"}]))
        server.client.change_settings(**dict.fromkeys(settings, 0))
        return str(answer["uploading_id"])

    plain = upload(1)
    failing = upload(2, uploads_fail_later=True)
    upload(3, uploads_never_listed=True)
    upload(4, listing_lag_seconds=3600)

    url = f"{server.url}/cdp/api/v1/counter/101/last_uploadings"
    listed = requests.get(url, headers=HEADERS, timeout=30).json()["uploadings"]
    assert [(each["uploading_id"], each["api_validation_status"]) for each in listed] == [
        (failing, "FAILED"),
        (plain, "PASSED"),
    ]
    assert len(listed[0]["api_validation_errors"]) == 1
    assert [contact["uniq_id"] for contact in server.client.contacts()] == ["C-1", "C-3", "C-4"]
    assert [each["listed"] for each in server.client.uploads()] == [False, False, True, True]
