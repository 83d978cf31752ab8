# SPDX-License-Identifier: Apache-2.0
"""Offline conversions: columns, identifiers, keys, targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from airflow_provider_yandex_orders.metrica.api import target_faults
from airflow_provider_yandex_orders.metrica.kinds import OFFLINE_CONVERSIONS
from airflow_provider_yandex_orders.rows.faults import Checked
from airflow_provider_yandex_orders.rows.formats import csv_format
from tests.unit.unit_support import VLADIVOSTOK, check_row, conversion, faults_of

# The table of https://yandex.ru/dev/metrika/ru/management/openapi/offline_conversions/upload_1 , in its order.
COLUMNS = "ClientId,UserId,Yclid,PurchaseId,Target,DateTime,Price,Currency"


def checked(row: dict[str, Any], **changes: Any) -> Checked:
    return check_row(OFFLINE_CONVERSIONS, row, **changes)


def faults(row: dict[str, Any], **changes: Any) -> list[tuple[str, str]]:
    return faults_of(OFFLINE_CONVERSIONS, row, **changes)


def line(row: dict[str, Any], **changes: Any) -> str:
    result = checked(row, **changes)
    assert not result.faults
    return csv_format(OFFLINE_CONVERSIONS).encode(result.values).decode()


def test_columns() -> None:
    assert csv_format(OFFLINE_CONVERSIONS).head.decode() == COLUMNS + "\n"


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        (conversion(), "1700000000123456789,,,,order_paid,1741089600,,\n"),
        (
            conversion(UserId="u 1", Yclid=15406, PurchaseId="P,1", Price="1500.50", Currency="rub", id="not sent"),
            '1700000000123456789,u 1,15406,"P,1",order_paid,1741089600,1500.50,RUB\n',
        ),
        (conversion(DateTime="2025-03-04 15:00:00"), "1700000000123456789,,,,order_paid,1741089600,,\n"),
        (conversion(DateTime="1741089600", Price=0), "1700000000123456789,,,,order_paid,1741089600,0,\n"),
        ({"Target": "a", "DateTime": "2025-03-04T12:00Z", "UserId": "u"}, ",u,,,a,1741089600,,\n"),
    ],
)
def test_lines(row: dict[str, Any], wanted: str) -> None:
    assert line(row) == wanted


def test_the_zone_of_the_source() -> None:
    assert checked(conversion(DateTime="2025-03-04 22:00"), source_zone=VLADIVOSTOK).values["DateTime"] == 1741089600


@pytest.mark.parametrize("field", OFFLINE_CONVERSIONS.identifiers)
def test_one_identifier_is_enough(field: str) -> None:
    assert not faults({"Target": "a", "DateTime": 1741089600, field: "17000000005"})
    kind = OFFLINE_CONVERSIONS.with_identifier(field)
    head = f"{field},Target,DateTime,Price,Currency\n"
    assert csv_format(kind).head.decode() == head
    assert (
        csv_format(kind).encode(checked(conversion(**{field: "17000000005"})).values)
        == b"17000000005,order_paid,1741089600,,\n"
    )


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"ClientId": None}, ("ClientId", "no_identifier")),
        ({"ClientId": 1.7e18}, ("ClientId", "float_id")),
        ({"ClientId": "ivan"}, ("ClientId", "bad_client_id")),
        ({"Yclid": "1.5E+4"}, ("Yclid", "float_id")),
        ({"UserId": 5.0}, ("UserId", "float_id")),
        ({"Target": None}, ("Target", "missing")),
        ({"Target": "Order is paid"}, ("Target", "bad_goal")),
        ({"Target": "a/b"}, ("Target", "bad_goal")),
        ({"DateTime": None}, ("DateTime", "missing")),
        ({"DateTime": "2025-03-04"}, ("DateTime", "no_time")),
        ({"DateTime": 1741089600000}, ("DateTime", "bad_date")),
        ({"Price": "1500,50"}, ("Price", "decimal_comma")),
        ({"Price": -1}, ("Price", "negative")),
        ({"Currency": "BYR"}, ("Currency", "old_currency")),
    ],
)
def test_faults(changes: dict[str, Any], fault: tuple[str, str]) -> None:
    assert faults(conversion(**changes)) == [fault]


@pytest.mark.parametrize(
    "changes",
    [
        {"ClientId": "17000000005"},
        {"UserId": "u"},
        {"Yclid": "5"},
        {"PurchaseId": "p"},
        {"Target": "b"},
        {"DateTime": 1741089601},
    ],
)
def test_every_identifying_field_is_part_of_the_key(changes: dict[str, Any]) -> None:
    assert checked(conversion(**changes)).key != checked(conversion()).key


def test_the_same_value_in_another_field_is_another_key() -> None:
    keys = {
        checked({"Target": "a", "DateTime": 1741089600, name: "17000000005"}).key
        for name in OFFLINE_CONVERSIONS.identifiers
    }
    assert len(keys) == 4


@pytest.mark.parametrize(
    "changes", [{"Price": 5}, {"Currency": "EUR"}, {"id": "x"}, {"DateTime": "2025-03-04T12:00:00Z"}, {"Price": None}]
)
def test_the_same_conversion_has_the_same_key(changes: dict[str, Any]) -> None:
    assert checked(conversion(**changes)).key == checked(conversion()).key


# --- targets -------------------------------------------------------------------------------------------------------


def goal(identifier: str, name: str, condition: str = "exact", **changes: Any) -> dict[str, Any]:
    return {"id": 1, "name": name, "type": "action", "conditions": [{"type": condition, "url": identifier}], **changes}


GOALS = [
    goal("order_paid", "Заказ_оплачен"),
    goal("call", "Call", "contain"),
    goal("lead", "lead"),
    goal("twice", "Twice", "contain"),
    goal("twice", "Twice"),
    goal("twice", "Twice", "start"),
    goal("Call", "another"),  # an identifier that is the name of another goal
    goal("gone", "Gone", status="Deleted"),
    {"id": 2, "name": "Page", "type": "url", "conditions": [{"type": "exact", "url": "page"}]},
    {"id": 3, "name": "Steps", "type": "step", "steps": []},
    {"id": 4, "name": "bare", "type": "action"},
    {"id": 5, "name": "null", "type": "action", "conditions": None},
]


def targets() -> Mapping[str, str | None]:
    return target_faults(GOALS)


@pytest.mark.parametrize("value", ["order_paid", " order_paid ", "lead", "twice", "Call", "call"])
def test_good_targets(value: str) -> None:
    assert checked(conversion(Target=value), targets=targets).values["Target"] == value.strip()


@pytest.mark.parametrize(
    ("value", "code", "said"),
    [
        ("order_payed", "unknown_target", ["'order_payed' is no goal", "did you mean 'order_paid'?", "EnsureGoals"]),
        ("ORDER", "unknown_target", ["'ORDER'", "not the name"]),
        ("12345678", "unknown_target", ["a value of 8 characters", "not the name"]),
        ("Заказ_оплачен", "unfit_target", ["is the name of a goal", "its identifier is 'order_paid'"]),
        ("gone", "unknown_target", ["'gone'"]),
        ("page", "unknown_target", ["'page'"]),
        ("bare", "unknown_target", ["'bare'"]),
    ],
)
def test_bad_targets(value: str, code: str, said: list[str]) -> None:
    (fault,) = checked(conversion(Target=value), targets=targets).faults
    assert (fault.column, fault.code) == ("Target", code)
    for part in said:
        assert part in fault.reason + " " + fault.fix


def test_a_goal_that_cannot_be_reached_is_no_near_miss() -> None:
    (fault,) = checked(conversion(Target="cal"), targets=lambda: target_faults([goal("call", "Call", "regexp")])).faults
    assert "did you mean" not in fault.fix


def test_the_goals_are_asked_for_with_the_first_target() -> None:
    def asked() -> Mapping[str, str | None]:
        raise LookupError

    assert faults(conversion(Target=None), targets=asked) == [("Target", "missing")]
    assert faults(conversion(Target="a b"), targets=asked) == [("Target", "bad_goal")]
    with pytest.raises(LookupError):
        checked(conversion(), targets=asked)
    assert not faults(conversion(Target="whatever"))  # unless that is not asked for
