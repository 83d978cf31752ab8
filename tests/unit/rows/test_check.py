# SPDX-License-Identifier: Apache-2.0
"""Rows of simplified orders: what is sent, what is left out, what is rejected."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_yandex_orders.altcraft.kinds import ALTCRAFT_ORDERS
from airflow_provider_yandex_orders.metrica.kinds import CONTACTS, OFFLINE_CONVERSIONS, ORDERS, SIMPLE_ORDERS
from airflow_provider_yandex_orders.rows.cells import is_missing
from airflow_provider_yandex_orders.rows.check import RowChecker
from airflow_provider_yandex_orders.rows.faults import Checked
from airflow_provider_yandex_orders.rows.formats import csv_format, json_format
from airflow_provider_yandex_orders.rows.identifiers import hash_of
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.rows.reading import Reading
from tests.unit.unit_support import (
    BERLIN,
    VLADIVOSTOK,
    check_options,
    check_row,
    contact,
    conversion,
    faults_of,
    full_order,
    order,
    times,
)

MD5 = "3c56ff8fef0f6c65b36b2d25720fe276"


class NotATime(datetime):
    """What data frames put for a missing date: a datetime that is not equal to itself."""

    __hash__ = datetime.__hash__

    def __eq__(self, other: object) -> bool:
        return False

    def __ne__(self, other: object) -> bool:
        return True


EMPTY: list[Any] = [None, "", "  ", "\u00a0\t", float("nan"), NotATime(2025, 1, 1), [], (), {}, set()]


def checked(row: dict[str, Any], columns: dict[str, str] | None = None, **changes: Any) -> Checked:
    return check_row(SIMPLE_ORDERS, row, columns, **changes)


def faults(row: dict[str, Any], **changes: Any) -> list[tuple[str, str]]:
    return faults_of(SIMPLE_ORDERS, row, **changes)


def test_a_full_row() -> None:
    row = {
        "id": 1001,
        "create_date_time": "04.03.2025 15:20",
        "client_uniq_id": "C-7",
        "client_ids": "1700000000123456789",
        "emails": "B@example.com, a@example.com,b@example.com",
        "phones": ["8 999 000-00-00"],
        "emails_md5": MD5.upper(),
        "phones_md5": None,
        "order_status": "IN_PROGRESS",
        "revenue": "1500.50",
        "cost": 0,
        "goals": "call_ok:300,lead_ok",
        "currency": "rub",
        "update_date_time": "2025-03-05",
        "something_else": "x",
    }
    result = checked(row)
    assert (result.key, result.faults, result.dropped, result.notes) == ("1001", [], [], [])
    assert result.values == {
        "id": "1001",
        "create_date_time": "2025-03-04 15:20:00",
        "client_uniq_id": "C-7",
        "client_ids": ["1700000000123456789"],
        "emails": ["b@example.com", "a@example.com"],
        "phones": ["79990000000"],
        "emails_md5": [MD5],
        "order_status": "IN_PROGRESS",
        "revenue": Decimal("1500.50"),
        "cost": Decimal(0),
        "goals": [("call_ok", Decimal(300)), ("lead_ok", None)],
        "currency": "RUB",
    }
    assert result.version > checked({**row, "update_date_time": "2025-03-04 23:59"}).version


@pytest.mark.parametrize("empty", EMPTY, ids=repr)
@pytest.mark.parametrize("field", ["id", "create_date_time"])
def test_required_fields(field: str, empty: object) -> None:
    assert is_missing(empty)
    assert faults(order(**{field: empty})) == [(field, "missing")]


@pytest.mark.parametrize("value", [0, False, "0", [None], " x ", date(2025, 1, 1), Decimal(0)], ids=repr)
def test_not_missing(value: object) -> None:
    assert not is_missing(value)


def test_every_fault_of_a_row_is_told() -> None:
    row = order(id=None, create_date_time="soon", client_ids="1.3E+17", revenue="1,5", currency="BYR", goals="a b")
    assert [code for _, code in faults(row)] == [
        "missing",
        "bad_date",
        "float_id",
        "decimal_comma",
        "bad_goal",
        "old_currency",
    ]


def test_a_row_without_id_when_ids_are_not_required() -> None:
    result = checked(order(id=""), require_key=False)
    assert (result.faults, result.key) == ([], None)
    assert faults(order(id=1.5), require_key=False) == [("id", "float_id")]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("client_ids", "1700000000123456789"),
        ("emails", "a@b.ru"),
        ("phones", "79990000000"),
        ("emails_md5", MD5),
        ("phones_md5", MD5),
    ],
)
def test_one_identifier_of_the_five_is_enough(field: str, value: str) -> None:
    assert not faults({"id": "1", "create_date_time": "2025-01-01", field: value})


@pytest.mark.parametrize("empty", [*EMPTY, ",", [None, ""], "[]"], ids=repr)
def test_no_identifier(empty: object) -> None:
    row = order(**dict.fromkeys(SIMPLE_ORDERS.identifiers, empty))
    result = checked(row)
    assert [fault.code for fault in result.faults] == ["no_identifier"]
    assert all(name in result.faults[0].reason for name in SIMPLE_ORDERS.identifiers)


@pytest.mark.parametrize(
    ("field", "bad", "code"), [("emails", "nobody", "bad_email"), ("phones", "5551111", "bad_phone")]
)
def test_what_customers_mistype_is_dropped(field: str, bad: str, code: str) -> None:
    kept = checked(order(client_ids="1700000000123456789", emails=None) | {field: bad})
    assert kept.faults == []
    assert [(fault.column, fault.code) for fault in kept.dropped] == [(field, code)]
    assert not kept.values[field]

    alone = checked(order(emails=None) | {field: [bad, bad]})
    assert [fault.code for fault in alone.faults] == [code, code]
    assert alone.dropped == []


def test_the_good_elements_of_a_list_stay() -> None:
    result = checked(order(emails="nobody,a@example.com,a@", phones="79990000000,5"))
    assert result.values["emails"] == ["a@example.com"]
    assert result.values["phones"] == ["79990000000"]
    assert [fault.code for fault in result.dropped] == ["bad_email", "bad_email", "bad_phone"]


@pytest.mark.parametrize(
    ("field", "bad", "code"),
    [
        ("client_ids", "1700000000123456789,1.3E+17", "float_id"),
        ("client_ids", [5, "x"], "bad_client_id"),
        ("emails_md5", f"{MD5},{MD5[:-1]}", "bad_md5"),
        ("phones_md5", "79990000000", "bad_md5"),
        ("emails", '["a@example.com"', "bad_list"),
        ("goals", "g:-1", "negative"),
        ("revenue", "-1", "negative"),
        ("order_status", "paid", "status_spelling"),
        ("client_uniq_id", 5.0, "float_id"),
        ("update_date_time", "1741090800", "unix_time"),
    ],
)
def test_what_a_pipeline_breaks_is_rejected(field: str, bad: object, code: str) -> None:
    assert faults(order(client_ids="1700000000123456789") | {field: bad}) == [(field, code)]


def test_the_default_status_is_said_aloud() -> None:
    result = checked(order())
    assert result.values["order_status"] == "PAID"
    assert result.notes == ["default_order_status"]


def test_columns_are_mapped_and_named_as_the_source_does() -> None:
    columns = {"id": "order_no", "emails": "mail", "revenue": "sum"}
    row = {"order_no": "1", "create_date_time": "2025-01-01", "mail": "a@b.ru", "sum": "5", "id": "not this"}
    assert checked(row, columns).values["id"] == "1"
    result = checked({**row, "order_no": None, "sum": "5,0"}, columns)
    assert [(fault.column, fault.code) for fault in result.faults] == [
        ("order_no", "missing"),
        ("sum", "decimal_comma"),
    ]


def test_hashing() -> None:
    known = hash_of("b@example.com")
    row = order(emails="A@example.com,b@example.com,nonsense", phones="8 999 555 11 11", emails_md5=known)
    result = checked(row, hash_identifiers=True)
    assert result.faults == []
    assert result.values["emails_md5"] == [known, hash_of("a@example.com")]
    assert result.values["phones_md5"] == ["f09f2c3d48f31e2a802944ade2e5aec5"]
    assert not {"emails", "phones"} & set(result.values)
    assert [fault.code for fault in result.dropped] == ["bad_email"]


def test_a_row_whose_plain_identifiers_are_all_bad_is_rejected_when_hashed_too() -> None:
    assert faults(order(emails="nobody"), hash_identifiers=True) == [("emails", "bad_email")]


def test_source_zone_reaches_the_dates() -> None:
    row = order(create_date_time="2025-07-01 12:00:00")
    assert checked(row, source_zone=BERLIN).values["create_date_time"] == "2025-07-01 13:00:00"


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text(max_size=20)
    | st.binary(max_size=5)
    | st.dates()
    | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


KINDS = [SIMPLE_ORDERS, ORDERS, CONTACTS, OFFLINE_CONVERSIONS]
ROWS = {kind.name: st.dictionaries(st.sampled_from(kind.field_names), ANYTHING) for kind in KINDS}


@times(1.5)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@given(data=st.data(), hashed=st.booleans(), keyed=st.booleans())
def test_no_value_breaks_the_check(kind: RowKind, data: st.DataObject, hashed: bool, keyed: bool) -> None:
    row = data.draw(ROWS[kind.name])
    forms = [csv_format(kind.in_csv()), json_format(kind)]
    result = check_row(kind, row, hash_identifiers=hashed, require_key=keyed)
    if result.faults:
        return
    assert not kind.identifiers or any(result.values.get(name) for name in kind.identifiers)
    assert result.key is not None or not keyed
    for declared in kind.fields:
        assert not declared.required or declared.name in kind.key or result.values[declared.name]
    assert all(form.encode(result.values) for form in forms)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@given(data=st.data())
def test_one_odd_value_is_sent_or_told(kind: RowKind, data: st.DataObject) -> None:
    good = {"simple_orders": order, "orders": full_order, "contacts": contact, "offline_conversions": conversion}
    column = data.draw(st.sampled_from(kind.field_names))
    result = check_row(kind, good[kind.name](**{column: data.draw(ANYTHING)}))
    assert all(fault.column == column or fault.code == "no_identifier" for fault in result.faults + result.dropped)
    if not result.faults:
        assert csv_format(kind.in_csv()).encode(result.values)
        assert msgspec.json.decode(json_format(kind).encode(result.values))


VERSIONS: list[tuple[object, object]] = [
    (None, "2025-03-04"),
    ("", datetime(1900, 1, 1)),
    ("2025-03-04", "2025-03-04 00:00:01"),
    ("2025-03-04 10:00", "04.03.2025 10:00:01"),
    ("2025-03-04T10:00:00+05:00", "2025-03-04T10:00:00+03:00"),
    ("2025-10-26T00:50:00Z", "2025-10-26T01:10:00Z"),  # Berlin's clocks show 02:50, then 02:10
    (datetime(2025, 3, 4, 10, 0, 0, 100), datetime(2025, 3, 4, 10, 0, 0, 200)),
    ("2025-03-04T10:00:00.000001", "2025-03-04T10:00:00.000002"),
    (datetime(2025, 3, 4, 9, 59, 59), "2025-03-04T09:00:00Z"),
    (date(2025, 3, 4), datetime(2025, 3, 3, 23, 30, tzinfo=UTC)),
]


@pytest.mark.parametrize("kind", [SIMPLE_ORDERS, ORDERS, CONTACTS], ids=lambda kind: kind.name)
@pytest.mark.parametrize(("older", "newer"), VERSIONS, ids=str)
def test_versions_compare_as_moments(kind: RowKind, older: object, newer: object) -> None:
    good = {"simple_orders": order, "orders": full_order, "contacts": contact}[kind.name]
    assert kind.version
    versions = [
        check_row(kind, good(**{kind.version: value}), counter_zone=lambda: BERLIN).version for value in (older, newer)
    ]
    assert versions[0] < versions[1]


def test_a_naive_version_is_read_in_the_sources_zone() -> None:
    row = order(update_date_time="2025-03-04 10:00")
    there = checked(row, source_zone=VLADIVOSTOK).version
    assert there == checked(order(update_date_time="2025-03-04T00:00:00Z")).version
    assert there < checked(row).version  # in Moscow, the counter's zone


def test_a_version_that_is_not_sent_may_lie_before_1970_and_must_be_possible() -> None:
    assert not faults(order(update_date_time="1900-01-01"))
    assert not checked(order(update_date_time="1900-01-01")).version.startswith("19700")
    assert faults(order(update_date_time=datetime(1, 1, 1))) == [("update_date_time", "bad_date")]
    assert faults(order(update_date_time="31.02.2025")) == [("update_date_time", "bad_date")]
    assert [fault.column for fault in checked(order(at="soon"), {"update_date_time": "at"}).faults] == ["at"]


@pytest.mark.parametrize("value", ["soon", "1900-01-01", 5, datetime(1, 1, 1)])
def test_a_version_that_is_sent_is_one_fault(value: object) -> None:
    for kind, good in ((ORDERS, full_order), (CONTACTS, contact)):
        (column, code) = one(faults_of(kind, good(update_date_time=value)))
        assert column == "update_date_time"
        assert code in ("bad_date", "no_time", "before_1970", "unix_time")


def test_the_version_is_not_among_what_is_sent() -> None:
    assert "update_date_time" not in checked(order(update_date_time="2025-03-05")).values
    assert (
        check_row(ORDERS, full_order(update_date_time="2025-03-05 10:00")).values["update_date_time"]
        == "2025-03-05 10:00:00"
    )


def one(found: list[tuple[str, str]]) -> tuple[str, str]:
    assert len(found) == 1
    return found[0]


class NAType:
    """As pandas' own: its truth cannot be asked, and it equals nothing."""

    def __bool__(self) -> bool:
        raise TypeError

    def __eq__(self, other: object) -> Any:
        return self

    __hash__ = object.__hash__


