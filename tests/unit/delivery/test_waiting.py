# SPDX-License-Identifier: Apache-2.0
"""Waits: what was heard, and how it is judged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_yandex_orders.delivery.waiting import judge, read_event, still_open
from airflow_provider_yandex_orders.exceptions import PermanentError, ServiceRefused, UploadFailedError
from airflow_provider_yandex_orders.states import UploadState, Wait

PASSED = UploadState("a", "PASSED", True, True, 5)
FAILED = UploadState("b", "FAILED", True, False, None, "row 3 is bad")
CHECKED = UploadState("c", "VALIDATION", False, False)


def heard(*states: UploadState, ids: str = "abc") -> Wait:
    wait = Wait(ids)
    wait.hear({state.upload_id: state for state in states})
    return wait


def test_what_is_open_and_what_failed() -> None:
    wait = heard(PASSED, FAILED, CHECKED, ids="abcd")
    assert wait.open == ["c", "d"]
    assert wait.failed == [FAILED]
    assert wait.describe_open() == "c (VALIDATION), d (not listed yet)"


def test_an_upload_keeps_its_last_state_and_strangers_are_not_heard() -> None:
    wait = heard(CHECKED)
    wait.hear({})
    wait.hear({"z": UploadState("z", "PASSED", True, True)})
    assert wait.states == {"a": None, "b": None, "c": CHECKED}


def test_ids_are_waited_for_once() -> None:
    assert Wait(["a", "a", "b"]).open == ["a", "b"]
    assert Wait([]).open == []


def test_the_event_survives_the_way_through_json() -> None:
    wait = heard(PASSED, FAILED, CHECKED, ids="abcd")
    for status in ("done", "timeout"):
        read, timed_out = read_event(json.loads(json.dumps({"status": status, "uploads": wait.to_event()})))
        assert read.states == wait.states
        assert timed_out is (status == "timeout")


@pytest.mark.parametrize("event", [None, "done", [], {}, {"status": "success"}, {"status": None}, 5])
def test_a_strange_event_is_permanent(event: Any) -> None:
    with pytest.raises(PermanentError, match="does not know"):
        read_event(event)


def test_an_error_event_is_permanent() -> None:
    with pytest.raises(ServiceRefused, match="no rights"):
        read_event({"status": "error", "message": "no rights", "uploads": {}})


def test_judge() -> None:
    assert judge(heard(PASSED, ids="a")) == {"a": "PASSED"}
    assert judge(heard(PASSED, ids="ad")) == {"a": "PASSED", "d": None}
    with pytest.raises(UploadFailedError, match=r"b is FAILED \(row 3 is bad\)"):
        judge(heard(PASSED, FAILED))


def test_still_open() -> None:
    assert "not final after 90 s: b (not listed yet), c (VALIDATION)" in still_open(heard(PASSED, CHECKED), 90.0)
