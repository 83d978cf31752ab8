# SPDX-License-Identifier: Apache-2.0
"""Texts, money and custom attributes."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_yandex_orders.rows.scalars import money, plain, text
from tests.unit.unit_support import refusal


class _SpokenFloat(float):
    """A float whose repr is not a number, as numpy's."""

    def __repr__(self) -> str:
        return f"np.float64({float(self)!r})"


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (" A-1 ", "A-1"),
        (7, "7"),
        (12345678901234567890123, "12345678901234567890123"),
        (Decimal("7"), "7"),
        (Decimal("7.00"), "7"),
        (Decimal("1E+3"), "1000"),
        (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        ("Заказ №5", "Заказ №5"),
        ("a\u2028b😀", "a\u2028b😀"),
    ],
)
def test_text(value: object, wanted: str) -> None:
    assert text(value) == wanted


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (7.0, "float_id"),
        (1e20, "float_id"),
        (float("inf"), "float_id"),
        (True, "not_text"),
        (Decimal("7.5"), "not_text"),
        (Decimal("Infinity"), "not_text"),
        (Decimal("NaN"), "not_text"),
        (Decimal("sNaN"), "not_text"),
        (b"A-1", "not_text"),  # str() would send b'A-1'
        (memoryview(b"A-1"), "not_text"),  # str() would send an address that changes with every try
        (["A-1"], "not_text"),
        ({"id": "A-1"}, "not_text"),
        ("A\ud83d", "not_text"),  # half an emoji
    ],
)
def test_bad_text(value: object, code: str) -> None:
    assert refusal(text, value).code == code


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("1500.50", "1500.50"),
        (" 1500 ", "1500"),
        ("1 500", "1500"),
        ("1\u202f500.50", "1500.50"),
        ("1'234'500.5", "1234500.5"),
        ("-0", "0"),
        ("+5", "5"),
        (0, "0"),
        ("0", "0"),
        ("-0.00", "0.00"),
        (-0.0, "0.0"),
        (Decimal("-0"), "0"),
        (1500, "1500"),
        (1500.5, "1500.5"),
        (0.1, "0.1"),
        (_SpokenFloat(19.99), "19.99"),
        (1e22, "10000000000000000000000"),
        (Decimal("1500.5000"), "1500.5000"),
        (Decimal("1E+3"), "1000"),
        ("123456789012345678901234567890.12", "123456789012345678901234567890.12"),
    ],
)
def test_money_is_exact(value: object, wanted: str) -> None:
    assert format(money(value), "f") == wanted


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (-1, "negative"),
        ("-0.01", "negative"),
        (Decimal("-5"), "negative"),
        ("1500,50", "decimal_comma"),
        ("15 00", "decimal_comma"),
        ("1\u00a0500,50", "decimal_comma"),
        ("1\u202f500 50", "decimal_comma"),
        ("1'50", "not_a_number"),
        ("1500.50 ₽", "not_a_number"),
        ("1500руб", "not_a_number"),
        ("$5", "not_a_number"),
        ("1e3", "not_a_number"),
        (".5", "not_a_number"),
        ("5.", "not_a_number"),
        ("1.500.50", "not_a_number"),
        ("nan", "not_a_number"),
        ("Infinity", "not_a_number"),
        (float("inf"), "not_a_number"),
        (Decimal("NaN"), "not_a_number"),
        (Decimal("sNaN"), "not_a_number"),
        (Decimal("-Infinity"), "not_a_number"),
        (True, "not_a_number"),
        (b"5", "not_a_number"),
        ([5], "not_a_number"),
    ],
)
def test_bad_money(value: object, code: str) -> None:
    assert refusal(money, value).code == code


@given(st.decimals(min_value=0, max_value=10**15, places=2) | st.integers(0, 10**20))
def test_money_survives_as_number_and_as_text(amount: Decimal | int) -> None:
    assert money(amount) == money(format(Decimal(amount), "f")) == amount


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (" gold ", "gold"),
        ("a,b", "a,b"),
        (7, "7"),
        (0, "0"),
        (True, "true"),
        (False, "false"),
        (7.5, "7.5"),
        (7.0, "7.0"),
        (1e22, "10000000000000000000000"),
        (_SpokenFloat(0.1), "0.1"),
        (Decimal("1500.50"), "1500.50"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-1.5"), "-1.5"),
        (-3, "-3"),
        (date(1985, 3, 4), "1985-03-04"),
        (datetime(2025, 3, 4, 15, 20, 7, 987654), "2025-03-04 15:20:07"),
        (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
    ],
)
def test_plain(value: object, wanted: str) -> None:
    assert plain(value) == wanted


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"a": 1}, "not_text"),
        ({"a"}, "not_text"),
        (b"a", "not_text"),
        (["a"], "not_text"),
        ("A\ud83d", "not_text"),
        (float("inf"), "not_a_number"),
        (Decimal("NaN"), "not_a_number"),
    ],
)
def test_what_no_attribute_can_be(value: object, code: str) -> None:
    assert refusal(plain, value).code == code
