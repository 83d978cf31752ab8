# SPDX-License-Identifier: Apache-2.0
"""How failed answers of Metrica are read. The table is that of https://yandex.ru/dev/metrika/ru/intro/errors ."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_yandex_orders.http.failures import Failure, FailureKind
from airflow_provider_yandex_orders.metrica.api import read_failure

DAY, HOUR = "day", "hour"
DOCUMENTED: list[tuple[str, int, FailureKind]] = [
    ("backend_error", 503, FailureKind.BROKEN),
    ("timeout", 504, FailureKind.BROKEN),
    ("quota_requests_by_ip", 429, FailureKind.BUSY),
    ("quota_parallel_requests", 429, FailureKind.BUSY),
    ("quota_requests_by_uid", 429, FailureKind.QUOTA),
    ("quota_requests_by_counter_id", 429, FailureKind.QUOTA),
    ("quota_delegate_requests", 429, FailureKind.QUOTA),
    ("quota_grants_requests", 429, FailureKind.QUOTA),
    ("invalid_token", 403, FailureKind.REFUSED),
    ("unauthorized", 401, FailureKind.REFUSED),
    ("access_denied", 403, FailureKind.REFUSED),
    ("counter_in_connect", 403, FailureKind.REFUSED),
    ("invalid_parameter", 400, FailureKind.REFUSED),
    ("missing_parameter", 400, FailureKind.REFUSED),
    ("invalid_uploading", 400, FailureKind.REFUSED),
    ("invalid_json", 400, FailureKind.REFUSED),
    ("limit_exceeded", 400, FailureKind.REFUSED),
    ("query_error", 400, FailureKind.REFUSED),
    ("too_much_rows", 400, FailureKind.REFUSED),
    ("filter_limits", 400, FailureKind.REFUSED),
    ("not_found", 404, FailureKind.REFUSED),
    ("not_acceptable", 406, FailureKind.REFUSED),
    ("conflict", 409, FailureKind.REFUSED),
]
QUOTAS = [(word, kind) for word, _, kind in DOCUMENTED if word.startswith("quota_")]


def fault(status: int, content: Any = None, headers: dict[str, str] | None = None) -> Failure:
    read = read_failure(status, headers or {}, content if isinstance(content, bytes) else json.dumps(content).encode())
    assert read is not None
    assert read.said
    assert read.advice
    return read


def error(error_type: str, message: str = "Some words.") -> dict[str, Any]:
    return {"errors": [{"error_type": error_type, "message": message, "location": "x"}], "message": message}


@pytest.mark.parametrize(("error_type", "status", "kind"), DOCUMENTED)
def test_documented_errors(error_type: str, status: int, kind: FailureKind) -> None:
    read = fault(status, error(error_type))
    assert (read.kind, read.error_type, read.said) == (kind, error_type, "Some words.")


@pytest.mark.parametrize("status", [400, 403, 420, 429, 503])
@pytest.mark.parametrize(("error_type", "kind"), QUOTAS)
def test_a_quota_is_a_quota_under_any_status(error_type: str, kind: FailureKind, status: int) -> None:
    assert fault(status, error(error_type)).kind is kind


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_bad_token_is_named_under_any_status(status: int) -> None:
    for error_type in ("invalid_token", "unauthorized"):
        read = fault(status, error(error_type))
        assert read.kind is FailureKind.REFUSED
        assert "new OAuth token" in read.advice


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, FailureKind.REFUSED),
        (401, FailureKind.REFUSED),
        (403, FailureKind.REFUSED),
        (404, FailureKind.REFUSED),
        (408, FailureKind.BROKEN),
        (413, FailureKind.REFUSED),
        (420, FailureKind.BUSY),
        (429, FailureKind.BUSY),
        (301, FailureKind.REFUSED),
        (302, FailureKind.REFUSED),
        (500, FailureKind.BROKEN),
        (502, FailureKind.BROKEN),
        (503, FailureKind.BROKEN),
        (504, FailureKind.BROKEN),
    ],
)
@pytest.mark.parametrize(
    "content",
    [b"", b"<html>login</html>", b"[]", b"null", b'"x"', {}, {"errors": None}, {"errors": 5}, {"errors": "x"}],
)
def test_without_an_error_type_the_status_decides(status: int, kind: FailureKind, content: Any) -> None:
    read = fault(status, content)
    assert (read.kind, read.error_type) == (kind, None)
    assert "login" not in read.said


@pytest.mark.parametrize("status", [200, 201, 204])
def test_good_answers(status: int) -> None:
    assert read_failure(status, {}, b"{}") is None


def test_words() -> None:
    assert fault(400, {"message": "only here"}).said == "only here."
    twice = {"errors": [{"message": "a", "error_type": "invalid_json"}, {"message": "b"}, {"message": "a"}, 5]}
    assert fault(400, twice).said == "a; b."
    assert fault(400, {"errors": [{}]}).said == "(no text)."
    assert len(fault(400, error("x", "long " * 1000)).said) < 600


@pytest.mark.parametrize("private", ["ivan@example.com", "+7 (999) 555-11-11", "79995551111"])
@pytest.mark.parametrize("before", ["Bad value ", "x" * 490 + " "])
def test_words_without_personal_data(private: str, before: str) -> None:
    said = fault(400, error("invalid_uploading", f"{before}{private} in row 5")).said
    for length in range(7, len(private) + 1):
        assert private[:length] not in said


@pytest.mark.parametrize("error_type", ["quota_requests_by_uid", "quota_requests_by_counter_id"])
def test_a_daily_quota_ends_at_midnight_gmt(error_type: str) -> None:
    before = datetime.now(UTC)
    read = fault(429, error(error_type))
    after = datetime.now(UTC)
    assert read.retry_after is not None
    midnight = (before + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    resumes = before + timedelta(seconds=read.retry_after)
    assert midnight <= resumes + (after - before)
    assert resumes <= midnight + timedelta(minutes=2)
    assert f"not before {midnight:%Y-%m-%d} 00:0" in read.advice


@pytest.mark.parametrize("error_type", ["quota_delegate_requests", "quota_grants_requests"])
def test_an_hourly_quota_ends_with_the_hour(error_type: str) -> None:
    now = datetime.now(UTC)
    read = fault(429, error(error_type))
    assert read.retry_after is not None
    resumes = now + timedelta(seconds=read.retry_after)
    assert timedelta(0) < resumes - now <= timedelta(hours=1, minutes=2)
    assert resumes.minute <= 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("5", 5.0),
        ("0", 0.0),
        ("86400", 86400.0),
        ("9" * 20, 7 * 86400.0),
        ("9" * 500, 7 * 86400.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),  # it has passed
        ("Wed, 21 Oct 2099 07:28:00 GMT", 7 * 86400.0),
        ("Wed, 21 Oct 2099 07:28:00 +99999999999999", None),
        ("Wed, 21 Oct 2099 07:28:00 -0000", None),  # a time without a zone
        ("Wed, 41 Oct 2099 07:28:00 GMT", None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("²", None),
        ("1.5", None),
    ],
)
@pytest.mark.parametrize(("status", "error_type"), [(429, "quota_requests_by_ip"), (503, "backend_error"), (500, "x")])
def test_retry_after(header: str, seconds: float | None, status: int, error_type: str) -> None:
    assert fault(status, error(error_type), {"Retry-After": header}).retry_after == seconds


@pytest.mark.parametrize(
    "form", ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a, %d %b %Y %H:%M:%S +0000"]
)
def test_retry_after_as_a_date(form: str) -> None:
    named = datetime.now(UTC) + timedelta(minutes=10)
    read = fault(503, b"", {"Retry-After": named.strftime(form)})
    assert read.retry_after is not None
    assert 590 <= read.retry_after <= 600


@pytest.mark.parametrize("header", ["9" * 20, "Wed, 21 Oct 2099 07:28:00 GMT"])
def test_a_daily_quota_with_an_impossible_wait(header: str) -> None:
    read = fault(429, error("quota_requests_by_uid"), {"Retry-After": header})
    assert (read.kind, read.retry_after) == (FailureKind.QUOTA, 7 * 86400.0)


RETRY_AFTER = (
    st.text(max_size=5)
    | st.integers(0).map(str)
    | st.builds("Wed, {} {} {} {}:28:00 {}".format, *[st.integers(0, 99999) | st.just("Oct")] * 4, st.text(max_size=6))
)


@given(st.integers(300, 599), st.binary(max_size=50), st.dictionaries(st.just("Retry-After"), RETRY_AFTER))
def test_any_answer_can_be_read(status: int, body: bytes, headers: dict[str, str]) -> None:
    assert read_failure(status, headers, body) is not None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["message", "error_type", "x"]), inner),
    max_leaves=5,
)


@given(st.fixed_dictionaries({}, optional={"errors": JSON, "message": JSON, "code": JSON}))
def test_any_json_can_be_read(content: dict[str, Any]) -> None:
    fault(400, content)
