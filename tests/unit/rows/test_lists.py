# SPDX-License-Identifier: Apache-2.0
"""List cells and goals."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_yandex_orders.metrica.kinds import ORDERS, SIMPLE_ORDERS
from airflow_provider_yandex_orders.rows import types
from airflow_provider_yandex_orders.rows.faults import BadValue
from airflow_provider_yandex_orders.rows.formats import cell
from airflow_provider_yandex_orders.rows.lists import goal, products, split, status_id
from airflow_provider_yandex_orders.rows.reading import Reading
from tests.unit.unit_support import check_options, check_row, full_order, order, refusal


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("a", ["a"]),
        ("a,b", ["a", "b"]),
        (" a , b ,, ", ["a", "b"]),
        (",", []),
        ('["a", "b"]', ["a", "b"]),
        (' ["a",null,""] ', ["a"]),
        ("[]", []),
        (["a", "b"], ["a", "b"]),
        (("a", None, "", "b"), ["a", "b"]),
        ({"b", "a"}, ["a", "b"]),
        (frozenset({2, 1}), [1, 2]),
        (5, [5]),
        ("[1700000000123456789]", [1700000000123456789]),
        ("[99999999999999999999]", [99999999999999999999]),
        ("[1.5]", [Decimal("1.5")]),
        ({"goal_action_id": "g"}, [{"goal_action_id": "g"}]),
        ('[{"goal_action_id": "g", "price": 0.1}]', [{"goal_action_id": "g", "price": Decimal("0.1")}]),
    ],
)
def test_split(value: object, wanted: list[Any]) -> None:
    assert split(value) == wanted


@pytest.mark.parametrize(
    "value",
    ['["a"', "[a, b]", "[", '["a"] x', "['a']", "[" * 20_000, "{a,b}", ' {"a"}', '{"goal_action_id": "g"}', "{}", "{"],
    ids=lambda value: value[:25],
)
def test_broken_array(value: str) -> None:
    assert refusal(split, value).code == "bad_list"


def test_an_array_as_a_database_writes_it_is_told() -> None:
    assert "as a database writes arrays" in refusal(split, "{79990000000,79990000001}").reason


@given(st.lists(st.text("abc123-_@.", min_size=1, max_size=8), max_size=5))
def test_all_forms_of_a_list_are_one(elements: list[str]) -> None:
    import json

    assert split(elements) == split(json.dumps(elements)) == split(",".join(elements)) == split(tuple(elements))


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("call_ok", ("call_ok", None)),
        ("call_ok:300", ("call_ok", Decimal(300))),
        (" call_ok : 300.50 ", ("call_ok", Decimal("300.50"))),
        ("call_ok:", ("call_ok", None)),
        ("call_ok:NULL", ("call_ok", None)),
        ({"goal_action_id": "call_ok", "price": float("nan")}, ("call_ok", None)),
        ({"goal_action_id": "call_ok", "price": 300}, ("call_ok", Decimal(300))),
        ({"goal_action_id": "call_ok", "price": None}, ("call_ok", None)),
        ({"goal_action_id": "call_ok"}, ("call_ok", None)),
        (("call_ok", 300), ("call_ok", Decimal(300))),
        (["call_ok", None], ("call_ok", None)),
        ("заявка:5", ("заявка", Decimal(5))),
        (17, ("17", None)),
    ],
)
def test_goal(value: object, wanted: tuple[str, Decimal | None]) -> None:
    assert goal(value) == wanted


@pytest.mark.parametrize("sign", [*'/\\&#?="', ",", ";", " ", "\n"])
def test_signs_a_goal_cannot_have(sign: str) -> None:
    assert refusal(goal, f"call{sign}ok").code == ("control_sign" if sign == "\n" else "bad_goal")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", "bad_goal"),
        (":5", "bad_goal"),
        ("none:5", "bad_goal"),
        ({"price": 5}, "bad_goal"),
        ({}, "bad_goal"),
        ("Call is OK", "bad_goal"),
        ("g:-5", "negative"),
        ("g:1:2", "not_a_number"),
        ("g:abc", "not_a_number"),
        ({"goal_action_id": "g", "price": "1,5"}, "decimal_comma"),
        ({"goal_action_id": 1.0}, "float_id"),
        ({"goal_action_id": ["g"]}, "not_text"),
    ],
)
def test_bad_goal(value: object, code: str) -> None:
    assert refusal(goal, value).code == code


@pytest.mark.parametrize(
    "value",
    [
        {"pear": 10, "apple": 30},
        {"pear": "10", "apple": Decimal(30)},
        '{"pear": 10, "apple": 30}',
        ' {"pear":"10","apple":" 30 "} ',
        "pear:10,apple:30",
        " pear : 10 , apple : 30 ,",
        '["pear:10", "apple:30"]',
        "pear:4,apple:30,pear:6",
        "pear:010,apple:30",
    ],
)
def test_products_in_all_forms_are_one(value: object) -> None:
    assert products(value) == {"pear": 10, "apple": 30}
    assert list(products(value)) == ["pear", "apple"]  # the order stays, as parts must be the same bytes on every try


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ({7: 1}, {"7": 1}),
        ({Decimal("7.0"): 1}, {"7": 1}),
        ({"a b": 0}, {"a b": 0}),
        ("Груша 1 сорт:2", {"Груша 1 сорт": 2}),
        ({"a": 10**17}, {"a": 10**17}),
        (",", {}),
        ("None,NULL", {}),
        ("pear:1,nan", {"pear": 1}),
        ("'5 pears:1", {"5 pears": 1}),
        ("[]", {}),
        ("{}", {}),
    ],
)
def test_products(value: object, wanted: dict[str, int]) -> None:
    assert products(value) == wanted


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("pear", "bad_products"),
        ("NULL:5", "bad_products"),
        ({None: 5}, "bad_products"),
        ("88.0:2", "float_id"),
        ({"4.2E+17": 1}, "float_id"),
        ("pear:", "bad_products"),
        (":5", "bad_products"),
        ("pear:-1", "bad_products"),
        ("pear:1.5", "bad_products"),
        ("pear:+1", "bad_products"),
        ("pear:1e2", "bad_products"),
        ("pear:²", "bad_products"),
        ("pear:١", "bad_products"),
        ("pear:two", "bad_products"),
        ("a:b:2", "bad_products"),  # a colon in a name would split it elsewhere
        ("pear;apple:2", "bad_products"),
        (f"pear:{'9' * 19}", "bad_products"),
        (f"pear:{'9' * 5000}", "bad_products"),
        ({"a,b": 1}, "bad_products"),
        ({"pear": None}, "bad_products"),
        ({"pear": True}, "bad_products"),
        ({"pear": 2.0}, "bad_products"),
        ({"pear": [1]}, "bad_products"),
        ({"": 1}, "bad_products"),
        ('{"pear": 10', "bad_products"),
        ("{pear:10}", "bad_products"),
        ('{"pear": {"x": 1}}', "bad_products"),
        ('[{"pear": 10}]', "bad_products"),
        ("[5]", "bad_products"),
        ('["pear:1"', "bad_list"),
        (["pear:1"], "bad_products"),
        ([("pear", 1)], "bad_products"),
        (5, "bad_products"),
        ({1.5: 1}, "float_id"),
        ({b"pear": 1}, "not_text"),
    ],
    ids=lambda value: str(value)[:25],
)
def test_bad_products(value: object, code: str) -> None:
    assert refusal(products, value).code == code


@given(
    st.dictionaries(st.text("abcдеж -_.", min_size=1, max_size=8).filter(str.strip), st.integers(0, 10**9), max_size=5)
)
def test_products_come_back_from_their_cell(counted: dict[str, int]) -> None:
    kept = products(counted)
    assert products(cell(kept)) == kept


@given(
    st.recursive(
        st.none() | st.text(max_size=9) | st.integers() | st.floats(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=4,
    )
)
def test_anything_is_products_or_refused(value: object) -> None:
    try:
        counted = products(value)
    except BadValue:
        return
    assert all(name and not set(name) & set(",:;") and number >= 0 for name, number in counted.items())


@pytest.mark.parametrize("value", ["PAID", "7", 7, "a:b-c_d", "Собран", "x" * 255])
def test_status_id(value: object) -> None:
    assert status_id(value) == str(value)


@pytest.mark.parametrize("value", ["", "a b", "a.b", "a/b", "x" * 256, "a\nb"])
def test_bad_status_id(value: str) -> None:
    assert refusal(status_id, value).code == ("control_sign" if "\n" in value else "bad_status")


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("101,102", ["101", "102"]),
        ("101,102:5", ["101", "102"]),
        ('["101", "102"]', ["101", "102"]),
        (["lead", "101"], ["lead", "101"]),
        ([{"goal_action_id": "lead", "price": 5}, {"goal_action_id": 101}], ["lead", "101"]),
        ([{"goal_action_id": "lead"}, 101], ["lead", "101"]),
        (["lead:5", "101"], "decimal_comma"),  # as several columns of goals make it
        ([101, 102], ["101", "102"]),
        ("lead:99,101", "decimal_comma"),
        ("lead,99.50", "decimal_comma"),
        ("lead,500р", "decimal_comma"),
        (["lead", "99.50"], "decimal_comma"),
        (True, "not_text"),
        ([True], "not_text"),
        (1.5, "decimal_comma"),
    ],
)
def test_numbers_as_goals(value: object, wanted: object) -> None:
    checked = check_row(SIMPLE_ORDERS, order(goals=value))
    assert ([name for name, _ in checked.values.get("goals", ())] or checked.faults[0].code) == wanted


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("lead:99.90", Decimal("99.90")),
        ("lead:1 500.5", Decimal("1500.5")),
        ("lead:1500", Decimal(1500)),
        (["lead:99,90"], Decimal("99.90")),
        ([{"goal_action_id": "lead", "price": "1.500,50"}], Decimal("1500.50")),
        ("lead:1.500", "decimal_point"),
        ("lead:99,90", "decimal_comma"),
        ([("lead", "99.90")], "decimal_point"),
    ],
)
def test_prices_of_goals_where_amounts_have_a_decimal_comma(value: object, wanted: object) -> None:
    checked = check_row(SIMPLE_ORDERS, order(goals=value), reading=Reading(decimal=","))
    assert wanted == (checked.values["goals"][0][1] if "goals" in checked.values else checked.faults[0].code)


def test_names_of_products_and_values_of_fields_are_free_text() -> None:
    assert check_row(ORDERS, full_order(products={"none": 2})).values["products"] == {"none": 2}
    convert = types.VALUES.converter(check_options())
    assert convert({"gift": "none", "empty": "None"}) == {"gift": "none"}
