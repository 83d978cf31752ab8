# SPDX-License-Identifier: Apache-2.0
"""Amounts and dates as a source says that it writes them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_yandex_orders.metrica.kinds import CONTACTS, OFFLINE_CONVERSIONS, ORDERS, SIMPLE_ORDERS
from airflow_provider_yandex_orders.rows.reading import Reading
from tests.unit.unit_support import check_row, contact, conversion, faults_of, full_order, order

COMMA = Reading(decimal=",")


@given(
    st.decimals(0, 10**12, places=2),
    st.sampled_from(["", " ", "\u00a0", "\u202f", "\u2009", "."]),
)
def test_amounts_with_a_decimal_comma(amount: Decimal, group: str) -> None:
    text = f"{amount:,.2f}".replace(".", "|").replace(",", group).replace("|", ",")
    assert check_row(SIMPLE_ORDERS, order(revenue=text), reading=COMMA).values["revenue"] == amount


@pytest.mark.parametrize("text", ["2345.60", "1.234", "2,345.60", "1,2,3", "12 34,5", "1.2345,6", ",5", "1 234.5"])
def test_amounts_that_are_none_with_a_decimal_comma(text: str) -> None:
    (fault,) = check_row(SIMPLE_ORDERS, order(revenue=text), reading=COMMA).faults
    assert (fault.column, fault.code) == ("revenue", "decimal_point")
    assert "decimal=" in fault.fix


@pytest.mark.parametrize("value", [10, Decimal("0.5"), 0.5, "7"])
def test_numbers_are_numbers_whatever_is_said(value: Any) -> None:
    assert check_row(SIMPLE_ORDERS, order(revenue=value), reading=COMMA).values["revenue"] == Decimal(str(value))


def test_only_amounts_have_decimals() -> None:
    row = order(id="1.234", client_uniq_id="1,5", emails="a@example.com,b@example.com")
    checked = check_row(SIMPLE_ORDERS, row, reading=COMMA)
    assert checked.faults == []
    assert (checked.values["id"], checked.values["client_uniq_id"]) == ("1.234", "1,5")
    assert len(checked.values["emails"]) == 2


@pytest.mark.parametrize(
    ("form", "text", "meant"),
    [
        ("%m/%d/%Y %H:%M", "11/03/2026 09:07", "2026-11-03 09:07:00"),
        ("%m/%d/%Y", "11/03/2026", "2026-11-03"),
        ("%d %b %Y", "3 Nov 2026", "2026-11-03"),
        ("%m/%d/%Y %I:%M %p", "11/03/2026 9:07 PM", "2026-11-03 21:07:00"),
        ("%Y-%m-%dT%H:%M:%S%z", "2026-11-03T06:07:00+0000", "2026-11-03 09:07:00"),
    ],
)
def test_dates_of_the_form_that_is_said(form: str, text: str, meant: str) -> None:
    row = order(create_date_time=text, update_date_time=text)
    checked = check_row(SIMPLE_ORDERS, row, reading=Reading(date_format=form))
    assert checked.faults == []
    assert checked.values["create_date_time"] == meant
    assert checked.version.startswith("2026-11-03T") or checked.version.startswith("2026-11-02T21")


@pytest.mark.parametrize("text", ["03.11.2026", "2026-11-03", "13/11/2026", "20261103"])
@pytest.mark.parametrize(
    ("kind", "row", "field"),
    [
        (SIMPLE_ORDERS, order(), "create_date_time"),
        (SIMPLE_ORDERS, order(), "update_date_time"),
        (CONTACTS, contact(), "birth_date"),
        (OFFLINE_CONVERSIONS, conversion(), "DateTime"),
    ],
)
def test_other_forms_are_no_dates_then(kind: Any, row: dict[str, Any], field: str, text: str) -> None:
    good = {"create_date_time": "11/03/2026", "birth_date": "11/03/1980", "DateTime": "11/03/2026"}
    row = {name: good.get(name, value) for name, value in row.items()} | {field: text}
    checked = check_row(kind, row, reading=Reading(date_format="%m/%d/%Y"))
    assert (field, "bad_date") in [(fault.column, fault.code) for fault in [*checked.faults, *checked.dropped]]


@pytest.mark.parametrize(("form", "text"), [("%m/%d/%y", "05/05/27"), ("%x", "05/05/85"), (None, "05.05.27")])
def test_a_birth_date_with_two_digits_of_the_year_is_left_out(form: str | None, text: str) -> None:
    checked = check_row(CONTACTS, contact(birth_date=text), reading=Reading(date_format=form))
    assert "birth_date" not in checked.values
    assert [(fault.code, fault.fix) for fault in checked.dropped] == [("bad_date", "write all four digits of the year")]


@pytest.mark.parametrize("field", ["create_date_time", "update_date_time", "finish_date_time"])
@pytest.mark.parametrize("value", ["2026-11-20", "20.11.26", date(2026, 11, 20)])
def test_the_full_mode_takes_no_days(field: str, value: Any) -> None:
    assert faults_of(ORDERS, full_order(**{field: value})) == [(field, "no_time")]
    if field != "finish_date_time":
        assert faults_of(CONTACTS, contact(**{field: value})) == [(field, "no_time")]
        assert faults_of(SIMPLE_ORDERS, order(**{field: value})) == []
