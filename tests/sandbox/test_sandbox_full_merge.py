# SPDX-License-Identifier: Apache-2.0
"""What a second arrival of a customer or an order of the full mode does to the stored one."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings
from tests.sandbox.metrica_calls import HEADERS, failed, notes_of, passed, refused, send_csv, send_json

ORDER = {"id": "A", "client_uniq_id": "C", "client_type": "CONTACT", "order_status": "IN_PROGRESS"}


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxServer]:
    with SandboxServer(SandboxSettings(processing_seconds=0, columns_mapping_required=False)) as server:
        yield server


@pytest.fixture
def server(running: SandboxServer) -> SandboxServer:
    running.client.reset()
    return running


def send(server: SandboxServer, kind: str, mode: str, *rows: dict[str, Any]) -> None:
    passed(send_json(server, kind, list(rows), merge_mode=mode))


def add_attributes(server: SandboxServer, *attributes: dict[str, Any]) -> None:
    url = f"{server.url}/cdp/api/v1/counter/101/schema/attributes?entity_type=CONTACT"
    response = requests.post(url, headers=HEADERS, json={"attributes": attributes}, timeout=30)
    assert response.json() == {"success": True}


@pytest.mark.parametrize(
    ("mode", "emails", "phones", "name"),
    [
        ("SAVE", ["b@x.example", "c@x.example"], [], None),
        ("UPDATE", ["b@x.example", "c@x.example"], ["7999"], "Ivan"),
        ("APPEND", ["a@x.example", "b@x.example", "c@x.example"], ["7999"], "Ivan"),
    ],
)
def test_contacts(server: SandboxServer, mode: str, emails: list[str], phones: list[str], name: str | None) -> None:
    first = {"uniq_id": "C", "name": "Ivan", "emails": ["a@x.example", "b@x.example"], "phones": ["7999"]}
    send(server, "contacts", "SAVE", first, {"uniq_id": "D", "name": "Petr"})
    send(server, "contacts", mode, {"uniq_id": "C", "emails": ["b@x.example", "c@x.example"]})

    contact, other = server.client.contacts()
    assert (contact["emails"], contact["phones"], contact["name"]) == (emails, phones, name)
    assert (contact["times_received"], other["times_received"], other["name"]) == (2, 1, "Petr")


@pytest.mark.parametrize("mode", ["SAVE", "UPDATE", "APPEND"])
def test_required_fields_are_needed_in_every_mode(server: SandboxServer, mode: str) -> None:
    send(server, "orders", "SAVE", {**ORDER, "create_date_time": "2025-03-04 10:00:00"})
    send(server, "contacts", "SAVE", {"uniq_id": "C"})

    (error,) = failed(send_json(server, "orders", [ORDER], merge_mode=mode))
    assert error.startswith("row 1, column create_date_time: ")
    (error,) = failed(send_json(server, "contacts", [{"name": "Ivan"}], merge_mode=mode))
    assert error.startswith("row 1, column uniq_id: ")


def test_creation_date_of_a_contact_is_set_once(server: SandboxServer) -> None:
    send(server, "contacts", "SAVE", {"uniq_id": "C"})
    for day in ("2025-03-04 10:00:00", "2025-03-05 10:00:00"):
        send(server, "contacts", "SAVE", {"uniq_id": "C", "create_date_time": day})

    assert server.client.contacts()[0]["create_date_time"] == "2025-03-04 10:00:00"
    assert list(notes_of(server)) == ["contacts_without_identifiers", "create_date_time_kept"]


@pytest.mark.parametrize(
    ("mode", "products", "goals", "revenue"),
    [
        ("SAVE", ["pear:3", "fig:1"], [], None),
        ("UPDATE", ["pear:3", "fig:1"], ["g:5"], "100"),
        ("APPEND", ["pear:3", "apple:2", "fig:1"], ["g:5"], "100"),
    ],
)
def test_orders(server: SandboxServer, mode: str, products: list[str], goals: list[str], revenue: str | None) -> None:
    first = {
        **ORDER,
        "create_date_time": "2025-03-04 10:00:00",
        "revenue": 100,
        "products": {"pear": 1, "apple": 2},
        "goals": [{"goal_action_id": "g", "price": 5}],
    }
    second = {
        **ORDER,
        "create_date_time": "2025-03-09 10:00:00",
        "client_uniq_id": "D",
        "order_status": "PAID",
        "products": {"pear": 3, "fig": 1},
    }
    send(server, "orders", "SAVE", first)
    send(server, "orders", mode, second)

    (order,) = server.client.orders(kind="orders")
    assert (order["products"], order["goals"], order["revenue"]) == (products, goals, revenue)
    assert (order["client_uniq_id"], order["order_status"]) == ("D", "PAID")
    assert order["create_date_time"] == "2025-03-04 10:00:00"
    assert order["times_received"] == 2


@pytest.mark.parametrize(
    ("mode", "attributes"),
    [
        ("SAVE", {"size": "M", "tags": ["b", "c"]}),
        ("UPDATE", {"size": "M", "tags": ["b", "c"], "since": "2025-03-04"}),
        ("APPEND", {"size": "M", "tags": ["a", "b", "c"], "since": "2025-03-04"}),
    ],
)
def test_custom_attributes(server: SandboxServer, mode: str, attributes: dict[str, Any]) -> None:
    add_attributes(
        server,
        {"name": "size", "multivalued": False},
        {"name": "tags", "multivalued": True, "type_name": "text", "type_group": "PREDEFINED"},
        {"name": "since", "multivalued": False, "type_name": "date"},
    )
    passed(send_csv(server, "contacts", 'uniq_id,size,tags,since\nC,L,"a,b",04.03.2025\nD,,,\n'))
    passed(send_csv(server, "contacts", 'uniq_id,size,tags,since\nC,M,"b,c",\n', merge_mode=mode))

    contact, bare = server.client.contacts()
    assert contact["attributes"] == attributes
    assert bare["attributes"] == {}


def test_columns_of_attributes_must_be_created_first(server: SandboxServer) -> None:
    assert refused(send_csv(server, "contacts", "uniq_id,size\nC,L\n")) == ("invalid_uploading", "file")

    add_attributes(server, {"name": "size", "multivalued": False, "type_name": "numeric"})
    passed(send_csv(server, "contacts", "uniq_id,size\nC,42.5\n"))
    wrong = failed(send_csv(server, "contacts", "uniq_id,size\nC,L\n"))
    assert wrong == ["line 2, column size: must be a number with a point"]


def test_one_of_several_rows_of_a_contact_is_applied(server: SandboxServer) -> None:
    send(server, "contacts", "SAVE", *({"uniq_id": "C", "name": str(number)} for number in range(5)))

    (contact,) = server.client.contacts()
    assert contact["times_received"] == 5
    assert "duplicate_ids" in notes_of(server)
    assert server.client.summary()["kinds"]["contacts"]["contacts_received_more_than_once"] == 1


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param({"size": "L", "tag": ["a", "b"], "rank": 5, "none": []}, id="object"),
        pytest.param([["size", "L"], ["tag", "a", "b"], ["rank", "5"]], id="older list of lists"),
    ],
)
def test_custom_attributes_of_a_document(server: SandboxServer, sent: object) -> None:
    for name, multivalued in (("size", False), ("tag", True), ("rank", False), ("none", True)):
        add_attributes(server, {"name": name, "multivalued": multivalued})
    send(server, "contacts", "SAVE", {"uniq_id": "C", "attribute_values": sent})

    (contact,) = server.client.contacts()
    assert contact["attributes"] == {"size": "L", "tag": ["a", "b"], "rank": "5"}


@pytest.mark.parametrize(
    "sent", [{"size": ["L", "M"]}, {"unknown": "L"}, {"size": None}, {"age": "ten"}, [["size", {}]]]
)
def test_wrong_custom_attributes_of_a_document(server: SandboxServer, sent: object) -> None:
    add_attributes(server, {"name": "size", "multivalued": False})
    add_attributes(server, {"name": "age", "multivalued": False, "type_group": "PREDEFINED", "type_name": "numeric"})
    (error,) = failed(send_json(server, "contacts", [{"uniq_id": "C", "attribute_values": sent}]))

    assert error.startswith("row 1, column attribute_values: ")
    assert server.client.contacts() == []
