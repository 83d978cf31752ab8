# SPDX-License-Identifier: Apache-2.0
"""The newest calls of the services, with what was wrong in plain words."""

from collections.abc import Iterator, Mapping
from itertools import groupby, islice
from typing import Any, Final

from airflow_provider_yandex_orders.sandbox.page.html import Html, join, pill, table
from airflow_provider_yandex_orders.sandbox.service import Sandbox

_SHOWN: Final = 20
_GOOD: Final = 400


def show(sandbox: Sandbox) -> Html:
    """The part of the page."""
    rows = (
        (when, join(what, pill(f"{number} times", "plain") if number > 1 else ""), answer)
        for (what, answer), number, when in islice(_runs(sandbox), _SHOWN)
    )
    return table("The newest calls, times in UTC", ("When", "Call", "Answer"), rows, cards=True)


def _runs(sandbox: Sandbox) -> Iterator[tuple[tuple[str, Html], int, str]]:
    """Equal calls that came one after the other are one line."""
    newest = reversed(sandbox.requests.entries())
    for call, group in groupby(newest, key=lambda one: (f"{one['method']} {one['path']} ", entry(one))):
        first, *others = group
        yield call, 1 + len(others), first["time"][11:19]


def entry(one: Mapping[str, Any]) -> Html:
    """What became of a call."""
    status = one["status"] or ("under way" if one["seconds"] is None else "no answer")
    good = one["status"] and one["status"] < _GOOD and not one["refused"]
    return join(
        pill(str(status), "good" if good else "plain" if one["seconds"] is None else "bad"),
        *([" ", pill(f"by fault {one['fault']}", "warn")] if one["fault"] else []),
        f" {one['said']}" if one["said"] else "",
    )
