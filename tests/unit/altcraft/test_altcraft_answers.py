# SPDX-License-Identifier: Apache-2.0
"""How answers of the Altcraft Platform are read: the transport and the envelope both decide."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_yandex_orders.altcraft.api import is_about_orders, is_unknown_order, read_failure
from airflow_provider_yandex_orders.exceptions import Answer
from airflow_provider_yandex_orders.http.failures import Failure, FailureKind


def read(status: int, content: Any, headers: dict[str, str] | None = None, **arguments: Any) -> Failure | None:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return read_failure(status, headers or {}, body, **arguments)


def fault(*arguments: Any, **named: Any) -> Failure:
    found = read(*arguments, **named)
    assert found is not None
    assert found.said
    assert found.advice
    return found


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize("error", [0, "0", " 0 "])
@pytest.mark.parametrize("text", ["", "Successful operation", "anything", None])
def test_good_answers(status: int, error: Any, text: Any) -> None:
    assert read(status, {"error": error, "error_text": text, "result": []}) is None


@pytest.mark.parametrize("status", [200, 400, 403, 500])
@pytest.mark.parametrize(
    ("error", "word", "maybe"),
    [
        (400, "Correct what the platform names", True),
        ("400", "Correct what the platform names", True),
        (401, "market roles", False),
        (402, "tariff", False),
        (403, "market roles", False),
        (5001, "not tell what this code means", True),
        (-1, "not tell what this code means", True),
    ],
)
def test_an_error_code_is_final_under_any_status(status: int, error: Any, word: str, maybe: bool) -> None:
    read = fault(status, {"error": error, "error_text": "Because."})
    assert (read.kind, read.error_type, read.said) == (FailureKind.REFUSED, f"error {int(error)}", "Because.")
    assert word in read.advice
    assert read.maybe_applied is maybe


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>login</html>",
        b"[]",
        b"null",
        b'"0"',
        {},
        {"error": None},
        {"error": True},
        {"error": False},
        {"error": 0.0},
        {"error": ""},
        {"error": "none"},
        {"error": [0]},
        {"error": "²"},
        {"error_text": "ok"},
    ],
)
def test_a_2xx_without_the_envelope_is_no_success(content: Any) -> None:
    read = fault(200, content)
    assert read.kind is FailureKind.REFUSED
    assert "is not the platform" in read.advice
    assert read.maybe_applied
    assert "login" not in read.said


@pytest.mark.parametrize("content", [b"", b"<html>", {"error": 0}, {"error": 400, "error_text": "x"}])
@pytest.mark.parametrize(
    ("status", "kind"),
    [(429, FailureKind.BUSY), (502, FailureKind.BROKEN), (503, FailureKind.BROKEN), (504, FailureKind.BROKEN)],
)
def test_four_statuses_pass(status: int, kind: FailureKind, content: Any) -> None:
    assert fault(status, content).kind is kind
    assert fault(status, content, {"Retry-After": "7"}).retry_after == 7


@pytest.mark.parametrize("status", [300, 302, 400, 401, 403, 404, 408, 413, 422, 500, 501, 505])
@pytest.mark.parametrize("content", [b"", b"<html>", {"error": 0, "error_text": ""}])
def test_all_others_do_not(status: int, content: Any) -> None:
    read = fault(status, content)
    assert (read.kind, read.error_type) == (FailureKind.REFUSED, None)


def test_words_are_cut_and_hold_neither_secret_nor_person() -> None:
    text = f"bad token s3cret-9876543210123 of ivan@example.com, +7 (999) 555-11-11 {'long ' * 400}"
    said = fault(200, {"error": 400, "error_text": text}, secret="s3cret-9876543210123").said
    assert said.startswith("bad token *** of <e-mail>, <number> long")
    assert len(said) <= 501
    assert fault(200, {"error": 400}).said == "(no text)."


@pytest.mark.parametrize(
    ("answer", "orders", "unknown"),
    [
        (None, False, False),
        (Answer("POST", "/", 200, "error 400"), True, True),
        (Answer("POST", "/", 400), True, False),
        (Answer("POST", "/", 413), True, False),
        (Answer("POST", "/", 200, "error 404"), False, True),
        (Answer("POST", "/", 200, "error 401"), False, False),
        (Answer("POST", "/", 404), False, False),
        (Answer("POST", "/", 500), False, False),
    ],
)
def test_what_a_refusal_is_about(answer: Answer | None, orders: bool, unknown: bool) -> None:
    assert is_about_orders(answer) is orders
    assert is_unknown_order(answer) is unknown


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["error", "error_text", "x"]), inner),
    max_leaves=5,
)


@given(st.integers(200, 599), JSON | st.binary(max_size=30))
def test_any_answer_can_be_read(status: int, content: Any) -> None:
    found = read(status, content)
    good = isinstance(content, dict) and str(content.get("error")).strip() in ("0", "-0", "+0")
    assert (found is None) <= (good and status < 300)
