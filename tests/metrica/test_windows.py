# SPDX-License-Identifier: Apache-2.0
"""Rows too old to find a visit, and rows changed too late to be taken: counted, sent, held or rejected."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.exceptions import ConfigurationError, RejectedRowsError
from airflow_provider_yandex_orders.operators.metrica import (
    MetricaUploadContactsOperator,
    MetricaUploadOfflineConversionsOperator,
    MetricaUploadOrdersOperator,
    MetricaUploadSimpleOrdersOperator,
)
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sources import FileSource

Run = Callable[..., Any]
NOW = datetime.now(UTC).replace(microsecond=0)
DAYS = {1: 30, 2: 200, 3: 30, 4: 200, 5: 2}
"""Age of each row; the service has the first two before the test begins."""


def simple_order(number: int, price: int) -> dict[str, Any]:
    made = NOW - timedelta(days=DAYS[number])
    row = {"id": f"A-{number}", "create_date_time": made, "update_date_time": NOW - timedelta(days=1, hours=-price)}
    row |= {"client_ids": ["17000000000000123", "17000000000000124"], "order_status": "PAID", "currency": "RUB"}
    return {**row, "revenue": price, "goals": [{"goal_action_id": "paid", "price": price}]}


def full_order(number: int, price: int) -> dict[str, Any]:
    row = simple_order(number, price)
    del row["client_ids"]
    return {**row, "client_uniq_id": "C-1", "products": "boots:2,hat:1"}


def conversion(number: int, price: int) -> dict[str, Any]:
    made = NOW - timedelta(days=DAYS[number], minutes=number)
    return {"ClientId": "17000000000000123", "Target": "paid", "DateTime": made, "Price": price, "Currency": "RUB"}


KINDS = {
    "simple_orders": (MetricaUploadSimpleOrdersOperator, simple_order, "revenue"),
    "orders": (MetricaUploadOrdersOperator, full_order, "revenue"),
    "offline_conversions": (MetricaUploadOfflineConversionsOperator, conversion, "Price"),
}
kinds = pytest.mark.parametrize("entity", KINDS)


@pytest.fixture
def upload(run: Run, goals: Callable[..., None], metrica: SandboxServer) -> Run:
    goals("paid")
    run(MetricaUploadContactsOperator, source=[{"uniq_id": "C-1", "client_ids": "17000000000000123"}])

    def execute(entity: str, rows: Any, **arguments: Any) -> Any:
        return run(KINDS[entity][0], source=rows, **{"source_timezone": "UTC", **arguments})

    return execute


def prices(metrica: SandboxServer, entity: str) -> list[int]:
    """The amounts the service has, the least first."""
    conversions = entity == "offline_conversions"
    held = metrica.client.conversions(101) if conversions else metrica.client.orders(101, kind=entity)
    return sorted(int(float(each[KINDS[entity][2]])) for each in held)


@kinds
@pytest.mark.parametrize("way", ["send", "hold", "reject"])
def test_rows_of_no_use_are_counted_and_go_the_chosen_way(
    metrica: SandboxServer, upload: Run, entity: str, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    make = KINDS[entity][1]
    upload(entity, [make(1, 1), make(2, 1)])
    rows = [make(1, 2), make(2, 2), make(3, 3), make(4, 4), make(5, 5)]
    again = {"run_id": "run-2", "max_rejected": 3}
    plan = upload(entity, rows, too_old=way, dry_run=True, **again)
    delivery = upload(entity, rows, too_old=way, **again)

    sent, kept = (5, [2, 2, 3, 4, 5]) if way == "send" else (2, [1, 2, 5])
    assert prices(metrica, entity) == kept
    for told in (plan, delivery):
        assert (told["rows_old"], told["rows_late"]) == (2, 1)
        assert (told.get("rows_prepared", told["rows_sent"]), told["rows_read"]) == (sent, 5)
        assert told["rows_deferred"] == (3 if way == "hold" else 0)
        assert told["rows_rejected"] == (3 if way == "reject" else 0)
    assert "2 rows are too_old: each was made more than 21 days ago and is new to the service" in caplog.text
    assert "1 rows are too_late: each was made more than 111 days ago" in caplog.text

    outlook = plan["plan"]
    assert (outlook["new"], outlook["changed"]) == (3, 2)
    assert (outlook["too_old_to_link"], outlook["too_late_to_change"]) == (2, 1)
    assert outlook["rejected"] == ({"too_old": 2, "too_late": 1} if way == "reject" else {})
    assert outlook["money"] == {KINDS[entity][2]: {"RUB": str(16 if way == "send" else 7)}}
    if way == "reject":
        lines = [json.loads(line) for line in Path(delivery["rejected_path"]).read_text().splitlines()]
        assert [(each["row"], each["code"]) for each in lines] == [(2, "too_late"), (3, "too_old"), (4, "too_old")]
        assert all(each["fix"] and each["reason"] and each["column"] for each in lines)


@kinds
def test_rows_that_wait_can_be_sent_later(metrica: SandboxServer, upload: Run, entity: str) -> None:
    make = KINDS[entity][1]
    upload(entity, [make(2, 1)])
    rows = [make(2, 2), make(3, 3)]
    whole = upload(entity, rows, dry_run=True, run_id="plan")
    held = upload(entity, rows, too_old="hold", run_id="run-2")
    assert (held["rows_sent"], held["rows_deferred"], held["parts"]) == (0, 2, [])
    later = upload(entity, FileSource(held["deferred_path"]), source_timezone=None, run_id="run-3")
    assert (later["rows_sent"], later["rows_rejected"], prices(metrica, entity)) == (2, 0, [2, 3])
    assert [part["sha256"] for part in later["parts"]] == [part["sha256"] for part in whole["parts"]]


def test_more_rows_too_old_than_is_put_up_with(metrica: SandboxServer, upload: Run, tmp_path: Path) -> None:
    rows = [simple_order(number, 1) for number in (3, 4, 5)]
    with pytest.raises(RejectedRowsError, match=r"2 of 3 rows cannot be sent \(2 too_old\) and max_rejected is 1"):
        upload("simple_orders", rows, too_old="reject", max_rejected=1)
    assert metrica.client.orders(101) == []
    with pytest.raises(ConfigurationError, match="too_old must be one of send, hold, reject"):
        upload("simple_orders", rows, too_old="drop")


def test_what_the_service_has_as_it_is_counts_as_nothing(upload: Run) -> None:
    upload("simple_orders", [simple_order(1, 1), simple_order(2, 1)])
    delivery = upload("simple_orders", [simple_order(1, 1), simple_order(2, 1)], too_old="reject", run_id="run-2")
    assert (delivery["rows_sent"], delivery["rows_rejected"], "rows_old" in delivery) == (2, 0, False)
