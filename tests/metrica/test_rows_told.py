# SPDX-License-Identifier: Apache-2.0
"""What an upload tells of its rows: no personal data, and times that name no one moment."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.exceptions import RejectedRowsError, SourceError
from airflow_provider_yandex_orders.operators.metrica import (
    MetricaUploadContactsOperator,
    MetricaUploadSimpleOrdersOperator,
)
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sources import FileSource, SqlSource

Run = Callable[..., Any]
MAIL = "ivan.petrov@nobody.example"
PERSONAL = ["ivan.petrov@example.com", "+79995551122", "79995551122", "Иванов Иван", "Petrov", "Anna-Maria Jones"]


WORDS = [("order", "Petrov"), ("goals", "Petrov")]
"""One short word of a closed list's kind is told."""


def order(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"A-{number}",
        "create_date_time": "2026-11-01 10:00:00",
        "emails": "buyer@example.com",
        "order_status": "PAID",
        **fields,
    }


def assert_untold(texts: list[str]) -> None:
    told = "\n".join(texts).casefold()
    assert not [value for value in PERSONAL if value.casefold() in told]
    assert not [word for value in PERSONAL if " " in value for word in value.casefold().split() if word in told]


def test_personal_data_in_wrong_columns_is_told_nowhere(
    metrica: SandboxServer, run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    bad = {"create_date_time": "yesterday"}
    rows = [order(0, id=value, **bad) for value in PERSONAL]
    for column in ("order_status", "revenue", "goals", "currency", "create_date_time", "client_ids"):
        rows += [order(1, **{column: value}) for value in PERSONAL if (column[:5], value) not in WORDS]
    with pytest.raises(RejectedRowsError) as caught:
        run(MetricaUploadSimpleOrdersOperator, source=rows)
    (path,) = tmp_path.rglob("rejected.jsonl")
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    assert {entry["key"][0] for entry in entries[: len(PERSONAL)]} == {"#"}
    assert [entry["row"] for entry in entries[: len(PERSONAL)]] == [1, 2, 3, 4, 5, 6]
    assert {entry["key"] for entry in entries[len(PERSONAL) :]} == {"A-1"}
    assert_untold([path.read_text(), json.dumps(entries, ensure_ascii=False), caplog.text, str(caught.value)])


def test_a_customers_phone_as_its_key_is_told_as_a_sum(metrica: SandboxServer, run: Run, tmp_path: Path) -> None:
    rows = [{"uniq_id": value, "emails": f"{value}@", "phones": "79995550000"} for value in PERSONAL]
    run(MetricaUploadContactsOperator, source=rows, max_dropped=len(rows))
    (path,) = tmp_path.rglob("dropped.jsonl")
    assert_untold([path.read_text(), *(json.loads(line)["key"] for line in path.read_text().splitlines())])


def test_a_file_without_header_tells_no_name(
    metrica: SandboxServer, run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    path = tmp_path / "orders.csv"
    path.write_text(f"{','.join(PERSONAL)},A-1\n{','.join(PERSONAL)},A-2\n")
    with pytest.raises(SourceError, match="is the first line a header") as caught:
        run(MetricaUploadSimpleOrdersOperator, source=FileSource(str(path)))
    assert_untold([str(caught.value), caplog.text])


def test_a_database_tells_no_name(
    metrica: SandboxServer, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps({"conn_type": "sqlite", "host": str(tmp_path / "crm.db")}))
    source = SqlSource("crm", f"SELECT id FROM orders WHERE mail = '{MAIL}' AND name = 'Иванов Иван")
    with pytest.raises(SourceError) as caught:
        run(MetricaUploadSimpleOrdersOperator, source=source)
    assert_untold([str(caught.value), caplog.text])
    assert MAIL not in str(caught.value) + caplog.text


def test_times_that_name_no_one_moment_are_counted(
    metrica: SandboxServer, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    skipped, doubled = "2026-03-29 02:30", "2026-10-25 02:30"
    rows = [order(number, create_date_time=time) for number, time in enumerate([skipped, doubled, doubled])]
    rows += [order(3, create_date_time=f"{doubled}+01:00"), order(4, create_date_time="2026-10-25")]
    delivery = run(MetricaUploadSimpleOrdersOperator, source=rows, source_timezone="Europe/Berlin")
    assert delivery["rows_sent"] == 5
    assert "1 rows have a time that its zone never had" in caplog.text
    assert "2 rows have a time that its zone had twice" in caplog.text
    held = [each["create_date_time"] for each in sorted(metrica.client.orders(101), key=lambda each: each["id"])]
    assert held[:4] == ["2026-03-29 04:30:00", "2026-10-25 03:30:00", "2026-10-25 03:30:00", "2026-10-25 04:30:00"]
