# SPDX-License-Identifier: Apache-2.0
"""Which orders the sensor asks for, and what it takes for done."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowSensorTimeout, TaskDeferred

from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.operators.altcraft import AltcraftImportOrdersOperator
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sensors.altcraft import AltcraftOrdersSensor
from airflow_provider_yandex_orders.triggers.altcraft import AltcraftOrdersTrigger
from airflow_provider_yandex_orders.triggers.metrica import MetricaUploadsTrigger
from tests.support.altcraft_rows import order
from tests.support.pauses import shorten
from tests.support.triggers import fired, first_event

Context = Callable[..., Any]


@pytest.fixture
def imported(altcraft: SandboxServer, tmp_path: Path, context: Context) -> Callable[..., Any]:
    def send(*rows: dict[str, Any], **arguments: Any) -> Any:
        operator = AltcraftImportOrdersOperator(
            task_id="import", source=list(rows), skip_triggers=True, staging_path=str(tmp_path), **arguments
        )
        return operator.execute(context())

    return send


def sensor(order_ids: Any, **arguments: Any) -> AltcraftOrdersSensor:
    arguments.setdefault("poke_interval", 0.2)
    arguments.setdefault("timeout", 20)
    return AltcraftOrdersSensor(task_id="verify", order_ids=order_ids, **arguments)


def ended(task: AltcraftOrdersSensor, context: Context) -> Any:
    """What a task ends with, deferred or not."""
    try:
        return task.execute(context())
    except TaskDeferred as deferred:
        return task.execute_complete(context(), fired(deferred.trigger))


def test_a_delivery_tells_ids_and_statuses(imported: Any, context: Context) -> None:
    delivery = imported(order(1), order(2, status="paid"), body_format="xml")
    assert sensor(delivery).execute(context()) == {"checked": 2, "by_status": {"new": 1, "paid": 1}}
    assert sensor([delivery, delivery]).execute(context())["checked"] == 2


def test_ids_with_and_without_a_status(imported: Any, context: Context) -> None:
    imported(order(1), order(2, status="paid"))
    assert sensor(["A-0001", "A-0002"]).execute(context())["checked"] == 2
    assert sensor({"A-0002": "paid"}).execute(context())["by_status"] == {"paid": 1}
    with pytest.raises(AirflowSensorTimeout, match=r"1 of 2 .*A-0001 \(new, expected paid\)\. The"):
        sensor(["A-0001", "A-0002"], status="paid", timeout=0.1).execute(context())


def test_missing_ones_are_listed_by_id(imported: Any, context: Context) -> None:
    imported(order(1))
    with pytest.raises(AirflowSensorTimeout, match=r"2 of 3 .*: B-1 \(not there\), B-2 \(not there\)\. The"):
        sensor(["A-0001", "B-1", "B-2"], timeout=0.1).execute(context())


def test_a_sample_is_spread_and_the_same_each_time(altcraft: SandboxServer, imported: Any, context: Context) -> None:
    ids = [f"A-{number:04d}" for number in range(20)]
    imported(*(order(number) for number in (0, 5, 10, 15)))
    before = len(altcraft.client.requests())
    assert sensor(ids, sample=4).execute(context())["checked"] == 4
    assert len(altcraft.client.requests()) == before + 4
    with pytest.raises(AirflowSensorTimeout, match="16 of 20"):
        sensor(ids, sample=None, timeout=0).execute(context())


def test_a_sample_of_a_delivery(altcraft: SandboxServer, imported: Any, context: Context) -> None:
    delivery = imported(*(order(number) for number in range(20)))
    assert sensor(delivery, sample=4).execute(context())["checked"] == 4
    assert sensor(delivery, sample=None).execute(context())["checked"] == 20


def test_the_parts_are_not_needed(imported: Any, context: Context, tmp_path: Path) -> None:
    delivery = imported(order(1), order(2, status="paid"))
    shutil.rmtree(tmp_path / "a_dag")  # as on another worker, whose disk never had them
    assert sensor(delivery).execute(context())["by_status"] == {"new": 1, "paid": 1}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"service": "metrica", "parts": [], "rows_sent": 1}, "is the output of a task of metrica"),
        ({"service": "altcraft", "parts": [], "rows_sent": 0, "rows_prepared": 5}, "names no order to ask for"),
    ],
)
def test_deliveries_that_hold_no_orders(altcraft: SandboxServer, context: Context, value: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        sensor([value]).execute(context())
    assert altcraft.client.requests() == []


@pytest.mark.parametrize("value", [None, 5.5, "None", ["[1]"], {"checked": 1, "by_status": {}}])
def test_what_holds_no_ids(altcraft: SandboxServer, context: Context, value: Any) -> None:
    with pytest.raises(ConfigurationError, match="output of an import task"):
        sensor(value).execute(context())


def test_another_platform_is_not_asked(altcraft: SandboxServer, imported: Any, context: Context) -> None:
    delivery = imported(order(1)) | {"host": "other.example.com"}
    before = len(altcraft.client.requests())
    with pytest.raises(ConfigurationError, match=r"delivery to other\.example\.com.*altcraft_conn_id"):
        sensor([[delivery]]).execute(context())
    assert len(altcraft.client.requests()) == before


def test_nothing_to_verify(altcraft: SandboxServer, context: Context) -> None:
    assert sensor([]).execute(context()) == {"checked": 0, "by_status": {}}
    assert altcraft.client.requests() == []


@pytest.mark.parametrize("deferrable", [False, True])
def test_what_a_poll_heard_before_the_platform_fell_silent_is_kept(
    altcraft: SandboxServer, imported: Any, context: Context, deferrable: bool
) -> None:
    imported(order(1), order(2))
    task = sensor(["A-0001", "A-0002"], timeout=0.1, deferrable=deferrable)
    altcraft.client.add_fault(preset="altcraft_unavailable", path="get_status", skip=1, times=None)
    with pytest.raises(AirflowSensorTimeout, match=r"1 of 2 .*: A-0002 \(not there\)\. The"):
        ended(task, context)


def test_the_last_poll_has_time_for_each_order(
    altcraft: SandboxServer, imported: Any, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten(monkeypatch.setattr, last_poll=0.2, one_more=2)  # 0.03 is enough on a machine with nothing else to do
    imported(*map(order, range(20)))
    not_there = {"status": 200, "body": {"error": 404, "error_text": "Order not found"}}
    altcraft.client.add_fault(path="get_status", times=20, **not_there)
    altcraft.client.add_fault(action="delay", seconds=0.03, path="get_status", times=None)
    task = sensor([f"A-{number:04d}" for number in range(20)], timeout=1, poke_interval=5, deferrable=True)
    assert ended(task, context)["checked"] == 20


def test_slow_platforms_take_no_threads_of_another_service(
    altcraft: SandboxServer, metrica: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten(monkeypatch.setattr, last_poll=0.7)
    orders: dict[str, Any] = {"altcraft_conn_id": "altcraft_default", "orders": {"A-0001": None}, "poke_interval": 0.2}
    uploads: dict[str, Any] = {"family": "crm", "metrica_conn_id": "yandex_metrica_default", "uploads": {"u-1": 101}}
    altcraft.client.add_fault(action="delay", seconds=3, path="get_status", times=None)

    async def run() -> None:
        waits = [first_event(AltcraftOrdersTrigger(**orders, end_time=time.time() + 60)) for _ in range(16)]
        slow = [asyncio.ensure_future(wait) for wait in waits]
        await asyncio.sleep(0.5)
        await first_event(MetricaUploadsTrigger(**uploads, poke_interval=0.2, end_time=time.time() + 0.3))
        assert any("last_uploadings" in each["path"] for each in metrica.client.requests())
        assert not any(each.done() for each in slow)
        for each in slow:
            each.cancel()

    asyncio.run(run())
