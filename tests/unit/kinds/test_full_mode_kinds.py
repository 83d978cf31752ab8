# SPDX-License-Identifier: Apache-2.0
"""Orders and contacts of the full mode: columns, documents, rules."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.metrica.kinds import CONTACTS, ORDERS, row_kind
from airflow_provider_yandex_orders.rows.formats import FileFormat, csv_format, json_format
from airflow_provider_yandex_orders.rows.identifiers import hash_of
from airflow_provider_yandex_orders.rows.kind import RowKind
from tests.unit.unit_support import BERLIN, check_row, contact, faults_of, full_order

SAMPLE = Path(__file__).with_name("orders_sample.json")

# The tables of https://yandex.ru/dev/metrika/en/data-import/orders-data and .../contacts-data , in their order.
ORDER_COLUMNS = (
    "id,client_uniq_id,client_type,create_date_time,order_status,update_date_time,finish_date_time,"
    "revenue,cost,currency,products,goals"
)
CONTACT_COLUMNS = "uniq_id,name,create_date_time,update_date_time,client_ids,emails,phones,emails_md5,phones_md5"
# Those of .../openapi/schema/uploadContactJson_1 , as far as they are described.
CONTACT_FIELDS = (
    "uniq_id,name,birth_date,create_date_time,update_date_time,client_ids,user_ids,emails,phones,emails_md5,phones_md5"
)


def written(kind: RowKind, form: FileFormat, *rows: dict[str, Any], **changes: Any) -> bytes:
    lines = []
    for row in rows:
        checked = check_row(kind, row, **changes)
        assert not checked.faults + checked.dropped
        lines.append(form.encode(checked.values))
    return form.head + form.between.join(lines) + form.tail


def document(kind: RowKind, *rows: dict[str, Any], **changes: Any) -> Any:
    content = written(kind, json_format(kind), *rows, **changes)
    return json.loads(content, parse_float=Decimal)[kind.name]


# --- orders --------------------------------------------------------------------------------------------------------


def test_columns_of_orders() -> None:
    assert csv_format(ORDERS.in_csv(), ";").head.decode() == ORDER_COLUMNS.replace(",", ";") + "\n"
    assert csv_format(ORDERS.in_csv()).head.decode() == ORDER_COLUMNS + "\n"


def test_the_vendors_orders_make_the_vendors_document() -> None:
    sample = json.loads(SAMPLE.read_text())
    assert len(sample["orders"]) == 2
    content = written(ORDERS, json_format(ORDERS), *sample["orders"])
    assert json.loads(content) == sample


@pytest.mark.parametrize(
    "forms",
    [
        {"goals": "goal_id1:123.5", "products": "pear:10,apple:30", "revenue": "5000", "cost": Decimal(4000)},
        {"goals": ["goal_id1:123.5"], "products": '{"pear": 10, "apple": 30}', "revenue": 5000, "cost": 4000},
        {"goals": '[{"goal_action_id": "goal_id1", "price": 123.5}]', "client_type": None, "id": 704},
        {"create_date_time": "21.09.2022 09:48:23", "update_date_time": "2022-10-15T10:48:34+03:00"},
        {"client_type": "contact"},
    ],
)
def test_other_forms_of_the_vendors_order_make_the_same(forms: dict[str, Any]) -> None:
    (order, _) = json.loads(SAMPLE.read_text())["orders"]
    assert document(ORDERS, order | forms) == document(ORDERS, order)


def test_an_order_as_json() -> None:
    row = full_order(
        revenue="1500.50",
        cost=0,
        currency="rub",
        finish_date_time="2025-03-05T00:00:00Z",
        products="pear:1",
        goals="call_ok:300,lead_ok",
    )
    assert written(ORDERS, json_format(ORDERS), row).decode() == (
        '{"orders":[{"id":"A-1","client_uniq_id":"C-1","client_type":"CONTACT",'
        '"create_date_time":"2025-03-04 15:20:00","order_status":"PAID","finish_date_time":"2025-03-05 03:00:00",'
        '"revenue":1500.50,"cost":0,"currency":"RUB","products":{"pear":1},'
        '"goals":[{"goal_action_id":"call_ok","price":300},{"goal_action_id":"lead_ok"}]}]}'
    )


def test_an_order_as_csv() -> None:
    row = full_order(revenue="1500.50", products={"pear": 1, "apple": 2}, goals=["call_ok:300", "lead_ok"])
    assert written(ORDERS.in_csv(), csv_format(ORDERS.in_csv(), ";"), row).decode().splitlines()[1] == (
        "A-1;C-1;CONTACT;2025-03-04 15:20:00;PAID;;;1500.50;;;pear:1,apple:2;call_ok:300,lead_ok"
    )
    assert written(ORDERS.in_csv(), csv_format(ORDERS.in_csv()), row).decode().splitlines()[1] == (
        'A-1,C-1,CONTACT,2025-03-04 15:20:00,PAID,,,1500.50,,,"pear:1,apple:2","call_ok:300,lead_ok"'
    )


@pytest.mark.parametrize("field", ["id", "client_uniq_id", "create_date_time", "order_status"])
def test_what_an_order_cannot_do_without(field: str) -> None:
    assert faults_of(ORDERS, full_order(**{field: None})) == [(field, "missing")]
    assert faults_of(ORDERS, full_order(**{field: " "})) == [(field, "missing")]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"client_type": "COMPANY"}, ("client_type", "bad_choice")),
        ({"order_status": "in work"}, ("order_status", "unknown_status")),
        ({"products": "pear"}, ("products", "bad_products")),
        ({"products": '[{"pear": 1}]'}, ("products", "bad_products")),
        ({"goals": "g:x"}, ("goals", "not_a_number")),
        ({"goals": '{"goal_action_id": "g"}'}, ("goals", "bad_list")),
        ({"revenue": -1}, ("revenue", "negative")),
        ({"finish_date_time": "1741089600"}, ("finish_date_time", "unix_time")),
        ({"client_uniq_id": 5.0}, ("client_uniq_id", "float_id")),
    ],
)
def test_faults_of_orders(changes: dict[str, Any], fault: tuple[str, str]) -> None:
    assert faults_of(ORDERS, full_order(**changes)) == [fault]


def test_rules_of_orders() -> None:
    assert (ORDERS.key, ORDERS.owner, ORDERS.owner_limit) == (("id",), "client_uniq_id", 100_000)
    result = check_row(ORDERS, full_order())
    assert (result.key, result.label, result.notes) == ("A-1", "A-1", [])  # the one client_type is not worth a note
    assert result.values["client_type"] == "CONTACT"
    mapped = check_row(ORDERS, full_order(order_status="Оплачен"), status_map={"Оплачен": "my:paid"})
    assert mapped.values["order_status"] == "my:paid"


def test_attributes_are_columns_after_the_fields() -> None:
    kind = row_kind("csv", {"level": "level", "vip": "vip"}, ORDERS)
    head, line = (
        written(kind, csv_format(kind), full_order(level=Decimal("7.50"), vip=True, other="x")).decode().splitlines()
    )
    assert head == f"{ORDER_COLUMNS},level,vip"
    assert line.endswith(",,,7.50,true")
    assert [field.name for field in ORDERS.fields] == [
        *ORDER_COLUMNS.split(","),
        "user_comment",
    ]  # the declaration itself stays


def test_attributes_stand_inside_an_object_of_a_document() -> None:
    kind = row_kind("json", {"level": "level", "vip": "vip", "tags": "tags"}, ORDERS)
    body = json.loads(written(kind, json_format(kind), full_order(level=Decimal("7.50"), tags=["a", 5])))
    (row,) = body["orders"]
    assert row["attribute_values"] == {"level": ["7.50"], "tags": ["a", "5"]}
    assert "level" not in row
    (plain,) = json.loads(written(kind, json_format(kind), full_order()))["orders"]
    assert "attribute_values" not in plain


# --- contacts ------------------------------------------------------------------------------------------------------


def test_columns_of_contacts() -> None:
    assert csv_format(CONTACTS.in_csv()).head.decode() == CONTACT_COLUMNS + "\n"
    assert [field.name for field in CONTACTS.sent_fields] == [*CONTACT_FIELDS.split(","), "user_comment"]


FULL = {
    "uniq_id": 7,
    "name": " Анна ",
    "birth_date": "04.03.1985",
    "create_date_time": "2025-03-04T12:00:00Z",
    "update_date_time": "05.03.2025 00:00",
    "client_ids": 1700000000123456789,
    "user_ids": ["u1", "u2"],
    "emails": "A@example.com, b@example.com",
    "phones": "8 999 000-00-00",
    "emails_md5": hash_of("c@example.com"),
    "phones_md5": [],
}


def test_a_contact_as_json() -> None:
    assert document(CONTACTS, FULL) == [
        {
            "uniq_id": "7",
            "name": "Анна",
            "birth_date": "1985-03-04",
            "create_date_time": "2025-03-04 15:00:00",
            "update_date_time": "2025-03-05 00:00:00",
            "client_ids": ["1700000000123456789"],
            "user_ids": ["u1", "u2"],
            "emails": ["a@example.com", "b@example.com"],
            "phones": ["79990000000"],
            "emails_md5": [hash_of("c@example.com")],
        }
    ]
    assert list(document(CONTACTS, FULL)[0]) == CONTACT_FIELDS.split(",")[:-1]


def test_a_contact_as_csv() -> None:
    kind = CONTACTS.in_csv()
    (row,) = csv.DictReader(io.StringIO(written(kind, csv_format(kind), FULL).decode()))
    assert row == {
        "uniq_id": "7",
        "name": "Анна",
        "create_date_time": "2025-03-04 15:00:00",
        "update_date_time": "2025-03-05 00:00:00",
        "client_ids": "1700000000123456789",
        "emails": "a@example.com,b@example.com",
        "phones": "79990000000",
        "emails_md5": hash_of("c@example.com"),
        "phones_md5": "",
    }


def test_a_hashed_contact_has_no_clear_identifiers() -> None:
    (row,) = document(CONTACTS, FULL, hash_identifiers=True)
    assert not {"emails", "phones"} & set(row)
    assert row["emails_md5"] == [hash_of(f"{name}@example.com") for name in "cab"]
    assert row["phones_md5"] == [hash_of("79990000000")]


def test_a_contact_needs_nothing_but_its_id() -> None:
    assert document(CONTACTS, {"uniq_id": "C-1"}) == [{"uniq_id": "C-1"}]
    assert faults_of(CONTACTS, contact(uniq_id=None)) == [("uniq_id", "missing")]


def test_what_a_customer_mistyped_is_dropped_from_a_contact() -> None:
    result = check_row(CONTACTS, contact(emails="nonsense", phones="5"))
    assert not result.faults
    assert [(fault.column, fault.code) for fault in result.dropped] == [
        ("emails", "bad_email"),
        ("phones", "bad_phone"),
    ]
    assert json_format(CONTACTS).encode(result.values) == b'{"uniq_id":"C-1","name":"Anna Plantova"}'


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"birth_date": "1960"}, ("birth_date", "unix_time")),
        ({"client_ids": 1.7e18}, ("client_ids", "float_id")),
        ({"user_ids": [1.5]}, ("user_ids", "float_id")),
        ({"emails": "{a@example.com,b@example.com}"}, ("emails", "bad_list")),
        ({"create_date_time": "1969-01-01 00:00"}, ("create_date_time", "before_1970")),
    ],
)
def test_faults_of_contacts(changes: dict[str, Any], fault: tuple[str, str]) -> None:
    assert faults_of(CONTACTS, contact(**changes)) == [fault]


# --- zones ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "good"), [(ORDERS, full_order()), (CONTACTS, contact())])
def test_dates_are_those_of_the_counters_zone(kind: RowKind, good: dict[str, Any]) -> None:
    dates = {"create_date_time": "2025-07-01 12:00", "update_date_time": "2025-07-01T12:00:00Z"}
    (row,) = document(kind, good | dates, source_zone=BERLIN)
    assert (row["create_date_time"], row["update_date_time"]) == ("2025-07-01 13:00:00", "2025-07-01 15:00:00")
