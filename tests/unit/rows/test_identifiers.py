# SPDX-License-Identifier: Apache-2.0
"""E-mails, phones, md5 sums and ClientIDs."""

from __future__ import annotations

from decimal import Decimal

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_yandex_orders.rows.faults import BadValue
from airflow_provider_yandex_orders.rows.identifiers import client_id, email, hash_of, md5, phone_converter
from tests.unit.unit_support import refusal

phone = phone_converter("RU", None)


@pytest.mark.parametrize(
    ("given_", "wanted"),
    [
        ("mail@yandex.ru", "mail@yandex.ru"),
        ("Mail@Yandex.RU", "mail@yandex.ru"),
        ("  mail@yandex.ru\n", "mail@yandex.ru"),
        ("\u00a0mail@yandex.ru", "mail@yandex.ru"),
        ("first.last+tag@sub.example.co.uk", "first.last+tag@sub.example.co.uk"),
        ("o'neil@example.com", "o'neil@example.com"),
        ("user@xn--e1aybc.xn--p1ai", "user@xn--e1aybc.xn--p1ai"),
    ],
)
def test_email_is_normalised(given_: str, wanted: str) -> None:
    assert email(given_) == wanted


@pytest.mark.parametrize(
    "value",
    [
        "mail",
        "mail@",
        "@yandex.ru",
        "mail@yandex",
        "mail@@yandex.ru",
        "mail@yandex..ru",
        "mail@-yandex.ru",
        "mail @yandex.ru",
        f"{'a' * 245}@yandex.ru",
        "mail@yandex.ru.",
        "Mail <mail@yandex.ru>",
        "a@yandex.ru;b@yandex.ru",
        "почта@yandex.ru",
        "mail@яндекс.рф",
        "\u212aate@yandex.ru",  # the sign for kelvin, whose lower case is a Latin k
        b"mail@yandex.ru",
        5,
        ["mail@yandex.ru"],
    ],
)
def test_bad_email(value: object) -> None:
    assert refusal(email, value).code == "bad_email"


@pytest.mark.parametrize(
    ("given_", "wanted"),
    [
        ("79995551111", "79995551111"),
        ("+79995551111", "79995551111"),
        ("+7 (999) 555-11-11", "79995551111"),
        ("7 (999) 555-11-11", "79995551111"),
        ("8 (999) 555-11-11", "79995551111"),
        ("89995551111", "79995551111"),
        ("8-999-555-11-11", "79995551111"),
        ("8.999.555.11.11", "79995551111"),
        ("+7\u00a0999\u2011555\u201311\u201411", "79995551111"),
        ("007 999 555 11 11", "79995551111"),
        ("0049 30 1234567", "49301234567"),
        ("+49 30 1234567", "49301234567"),
        ("+375 29 123-45-67", "375291234567"),
        ("375291234567", "375291234567"),
        ("+1 202 555 0123", "12025550123"),
        ("+372 512 3456", "3725123456"),
        # 8 is a trunk prefix only before the first digits numbers of Russia and Kazakhstan have
        ("8 (343) 555-11-11", "73435551111"),
        ("8 495 555 11 11", "74955551111"),
        ("8 701 555 11 11", "77015551111"),
        ("8 800 555 35 35", "78005553535"),
        ("+81 3 1234 5678", "81312345678"),
        ("81612345678", "81612345678"),  # Japan's, not a trunk 8
        ("+852 2345 6789", "85223456789"),
        ("85223456789", "85223456789"),
        ("0081 3 1234 5678", "81312345678"),
        ("86 10 1234 5678", "861012345678"),
        ("9995551111", "79995551111"),  # completed by the region
        ("810 49 30 901820", "4930901820"),
        ("+380 (0) 50 123-45-67", "380501234567"),
        ("+7 999 555-11-11 доб. 12", "79995551111"),
        ("8 999 555-11-11, (вн. 12)", "79995551111"),
        ("+7 999 555-11-11 ext 12", "79995551111"),
        (79995551111, "79995551111"),
        (89995551111, "79995551111"),
        (Decimal("79995551111"), "79995551111"),
    ],
)
def test_phone_is_normalised(given_: object, wanted: str) -> None:
    assert phone(given_) == wanted


