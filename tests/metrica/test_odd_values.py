# SPDX-License-Identifier: Apache-2.0
"""Values that nearly passed for something else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.exceptions import ConfigurationError, RejectedRowsError, SourceError
from airflow_provider_yandex_orders.operators.metrica import MetricaUploadSimpleOrdersOperator
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sources import FileSource

ROW = {"id": "A-1", "create_date_time": "2026-11-20 10:00:00", "emails": "a@example.com"}


def test_amounts_of_two_currencies_are_not_added(metrica: SandboxServer, run: Callable[..., Any]) -> None:
    rows = [ROW | {"revenue": "10", "currency": "USD"}, ROW | {"revenue": "20", "currency": "EUR"}]
    with pytest.raises(RejectedRowsError, match="other_currency"):
        run(MetricaUploadSimpleOrdersOperator, source=rows, same_key={"revenue": "sum"})
    assert metrica.client.orders(101) == []


def test_a_bad_line_of_an_order_rejects_all_its_lines(metrica: SandboxServer, run: Callable[..., Any]) -> None:
    rows = [ROW | {"revenue": "10"}, ROW | {"revenue": "1O"}]
    delivery = run(MetricaUploadSimpleOrdersOperator, source=rows, same_key={"revenue": "sum"}, max_rejected=2)
    assert (delivery["rows_read"], delivery["rows_sent"], delivery["rows_rejected"]) == (2, 0, 2)
    assert metrica.client.orders(101) == []


def test_a_default_goal_the_counter_does_not_have(metrica: SandboxServer, run: Callable[..., Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"defaults.*goal"):
        run(MetricaUploadSimpleOrdersOperator, source=[ROW], defaults={"goals": "lead_okk"})
    assert metrica.client.orders(101) == []


def test_ids_that_json_wrote_as_floats(metrica: SandboxServer, run: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "orders.jsonl"
    head = '"create_date_time": "2026-11-20 10:00:00", "emails": "a@example.com"}\n'
    file.write_text("".join(f'{{"id": {number}, {head}' for number in ("88.0", "1.7000000001234568e18", "7")))
    delivery = run(MetricaUploadSimpleOrdersOperator, source=FileSource(str(file)), max_rejected=2)
    assert (delivery["rows_sent"], delivery["rows_rejected"]) == (1, 2)
    assert {json.loads(line)["code"] for line in Path(delivery["rejected_path"]).read_text().splitlines()} == {
        "float_id"
    }


def test_a_quote_closed_too_late_among_ids_of_any_shape(
    metrica: SandboxServer, run: Callable[..., Any], tmp_path: Path
) -> None:
    ids = ["3f2504e0", "9a1b2c3d", "a0eebc99", "f47ac10b", "12ab34cd"]
    notes = ["x", '"cut', "y", 'z"', "w"]
    lines = [f"{each},2026-11-20 10:00:00,a@example.com,{note}" for each, note in zip(ids, notes, strict=True)]
    file = tmp_path / "orders.csv"
    file.write_text("\n".join(["id,create_date_time,emails,note", *lines, ""]))
    with pytest.raises(SourceError, match="line 3"):
        run(MetricaUploadSimpleOrdersOperator, source=FileSource(str(file)), max_rejected=5)
    assert metrica.client.orders(101) == []


def test_a_word_for_nothing_with_a_sign_nobody_sees(metrica: SandboxServer, run: Callable[..., Any]) -> None:
    rows = [ROW | {"id": "NULL\u200b"}, ROW | {"id": "\ufeffNULL"}]
    with pytest.raises(RejectedRowsError, match="2 missing"):
        run(MetricaUploadSimpleOrdersOperator, source=rows)
