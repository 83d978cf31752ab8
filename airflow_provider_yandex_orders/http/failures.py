# SPDX-License-Identifier: Apache-2.0
"""What went wrong with a request, in the terms that decide what happens next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any

import msgspec

from airflow_provider_yandex_orders.privacy import scrub

LONGEST_WAIT = 7 * 24 * 60 * 60.0
"""Seconds; a header that says more is not believed."""


class FailureKind(Enum):
    """How a failed request is treated."""

    REFUSED = "refused"
    """The same request will fail again."""
    BUSY = "busy"
    """The request was not taken; it may be sent again after a pause."""
    QUOTA = "quota"
    """A quota is used up until a known time."""
    BROKEN = "broken"
    """The service failed; the request may have taken effect."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed answer, read.

    :param kind: how to treat it.
    :param said: the service's own words.
    :param advice: what the reader should do.
    :param error_type: the service's own word for the error, where it has one.
    :param retry_after: seconds to wait, where the service said so.
    :param maybe_applied: a refused request may have taken effect in part; of a broken one that goes without saying.
    """

    kind: FailureKind
    said: str
    advice: str
    error_type: str | None = None
    retry_after: float | None = None
    maybe_applied: bool = False


def quoted(said: object) -> str:
    """A service's own words as a message may have them: without what looks personal, and no longer than need be."""
    return f"{scrub(str(said)[:1000])[:500].rstrip('. ') or '(no text)'}."


def listed_error(body: bytes, code: str) -> tuple[str | None, str]:
    """The code and the texts of a list of ``errors``; a body of another shape is described, not quoted."""
    try:
        answer: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return None, "(no JSON in the answer)." if body else "(an empty answer)."
    if not isinstance(answer, dict):
        return None, "(an answer of an unknown shape)."
    listed = answer.get("errors")
    errors = [error for error in listed if isinstance(error, dict)] if isinstance(listed, list) else []
    said = "; ".join(dict.fromkeys(str(error["message"]) for error in errors if error.get("message")))
    named = str(errors[0].get(code) or "") if errors else ""
    return named or None, quoted(said or answer.get("message") or "")


FailureReader = Callable[[int, Mapping[str, str], bytes], Failure | None]
"""Reads status, headers and body of an answer; ``None`` means the answer is good."""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of a ``Retry-After`` header, a number or a date. No service documents one; a proxy may send it."""
    value = headers.get("Retry-After", "")
    try:
        if value.isascii() and value.isdigit():
            seconds = float(value)
        else:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(0.0, seconds), LONGEST_WAIT)
