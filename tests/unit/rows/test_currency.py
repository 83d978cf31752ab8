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
        ("руб", "unknown_currency"),
        ("₽", "unknown_currency"),
        ("RU", "unknown_currency"),
        ("643", "unknown_currency"),
        ("BTC", "unknown_currency"),
        (643, "unknown_currency"),
    ],
)
def test_bad_currency(value: object, code: str) -> None:
    assert refusal(currency, value).code == code


def test_old_currencies_name_the_new_ones() -> None:
    assert currency("rur") == "RUB"  # the same money under its former code
    assert "BYN" in refusal(currency, "byr").fix
