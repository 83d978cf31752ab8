# SPDX-License-Identifier: Apache-2.0
"""No personal data in what is said of a row, whichever column it got into."""

from __future__ import annotations

import json
import re
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_yandex_orders import privacy
from airflow_provider_yandex_orders.metrica.kinds import CONTACTS, OFFLINE_CONVERSIONS, ORDERS, SIMPLE_ORDERS
from airflow_provider_yandex_orders.privacy import driver_words, scrub, show, shown_key
from airflow_provider_yandex_orders.rows.kind import RowKind
from tests.unit.unit_support import check_row, contact, conversion, full_order, order, times

NAMES = st.builds(
    "{} {}".format,
    st.sampled_from(["Ivan", "Мария", "Жанна", "Anna-Maria", "O'Neil"]),
    st.sampled_from(["Petrov", "Сидорова", "Кузнецов-Белов", "van Dyk"]),
)
# Hypothesis' own addresses take twenty times as long as all the rest: their domains come from a list of thousands.
EMAILS = st.builds(
    "{}@{}.{}".format,
    st.text(string.ascii_letters + string.digits + "!#$%&'*+-/=^_`{|}~.", min_size=1, max_size=20),
    st.text(string.ascii_letters + string.digits + "-", min_size=1, max_size=20),
    st.sampled_from(["ru", "com", "CO.UK", "xn--p1ai", "museum"]),
) | st.sampled_from(["ivan@почта.рф", "Ivan.Petrov+x@EXAMPLE.com", "ivan@localhost", "i.petrov@"])
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
    if " " in value and not re.search(r"[\d@]", value):
        return any(re.search(rf"\b{re.escape(part)}\b", text, re.IGNORECASE) for part in value.split())
    digits = re.sub(r"\D", "", value)
    return len(digits) >= 9 and digits[-9:] in re.sub(r"\D", "", text)


@times(1.5)
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
    assert not [text for text in told if holds(value, text)]


@given(value=EMAILS | PHONES | NAMES, wrap=st.sampled_from(WRAPS))
@pytest.mark.parametrize(
    ("kind", "column"),
    [(kind, column) for kind in (ORDERS, CONTACTS, OFFLINE_CONVERSIONS) for column in kind.field_names],
    ids=lambda each: getattr(each, "name", each),
)
def test_no_fault_of_the_other_kinds_holds_a_value(kind: RowKind, column: str, value: str, wrap: Any) -> None:
    good = {"orders": full_order, "contacts": contact, "offline_conversions": conversion}[kind.name]
    row = good(**{column: wrap(value)})
    assert not [text for text in said_of(row, kind, targets=lambda: {}) if holds(value, text)]


@given(EMAILS | PHONES | NAMES)
def test_show_hides_addresses_numbers_and_names(value: str) -> None:
    assert not holds(value, show(value))
    assert str(len(value)) in show(value)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        *((word, f"'{word}'") for word in ("in_work", "in-work", "Выполнен", "Оплачен", "Новая", "Возврат", "Готов")),
        ("в-работе", "'в-работе'"),
        (5, "'5'"),
    ],
)
def test_show_names_what_a_status_may_be(value: object, shown: str) -> None:
    assert show(value) == shown


@pytest.mark.parametrize(
    "value",
    [
        "a'b@x.ru",
        "1\n2",
        "<b>",
        "12.03.1999",
        "4510 123456",
        "В работе",
        "flat7",
        "12345",
        "Anna-Maria",
        "Smirnova_Anna",
        "Анна_Смирнова",
        "анна-смирнова",
        "ИВАНОВ-ПЕТРОВ",
        "АннаСмирнова",
        "Иванов",
        "Смирнова",
        "Достоевский",
        "Шевченко",
        "x" * 31,
    ],
)
def test_show_hides_the_rest(value: str) -> None:
    assert value not in show(value)


KEYS = ["A-1001", "lead_5", "1001", "ЦБ00-000123", "2025/17", "ym-501-K", "8a6e0804-2bd0-4672-b79d-d97027f9071a", "A"]
KEYS += ["ORD-2026-000123", "CD-1234-1", "20261126001", "2026-11-26-001", "9007199254740993123", "12345678901234567890"]
KEYS += ["ab12fade-bead-4672-b79d-d97027f9071a", "order_5", "1000000123"]


@pytest.mark.parametrize("key", KEYS)
def test_codes_are_shown_as_keys(key: str) -> None:
    assert shown_key(key) == key


@given(EMAILS | PHONES | NAMES | st.sampled_from(["Ivanov", "ivanov", "Ivanov-5", "lead-79991234567", "Петров_1985"]))
def test_a_key_that_is_personal_is_shown_as_its_sum(value: str) -> None:
    assert re.fullmatch(r"#[0-9a-f]{16}", shown_key(value))
    assert shown_key(value) == shown_key(value) != shown_key(f"{value} ")


