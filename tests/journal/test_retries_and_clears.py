# SPDX-License-Identifier: Apache-2.0
"""What the next try does after a crash, a lost answer or a wait that took too long, and what only people may do."""

from __future__ import annotations

import shutil
import sqlite3
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from airflow.providers.common.compat.sdk import TaskDeferred

from airflow_provider_yandex_orders.exceptions import (
    ConfigurationError,
    PassingError,
    UploadFailedError,
    UploadUnclearError,
)
from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.operators.altcraft import AltcraftImportOrdersOperator
from airflow_provider_yandex_orders.operators.metrica import (
    MetricaUploadContactsOperator,
    MetricaUploadOfflineConversionsOperator,
    MetricaUploadOrdersOperator,
    MetricaUploadSimpleOrdersOperator,
)
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sensors.metrica import MetricaOfflineConversionsSensor
from tests.journal.uploads import CONVERSIONS, ORDERS, conversions, orders, sent
from tests.matrix.kinds import KINDS
from tests.support.connections import connect_altcraft
from tests.support.triggers import fired

WAITS = {"wait_for_completion": True, "timeout": 0, "max_part_rows": 1}
FIRST, RETRY, CLEARED = (1, 2), (2, 2), (3, 4)
"""Number of the try, and the last number Airflow goes to by itself."""


def change(home: Path, statement: str, *values: Any) -> None:
    with sqlite3.connect(home) as connection:
        assert connection.execute(statement, values).rowcount


# No answer came.


def test_only_people_have_rows_without_a_key_sent_again(metrica: SandboxServer, upload: Any) -> None:
    rows = [{**orders(1)[0], "id": None}]
    metrica.client.add_fault(method="POST", path="simple_orders", action="drop", moment="after", times=1)
    for tries in (FIRST, RETRY, RETRY):
        with pytest.raises(UploadUnclearError, match="clear the task that sent them"):
            upload(rows, require_id=False, tries=tries)
    assert sent(metrica) == 1
    assert upload(rows, require_id=False, tries=CLEARED)["rows_sent"] == 1
    assert sent(metrica) == 2


@pytest.mark.parametrize("resend", [False, True])
def test_conversions_that_are_listed_late_are_not_sent_again(metrica: SandboxServer, upload: Any, resend: bool) -> None:
    metrica.client.add_fault(method="POST", path="offline_conversions/upload", action="drop", moment="after", times=1)
    nothing = {"status": 200, "body": {"uploadings": []}}
    metrica.client.add_fault(method="GET", path="offline_conversions/uploadings", times=2, **nothing)
    for tries in (FIRST, RETRY):
        with pytest.raises(PassingError) as raised:
            upload(conversions(1), MetricaUploadOfflineConversionsOperator, tries=tries, resend=resend)
    assert "may do so later" in str(raised.value)
    assert 500 < (raised.value.retry_after or 0) <= 600
    delivery = upload(conversions(1), MetricaUploadOfflineConversionsOperator, tries=RETRY, resend=resend)
    assert (delivery["rows_sent"], len(delivery["parts"])) == (1, 1)
    assert CONVERSIONS.effects(metrica)[1].received == 1


@pytest.mark.parametrize("cut", [requests.ConnectionError, KeyboardInterrupt])
def test_conversions_that_went_out_for_long_are_listed_later_still(
    metrica: SandboxServer, home: Path, upload: Any, on_upload: Any, cut: type[BaseException]
) -> None:
    def cut_after_long() -> None:
        change(home, "UPDATE journal_parts SET sent_at = '2026-11-01 00:00:00.000000'")
        raise cut

    nothing = {"status": 200, "body": {"uploadings": []}}
    metrica.client.add_fault(method="GET", path="offline_conversions/uploadings", times=2, **nothing)
    on_upload(cut_after_long)
    for tries, raised in ((FIRST, (PassingError, cut)), (RETRY, PassingError)):
        with pytest.raises(raised):
            upload(conversions(1), MetricaUploadOfflineConversionsOperator, tries=tries)
    assert upload(conversions(1), MetricaUploadOfflineConversionsOperator, tries=RETRY)["rows_sent"] == 1
    assert CONVERSIONS.effects(metrica)[1].received == 1


