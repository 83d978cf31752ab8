# SPDX-License-Identifier: Apache-2.0
"""Currency codes."""

from __future__ import annotations

import pytest

from airflow_provider_yandex_orders.rows.scalars import currency
from tests.unit.unit_support import refusal


@pytest.mark.parametrize("value", ["RUB", "rub", " Rub ", "EUR", "KZT", "BYN", "UZS", "XCG", "VED"])
def test_currency(value: str) -> None:
    assert currency(value) == value.strip().upper()


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("BYR", "old_currency"),
        ("RU", "unknown_currency"),
        ("643", "unknown_currency"),
        ("BTC", "unknown_currency"),
        (643, "unknown_currency"),
    ],
)
def test_bad_currency(value: object, code: str) -> None:
    assert refusal(currency, value).code == code


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("₽", "RUB"),
        ("руб.", "RUB"),
        ("р.", "RUB"),
        ("Руб", "RUB"),
        ("$", "USD"),
        ("€", "EUR"),
        ("₸", "KZT"),
        ("Br", "BYN"),
    ],
)
def test_signs_and_words_of_a_currency(value: str, code: str) -> None:
    assert currency(value) == code


def test_roubles_of_two_countries_are_told_apart_by_their_code_in_belarus() -> None:
    assert refusal(lambda value: currency(value, "BY"), "руб.").code == "unknown_currency"
    assert currency("₽", "BY") == currency("rur", "BY") == "RUB"


def test_old_currencies_name_the_new_ones() -> None:
    assert currency("rur") == "RUB"  # the same money under its former code
    assert "BYN" in refusal(currency, "byr").fix
