# SPDX-License-Identifier: Apache-2.0
"""Merge modes: what is changed at the service, and what must stay as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.exceptions import RejectedRowsError, SourceError
from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.operators.metrica import (
    MetricaUploadContactsOperator,
    MetricaUploadOrdersOperator,
    MetricaUploadSimpleOrdersOperator,
)
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sources import FileSource

Run = Callable[..., Any]
CHANGES = ["UPDATE", "APPEND"]
SIMPLE: dict[str, Any] = {"id": "A-1", "create_date_time": "2026-11-01 10:00:00", "emails": "a@example.com"}
FULL: dict[str, Any] = {"id": "A-1", "create_date_time": "2026-11-01 10:00:00", "client_uniq_id": "C-1"}
WHOLE: dict[str, Any] = {
    "order_status": "CANCELLED",
    "revenue": "100",
    "cost": "40",
    "currency": "EUR",
    "goals": "call:5",
}


def head_of(delivery: dict[str, Any]) -> str:
    return Path(delivery["parts"][0]["path"]).read_text().splitlines()[0]


@pytest.mark.parametrize("mode", CHANGES)
@pytest.mark.parametrize(
    ("operator", "identity", "arguments"),
    [
        (MetricaUploadSimpleOrdersOperator, SIMPLE, {}),
        (MetricaUploadOrdersOperator, FULL, {"upload_format": "csv"}),
        (MetricaUploadOrdersOperator, FULL, {"upload_format": "json"}),
    ],
    ids=["simple", "csv", "json"],
)
def test_a_change_of_one_field_leaves_the_others(
    metrica: SandboxServer,
    run: Run,
    goals: Callable[..., None],
    mode: str,
    operator: type,
    identity: dict[str, Any],
    arguments: dict[str, Any],
) -> None:
    goals("call")
    kind = "simple_orders" if operator is MetricaUploadSimpleOrdersOperator else "orders"
    run(operator, source=[{**identity, **WHOLE}], **arguments)
    (before,) = metrica.client.orders(101, kind=kind)
    changed = {**identity, "order_status": "CANCELLED", "cost": "55.5", "revenue": None, "goals": []}
    run(operator, source=[changed], merge_mode=mode, task_id="change", **arguments)
    (after,) = metrica.client.orders(101, kind=kind)
    counted = {"times_received", "upload_ids"}
    differs = {name for name in after.keys() - counted if after[name] != before[name]}
    assert differs == {"cost"}
    assert (after["cost"], after["order_status"], after["currency"]) == ("55.5", "CANCELLED", "EUR")


def test_a_file_has_only_fields_some_row_fills(metrica: SandboxServer, run: Run, goals: Callable[..., None]) -> None:
    goals("x")
    rows = [
        {**SIMPLE, "order_status": "PAID", "cost": 5},
        {**SIMPLE, "id": "A-2", "order_status": "SPAM", "goals": "x"},
    ]
    rows[0]["client_uniq_id"] = 'a "b", c'
    delivery = run(MetricaUploadSimpleOrdersOperator, source=rows, merge_mode="UPDATE")
    assert head_of(delivery) == "id,create_date_time,client_uniq_id,emails,order_status,cost,goals"
    held = {each["id"]: each for each in metrica.client.orders(101)}
    assert (held["A-1"]["cost"], held["A-1"]["client_uniq_id"], held["A-2"]["goals"]) == ("5", 'a "b", c', ["x"])


def test_hashed_identifiers_are_the_only_ones(metrica: SandboxServer, run: Run) -> None:
    row = {**SIMPLE, "order_status": "PAID"}
    delivery = run(MetricaUploadSimpleOrdersOperator, source=[row], merge_mode="UPDATE", hash_identifiers=True)
    assert head_of(delivery) == "id,create_date_time,emails_md5,order_status"


@pytest.mark.parametrize("mode", CHANGES)
@pytest.mark.parametrize("operator", [MetricaUploadSimpleOrdersOperator, MetricaUploadOrdersOperator])
def test_an_order_without_status_is_rejected(metrica: SandboxServer, run: Run, mode: str, operator: type) -> None:
    rows = [{**SIMPLE, **FULL, "cost": 5}, {**SIMPLE, **FULL, "id": "A-2", "cost": 5, "order_status": " "}]
    with pytest.raises(RejectedRowsError, match="2 missing"):
        run(operator, source=rows, merge_mode=mode)
    assert not [each for each in metrica.client.requests() if each["method"] == "POST"]


def test_a_file_without_a_column_of_statuses_is_no_change(metrica: SandboxServer, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "costs.csv"
    path.write_text("id,create_date_time,emails,cost\nA-1,2026-11-01 10:00:00,a@example.com,5\n")
    with pytest.raises(SourceError, match=r"no column 'order_status'.*merge_mode UPDATE and APPEND need it"):
        run(MetricaUploadSimpleOrdersOperator, source=FileSource(str(path)), merge_mode="UPDATE")
    delivery = run(MetricaUploadSimpleOrdersOperator, source=FileSource(str(path)))
    assert (metrica.client.orders(101)[0]["order_status"], "goals" in head_of(delivery)) == ("PAID", True)


@pytest.mark.parametrize("upload_format", ["csv", "json"])
def test_contacts_keep_what_is_not_sent(metrica: SandboxServer, run: Run, upload_format: str) -> None:
    whole = {"uniq_id": "C-1", "name": "Anna", "emails": "a@example.com", "phones": "79995551111"}
    run(MetricaUploadContactsOperator, source=[whole], upload_format=upload_format)
    change = {"uniq_id": "C-1", "emails": "b@example.com"}
    run(
        MetricaUploadContactsOperator,
        source=[change],
        merge_mode="APPEND",
        task_id="change",
        upload_format=upload_format,
    )
    (held,) = metrica.client.contacts(101)
    assert (held["name"], held["phones"]) == ("Anna", ["79995551111"])
    assert held["emails"] == ["a@example.com", "b@example.com"]


def test_what_is_appended_to_a_goal_is_its_newest_price(metrica: SandboxServer, run: Run) -> None:
    for name in ("lead", "call"):
        MetricaHook().create_goal(101, name, name)
    row = {"id": "A-1", "create_date_time": "2026-11-01 10:00:00", "emails": "a@example.com", "order_status": "PAID"}
    goals = ["lead", "lead:3,call", "lead:5"]
    rows = [{**row, "goals": each, "update_date_time": f"2026-11-0{day}"} for day, each in enumerate(goals, start=1)]
    run(MetricaUploadSimpleOrdersOperator, source=rows, merge_mode="APPEND")
    together = sorted(metrica.client.orders(101)[0]["goals"])
    for number, each in enumerate(rows):
        alone = [{**each, "id": "A-2"}]
        run(MetricaUploadSimpleOrdersOperator, source=alone, merge_mode="APPEND", task_id=f"alone_{number}")
    assert together == sorted(metrica.client.orders(101)[1]["goals"]) == ["call", "lead:5"]
