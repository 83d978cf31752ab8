# SPDX-License-Identifier: Apache-2.0
"""Order statuses: the service's words, mapped words, goal identifiers."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_yandex_orders.metrica.kinds import ORDERS, SIMPLE_ORDERS
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.rows.types import Converter
from tests.unit.unit_support import check_options, refusal

MAP: dict[Any, str] = {"Оплачен": "PAID", "returned": "refund_goal", "5": "SPAM", 7: "IN_PROGRESS"}


def status(kind: RowKind, status_map: dict[Any, str]) -> Converter:
    (declared,) = [field for field in kind.fields if field.name == kind.status]
    return declared.type.converter(check_options(status_map=status_map))


@pytest.mark.parametrize("value", ["PAID", "IN_PROGRESS", "CANCELLED", "SPAM", "my_goal", "заявка"])
def test_statuses_without_a_map(value: str) -> None:
    assert status(SIMPLE_ORDERS, {})(f" {value} ") == value


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("Оплачен", "PAID"),
        ("returned", "refund_goal"),
        (5, "SPAM"),
        ("5", "SPAM"),
        (7, "IN_PROGRESS"),
        ("PAID", "PAID"),
    ],
)
def test_statuses_with_a_map(value: object, wanted: str) -> None:
    assert status(SIMPLE_ORDERS, MAP)(value) == wanted


@pytest.mark.parametrize(
    ("value", "status_map", "code", "named"),
    [
        ("paid", {}, "status_spelling", "PAID"),
        ("CANCELED", {}, "status_spelling", "CANCELLED"),
        ("cancelled", {}, "status_spelling", "CANCELLED"),
        ("In work", {}, "unknown_status", "a value of 7 characters"),
        ("in=work", {}, "unknown_status", "a value of 7 characters"),
        ("delivered", MAP, "unmapped_status", "'delivered'"),
        ("my_goal", MAP, "unmapped_status", "'my_goal'"),
        (8, MAP, "unmapped_status", "'8'"),
        (1.0, MAP, "float_id", ""),
        (True, {}, "not_text", ""),
    ],
)
def test_bad_statuses_name_the_word(value: object, status_map: dict[str, str], code: str, named: str) -> None:
    bad = refusal(status(SIMPLE_ORDERS, status_map), value)
    assert bad.code == code
    assert named in bad.reason + bad.fix


@pytest.mark.parametrize("value", ["PAID", "paid", "7", "packed:2", "shipped-to_shop", "my_goal", "Собран"])
def test_full_mode_takes_ids_of_the_counters_own_mapping(value: str) -> None:
    assert status(ORDERS, {})(f" {value} ") == value


def test_the_simplified_mode_takes_no_such_ids() -> None:
    assert refusal(status(SIMPLE_ORDERS, {}), "packed:2").code == "unknown_status"


@pytest.mark.parametrize(
    ("value", "status_map", "code"),
    [
        ("In work", {}, "unknown_status"),
        ("a/b", {}, "unknown_status"),
        ("", {}, "unknown_status"),
        ("x" * 256, {}, "unknown_status"),
        ("CANCELED", {}, "status_spelling"),
        ("packed", MAP, "unmapped_status"),
    ],
)
def test_bad_statuses_of_the_full_mode(value: str, status_map: dict[Any, str], code: str) -> None:
    assert refusal(status(ORDERS, status_map), value).code == code
