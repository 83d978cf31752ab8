# SPDX-License-Identifier: Apache-2.0
"""What an upload does by what the journal knows, beyond the matrix: arguments, judgements, trouble with the journal."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import TaskDeferred

from airflow_provider_yandex_orders.exceptions import (
    ConfigurationError,
    JournalUnavailable,
    PassingError,
    PermanentError,
    QuotaExceeded,
    ServiceUnavailable,
    UploadFailedError,
)
from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.operators.metrica import (
    MetricaUploadContactsOperator,
    MetricaUploadOfflineConversionsOperator,
    MetricaUploadSimpleOrdersOperator,
)
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sensors.metrica import MetricaOfflineConversionsSensor
from airflow_provider_yandex_orders.sources import CallableSource
from tests.journal.uploads import CONVERSIONS, ORDERS, Store, conversions, orders, sent
from tests.support.pauses import shorten

# Which rows are sent.


def test_only_what_changed_is_sent_where_asked(metrica: SandboxServer, upload: Any) -> None:
    upload(orders(1, 2, 3), changed_only=True)
    delivery = upload([*orders(1, 2), *orders(3, day=3), *orders(4)], changed_only=True, run_id="run-2")
    assert (delivery["rows_sent"], delivery["rows_unchanged"], delivery["rows_outdated"]) == (2, 2, 0)
    assert {number: each.received for number, each in ORDERS.effects(metrica).items()} == {1: 1, 2: 1, 3: 2, 4: 1}
    assert sum(part["rows"] for part in delivery["parts"]) == 2


@pytest.mark.parametrize("form", [{}, {"merge_mode": "UPDATE"}], ids=["save", "update"])
def test_what_was_sent_is_worth_something_whichever_try_sent_it(
    metrica: SandboxServer, upload: Any, ask: Any, form: dict[str, str]
) -> None:
    rows = [
        {**row, "order_status": "PAID", "revenue": worth, "currency": code}
        for row, worth, code in zip(
            orders(1, 2, 3, 4), ["0.10", "0.20", "9007199254740.93", 5], ["RUB", "RUB", "RUB", "USD"], strict=True
        )
    ]
    (plan,) = [upload(rows, dry_run=True, **form)]
    metrica.client.add_fault(preset="backend_error", method="POST", path="simple_orders", skip=2, times=None)
    with pytest.raises(ServiceUnavailable):
        upload(rows, max_part_rows=1, **form)
    metrica.client.clear_faults()
    delivery = upload(rows, max_part_rows=1, **form)
    sums = {"RUB": "9007199254741.23", "USD": "5"}
    assert [plan["money"], plan["plan"]["money"]["revenue"], delivery["money"]] == [sums] * 3
    assert dict(ask("SELECT currency, amount FROM money")) == sums


def test_an_older_version_is_held_back_and_counted(metrica: SandboxServer, upload: Any) -> None:
    upload(orders(1, 2, day=3))
    delivery = upload([*orders(1, day=2), *orders(2, day=4)], run_id="run-2")
    assert (delivery["rows_read"], delivery["rows_sent"], delivery["rows_outdated"]) == (2, 1, 1)
    assert {number: each.day for number, each in ORDERS.effects(metrica).items()} == {1: 3, 2: 4}


def test_a_content_that_came_back_keeps_out_what_was_between(metrica: SandboxServer, upload: Any) -> None:
    (row,) = orders(1)
    for day, status in ((1, "IN_PROGRESS"), (2, "PAID"), (3, "IN_PROGRESS"), (1, "IN_PROGRESS"), (2, "PAID")):
        version = {"order_status": status, "update_date_time": f"2026-11-{day:02d} 12:00:00"}
        delivery = upload([{**row, **version}], run_id=f"day-{day}")
    assert delivery["rows_outdated"] == 1
    assert metrica.client.orders(101, kind="simple_orders")[0]["order_status"] == "IN_PROGRESS"


def test_what_another_journal_sent_is_sent_of_this_one_too(
    metrica: SandboxServer, home: Path, upload: Any, ask: Any, caplog: pytest.LogCaptureFixture
) -> None:
    upload(conversions(1, 2), MetricaUploadOfflineConversionsOperator)
    home.unlink()
    caplog.clear()
    assert upload(conversions(1, 2), MetricaUploadOfflineConversionsOperator)["rows_sent"] == 2
    told = " ".join(each.getMessage().strip() for each in caplog.records if each.levelname == "WARNING")
    assert re.search(r"another one sent it\. Rows count twice .* journal_conn_id", told)
    assert {each.received for each in CONVERSIONS.effects(metrica).values()} == {1}
    assert ask("SELECT count(*) FROM sent_rows") == [2]


def test_a_lost_journal_stops_conversions_in_files_of_other_rows(
    metrica: SandboxServer, home: Path, upload: Any
) -> None:
    upload(conversions(1, 2), MetricaUploadOfflineConversionsOperator)
    home.unlink()
    with pytest.raises(PermanentError, match=r"(?s)knows nothing that was sent.*journal_conn_id.*resend=True"):
        upload(conversions(1, 2, 3), MetricaUploadOfflineConversionsOperator, run_id="run-2")
    rest = {"run_id": "run-3", "resend": True}
    upload(conversions(3), MetricaUploadOfflineConversionsOperator, **rest)
    assert {number: each.received for number, each in CONVERSIONS.effects(metrica).items()} == {1: 1, 2: 1, 3: 1}


def test_rows_with_a_key_ask_nobody_where_the_journal_was_lost(metrica: SandboxServer, home: Path, upload: Any) -> None:
    upload(orders(1, 2))
    home.unlink()
    assert upload(orders(1, 2), changed_only=True, run_id="run-2")["rows_sent"] == 2


def test_resend_sends_all_once_more_and_a_retry_of_it_does_not(metrica: SandboxServer, upload: Any) -> None:
    upload(conversions(1, 2), MetricaUploadOfflineConversionsOperator)
    metrica.client.add_fault(method="POST", path="upload", skip=1, action="drop", moment="after", times=1)
    again = {"resend": True, "run_id": "run-2", "max_part_rows": 1}
    with pytest.raises(PassingError):
        upload(conversions(1, 2), MetricaUploadOfflineConversionsOperator, **again)
    delivery = upload(conversions(1, 2), MetricaUploadOfflineConversionsOperator, **again)
    assert (delivery["rows_sent"], delivery["rows_unchanged"]) == (2, 0)
    assert [each.received for each in CONVERSIONS.effects(metrica).values()] == [2, 2]


def test_another_merge_mode_is_another_sending(metrica: SandboxServer, upload: Any) -> None:
    rows = [{**orders(1)[0], "order_status": "PAID"}]
    upload(rows)
    for sent_rows in (1, 0):
        assert upload(rows, changed_only=True, merge_mode="UPDATE", run_id="run-2")["rows_sent"] == sent_rows


def test_a_content_that_comes_back_is_sent_though_its_first_file_is_listed(metrica: SandboxServer, upload: Any) -> None:
    (row,) = conversions(1)
    for run, price in enumerate((1, 2, 1)):
        upload([{**row, "Price": price}], MetricaUploadOfflineConversionsOperator, run_id=f"run-{run}")
    assert metrica.client.conversions(101)[0]["Price"] == "1"
    assert metrica.client.conversions(101)[0]["times_received"] == 3


# Plans.


@pytest.mark.parametrize("how", [{"dry_run": True}, {"send": False}])
def test_a_plan_says_what_would_become_of_the_rows(metrica: SandboxServer, upload: Any, how: dict[str, Any]) -> None:
    upload(orders(1, 2, 3))
    rows = [*orders(1), *orders(2, day=3), *orders(3, day=1), *orders(4), {**orders(5)[0], "client_ids": None}]
    plan = upload(rows, run_id="run-2", changed_only=True, max_rejected=1, **how)["plan"]
    counts = {name: plan[name] for name in ("new", "changed", "unchanged", "outdated", "rejected")}
    assert counts == {"new": 1, "changed": 1, "unchanged": 1, "outdated": 1, "rejected": {"no_identifier": 1}}
    assert sent(metrica) == 1
    upload(rows, run_id="run-2", max_rejected=1, changed_only=True)  # a plan leaves nothing behind
    assert {number: each.day for number, each in ORDERS.effects(metrica).items()} == {1: 2, 2: 3, 3: 2, 4: 2}


def test_parts_are_sent_as_they_were_planned_or_not_at_all(metrica: SandboxServer, upload: Any) -> None:
    upload(orders(1))
    plan = upload(orders(1, 2, day=3), send=False, run_id="plan-1")
    other = upload(orders(5, 6), send=False, run_id="plan-2")
    upload(orders(2, day=4), run_id="run-2")
    with pytest.raises(PermanentError, match="1 of their rows went out to simple_orders"):
        upload(plan, run_id="send-1")
    for _ in range(2):  # and by the same task once more
        assert upload(other, run_id="send-2")["rows_sent"] == 2
    assert {number: each.day for number, each in ORDERS.effects(metrica).items()} == {1: 2, 2: 4, 5: 2, 6: 2}


# Straight to the wait.


def test_a_retry_after_everything_was_sent_reads_no_source_again(metrica: SandboxServer, upload: Any) -> None:
    reads = []

    def source() -> list[dict[str, Any]]:
        reads.append(1)
        return orders(1, 2)

    metrica.client.change_settings(processing_seconds=600, uploads_judged_at_once=False)
    waits = {"wait_for_completion": True, "timeout": 0}
    with pytest.raises(PassingError, match="not final"):
        upload(CallableSource(source), **waits)
    before = sent(metrica)
    with pytest.raises(PassingError, match="not final"):
        upload(CallableSource(source), **waits)
    metrica.client.change_settings(processing_seconds=0)
    assert upload(CallableSource(source), **waits)["parts"][0]["status"] == "PASSED"
    assert (len(reads), sent(metrica)) == (1, before)
    upload(CallableSource(source))  # the delivery is complete: this is a new one
    assert (len(reads), sent(metrica)) == (2, before + 1)


# Judgements.


@pytest.mark.parametrize("allowed", [False, True])
def test_what_a_sensor_judged_bad_is_sent_again(
    metrica: SandboxServer, upload: Any, context: Any, allowed: bool
) -> None:
    metrica.client.change_settings(linked_share=0)
    first = upload(conversions(1), MetricaUploadOfflineConversionsOperator, allow_linkage_failure=True)
    wait = MetricaOfflineConversionsSensor(
        task_id="wait", upload_ids=first["parts"][0]["upload_id"], allow_linkage_failure=allowed
    )
    if allowed:
        wait.execute(context("wait"))
    else:
        with pytest.raises(UploadFailedError):
            wait.execute(context("wait"))
    second = upload(
        conversions(1), MetricaUploadOfflineConversionsOperator, allow_linkage_failure=allowed, run_id="run-2"
    )
    assert second["rows_sent"] == (0 if allowed else 1)


def test_a_bad_end_is_not_kept_from_the_journal(
    metrica: SandboxServer, upload: Any, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrica.client.change_settings(linked_share=0)
    delivery = upload(conversions(1), MetricaUploadOfflineConversionsOperator)
    gone = {"conn_type": "postgres", "host": "127.0.0.1", "port": 9}
    monkeypatch.setenv("AIRFLOW_CONN_GONE", json.dumps(gone))
    wait = MetricaOfflineConversionsSensor(task_id="wait", upload_ids=delivery, journal_conn_id="gone")
    with pytest.raises(JournalUnavailable):
        wait.execute(context("wait"))
    metrica.client.change_settings(linked_share=1)


# What an account spends.


def test_requests_of_a_day_add_up_those_of_failures_too(
    metrica: SandboxServer, upload: Any, logged: Callable[[], str]
) -> None:
    before = len(metrica.client.requests())
    upload(orders(1))
    metrica.client.add_fault(method="POST", path="simple_orders", status=403, body="{}")
    with pytest.raises(PermanentError):
        upload(orders(2), run_id="run-2")
    spent = len(metrica.client.requests()) - before
    assert f"today, of yandex_metrica_default: {spent}, of them by waits: 0." in logged()


def test_requests_that_cannot_be_written_down_stop_nothing(
    metrica: SandboxServer, home: Path, upload: Any, logged: Callable[[], str]
) -> None:
    upload(orders(1))
    with sqlite3.connect(home) as connection:
        connection.execute("DROP TABLE journal_spent")
    assert upload(orders(2), run_id="run-2")["rows_sent"] == 1
    assert "The requests are not written down" in logged()
    assert {number: each.received for number, each in ORDERS.effects(metrica).items()} == {1: 1, 2: 1}


def test_a_used_up_day_waits_where_airflow_cannot_be_told_when(metrica: SandboxServer, upload: Any) -> None:
    told = getattr(MetricaUploadSimpleOrdersOperator(task_id="upload", source=[]), "retry_policy", None)
    metrica.client.add_fault(method="POST", path="simple_orders", preset="quota_requests_by_uid")
    with pytest.raises(QuotaExceeded if told else TaskDeferred) as raised:
        upload(orders(1), deferrable=True, wait_for_completion=True)
    if isinstance(raised.value, TaskDeferred):
        assert raised.value.method_name == "_try"
        assert raised.value.trigger.moment > datetime.now(UTC)
    metrica.client.clear_faults()
    assert upload(orders(1))["rows_sent"] == 1


# Trouble with the journal.


def test_without_the_journal_nothing_goes_out(
    metrica: SandboxServer, upload: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = {"conn_type": "postgres", "host": "127.0.0.1", "port": 9}
    monkeypatch.setenv("AIRFLOW_CONN_GONE", json.dumps(gone))
    with pytest.raises(JournalUnavailable, match="nothing goes out"):
        upload(orders(1), journal_conn_id="gone")
    with pytest.raises(ConfigurationError, match="no_such_connection"):
        upload(orders(1), journal_conn_id="no_such_connection")
    assert sent(metrica) == 0


def test_a_lost_journal_stops_the_task_that_sent(metrica: SandboxServer, home: Path, upload: Any) -> None:
    store = Store()
    metrica.client.add_fault(method="POST", path="simple_orders", skip=1, times=None, status=429, body="{}")
    with pytest.raises(PassingError):
        upload(orders(*range(9)), max_part_rows=1, store=store)
    metrica.client.clear_faults()
    assert len(json.dumps(store)) < 500
    home.rename(home.with_name("lost.db"))
    with pytest.raises(PermanentError, match=r"sent 2 part\(s\).*journal_conn_id"):
        upload(orders(*range(9)), max_part_rows=1, store=store)
    home.with_name("lost.db").rename(home)
    upload(orders(*range(9)), max_part_rows=1, store=store)
    assert {each.received for each in ORDERS.effects(metrica).values()} == {1}


def test_a_task_that_must_wait_its_turn_is_handed_back(
    metrica: SandboxServer, upload: Any, on_upload: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten(monkeypatch.setattr, patience=0.1)
    met: list[Any] = []

    def others() -> None:
        with pytest.raises(PassingError, match="another task sends") as raised:
            upload(orders(1), run_id="run-2")
        met.append(raised.value.retry_after)
        # Nothing tells which is newer, and a repeat does no harm: no turn.
        rows = [{"uniq_id": "C-1", "client_ids": "1700000000101"}]
        met.append(upload(rows, MetricaUploadContactsOperator, run_id="run-3")["rows_sent"])

    on_upload(others)
    upload(orders(1))
    wait, contacts = met
    assert 0 < wait <= 90
    assert (contacts, sent(metrica)) == (1, 2)


def test_nothing_planted_is_in_the_journal(metrica: SandboxServer, home: Path, upload: Any) -> None:
    person = {"emails": "planted.person@example.com", "phones": "+79123456789"}
    upload([{**orders(1)[0], **person}, {**orders(2)[0], "revenue": "Плантов"}], max_rejected=1)
    upload([{"uniq_id": "Плантов", "name": "Плантов", **person}], MetricaUploadContactsOperator)
    with sqlite3.connect(home) as connection:
        held = "\n".join(connection.iterdump()).lower()
    for planted in ("sandbox-token", "planted.person", "9123456789", "плантов", person["emails"].encode().hex()):
        assert planted not in held
    assert MetricaHook().counter(101)
