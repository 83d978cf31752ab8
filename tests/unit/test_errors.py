# SPDX-License-Identifier: Apache-2.0
"""Errors keep what they know on the way through pickles and copies."""

from __future__ import annotations

import copy
import pickle

import pytest

from airflow_provider_yandex_orders.exceptions import (
    Answer,
    PassingError,
    PermanentError,
    QuotaExceeded,
    ServiceRefused,
    ServiceUnavailable,
    SourceError,
)

ANSWER = Answer("POST", "/p", 429, "quota_requests_by_uid")


@pytest.mark.parametrize(
    "error",
    [
        QuotaExceeded("words", retry_after=5.0, answer=ANSWER, maybe_applied=True),
        ServiceUnavailable("words", retry_after=None, answer=ANSWER),
        ServiceRefused("words", answer=ANSWER),
        PassingError("words", retry_after=1.0),
        SourceError("words"),
    ],
)
def test_copies(error: Exception) -> None:
    for again in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
        assert type(again) is type(error)
        assert str(again) == "words"
        assert vars(again) == vars(error)


def test_an_error_is_permanent_or_passing() -> None:
    assert not issubclass(PassingError, PermanentError)
    assert not issubclass(PermanentError, PassingError)