@pytest.mark.parametrize(
    "value",
    [
        "5551111",
        "+7",
        "+7 999 555-11-1",  # Russia and Kazakhstan have eleven digits
        "+7 999 555-11-111",
        "7999555111",
        "799955511112",
        "007 999 555 11 1",
        "+8 (999) 555-11-11",  # a plus before the trunk prefix: no country code begins with 89
        "+89995551111",
        "008 999 555 11 11",
        "899955511112",
        "+0 999 555 11 11",
        "0999 555 11 11",
        "+1234567",
        "+1234567890123456",
        "1234567890123456",
        "000",
        "0000000000000",
        "+7 (0) 900 123-45-67",
        "8 025 765-43-21",
        "+7 100 000-00-00",
        "8 800 FLOWERS",
        "89995551111, 89995552222",
        "8999555111A",
        "++79995551111",
        "7+9995551111",
        "-",
        "+",
        79995551111.0,
        float("inf"),
        "79995551111.0",  # a float that was written as text: its last digit is not the phone's
        "79995551111.00",
        "7.9995551111E+10",
        Decimal("79995551111.0"),
        Decimal("7.9E+10"),
        "+٧٩٩٩٥٥٥١١١١",  # digits, yet none the service reads
        True,
    ],
)
def test_bad_phone(value: object) -> None:
    assert refusal(phone, value).code == "bad_phone"


@given(st.text(max_size=30) | st.integers() | st.floats())
def test_phone_is_digits_or_refused(value: object) -> None:
    try:
        digits = phone(value)
    except BadValue:
        return
    assert digits.isascii()
    assert digits.isdecimal()
    assert 8 <= len(digits) <= 15
    assert phone(f"+{digits}") == digits


@given(st.sampled_from(["+7", "8", "7"]), st.from_regex("[3489][0-9]{9}", fullmatch=True))
def test_a_number_of_russia_is_what_the_library_takes_for_one(before: str, number: str) -> None:
    exists = phonenumbers.is_valid_number(phonenumbers.parse(f"+7{number}", None))
    if exists:
        assert phone(before + number) == f"7{number}"
    elif before == "+7":
        assert refusal(phone, before + number).code == "bad_phone"


@given(st.emails() | st.text(max_size=30))
def test_email_is_latin_and_lower_or_refused(value: str) -> None:
    try:
        address = email(value)
    except BadValue:
        return
    assert address.isascii()
    assert address == address.lower() == email(address)
    assert not any(sign in address for sign in ' ,;"\r\n')


@pytest.mark.parametrize(
    ("plain", "wanted"),
    [
        ("mail@yandex.ru", "3c56ff8fef0f6c65b36b2d25720fe276"),
        ("79995551111", "f09f2c3d48f31e2a802944ade2e5aec5"),
    ],
)
def test_documented_md5_sums(plain: str, wanted: str) -> None:
    assert hash_of(plain) == wanted
    assert md5(f" {wanted.upper()} ") == wanted


@pytest.mark.parametrize(
    "value", ["", "3c56", "3c56ff8fef0f6c65b36b2d25720fe27g", "3c56ff8fef0f6c65b36b2d25720fe276" * 2, 5, None]
)
def test_bad_md5(value: object) -> None:
    assert refusal(md5, value).code == "bad_md5"


@pytest.mark.parametrize(
    "value", ["1700000000123456789", " 1700000000123456789 ", 1700000000123456789, Decimal(1700000000123456789)]
)
def test_client_id(value: object) -> None:
    assert client_id(value) == "1700000000123456789"


def test_client_id_of_twenty_digits_keeps_them() -> None:
    assert client_id(99999999999999999999) == client_id("9" * 20) == "9" * 20


@pytest.mark.parametrize(
    "value",
    [1.3e17, 12345.0, "1.3E+17", "1.3e17", "13E+16", "1700000000123456789.0", float("inf"), Decimal("1.3E+17")],
)
def test_client_id_that_lost_digits(value: object) -> None:
    assert refusal(client_id, value).code == "float_id"


@pytest.mark.parametrize("value", ["", "abc", "12 34", "-5", -5, "9" * 21, "١٢٣", True, "12,34", "0x1F", [1]])
def test_bad_client_id(value: object) -> None:
    assert refusal(client_id, value).code == "bad_client_id"
