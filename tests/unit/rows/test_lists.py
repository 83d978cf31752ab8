# SPDX-License-Identifier: Apache-2.0
"""List cells and goals."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_yandex_orders.rows.lists import goal, split
from tests.unit.unit_support import refusal


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


@pytest.mark.parametrize("value", ['["a"', "[a, b]", "[", '["a"] x', "['a']"])
def test_broken_array(value: str) -> None:
    assert refusal(split, value).code == "bad_list"


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
    assert refusal(goal, f"call{sign}ok").code == "bad_goal"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", "bad_goal"),
        (":5", "bad_goal"),
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