class NaTType:
    """The missing time of pandas, of versions where it is no date."""


@pytest.mark.parametrize("empty", [NAType(), NaTType()], ids=lambda value: type(value).__name__)
def test_what_pandas_puts_for_nothing(empty: object) -> None:
    assert is_missing(empty)
    row = order(revenue=empty, update_date_time=empty, order_status=empty, goals=empty)
    result = checked(row)
    assert (result.faults, result.version) == ([], "")
    assert "revenue" not in result.values
    assert faults(order(id=empty)) == [("id", "missing")]


def test_refused_clear_identifiers() -> None:
    known = hash_of("a@example.com")
    assert faults(order(), refuse_clear=True) == [("emails", "clear_identifier")]
    assert faults(order(emails=None, phones="79990000000"), refuse_clear=True) == [("phones", "clear_identifier")]
    assert not faults(order(emails=None, emails_md5=known), refuse_clear=True)
    beside = order(emails_md5=known, client_ids="1700000000123456789")
    assert faults(beside, refuse_clear=True) == [("emails", "clear_identifier")]
    assert faults_of(CONTACTS, contact(), refuse_clear=True) == [("emails", "clear_identifier")]


def test_the_label_names_a_row() -> None:
    assert checked(order(id=7)).label == "7"
    assert check_row(CONTACTS, contact()).label == "C-1"
    assert check_row(OFFLINE_CONVERSIONS, conversion(id="lead 5")).label == "lead 5"
    assert check_row(OFFLINE_CONVERSIONS, conversion()).label is None


def test_words_for_nothing_inside_rows_are_those_of_their_own_source() -> None:
    options = check_options(
        reading=Reading(null_values=frozenset({"-"})),
        of_rows=check_options(reading=Reading(null_values=frozenset({"x"}))),
    )
    check = RowChecker(ALTCRAFT_ORDERS, options)
    line = {"external_id": "1", "sku": "-", "count": 1, "final_price_per_item": "x", "status": "x"}
    (row,) = check.convert({"lines": [line]}).values["lines"]
    assert row["sku"] == "-"
    assert not {"final_price_per_item", "status"} & set(row)
