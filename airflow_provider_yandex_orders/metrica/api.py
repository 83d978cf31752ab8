# SPDX-License-Identifier: Apache-2.0
"""Yandex Metrica: how its answers are read.

Sources: https://yandex.ru/dev/metrika/ru/intro/errors , https://yandex.ru/dev/metrika/ru/intro/quotas
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_provider_yandex_orders.http.failures import Failure, FailureKind, listed_error, retry_after

CAN_UPLOAD = frozenset({"own", "edit"})
"""Values of a counter's ``permission`` that allow uploads."""

PARALLEL = 3
"""Requests of one user at a time."""
A_SECOND = 30
"""Requests of one address that may begin within a second."""
REPORTS_SECONDS = 300.0
"""The time in which one user may ask for 200 reports."""
LINK_DAYS = 21
"""A new order finds a visit only when it is not older than this."""
CHANGE_DAYS = 111
"""Days from the start of a visit in which the order linked to it may be changed."""

_TOKEN = "Get a new OAuth token and put it into the connection's password."
_RIGHTS = (
    "Give the account of the token edit rights on the counter, and the token the scope metrika:write "
    "(or metrika:read and metrika:offline_data for uploads)."
)
_DAILY = "The quota is whole again at the time named; fewer and larger parts spend less of it."
_PARALLEL = "Only three requests of one account may run at once: put the tasks of one token into a pool."
_DEFAULT_ADVICE = "Correct what the service names and run the task again."

_REFUSED: dict[str, str] = {
    "invalid_token": _TOKEN,
    "unauthorized": _TOKEN,
    "access_denied": _RIGHTS,
    "counter_in_connect": "Access to this counter is managed by an organisation: ask its administrator.",
    "not_found": "Check counter_id, in the task or in the connection.",
    "invalid_uploading": "The service cannot read the file; the part named in the log is kept to look at.",
    "limit_exceeded": "The counter holds as many of these as it may; remove some.",
}
_DAY_QUOTAS = frozenset({"quota_requests_by_uid", "quota_requests_by_counter_id"})
_HOUR_QUOTAS = frozenset({"quota_delegate_requests", "quota_grants_requests"})


def js_goals(goals: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Identifier, kind of condition and goal of every JS-event goal.

    Source: https://yandex.ru/dev/metrika/ru/management/openapi/goal/goals
    """
    for goal in goals:
        if goal.get("type") == "action" and goal.get("status") != "Deleted":
            for condition in goal.get("conditions") or []:
                yield str(condition.get("url")), str(condition.get("type")), goal


FITTING = ("exact", "contain")
"""Conditions by which a goal is found by its identifier; live counters have both."""


def target_faults(goals: Iterable[Mapping[str, Any]]) -> dict[str, str | None]:
    """What a conversion may name as its target, and why not: identifier (or name) to fault, ``None`` for a good one."""
    found: dict[str, str | None] = {}
    for identifier, condition, goal in js_goals(goals):
        found.setdefault(str(goal.get("name")), f"is the name of a goal; its identifier is {identifier!r}")
        if condition in FITTING:
            found[identifier] = None
        elif found.get(identifier, "") is not None:
            found[identifier] = f"is a goal whose condition is {condition!r}"
    return found


def read_failure(status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
    """Read an answer of Metrica. Any ``quota_*`` counts as a quota, under 420, 403 and 429 alike."""
    if 200 <= status < 300:
        return None
    error_type, said = listed_error(body, "error_type")
    if status in (420, 429) or (error_type or "").startswith("quota_"):
        return _quota(error_type, said, headers)
    if error_type in _REFUSED:
        return Failure(FailureKind.REFUSED, said, _REFUSED[error_type], error_type)
    if status >= 500 or status in (408, 423):
        return Failure(FailureKind.BROKEN, said, "The next try may pass.", error_type, retry_after(headers))
    if 300 <= status < 400:
        return Failure(FailureKind.REFUSED, said, "The address has moved: check the connection's host.", error_type)
    advice = {401: _TOKEN, 403: _RIGHTS, 404: _REFUSED["not_found"]}.get(status, _DEFAULT_ADVICE)
    return Failure(FailureKind.REFUSED, said, advice, error_type)


def _quota(error_type: str | None, said: str, headers: Mapping[str, str]) -> Failure:
    now, told = datetime.now(UTC), retry_after(headers)
    if error_type in _DAY_QUOTAS:
        moment = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    elif error_type in _HOUR_QUOTAS:
        moment = (now + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
    else:
        advice = (
            _PARALLEL
            if error_type == "quota_parallel_requests"
            else "Too many requests in a short time: run fewer tasks of one account at once."
        )
        return Failure(FailureKind.BUSY, said, advice, error_type, told)
    seconds = told if told is not None else (moment - now).total_seconds() + 60  # a minute past, for clocks
    resumes = now + timedelta(seconds=seconds)
    advice = f"{_DAILY} Next try not before {resumes:%Y-%m-%d %H:%M} UTC."
    return Failure(FailureKind.QUOTA, said, advice, error_type, seconds)
