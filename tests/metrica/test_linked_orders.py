# SPDX-License-Identifier: Apache-2.0
"""The share of orders that found a visit, by the reporting API."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.exceptions import ConfigurationError, QuotaExceeded, UploadFailedError
from airflow_provider_yandex_orders.operators.metrica import (
    MetricaLinkedOrdersOperator,
    MetricaUploadSimpleOrdersOperator,
)
from airflow_provider_yandex_orders.sandbox.server import SandboxServer

Run = Callable[..., Any]
DAYS = {"date_from": (date.today() - timedelta(days=40)).isoformat(), "date_to": date.today().isoformat()}


@pytest.fixture
def delivery(metrica: SandboxServer, run: Run) -> Any:
    metrica.client.change_settings(linked_share=0.5)
    recent = date.today() - timedelta(days=3)
    rows = [
        {
            "id": f"A-{number}",
            "create_date_time": f"{recent} 10:00:00",
            "client_ids": f"17000000000000{number:03d}",
            "order_status": "PAID" if number % 2 else "IN_PROGRESS",
        }
        for number in range(200)
    ]
    return run(MetricaUploadSimpleOrdersOperator, source=rows)


def test_counts_by_day_and_status(run: Run, delivery: Any) -> None:
    found = run(MetricaLinkedOrdersOperator, sent=delivery, **DAYS)
    assert found["sent"] == 200
    assert 0.3 < found["share"] < 0.7
    assert found["linked"] == sum(found["by_status"].values())
    assert found["by_status"]["PAID"] > 0 < found["by_status"]["IN_PROGRESS"]
    assert sum(sum(day.values()) for day in found["by_day"].values()) == found["linked"]


def kept() -> list[Any]:
    """What people find in the journal."""
    with sqlite3.connect(Path(os.environ["AIRFLOW_HOME"]) / "yandex_orders" / "journal.db") as journal:
        query = "SELECT day, counter, entity, orders_sent, orders_linked, share FROM linked_by_day"
        return journal.execute(query).fetchall()


def test_the_share_is_kept_in_the_journal(run: Run, delivery: Any, caplog: pytest.LogCaptureFixture) -> None:
    for sent in (500, [delivery]):  # the last answer stays
        with pytest.raises(UploadFailedError):
            run(MetricaLinkedOrdersOperator, sent=sent, min_linked=1, **DAYS)
    found = run(MetricaLinkedOrdersOperator, sent=[delivery], **DAYS)
    shares = {entity: row for _day, _counter, entity, *row in kept()}
    assert [row[:2] for row in kept()] == [(DAYS["date_to"], "101")] * 2
    assert shares["simple_orders"] == [200, found["linked"], found["share"]]
    assert shares["orders"] == [500, found["linked"], found["linked"] / 500]
    # A journal that does not answer spoils nothing.
    lost = run(MetricaLinkedOrdersOperator, sent=[delivery], journal_conn_id="no_such_connection", **DAYS)
    assert lost == found
    assert "The linked orders are not written down" in caplog.text


def test_a_small_share_fails_or_warns(run: Run, delivery: Any, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(UploadFailedError, match=r"min_linked is 0.95"):
        run(MetricaLinkedOrdersOperator, sent=[delivery], min_linked=0.95, **DAYS)
    run(MetricaLinkedOrdersOperator, sent=200, min_linked=0.95, fail_below=False, **DAYS)
    assert "ask again a day later" in caplog.text


def test_without_a_number_nothing_is_compared(run: Run, delivery: Any) -> None:
    found = run(MetricaLinkedOrdersOperator, min_linked=0.9, **DAYS)
    assert (found["sent"], found["share"]) == (None, None)


def test_one_run_is_one_request(metrica: SandboxServer, run: Run, delivery: Any) -> None:
    run(MetricaLinkedOrdersOperator, **DAYS)
    assert [r["path"] for r in metrica.client.requests()].count("/stat/v1/data") == 1


def test_too_many_reports_in_five_minutes_wait_so_long(metrica: SandboxServer, run: Run) -> None:
    metrica.client.change_settings(metrica_reports_per_window=1)
    run(MetricaLinkedOrdersOperator, **DAYS)
    with pytest.raises(QuotaExceeded, match=r"quota_requests_by_uid.*next try in five minutes") as raised:
        run(MetricaLinkedOrdersOperator, **DAYS)
    assert raised.value.retry_after == 300


@pytest.mark.parametrize(
    "arguments",
    [
        {"date_from": "2020-10-25", "date_to": "2020-10-30"},
        {"date_from": "2026-02-02", "date_to": "2026-02-01"},
        {"date_from": "2024-01-01", "date_to": "2026-01-01"},
        {"date_from": "yesterday", "date_to": "today"},
        {**DAYS, "sent": "many"},
        {**DAYS, "min_linked": 50},
    ],
)
def test_arguments_that_cannot_work(metrica: SandboxServer, run: Run, arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        run(MetricaLinkedOrdersOperator, **arguments)
    assert metrica.client.requests() == []
