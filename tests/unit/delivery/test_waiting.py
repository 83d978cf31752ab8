# SPDX-License-Identifier: Apache-2.0
"""Waits: what was heard, and how it is judged."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from airflow_provider_yandex_orders.exceptions import (
    ConfigurationError,
    PermanentError,
    ServiceRefused,
    UploadFailedError,
)
from airflow_provider_yandex_orders.metrica.answers import offline_demands
from airflow_provider_yandex_orders.triggers.metrica import MetricaUploadsWait
from airflow_provider_yandex_orders.waiting import (
    Demands,
    Heard,
    UploadState,
    judge,
    read_event,
)

PASSED = UploadState("a", "PASSED", True, True, 5)
FAILED = UploadState("b", "FAILED", True, False, detail="row 3 is bad")
CHECKED = UploadState("c", "VALIDATION", False, False)
LINKED = UploadState("d", "PROCESSED", True, True, 90, 40, 100, "10 rows: goal not found")


def heard(*states: UploadState, ids: str = "abc") -> Heard:
    wait = Heard(ids)
    wait.hear({state.upload_id: state for state in states})
    return wait


def test_what_is_open_and_what_failed() -> None:
    wait = heard(PASSED, FAILED, CHECKED, ids="abcd")
    assert wait.open == ["c", "d"]
    assert wait.describe_open() == "c (VALIDATION), d (not listed yet)"


def test_an_upload_keeps_its_last_state_and_strangers_are_not_heard() -> None:
    wait = heard(CHECKED)
    wait.hear({})
    wait.hear({"z": UploadState("z", "PASSED", True, True)})
    assert wait.states == {"a": None, "b": None, "c": CHECKED}


def test_ids_are_waited_for_once() -> None:
    assert Heard(["a", "a", "b"]).open == ["a", "b"]
    assert Heard([]).open == []


def test_the_event_survives_the_way_through_json() -> None:
    wait = heard(PASSED, FAILED, CHECKED, LINKED, ids="abcde")
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


def test_what_only_a_newer_version_says_is_left_out() -> None:
    state = {**PASSED._asdict(), "newer": 1}
    wait = MetricaUploadsWait("crm", "conn", Demands())
    assert wait.resume({"status": "done", "uploads": {"a": state}, "spent": {"requests": 0, "newer": 2}})
    assert wait.heard.states == {"a": PASSED}
    with pytest.raises(PermanentError, match="versions of the package"):
        wait.resume({"status": "newer", "uploads": {}, "spent": {"newer": 2}})


def test_judge() -> None:
    assert judge(heard(PASSED, ids="a")) == {"a": "PASSED"}
    assert judge(heard(PASSED, ids="ad")) == {"a": "PASSED", "d": None}
    with pytest.raises(UploadFailedError, match=r"b is FAILED \(row 3 is bad\)"):
        judge(heard(PASSED, FAILED))


# --- demands -------------------------------------------------------------------------------------------------------


def processed(
    accepted: int | None = None, linked: int | None = None, total: int | None = None, status: str = "PROCESSED"
) -> UploadState:
    return UploadState("a", status, True, status == "PROCESSED", accepted, linked, total)


@pytest.mark.parametrize(
    ("state", "min_accepted", "min_linked", "said"),
    [
        (processed(100, 40, 100), 1, 0, None),
        (processed(100, 0, 100), 1, 0, None),
        (processed(99, 40, 100), 1, 0, ["only 99 of 100 rows accepted, min_accepted is 1"]),
        (processed(99, 40, 100), 0.99, 0, None),
        (processed(98, 40, 100), 0.99, 0, ["98 of 100"]),
        (processed(29, 0, 100), 0.29, 0, None),  # 0.29 * 100 is less than 29
        (processed(0, 0, 100), 0.01, 0, ["0 of 100 rows accepted"]),
        (processed(0, 0, 100), 0, 0, None),
        (processed(100, 40, 100), 1, 0.4, None),
        (processed(100, 39, 100), 1, 0.4, ["only 39 of 100 rows linked, min_linked is 0.4"]),
        (processed(50, 20, 100), 0.5, 0.4, None),  # of those accepted
        (processed(50, 19, 100), 0.6, 0.4, ["50 of 100 rows accepted", "19 of 50 rows linked"]),
        # an answer without counts says nothing against an upload
        (processed(), 1, 1, None),
        (processed(100, None, 100), 1, 1, None),
        (processed(None, 0, 100), 1, 1, None),
        (processed(100, 100, None), 1, 1, None),
        (processed(0, 0, 0), 1, 1, None),
    ],
)
def test_shares(state: UploadState, min_accepted: float, min_linked: float, said: list[str] | None) -> None:
    demands = offline_demands(min_accepted, min_linked, allow_linkage_failure=False)
    if said is None:
        assert judge(heard(state, ids="a"), demands) == {"a": "PROCESSED"}
        return
    with pytest.raises(UploadFailedError) as caught:
        judge(heard(state, ids="a"), demands)
    for part in said:
        assert part in str(caught.value)


def test_without_demands_shares_do_not_matter() -> None:
    assert judge(heard(processed(0, 0, 100), ids="a")) == {"a": "PROCESSED"}


def test_a_linkage_failure_is_forgiven_only_where_it_is_asked() -> None:
    wait = heard(processed(100, 0, 100, "LINKAGE_FAILURE"), ids="a")
    with pytest.raises(UploadFailedError, match="a is LINKAGE_FAILURE"):
        judge(wait, offline_demands(1, 0, allow_linkage_failure=False))
    assert judge(wait, offline_demands(1, 0, allow_linkage_failure=True)) == {"a": "LINKAGE_FAILURE"}
    with pytest.raises(UploadFailedError, match="0 of 100 rows linked"):  # its counts are not
        judge(wait, offline_demands(1, 0.1, allow_linkage_failure=True))
    with pytest.raises(UploadFailedError, match="b is FAILED"):  # and no other word is
        judge(heard(FAILED, ids="b"), offline_demands(1, 0, allow_linkage_failure=True))


def test_every_fault_of_every_upload_is_told() -> None:
    states = [UploadState(name, "PROCESSED", True, True, 1, 0, 2) for name in "ab"]
    with pytest.raises(UploadFailedError) as caught:
        judge(heard(*states, UploadState("c", "LINKAGE_FAILURE", True, False)), Demands(1, 1))
    assert str(caught.value).count("min_accepted") == str(caught.value).count("min_linked") == 2
    assert "c is LINKAGE_FAILURE" in str(caught.value)


@pytest.mark.parametrize("share", [-0.1, 1.1, 5, float("nan")])
def test_shares_that_are_none(share: float) -> None:
    with pytest.raises(ConfigurationError, match="min_accepted must be a share"):
        offline_demands(share, 0, allow_linkage_failure=False)
    with pytest.raises(ConfigurationError, match="min_linked must be a share"):
        offline_demands(1, share, allow_linkage_failure=False)


def test_the_end_of_every_upload_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    judge(heard(LINKED, PASSED, ids="ad"))
    assert (
        "Upload d: PROCESSED. 100 rows sent, 90 accepted, 40 linked to visits; 10 rows: goal not found" in caplog.text
    )
    assert "Upload a: PASSED. 5 accepted" in caplog.text
