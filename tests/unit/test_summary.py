# SPDX-License-Identifier: Apache-2.0
"""The lines that tell what a task did, and the pace at which it tells how far it is."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytest

from airflow_provider_yandex_orders.log_lines import WIDTH, Pace, folded
from airflow_provider_yandex_orders.summary import summary, tell

PATH = "/" + "/".join(["a-long-folder"] * 20)
FAULT = {"rows": 1200, "first": "row 7 (A-7), column total", "reason": "is wrong " * 30, "fix": "write it " * 30}
DELIVERY: dict[str, Any] = {
    "service": "metrica",
    "entity": "simple_orders",
    "counter_id": 101,
    "rows_read": 10_000,
    "rows_sent": 8_800,
    "rows_rejected": 1_200,
    "rows_unchanged": 0,
    "values_dropped": 3,
    "money": {"RUB": "9007199254740993.10", "USD": "1.00"},
    "rejected": {"bad_date": FAULT, "missing": {**FAULT, "rows": 1}},
    "dropped": {"bad_email": FAULT},
    "rejected_path": f"{PATH}/rejected.jsonl",
    "dropped_path": f"{PATH}/dropped.jsonl",
    "deferred_path": None,
    "parts": [{"path": f"{PATH}/{n}.csv", "upload_id": f"u-{n}", "rows": 880} for n in range(61)],
}


def test_every_line_fits_but_paths_which_stand_alone() -> None:
    told = summary(DELIVERY).splitlines()
    assert told[0] == "simple_orders, metrica, counter 101"
    assert [line.split("  ")[-1] for line in told[1:5]] == [
        "rows read",
        "sent",
        "rejected",
        "values dropped from rows that are sent",
    ]
    assert [line.split() for line in told[5:7]] == [["9,007,199,254,740,993.10", "RUB"], ["1.00", "USD"]]
    assert all(len(line) <= WIDTH for line in told if PATH not in line)
    assert [line.strip() for line in told if PATH in line] == [
        f"{PATH}/rejected.jsonl",
        f"{PATH}/dropped.jsonl",
        f"{PATH}/0.csv",
    ]
    assert [line for line in told if " first row" in line] == [
        "rejected: 1,200 bad_date, first row 7 (A-7), column total",
        "rejected: 1 missing, first row 7 (A-7), column total",
        "dropped: 1,200 bad_email, first row 7 (A-7), column total",
    ]
    assert "u-19, and 41 more" in " ".join(told)
    assert told[-1].startswith("next: correct the rejected rows")


@pytest.mark.parametrize(
    ("changed", "last"),
    [
        ({"rows_rejected": 0}, "next: correct the values that were dropped; their rows were sent without them."),
        ({"rows_prepared": 5}, "next: nothing is sent yet: a task whose source is this result sends the parts."),
    ],
)
def test_what_is_to_be_done_next(changed: dict[str, Any], last: str) -> None:
    assert summary(DELIVERY | changed).splitlines()[-1] == last


def test_nothing_to_do_is_not_said() -> None:
    told = summary(
        {"service": "altcraft", "host": "h", "entity": "orders", "rows_read": 0, "rows_sent": 0, "parts": []}
    )
    assert told.splitlines() == ["orders, altcraft, h", "           0  rows read", "           0  sent"]


def test_each_file_of_a_fetch_with_its_rows() -> None:
    stats = {"service": "market", "campaign_id": 5, "orders": 1234, "pages": 7, "requests": 8, "rows": {"items": 9}}
    told = summary({**stats, "paths": ["/raw"], "tables": {"items": "/items"}, "schema_path": "/schema"}).splitlines()
    assert told[0] == "order statistics, market, store 5"
    assert [line.strip() for line in told[4:]] == [
        "1,234  orders, as the service has them:",
        "/raw",
        "9  rows of items:",
        "/items",
        "what the tables hold:",
        "/schema",
    ]


def test_progress_comes_at_a_steady_pace(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    pace, blind = Pace("rows sent", 61_000), Pace("rows read")
    for part in range(1, 61):
        clock[0] += 1
        pace.reached(part * 1000)
    blind.reached(60_000)
    assert [each.getMessage() for each in caplog.records] == [
        "30,000 of 61,000 rows sent, 1,000 a second, about 31 s left.",
        "60,000 of 61,000 rows sent, 1,000 a second, about 1 s left.",
        "60,000 rows read, 1,000 a second.",
    ]


def test_a_fold_is_closed_after_an_error_too(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(ValueError, match="odd"), folded("Send"):
        raise ValueError("odd")
    assert [each.getMessage() for each in caplog.records] == ["::group::Send", "::endgroup::"]


def test_a_result_that_cannot_be_told_fails_nothing(caplog: pytest.LogCaptureFixture) -> None:
    tell({})
    assert "The result could not be told (KeyError)." in caplog.text