def test_conversions_that_are_never_listed_are_sent_again(metrica: SandboxServer, home: Path, upload: Any) -> None:
    metrica.client.add_fault(method="POST", path="offline_conversions/upload", action="drop", moment="before", times=1)
    for tries in (FIRST, RETRY):
        with pytest.raises(PassingError):
            upload(conversions(1), MetricaUploadOfflineConversionsOperator, tries=tries)
    assert upload(conversions(2), MetricaUploadOfflineConversionsOperator, run_id="run-2")["rows_sent"] == 1
    long_ago = (datetime.now(UTC) - timedelta(minutes=11)).strftime("%Y-%m-%d %H:%M:%S.%f")
    change(home, "UPDATE journal_parts SET sent_at = ? WHERE state = 'sending'", long_ago)
    assert upload(conversions(1), MetricaUploadOfflineConversionsOperator, tries=RETRY)["rows_sent"] == 1
    assert {each.received for each in CONVERSIONS.effects(metrica).values()} == {1}


# Everything was sent.


def test_a_goal_that_is_gone_meanwhile_does_not_keep_a_retry_from_its_wait(metrica: SandboxServer, upload: Any) -> None:
    metrica.client.change_settings(processing_seconds=600, uploads_judged_at_once=False)
    given = {**WAITS, "defaults": {"goals": "order_paid"}}
    with pytest.raises(PassingError, match="not final"):
        upload(orders(1), tries=FIRST, **given)
    (goal,) = [each for each in MetricaHook().goals(101) if each["name"] == "Order paid"]
    headers = MetricaHook().get_conn().session.headers
    requests.delete(f"{metrica.url}/management/v1/counter/101/goal/{goal['id']}", headers=headers).raise_for_status()
    metrica.client.change_settings(processing_seconds=0)
    assert upload(orders(1), tries=RETRY, **given)["rows_sent"] == 1


def test_the_end_is_told_again_where_airflow_missed_it(metrica: SandboxServer, upload: Any) -> None:
    first = upload(conversions(1, 2), MetricaUploadOfflineConversionsOperator, tries=FIRST)
    again = upload(conversions(1, 2, 3), MetricaUploadOfflineConversionsOperator, tries=RETRY)
    assert again == first
    assert upload.pushed["delivery"] == first
    counts = [  # a task people cleared, and one of a run that was made anew, begin a new delivery
        upload(conversions(1, 2, 3), MetricaUploadOfflineConversionsOperator, **how)["rows_unchanged"]
        for how in ({"tries": CLEARED}, {"tries": (4, 4), "began": datetime.now(UTC) + timedelta(seconds=1)})
    ]
    assert counts == [2, 3]


@pytest.mark.parametrize("waits", [False, True])
def test_a_bad_end_is_heard_where_the_task_was_cleared_before_anyone_asked(
    metrica: SandboxServer, upload: Any, context: Any, waits: bool
) -> None:
    def send(*numbers: int, **arguments: Any) -> Any:
        return upload(conversions(*numbers), MetricaUploadOfflineConversionsOperator, **arguments)

    metrica.client.change_settings(linked_share=0)
    (part,) = send(1, 2, tries=FIRST)["parts"]  # its worker dies here
    # What the cleared task looks up does not tell the end yet.
    nothing = {"status": 200, "body": {"uploadings": []}}
    metrica.client.add_fault(method="GET", path="offline_conversions/uploadings", times=1, **nothing)
    ended: dict[str, Any] = {"timeout": 5, "poke_interval": 0.02}

    def hear() -> None:
        delivery = send(1, 2, tries=CLEARED, **({"wait_for_completion": True, **ended} if waits else {}))
        assert (delivery["rows_unchanged"], delivery["parts"]) == (2, [])
        assert delivery["earlier_uploads"] == [part["upload_id"]]
        MetricaOfflineConversionsSensor(task_id="wait", upload_ids=delivery, **ended).execute(context())

    with pytest.raises(UploadFailedError, match=rf"{part['upload_id']} is LINKAGE_FAILURE"):
        hear()
    metrica.client.change_settings(linked_share=1)
    # The bad end is on record: cleared once more it sends them.
    delivery = send(1, 2, tries=(5, 6))
    assert (delivery["rows_sent"], "earlier_uploads" in delivery) == (2, False)


def test_resend_after_a_clear_does_not_stop_at_the_wait(metrica: SandboxServer, upload: Any) -> None:
    metrica.client.change_settings(processing_seconds=600, uploads_judged_at_once=False)
    for resend, tries, times in ((False, FIRST, 1), (True, RETRY, 1), (False, CLEARED, 1), (True, (4, 6), 2)):
        with pytest.raises(PassingError, match="not final"):
            upload(orders(1), resend=resend, tries=tries, **WAITS)
        assert sent(metrica) == times
    with pytest.raises(PassingError, match="not final"):
        upload(orders(1), resend=True, tries=(5, 6), **WAITS)
    assert sent(metrica) == 2