@given(
    before=st.sampled_from(["", "c-", "crm_", "id", "tel:", "№", "x"]),
    after=st.sampled_from(["", "x", "-A", "#"]),
    separator=st.sampled_from(["", "-", "_", ".", "/", ":"]),
    groups=st.sampled_from(
        ["7 999 123 45 67", "8 999 1234567", "999 123 45 67", "495 123 45 67", "1 202 555 01 43", "90 532 123 45 67"]
    ),
)
def test_a_phone_in_a_key_is_hidden_however_it_is_written(before: str, after: str, separator: str, groups: str) -> None:
    assert shown_key(f"{before}{groups.replace(' ', separator)}{after}").startswith("#")


@pytest.mark.parametrize(
    "key", ["anna.smirnova1985", "user_anna_smirnova_79", "Anna.smirnova-1", "иванов2", "79991234567#2", "9161234567.0"]
)
def test_a_name_or_a_phone_in_a_key_is_hidden(key: str) -> None:
    assert shown_key(key).startswith("#")


@pytest.mark.parametrize(
    ("key", "same"), [(["core-key", "core-key"], True), (["core-key", "other"], False), (["", ""], False)]
)
def test_sums_of_keys_are_keyed(monkeypatch: pytest.MonkeyPatch, key: list[str], same: bool) -> None:
    sums = []
    for each in key:
        monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", each)
        privacy._secret.cache_clear()
        sums.append(shown_key("ivan@example.com"))
    privacy._secret.cache_clear()
    assert (sums[0] == sums[1]) is same


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ('invalid input syntax for type integer: "{}"\nLINE 1: ...', "invalid input syntax for type integer: <value>"),
        ("Incorrect value: '{}' for column 'age' at row 1", "Incorrect value: <value> for column 'age' at row 1"),
        ("Duplicate entry '{}' for key 'orders.PRIMARY'", "Duplicate entry <value> for key 'orders.PRIMARY'"),
        ("duplicate key\nDETAIL:  Key (mail)=({}) already exists.", "duplicate key"),
        ("The duplicate key value is ({}).", "The duplicate key value is <value>"),
        ("near '{}", "near <value>"),
        ("value \"{}\" in '{}'", "value <value>"),
    ],
)
@given(value=EMAILS | PHONES | NAMES | st.sampled_from(["Ivanov", "O'Neil's", 'the "Kid"', "Сидорова (Петрова)"]))
def test_a_drivers_words_hold_no_value(said: str, kept: str, value: str) -> None:
    assert driver_words(ValueError(said.replace("{}", value))) == kept


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError('relation "orderz" does not exist'), 'relation "orderz" does not exist'),
        (ValueError('near "SELEC": syntax error'), 'near "SELEC": syntax error'),
        (ValueError('near "selec": syntax error'), "near <value>: syntax error"),
        (ValueError(1054, "Unknown column 'sum' in 'field list'"), "Unknown column 'sum' in <value> (1054)"),
        (ValueError("Table `shop`.`orders` isn't there"), "Table `shop`.`orders` isn't there"),
        (ValueError("42S22", "Invalid column name 'sum'. (207)"), "42S22: Invalid column name 'sum'. (207)"),
        (ValueError("no such column: smirnova_id"), "no such column: smirnova_id"),
        (ValueError("no such column: Smirnova"), "no such column: <value>"),
        (ValueError("no such column: o.Смирнова"), "no such column: <value>"),
        (
            ValueError("could not convert string to float: Anna; row 5"),
            "could not convert string to float: <value>; row 5",
        ),
        (ValueError("Bad int64 value: Anna Smirnova"), "Bad int64 value: <value>"),
        (ValueError("Value «анна» is odd"), "Value <value>"),
        (ValueError("ORA-00942: table or view does not exist"), "ORA-00942: table or view does not exist"),
        (ValueError(), ""),
    ],
)
def test_a_drivers_words_name_what_is_wrong(error: Exception, told: str) -> None:
    assert driver_words(error) == told


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ('Wrong value "Иванов Иван" of "order_status"', 'Wrong value <value> of "order_status"'),
        ("column 'Target' is missing, «Петров» is odd", "column 'Target' is missing, <value> is odd"),
        ("value “Анна Смирнова” or ‘анна’ or „Anna“ is odd", "value <value> or <value> or <value> is odd"),
        ("value [anna smirnova], 'o'neil anna'", "value <value>, <value>"),
        ("customer Анна Смирнова exists", "customer <value> exists"),
        ("row 0: Smirnova Anna, Смирнова А. П.: Anna-Maria O'Neil", "row 0: <value>: <value>"),
        ("Order Anna Smirnova Not Found", "Order <value> Not Found"),
        *((words, words) for words in ("400 Bad Request", "Access Denied", "Internal Server Error", "Яндекс Метрика")),
        ("[Errno 13] Permission denied", "[Errno 13] Permission denied"),
        ("it isn't 'DateTime' and doesn't matter", "it isn't 'DateTime' and doesn't matter"),
    ],
)
def test_scrub_hides_quoted_values(said: str, left: str) -> None:
    assert scrub(said) == left


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
