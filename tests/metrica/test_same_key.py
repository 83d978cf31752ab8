# SPDX-License-Identifier: Apache-2.0
"""Several rows of one order: sent as the user says, or rejected."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.exceptions import ConfigurationError, RejectedRowsError
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


@pytest.mark.parametrize(
    "same_key", ["first", 5, ["last"], {"id": "sum"}, {"emails": "sum"}, {"revenue": "join"}, {"revenu": "sum"}, "{"]
)
def test_what_cannot_be_followed_fails_before_the_first_row(metrica: SandboxServer, run: Run, same_key: Any) -> None:
    with pytest.raises(ConfigurationError, match="same_key"):
        run(SimpleOrders, source=LINES, same_key=same_key)
    assert metrica.client.orders(101) == []
