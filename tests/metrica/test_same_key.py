# SPDX-License-Identifier: Apache-2.0
"""Several rows of one order: sent as the user says, or rejected."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.exceptions import ConfigurationError, RejectedRowsError
from airflow_provider_yandex_orders.operators.metrica import MetricaUploadContactsOperator as Contacts
from airflow_provider_yandex_orders.operators.metrica import MetricaUploadOrdersOperator as Orders
from airflow_provider_yandex_orders.operators.metrica import MetricaUploadSimpleOrdersOperator as SimpleOrders
from airflow_provider_yandex_orders.sandbox.server import SandboxServer

Run = Callable[..., Any]
MADE = "2026-11-20 10:00:00"
LINES = [
    {"id": "7", "create_date_time": MADE, "emails": "a@example.com", "order_status": "CANCELLED", "revenue": "80"},
    {"id": "7", "create_date_time": MADE, "emails": "a@example.com", "order_status": "", "revenue": ""},
    {"id": "8", "create_date_time": MADE, "emails": "b@example.com", "order_status": "PAID", "revenue": "5"},
]
"""As shops export orders: the first line of each has its data."""


def test_without_a_word_they_are_rejected_by_number(metrica: SandboxServer, run: Run) -> None:
    with pytest.raises(RejectedRowsError, match=r"1 keys have rows that differ \(7\): map update_date_time") as caught:
        run(SimpleOrders, source=LINES)
    assert '{"revenue": "sum"}' in str(caught.value)
    assert metrica.client.orders(101) == []
    delivery = run(SimpleOrders, source=LINES, max_rejected=2)
    assert (delivery["rows_read"], delivery["rows_sent"], delivery["rows_rejected"]) == (3, 1, 2)
    entries = [json.loads(line) for line in Path(delivery["rejected_path"]).read_text().splitlines()]
    assert [(each["row"], each["key"], each["code"]) for each in entries] == [(n, "7", "rows_differ") for n in (1, 2)]


@pytest.mark.parametrize("backwards", [False, True])
def test_merged_nothing_is_lost_and_no_default_is_put_over_a_value(
    metrica: SandboxServer, run: Run, backwards: bool
) -> None:
    more = {"id": "7", "phones": "+7 999 000-00-00", "emails": "A@example.com,c@example.com"}  # no date of its own
    rows = [*LINES, more]
    delivery = run(SimpleOrders, source=rows[::-1] if backwards else rows, same_key="merge")
    assert (delivery["rows_sent"], delivery["rows_duplicate"], delivery["rows_rejected"]) == (2, 2, 0)
    seven = next(each for each in metrica.client.orders(101) if each["id"] == "7")
    assert (seven["order_status"], seven["revenue"], seven["phones"]) == ("CANCELLED", "80", ["79990000000"])
    assert sorted(seven["emails"]) == ["a@example.com", "c@example.com"]


@pytest.mark.parametrize(
    ("same_key", "told"),
    [
        ("merge", {"order_status", "revenue"}),
        ({"revenue": "sum"}, {"order_status"}),
        ({"order_status": "first"}, {"revenue"}),
    ],
)
def test_merged_rows_that_contradict_each_other_are_told(
    metrica: SandboxServer, run: Run, caplog: pytest.LogCaptureFixture, same_key: Any, told: set[str]
) -> None:
    paid = LINES[0] | {"order_status": "PAID", "revenue": "90", "emails": "c@example.com"}
    run(SimpleOrders, source=[LINES[0], LINES[1], paid], same_key=same_key)
    asked = {"emails"} if same_key != "merge" else set()  # lists are joined by "merge" alone
    text = " ".join(caplog.text.split())
    assert {each["order_status"] for each in metrica.client.orders(101)} == {"CANCELLED"}
    assert set(re.findall(r"1 rows are made of rows that differ in (\w+):", text)) == told | asked


def test_the_last_is_sent_when_that_is_meant(metrica: SandboxServer, run: Run) -> None:
    delivery = run(SimpleOrders, source=LINES, same_key="last")
    assert (delivery["rows_sent"], delivery["rows_duplicate"]) == (2, 1)
    assert {each["id"]: each["order_status"] for each in metrica.client.orders(101)} == {"7": "PAID", "8": "PAID"}


def test_lines_are_added_up_equal_ones_too(metrica: SandboxServer, run: Run) -> None:
    made = {"client_uniq_id": "C", "create_date_time": MADE, "order_status": "PAID"}
    rows = [
        {"id": number % 300, **made, "revenue": "0.10", "products": f"p{number % 3}:1", "cost": number % 2 or None}
        for number in range(900)
    ]
    same_key = '{"revenue": "sum", "products": "join", "cost": "last"}'  # as a template gives it
    delivery = run(Orders, source=rows, same_key=same_key)
    assert (delivery["rows_read"], delivery["rows_sent"], delivery["rows_duplicate"]) == (900, 300, 600)
    stored = metrica.client.orders(101, kind="orders")
    assert {Decimal(each["revenue"]) for each in stored} == {Decimal("0.3")}
    assert {(int(each["id"]) % 3, *each["products"]) for each in stored} == {(n, f"p{n}:3") for n in range(3)}


def test_a_merged_row_that_cannot_be_sent_rejects_all_it_is_made_of(metrica: SandboxServer, run: Run) -> None:
    rows = [{"id": "9", "emails": "a@example.com"}, {"id": "9", "revenue": 1}, *LINES]
    delivery = run(SimpleOrders, source=rows, same_key="merge", max_rejected=2)
    assert (delivery["rows_sent"], delivery["rows_rejected"], delivery["rows_duplicate"]) == (2, 2, 1)


# --- versions ------------------------------------------------------------------------------------------------------


def order(number: int, day: int | str | None, **changes: Any) -> dict[str, Any]:
    """A row of order 7, changed on a day of November."""
    changed = f"2026-11-{day:02}" if isinstance(day, int) else day
    made = {"create_date_time": MADE, "client_uniq_id": "C", "emails": "a@example.com", "order_status": "PAID"}
    return {"id": "7", **made, "update_date_time": changed, "revenue": number, **changes}


BAD = {"revenue": "a lot"}
UPDATE = {"merge_mode": "UPDATE"}


@pytest.mark.parametrize(
    ("rows", "arguments", "codes", "sent"),
    [
        ([order(1, 1), order(2, 2, **BAD)], {}, ["newer_rejected", "not_a_number"], []),
        ([order(2, 2, **BAD), order(1, 1), order(0, 1)], {}, ["not_a_number", *["newer_rejected"] * 2], []),
        ([order(1, 1), order(2, 2, create_date_time=None)], {}, ["newer_rejected", "missing"], []),  # told of the whole
        ([order(1, 2), order(2, 2, **BAD)], {}, ["newer_rejected", "not_a_number"], []),
        ([order(1, 1, **BAD), order(2, 2)], {}, ["not_a_number"], [2]),
        ([order(1, 1), order(2, 2, **BAD), order(3, 3)], {}, ["newer_rejected", "not_a_number"], [3]),
        ([order(1, 1), order(2, "soon")], {}, ["newer_rejected", "bad_date"], []),  # of no version nobody knows
        ([order(1, None), order(2, 2, **BAD)], {}, ["newer_rejected", "not_a_number"], []),
        ([order(1, None), order(2, None, **BAD)], {}, ["newer_rejected", "not_a_number"], []),
        ([order(1, None), order(2, None, **BAD)], {"same_key": "last"}, ["newer_rejected", "not_a_number"], []),
        ([order(1, None, **BAD), order(2, None)], {"same_key": "last"}, ["not_a_number"], [2]),
        ([order(1, 2, **BAD), order(2, 1)], {"same_key": "last"}, ["not_a_number", "newer_rejected"], []),
        ([order(1, 1), order(2, 2, **BAD)], {"same_key": "merge"}, ["not_a_number"], []),
        ([order(1, 1), order(2, 2, **BAD), order(3, 3)], UPDATE, ["newer_rejected", "not_a_number"], [3]),
        ([order(1, 1), order(2, 2), order(3, 3, **BAD)], UPDATE, [*["newer_rejected"] * 2, "not_a_number"], []),
    ],
)
def test_what_a_rejected_row_replaced_is_not_sent_in_its_place(
    metrica: SandboxServer,
    run: Run,
    rows: list[dict[str, Any]],
    arguments: dict[str, Any],
    codes: list[str],
    sent: list[int],
) -> None:
    delivery = run(SimpleOrders, source=[*rows, order(8, 1, id="8")], max_rejected=9, **arguments)
    entries = [json.loads(line) for line in Path(delivery["rejected_path"]).read_text().splitlines()]
    assert [each["code"] for each in sorted(entries, key=lambda each: each["row"])] == codes
    assert {each["key"] for each in entries} == {"7"}
    held = metrica.client.orders(101)
    assert sorted(int(each["revenue"]) for each in held) == [*sent, 8]
    assert delivery["rows_read"] == len(rows) + 1 == delivery["rows_rejected"] + delivery["rows_duplicate"] + len(held)


@pytest.mark.parametrize("upload_format", ["csv", "json"])
@pytest.mark.parametrize(("mode", "emails"), [("SAVE", ["c"]), ("UPDATE", ["c"]), ("APPEND", ["a", "b", "c"])])
def test_changes_of_one_key_come_to_what_they_would_one_after_the_other(
    metrica: SandboxServer, run: Run, mode: str, emails: list[str], upload_format: str
) -> None:
    run(Contacts, source=[{"uniq_id": "7", "name": "Old", "emails": "a@example.com"}], task_id="first")
    rows = [
        {"uniq_id": "7", "update_date_time": "2026-11-03 10:00:00", "emails": "c@example.com"},
        {"uniq_id": "7", "update_date_time": "2026-11-01 10:00:00", "name": "First", "phones": "+7 999 000-00-01"},
        {"uniq_id": "7", "update_date_time": "2026-11-02 10:00:00", "name": "Second", "emails": "b@example.com"},
    ]
    delivery = run(Contacts, source=rows, merge_mode=mode, upload_format=upload_format)
    assert (delivery["rows_sent"], delivery["rows_duplicate"]) == (1, 2)
    (held,) = metrica.client.contacts(101)
    assert sorted(each[0] for each in held["emails"]) == emails
    left = (None, []) if mode == "SAVE" else ("Second", ["79990000001"])
    assert (held.get("name") or None, held["phones"]) == left


@pytest.mark.parametrize(("arguments", "cost"), [({}, None), ({"same_key": "last"}, "6"), ({"same_key": "merge"}, "5")])
def test_changes_of_one_moment_are_told_apart_or_rejected(
    metrica: SandboxServer, run: Run, arguments: dict[str, Any], cost: str | None
) -> None:
    rows = [order(1, 1, cost=5, revenue=None), order(1, 1, cost=6, revenue=None), order(2, 2)]
    delivery = run(SimpleOrders, source=rows, merge_mode="UPDATE", max_rejected=3, **arguments)
    held = metrica.client.orders(101)
    assert [(each["revenue"], each["cost"]) for each in held] == ([("2", cost)] if cost else [])
    assert (delivery["rows_rejected"], delivery["rows_duplicate"]) == ((0, 2) if cost else (3, 0))


def test_lines_of_several_versions_are_not_added_up_in_part(metrica: SandboxServer, run: Run) -> None:
    rows = [
        order(1, 1),
        order(2, 2),
        order(4, 1, id="8"),
        order(5, 1, id="8"),
        order(6, 1, id="9"),
        order(7, None, id="9"),
    ]
    delivery = run(SimpleOrders, source=rows, same_key={"revenue": "sum"}, max_rejected=2)
    entries = [json.loads(line) for line in Path(delivery["rejected_path"]).read_text().splitlines()]
    assert sorted((each["code"], each["row"]) for each in entries) == [("versions_differ", 1), ("versions_differ", 2)]
    assert {each["id"]: each["revenue"] for each in metrica.client.orders(101)} == {"8": "9", "9": "13"}
    newest = run(SimpleOrders, source=rows[:2], same_key="merge", task_id="merged")
    assert (newest["rows_sent"], newest["rows_duplicate"]) == (1, 1)


# --- what cannot be followed ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "same_key", ["first", 5, ["last"], {"id": "sum"}, {"emails": "sum"}, {"revenue": "join"}, {"revenu": "sum"}, "{"]
)
def test_what_cannot_be_followed_fails_before_the_first_row(metrica: SandboxServer, run: Run, same_key: Any) -> None:
    with pytest.raises(ConfigurationError, match="same_key"):
        run(SimpleOrders, source=LINES, same_key=same_key)
    assert metrica.client.orders(101) == []


def test_a_change_that_cannot_be_read_is_not_left_out_of_the_newest(metrica: SandboxServer, run: Run) -> None:
    row = {"id": "7", "create_date_time": MADE, "emails": "a@example.com"}
    changes = [
        {**row, "order_status": "PAID", "revenue": "abc", "update_date_time": "2026-11-21 10:00:00"},
        {**row, "order_status": "CANCELLED", "revenue": "", "update_date_time": "2026-11-22 10:00:00"},
    ]
    delivery = run(SimpleOrders, source=changes, same_key="merge", merge_mode="UPDATE", max_rejected=2)
    assert (delivery["rows_sent"], delivery["rows_rejected"], delivery["rows_duplicate"]) == (0, 2, 0)
