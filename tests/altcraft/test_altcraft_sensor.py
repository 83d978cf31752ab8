# SPDX-License-Identifier: Apache-2.0
"""The sensor for orders and its trigger against the sandbox."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.module_loading import import_string
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSensorTimeout, TaskDeferred

from airflow_provider_yandex_orders.exceptions import ConfigurationError, ServiceRefused
from airflow_provider_yandex_orders.hooks.altcraft import AltcraftHook
from airflow_provider_yandex_orders.operators.altcraft import AltcraftImportOrdersOperator
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sensors.altcraft import AltcraftOrdersSensor
from airflow_provider_yandex_orders.triggers.altcraft import AltcraftOrdersTrigger
from tests.support.altcraft_rows import order
from tests.support.connections import connect_altcraft

Context = Callable[..., Any]


@pytest.fixture
def imported(altcraft: SandboxServer, tmp_path: Path, context: Context) -> Callable[..., Any]:
    def send(*rows: dict[str, Any], **arguments: Any) -> Any:
        operator = AltcraftImportOrdersOperator(
            task_id="import", source=list(rows), skip_triggers=True, staging_path=str(tmp_path), **arguments
        )
        return operator.execute(context())

    return send


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airflow_provider_yandex_orders.http.client._pause", lambda _state: 0)


def sensor(order_ids: Any, **arguments: Any) -> AltcraftOrdersSensor:
    arguments.setdefault("poke_interval", 0.2)
    arguments.setdefault("timeout", 20)
    return AltcraftOrdersSensor(task_id="verify", order_ids=order_ids, **arguments)


def fired(trigger: AltcraftOrdersTrigger) -> dict[str, Any]:
    """The one event of a trigger made anew from what Airflow stores of it."""
    path, arguments = trigger.serialize()
    again = import_string(path)(**arguments)
    assert again.serialize() == (path, arguments)

    async def collect() -> list[Any]:
        return [event.payload async for event in again.run()]

    (payload,) = asyncio.run(collect())
    assert isinstance(payload, dict)
    return payload


def deferred(task: AltcraftOrdersSensor, context: Context) -> AltcraftOrdersTrigger:
    with pytest.raises(TaskDeferred) as raised:
        task.execute(context())
    assert raised.value.method_name == "execute_complete"
    assert isinstance(raised.value.trigger, AltcraftOrdersTrigger)
    return raised.value.trigger


class TestInTheWorker:
    def test_a_delivery_tells_ids_and_statuses(self, imported: Any, context: Context) -> None:
        delivery = imported(order(1), order(2, status="paid"), body_format="xml")
        assert sensor(delivery).execute(context()) == {"checked": 2, "by_status": {"new": 1, "paid": 1}}
        assert sensor([delivery, delivery]).execute(context())["checked"] == 2

    def test_ids_with_and_without_a_status(self, imported: Any, context: Context) -> None:
        imported(order(1), order(2, status="paid"))
        assert sensor(["A-0001", "A-0002"]).execute(context())["checked"] == 2
        assert sensor({"A-0002": "paid"}).execute(context())["by_status"] == {"paid": 1}
        with pytest.raises(AirflowSensorTimeout, match=r"1 of 2 .*A-0001 \(new, expected paid\)\. The"):
            sensor(["A-0001", "A-0002"], status="paid", timeout=0.1).execute(context())

    def test_missing_ones_are_listed_by_id(self, imported: Any, context: Context) -> None:
        imported(order(1))
        with pytest.raises(AirflowSensorTimeout, match=r"2 of 3 .*: B-1 \(not there\), B-2 \(not there\)\. The"):
            sensor(["A-0001", "B-1", "B-2"], timeout=0.1).execute(context())

    def test_a_sample_is_spread_and_the_same_each_time(
        self, altcraft: SandboxServer, imported: Any, context: Context
    ) -> None:
        delivery = imported(*(order(number) for number in range(20)))
        before = len(altcraft.client.requests())
        assert sensor(delivery, sample=4).execute(context())["checked"] == 4
        assert len(altcraft.client.requests()) == before + 4
        task = sensor(delivery, sample=4)
        assert list(task._wanted()) == ["A-0000", "A-0005", "A-0010", "A-0015"]
        assert len(sensor(delivery, sample=None)._wanted()) == 20

    def test_the_parts_are_not_needed(self, imported: Any, context: Context, tmp_path: Path) -> None:
        delivery = imported(order(1), order(2, status="paid"))
        shutil.rmtree(tmp_path / "a_dag")  # as on another worker, whose disk never had them
        assert sensor(delivery).execute(context())["by_status"] == {"new": 1, "paid": 1}

    @pytest.mark.parametrize(
        ("value", "words"),
        [
            ({"service": "metrica", "parts": [], "rows_sent": 1}, "is a delivery to metrica"),
            ({"service": "altcraft", "parts": [], "rows_sent": 0, "rows_prepared": 5}, "names no order to ask for"),
        ],
    )
    def test_deliveries_that_hold_no_orders(
        self, altcraft: SandboxServer, context: Context, value: Any, words: str
    ) -> None:
        with pytest.raises(ConfigurationError, match=words):
            sensor([value]).execute(context())
        assert altcraft.client.requests() == []

    def test_an_outage_is_sat_out(self, altcraft: SandboxServer, imported: Any, context: Context) -> None:
        imported(order(1))
        altcraft.client.add_fault(path="get_status", preset="altcraft_unavailable", times=7)
        assert sensor(["A-0001"]).execute(context())["checked"] == 1

    @pytest.mark.parametrize("value", [None, 5])
    def test_what_holds_no_ids(self, altcraft: SandboxServer, context: Context, value: Any) -> None:
        with pytest.raises(ConfigurationError, match="output of an import task"):
            sensor(value).execute(context())

    def test_nothing_to_verify(self, altcraft: SandboxServer, context: Context) -> None:
        assert sensor([]).execute(context()) == {"checked": 0, "by_status": {}}
        assert altcraft.client.requests() == []

    def test_a_bad_token_ends_the_wait(
        self, altcraft: SandboxServer, context: Context, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connect_altcraft(monkeypatch, altcraft.url, token="a-token-that-died")
        with pytest.raises(ServiceRefused, match="market roles"):
            sensor(["A-1"]).execute(context())


class TestDeferred:
    def test_asks_once_before_it_defers(self, imported: Any, context: Context) -> None:
        assert sensor(imported(order(1)), deferrable=True).execute(context())["checked"] == 1

    def test_waits_in_the_triggerer(self, altcraft: SandboxServer, imported: Any, context: Context) -> None:
        delivery = imported(order(1), order(2))
        altcraft.client.add_fault(path="get_status", preset="altcraft_unavailable", times=6)
        task = sensor(delivery, deferrable=True)
        event = fired(deferred(task, context))
        assert event["status"] == "done"
        # The resumed task is another process: all it has is the event.
        assert sensor(delivery, deferrable=True).execute_complete(context(), event)["by_status"] == {"new": 2}

    def test_an_order_that_comes_later(self, altcraft: SandboxServer, context: Context) -> None:
        trigger = deferred(sensor({"A-0001": "new"}, deferrable=True), context)
        whole = {**order(1), "total_price": "45.00"}
        AltcraftHook().import_orders([whole], skip_triggers=True)
        assert fired(trigger)["status"] == "done"

    def test_gives_up_with_the_ids(self, imported: Any, context: Context) -> None:
        imported(order(1))
        task = sensor(["A-0001", "B-1"], deferrable=True, timeout=0.3)
        event = fired(deferred(task, context))
        assert event["status"] == "timeout"
        with pytest.raises(AirflowSensorTimeout, match=r"B-1 \(not there\)"):
            task.execute_complete(context(), event)

    def test_a_token_that_dies_meanwhile(
        self, altcraft: SandboxServer, context: Context, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        task = sensor(["A-1"], deferrable=True)
        trigger = deferred(task, context)
        connect_altcraft(monkeypatch, altcraft.url, token="a-token-that-died")
        event = fired(trigger)
        assert event["status"] == "error"
        with pytest.raises(ServiceRefused, match="market roles"):
            task.execute_complete(context(), event)

    @pytest.mark.parametrize("event", [None, {}, {"status": "other"}])
    def test_events_of_nobody(self, event: Any, context: Context) -> None:
        with pytest.raises(AirflowFailException, match="versions of the package"):
            sensor(["x"], deferrable=True).execute_complete(context(), event)
