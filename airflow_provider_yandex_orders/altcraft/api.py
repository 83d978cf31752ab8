# SPDX-License-Identifier: Apache-2.0
"""Altcraft Platform: how its answers are read.

Sources: https://guides.altcraft.com/en/developer-guide/api-interaction ,
https://guides.altcraft.com/en/developer-guide/market/orders/56249746
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from airflow_provider_yandex_orders.exceptions import Answer
from airflow_provider_yandex_orders.http.failures import Failure, FailureKind, quoted, retry_after

API = "/api/v1.1/market/orders"

BODY_BYTES = 5_000_000
"""Half of the 10 MB that profile methods take by default; none is named for orders."""

ENVELOPE = frozenset({"error", "error_text"})
"""What every answer has."""

_ACCESS = "Make a token with the market roles, under Settings, Tokens, and put it into the connection's password."
_ADVICE: dict[int, str] = {
    400: "Correct what the platform names and run the task again.",
    401: f"{_ACCESS} A host that wants it in the body needs the extra without auth_type.",
    402: "A limit of the tariff is reached: ask whoever manages the platform.",
    403: _ACCESS,
}
_UNTOUCHED = frozenset({401, 402, 403})
"""Codes that come before anything is done with the request."""
_STATUS_ADVICE: dict[int, str] = {
    401: _ACCESS,
    403: _ACCESS,
    404: "Check the connection's host: the platform's own address, without /api/v1.1.",
    413: "Let a batch be smaller: batch_size, max_part_bytes.",
}
_TRANSPORT = frozenset({502, 503, 504})


def read_failure(status: int, headers: Mapping[str, str], body: bytes, *, secret: str | None = None) -> Failure | None:
    """Read an answer: it is good only when the HTTP status is 2xx and ``error`` is 0.

    :param secret: what must not be quoted from the answer.
    """
    code, said = _words(body, secret)
    if status == 429:
        return Failure(
            FailureKind.BUSY, said, "Too many requests: run fewer tasks at once.", retry_after=retry_after(headers)
        )
    if status in _TRANSPORT:
        return Failure(FailureKind.BROKEN, said, "The next try may pass.", retry_after=retry_after(headers))
    if 200 <= status < 300:
        if code == 0:
            return None
        if code is None:
            advice = "The connection's host is not the platform, or an address of it that has another API: correct it."
            return Failure(FailureKind.REFUSED, said, advice, maybe_applied=True)
    if code:
        advice = _ADVICE.get(code, "The documentation does not tell what this code means: ask the platform's support.")
        return Failure(FailureKind.REFUSED, said, advice, f"error {code}", maybe_applied=code not in _UNTOUCHED)
    if 300 <= status < 400:
        return Failure(FailureKind.REFUSED, said, "The address has moved: check the connection's host.")
    advice = _STATUS_ADVICE.get(status, "Ask the platform's support if it stays.")
    return Failure(FailureKind.REFUSED, said, advice, maybe_applied=status in (400, 413, 422) or status >= 500)


def is_about_orders(answer: Answer | None) -> bool:
    """Whether the platform refused what a request holds, not the request as such."""
    return answer is not None and (answer.http_status in (400, 413, 422) or answer.error_type == "error 400")


def is_unknown_order(answer: Answer | None) -> bool:
    """Whether the answer to a question for one order says that there is none: no code for that is documented."""
    if answer is None or answer.error_type is None:
        return False
    return answer.error_type not in {f"error {code}" for code in _UNTOUCHED}


def is_wrong_token(answer: Answer | None) -> bool:
    """Whether the token is not known: no other call is open to it either."""
    return answer is not None and "401" in (str(answer.http_status), (answer.error_type or "").removeprefix("error "))


def _words(body: bytes, secret: str | None) -> tuple[int | None, str]:
    """The error's code (0 for none) and text; a body of another shape is described, not quoted."""
    try:
        answer: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return None, "(no JSON in the answer)." if body else "(an empty answer)."
    if not isinstance(answer, dict):
        return None, "(no JSON object in the answer)."
    code = _code(answer.get("error"))
    if code is None:
        return None, "(an answer without an error code)."
    said = str(answer.get("error_text") or "(no text)")
    if secret:
        said = said.replace(secret, "***")
    return code, quoted(said)


def _code(error: object) -> int | None:
    if isinstance(error, bool) or not isinstance(error, (int, str)):
        return None
    text = str(error).strip()
    return int(text) if text.removeprefix("-").isdecimal() and text.isascii() and len(text) < 10 else None
