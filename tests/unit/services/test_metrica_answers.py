# SPDX-License-Identifier: Apache-2.0
"""How good answers of Metrica are read."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_yandex_orders.exceptions import ServiceUnavailable
from airflow_provider_yandex_orders.metrica.answers import (
    crm_upload_state,
    offline_upload_state,
    part_of,
    uploading_of,
)
from airflow_provider_yandex_orders.metrica.api import js_goals


@pytest.mark.parametrize(
    ("status", "final", "good"),
    [("PASSED", True, True), ("FAILED", True, False), ("NEW_WORD", False, False), (None, False, False)],
)
def test_crm_states(status: str | None, final: bool, good: bool) -> None:
    state = crm_upload_state({"uploading_id": "u", "api_validation_status": status, "elements_count": 3})
    assert (state.upload_id, state.final, state.good, state.rows_accepted) == ("u", final, good, 3)
    assert state.status == (status or "UNKNOWN")
    assert (state.rows_total, state.rows_linked, state.detail) == (None, None, "")


def test_errors_of_an_upload_hold_no_personal_data() -> None:
    errors = ["row 1: ivan@example.com", "row 2: +7 (999) 555-11-11"]
    detail = crm_upload_state({"uploading_id": "u", "api_validation_errors": errors}).detail
    assert detail == "row 1: <e-mail>; row 2: <number>"


def test_only_the_first_errors_of_an_upload_are_told() -> None:
    errors = [f"row {number}" for number in range(100)]
    assert crm_upload_state({"api_validation_errors": errors}).detail == "row 0; row 1; row 2; row 3; row 4"
    assert crm_upload_state({"api_validation_errors": None}).detail == ""


# The table of https://yandex.ru/dev/metrika/ru/management/openapi/offline_conversions/findById_1
@pytest.mark.parametrize(
    ("status", "final", "good"),
    [
        ("PREPARED", False, False),
        ("UPLOADED", False, False),
        ("EXPORTED", False, False),
        ("MATCHED", False, False),
        ("PROCESSED", True, True),
        ("LINKAGE_FAILURE", True, False),
        ("NEW_WORD", False, False),
        (None, False, False),
    ],
)
def test_offline_states(status: str | None, final: bool, good: bool) -> None:
    state = offline_upload_state({"id": 5, "status": status})
    assert (state.upload_id, state.status, state.final, state.good) == ("5", status or "UNKNOWN", final, good)
    assert (state.rows_accepted, state.rows_linked, state.rows_total, state.detail) == (None, None, None, "")


@pytest.mark.parametrize(
    ("counts", "detail"),
    [
        ({}, ""),
        ({"goal_not_found_quantity": 0, "user_not_found_quantity": 0}, ""),
        ({"goal_not_found_quantity": 3}, "3 rows: goal not found"),
        (
            {"goal_not_found_quantity": 3, "user_not_found_quantity": 5},
            "3 rows: goal not found, 5 rows: user not found",
        ),
    ],
)
def test_counts_of_newer_answers(counts: dict[str, int], detail: str) -> None:
    uploading = {"id": 5, "status": "PROCESSED", "source_quantity": 10, "line_quantity": 9, "linked_quantity": 0}
    state = offline_upload_state(uploading | counts)
    assert (state.rows_total, state.rows_accepted, state.rows_linked, state.detail) == (10, 9, 0, detail)


@pytest.mark.parametrize(("kind", "part"), [(dict, {}), (dict, {"a": 1}), (list, []), (list, [{"a": 1}])])
def test_the_part_that_is_wanted(kind: Any, part: Any) -> None:
    assert part_of({"x": part, "y": 5}, "x", kind, "Do it") == part


@pytest.mark.parametrize("answer", [None, [], "x", 5, {}, {"x": None}, {"x": "a"}, {"y": {}}])
@pytest.mark.parametrize("kind", [dict, list])
@pytest.mark.parametrize("sent", [True, False])
def test_another_shape_is_a_passing_trouble(answer: Any, kind: Any, sent: bool) -> None:
    with pytest.raises(ServiceUnavailable, match=r"^Do it: Yandex Metrica answered without 'x'\.") as caught:
        part_of(answer, "x", kind, "Do it", sent=sent)
    assert caught.value.maybe_applied is sent


@pytest.mark.parametrize("items", [[None], ["a"], [{}, 5], [[]]])
def test_a_list_of_something_else(items: list[Any]) -> None:
    with pytest.raises(ServiceUnavailable, match="answered without 'x'"):
        part_of({"x": items}, "x", list, "Do it")


@pytest.mark.parametrize("uploading", [{"uploading_id": "u"}, {"id": 5}])
def test_an_upload_with_an_id(uploading: dict[str, Any]) -> None:
    assert uploading_of({"uploading": uploading}, "Do it") == uploading


@pytest.mark.parametrize("uploading", [{}, {"id": None}, {"uploading_id": ""}, {"status": "UPLOADED"}])
def test_an_upload_without_an_id_cannot_be_asked_for(uploading: dict[str, Any]) -> None:
    with pytest.raises(ServiceUnavailable, match="without the id of the upload") as caught:
        uploading_of({"uploading": uploading}, "Do it")
    assert caught.value.maybe_applied


def test_js_goals() -> None:
    exact = {
        "type": "action",
        "name": "a",
        "conditions": [{"type": "exact", "url": "x"}, {"type": "start", "url": "y"}],
    }
    goals: list[dict[str, Any]] = [
        exact,
        {**exact, "status": "Deleted"},
        {**exact, "type": "url"},
        {**exact, "conditions": None},
        {"type": "action"},
        {},
        {**exact, "status": "Active", "conditions": [{"type": "regexp", "url": "z"}]},
    ]
    assert [(identifier, condition) for identifier, condition, _ in js_goals(goals)] == [
        ("x", "exact"),
        ("y", "start"),
        ("z", "regexp"),
    ]
