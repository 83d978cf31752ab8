# SPDX-License-Identifier: Apache-2.0
"""No personal data in what is said of a row, whichever column it got into."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_yandex_orders.metrica.kinds import CONTACTS, OFFLINE_CONVERSIONS, ORDERS, SIMPLE_ORDERS
from airflow_provider_yandex_orders.privacy import scrub, show
from airflow_provider_yandex_orders.rows.kind import RowKind
from tests.unit.unit_support import check_row, contact, conversion, full_order, order

NAMES = st.builds(
    "{} {}".format,
    st.sampled_from(["Ivan", "Мария", "Жанна", "Anna-Maria", "O'Neil"]),
    st.sampled_from(["Petrov", "Сидорова", "Кузнецов-Белов", "van Dyk"]),
)
EMAILS = st.emails() | st.sampled_from(["ivan@почта.рф", "Ivan.Petrov+x@EXAMPLE.com", "ivan@localhost", "i.petrov@"])
FORMS = [
    "{}{}{}{}{}",
    "+{}{}{}{}{}",
    "+{} ({}) {}-{}-{}",
    "{} {} {} {} {}",
    "{}-{}-{}-{}-{}",
    "{}({}){}{}{}",
    "{}.{}.{}.{}.{}",
]
DIGITS = st.integers(10**9, 10**10 - 1).map(str)
PHONES = st.builds(
    lambda form, first, rest: form.format(first, rest[:3], rest[3:6], rest[6:8], rest[8:]),
    st.sampled_from(FORMS),
    st.sampled_from(["7", "8", "375", "00", "+"]),
    DIGITS,
)
WRAPS = [
    lambda value: value,
    lambda value: [value, value],
    lambda value: json.dumps([value]),
    lambda value: f"{value}, {value}",
    lambda value: f'["{value}"',
    lambda value: {value: value},
    lambda value: {"goal_action_id": value, "price": value},
    lambda value: f"{value}:{value}",
    lambda value: f"{value}  ",
    lambda value: value.encode(),
]


def said_of(row: dict[str, Any], kind: RowKind = SIMPLE_ORDERS, **changes: Any) -> list[str]:
    result = check_row(kind, row, **changes)
    told = [*result.faults, *result.dropped]
    return [part for fault in told for part in (fault.column, fault.code, fault.reason, fault.fix)] + result.notes


def holds(value: str, text: str) -> bool:
    if value.lower() in text.lower():
        return True
    digits = re.sub(r"\D", "", value)
    return len(digits) >= 9 and digits[-9:] in re.sub(r"\D", "", text)


@settings(max_examples=150)
@pytest.mark.parametrize("column", SIMPLE_ORDERS.field_names)
@given(
    value=EMAILS | PHONES | NAMES,
    wrap=st.sampled_from(WRAPS),
    status_map=st.sampled_from([{}, {"done": "PAID"}]),
    hashed=st.booleans(),
)
def test_no_fault_holds_a_value(column: str, value: str, wrap: Any, status_map: dict[str, str], hashed: bool) -> None:
    row = order(**{column: wrap(value)})
    told = said_of(row, status_map=status_map, hash_identifiers=hashed)
    if column == "order_status" and not re.search(r"[@\d]", value):
        return  # a harmless word in place of a status is quoted, so that it can be mapped
    assert not [text for text in told if holds(value, text)]


@given(value=EMAILS | PHONES, wrap=st.sampled_from(WRAPS), status_map=st.sampled_from([{}, {"done": "PAID"}]))
@pytest.mark.parametrize("kind", [SIMPLE_ORDERS, ORDERS], ids=lambda kind: kind.name)
def test_addresses_and_phones_in_the_status_column(
    kind: RowKind, value: str, wrap: Any, status_map: dict[str, str]
) -> None:
    row = {"simple_orders": order, "orders": full_order}[kind.name](order_status=wrap(value))
    assert not [text for text in said_of(row, kind, status_map=status_map) if holds(value, text)]


@given(value=EMAILS | PHONES | NAMES, wrap=st.sampled_from(WRAPS))
@pytest.mark.parametrize(
    ("kind", "column"),
    [
        (kind, column)
        for kind in (ORDERS, CONTACTS, OFFLINE_CONVERSIONS)
        for column in kind.field_names
        if column not in ("order_status", "Target", "client_type")  # words of these may be quoted
    ],
    ids=lambda each: getattr(each, "name", each),
)
def test_no_fault_of_the_other_kinds_holds_a_value(kind: RowKind, column: str, value: str, wrap: Any) -> None:
    good = {"orders": full_order, "contacts": contact, "offline_conversions": conversion}[kind.name]
    row = good(**{column: wrap(value)})
    assert not [text for text in said_of(row, kind, targets=lambda: {}) if holds(value, text)]


@given(value=EMAILS | PHONES, wrap=st.sampled_from(WRAPS))
@pytest.mark.parametrize(("kind", "column"), [(OFFLINE_CONVERSIONS, "Target"), (ORDERS, "client_type")])
def test_addresses_and_phones_where_words_are_quoted(kind: RowKind, column: str, value: str, wrap: Any) -> None:
    good = {"orders": full_order, "offline_conversions": conversion}[kind.name]
    row = good(**{column: wrap(value)})
    assert not [text for text in said_of(row, kind, targets=lambda: {"order_paid": None}) if holds(value, text)]


@given(EMAILS | PHONES)
def test_show_hides_addresses_and_numbers(value: str) -> None:
    assert not holds(value, show(value))
    assert str(len(value)) in show(value)


@pytest.mark.parametrize(
    ("value", "shown"),
    [("in_work", "'in_work'"), ("В работе", "'В работе'"), (5, "'5'"), ("x" * 99, "a value of 99 characters")],
)
def test_show_names_what_a_status_may_be(value: object, shown: str) -> None:
    assert show(value) == shown


@pytest.mark.parametrize("value", ["a'b@x.ru", "1\n2", "<b>", "12.03.1999", "4510 123456"])
def test_show_hides_the_rest(value: str) -> None:
    assert value not in show(value)


@given(
    before=st.sampled_from(["", "row 5: ", "tel "]), value=EMAILS | PHONES, after=st.sampled_from(["", ".", " is bad"])
)
def test_scrub_hides_addresses_and_numbers(before: str, value: str, after: str) -> None:
    left = scrub(f"{before}{value}{after}")
    if "@" in value and not re.search(r"""[\s,;<>"']""", value) and not value.endswith("@"):
        assert value not in left
    elif "@" not in value:
        assert not holds(value, left)
    assert left.startswith(before)


@pytest.mark.parametrize("text", ["line 5, column 12", "3 of 10 rows", "upload 8a6e0804-2bd0-4672-b79d-d97027f9071a"])
def test_scrub_leaves_the_rest(text: str) -> None:
    assert scrub(text) == text


@pytest.mark.parametrize(
    "phone",
    ["+7 (999) 123-45-67", "8 (999) 1234567", "8-999-123-45-67", "+7 999 123‑45‑67", "79991234567", "+7.999.1234567"],
)
def test_scrub_hides_the_usual_forms_of_phones(phone: str) -> None:
    assert scrub(f"call {phone}!") == "call <number>!"
