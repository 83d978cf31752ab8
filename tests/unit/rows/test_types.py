# SPDX-License-Identifier: Apache-2.0
"""Types of fields: each has a converter of its own and a label; choices and attributes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from airflow_provider_yandex_orders.metrica.kinds import ORDERS, row_kind
from airflow_provider_yandex_orders.rows import types
from airflow_provider_yandex_orders.rows.faults import BadValue
from airflow_provider_yandex_orders.rows.types import FieldType, choice
from tests.unit.unit_support import VLADIVOSTOK, check_options, check_row, faults_of, full_order, refusal

TYPES = {name: each for name, each in vars(types).items() if isinstance(each, FieldType)}


# Rows inside a row have a checker of their own, and a raw value is taken as it is.
@pytest.mark.parametrize("name", sorted(TYPES.keys() - {"ROWS", "RAW"}))
def test_every_type_has_a_converter(name: str) -> None:
    with pytest.raises(BadValue):
        TYPES[name].converter(check_options())({"a": {"b": 1}})


def test_each_type_has_a_label_of_its_own() -> None:
    assert len({each.label for each in TYPES.values()}) == len(TYPES) > 20


@pytest.mark.parametrize("value", ["CONTACT", "contact", " Contact "])
def test_choice(value: str) -> None:
    assert choice("CONTACT", "COMPANY").converter(check_options())(value) == "CONTACT"


@pytest.mark.parametrize(
    ("value", "code", "said"),
    [
        ("PERSON", "bad_choice", "'PERSON'"),
        ("ivan@example.com", "bad_choice", "a value of 16 characters"),
        (5, "bad_choice", "'5'"),
        (5.0, "float_id", "floating-point"),
        (["CONTACT"], "not_text", "list"),
    ],
)
def test_bad_choice(value: object, code: str, said: str) -> None:
    bad = refusal(choice("CONTACT", "COMPANY").converter(check_options()), value)
    assert bad.code == code
    assert said in bad.reason
    if code == "bad_choice":
        assert bad.fix == "send CONTACT or COMPANY, or leave it empty"


KIND = row_kind("json", {"level": "level"}, ORDERS)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("gold", "gold"),
        (Decimal("7.50"), "7.50"),
        (7.5, "7.5"),
        (True, "true"),
        ("2025-03-04T12:00:00Z", "2025-03-04T12:00:00Z"),  # a text is a text
        (date(1985, 3, 4), "1985-03-04"),
        (datetime(2025, 3, 4, 15, 20, 7, 5), "2025-03-04 15:20:07"),
        (datetime(2025, 3, 4, 12, tzinfo=UTC), "2025-03-04 15:00:00"),  # the counter's clocks, as of any other field
    ],
)
def test_attributes(value: object, wanted: str) -> None:
    assert check_row(KIND, full_order(level=value)).values["level"] == [wanted]


def test_attributes_with_several_values() -> None:
    values = check_row(KIND, full_order(level=["a", None, 5, datetime(2025, 3, 4, 12, tzinfo=UTC)])).values
    assert values["level"] == ["a", "5", "2025-03-04 15:00:00"]


def test_attributes_in_the_sources_zone() -> None:
    values = check_row(KIND, full_order(level=datetime(2025, 3, 4, 22)), source_zone=VLADIVOSTOK).values
    assert values["level"] == ["2025-03-04 15:00:00"]


@pytest.mark.parametrize(
    ("value", "code"), [({"a": 1}, "not_text"), (b"x", "not_text"), (datetime(1960, 1, 1), "before_1970")]
)
def test_bad_attributes(value: object, code: str) -> None:
    assert faults_of(KIND, full_order(level=value)) == [("level", code)]


@pytest.mark.parametrize("empty", [None, "", [], float("nan")])
def test_an_empty_attribute_is_not_sent(empty: Any) -> None:
    assert "level" not in check_row(KIND, full_order(level=empty)).values