@pytest.mark.parametrize("deferrable", [False, True])
def test_another_worker_goes_on_with_the_wait(
    metrica: SandboxServer, home: Path, upload: Any, context: Any, tmp_path: Path, deferrable: bool
) -> None:
    metrica.client.change_settings(processing_seconds=600, uploads_judged_at_once=False)
    given: dict[str, Any] = {**WAITS, "deferrable": deferrable, "staging_path": str(tmp_path / "one")}
    caught: Any
    with pytest.raises(TaskDeferred if deferrable else PassingError) as caught:
        upload(orders(*range(160)), **given)
    shutil.rmtree(tmp_path / "one")
    # The first worker wrote down that a part ended badly, and died before it heard of the others.
    change(home, "UPDATE journal_parts SET state = 'bad' WHERE number = 1")
    metrica.client.change_settings(processing_seconds=0)
    given |= {"staging_path": str(tmp_path / "another")}
    if deferrable:
        task = MetricaUploadSimpleOrdersOperator(task_id="upload", source=[], **given)
        event, stored = fired(caught.value.trigger), caught.value.kwargs
        delivery = task.execute_complete(context(run_id="run-1"), event, **stored)
    else:
        delivery = upload(orders(*range(160)), **given)
        assert upload.pushed["delivery"] == delivery
    assert delivery["parts_path"].startswith(str(tmp_path / "another"))
    assert Path(delivery["parts_path"]).read_text().count("PASSED") == 160


def test_the_journal_is_closed_while_a_task_waits(
    metrica: SandboxServer, upload: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    sleep = time.sleep

    def look(seconds: float) -> None:
        if seconds != 7:
            sleep(seconds)
            return
        for file in Path("/proc/self/fd").iterdir():
            with suppress(OSError):
                opened.append(str(file.readlink()))
        metrica.client.change_settings(processing_seconds=0)

    metrica.client.change_settings(processing_seconds=600, uploads_judged_at_once=False)
    monkeypatch.setattr(time, "sleep", look)
    upload(orders(1), wait_for_completion=True, poke_interval=7, timeout=60)
    assert opened
    assert not [path for path in opened if path.endswith("journal.db")]


# What a row is known by.


@pytest.mark.parametrize(
    ("kind", "operator", "another"),
    [
        ("contacts", MetricaUploadContactsOperator, {"upload_format": "csv"}),
        ("orders", MetricaUploadOrdersOperator, {"upload_format": "csv"}),
        ("conversions", MetricaUploadOfflineConversionsOperator, {"file_per_identifier": True}),
        ("Altcraft", AltcraftImportOrdersOperator, {"body_format": "xml"}),
    ],
)
def test_another_format_is_no_change(
    metrica: SandboxServer,
    upload: Any,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    operator: Any,
    another: dict[str, Any],
) -> None:
    connect_altcraft(monkeypatch, metrica.url)
    (rows_of,) = [each for each in KINDS if each.name == kind]
    rows = [rows_of.row(number, 2) for number in (1, 2)]
    given = {"changed_only": True} if kind in ("contacts", "orders") else dict(rows_of.arguments)
    upload(rows, operator, **given)
    changed = [rows[0], *([rows_of.row(2, 3)] if rows_of.versioned else rows[1:])]
    delivery = upload(changed, operator, run_id="run-2", **given, **another)
    assert (delivery["rows_unchanged"], delivery["rows_sent"]) == ((1, 1) if rows_of.versioned else (2, 0))


def test_prepared_orders_keep_their_version(metrica: SandboxServer, upload: Any) -> None:
    plans = [upload(orders(*numbers, day=3), send=False, run_id=f"plan-{numbers}") for numbers in ((1, 2), (3,))]
    upload(plans, run_id="send", max_part_rows=1)
    late = upload([*orders(1, 3, day=2), *orders(2, day=4)], run_id="run-2")
    assert (late["rows_outdated"], late["rows_sent"]) == (2, 1)
    assert {number: each.day for number, each in ORDERS.effects(metrica).items()} == {1: 3, 2: 4, 3: 3}


# The journal itself.


def test_days_that_cannot_work_stop_a_task_before_it_sends(
    metrica: SandboxServer, upload: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__YANDEX_ORDERS__JOURNAL_DAYS", "7")
    with pytest.raises(ConfigurationError, match="journal_days"):
        upload(orders(1))
    assert sent(metrica) == 0
