# SPDX-License-Identifier: Apache-2.0
"""Many waits in one triggerer, and what all kinds of wait spend of the day's quota."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from airflow.exceptions import AirflowRescheduleException
from airflow.providers.common.compat.module_loading import import_string
from airflow.providers.common.compat.sdk import AirflowSensorTimeout, TaskDeferred

from airflow_provider_yandex_orders.exceptions import ServiceRefused
from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.operators.metrica import MetricaUploadSimpleOrdersOperator
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sensors.metrica import MetricaCrmUploadSensor
from airflow_provider_yandex_orders.triggers.metrica import MetricaUploadsTrigger
from tests.support.triggers import fired, first_event

ORDER = {"id": "A-1", "create_date_time": "2026-11-01 10:00:00", "emails": "a@example.com", "order_status": "PAID"}
EVERY = 1.5
"""Seconds between two polls: within them all waits of a test must have begun, on a busy machine too."""
NOT_YET: dict[str, Any] = {"path": "last_uploadings", "status": 200, "body": {"uploadings": []}}


def trigger(uploads: dict[str, int], seconds: float = 60, **arguments: Any) -> MetricaUploadsTrigger:
    given: dict[str, Any] = {"metrica_conn_id": "yandex_metrica_default", "poke_interval": EVERY} | arguments
    return MetricaUploadsTrigger(family="crm", uploads=uploads, end_time=time.time() + seconds, **given)


def together(triggers: list[Any]) -> list[dict[str, Any]]:
    """The event of each, all in one loop as in a triggerer."""

    async def run() -> list[dict[str, Any]]:
        return await asyncio.gather(*map(first_event, triggers))

    return asyncio.run(run())


def lists(metrica: SandboxServer) -> Counter[str]:
    """How often each counter's list was asked for."""
    asked = [each["path"] for each in metrica.client.requests() if "last_uploadings" in each["path"]]
    return Counter(path.split("/")[5] for path in asked)


@pytest.fixture
def upload(metrica: SandboxServer, tmp_path: Path) -> Callable[..., str]:
    """Uploads an order to a counter; the id."""

    def send(counter_id: int = 101) -> str:
        path = tmp_path / "orders.csv"
        path.write_text("id,create_date_time,client_ids\n1,2026-11-01 10:00:00,1700000000123\n")
        return str(MetricaHook().upload_simple_orders(counter_id, str(path))["uploading_id"])

    return send


def test_two_hundred_waits_of_a_counter_are_one_request_a_tick(metrica: SandboxServer, upload: Any) -> None:
    ids = [upload() for _ in range(20)]
    metrica.client.add_fault(times=2, **NOT_YET)
    events = together([trigger({ids[number % 20]: 101}, poke_interval=2 * EVERY) for number in range(200)])
    assert {event["status"] for event in events} == {"done"}
    assert lists(metrica) == {"101": 3}
    assert {event["spent"]["requests"] for event in events} == {3}
    assert {event["spent"]["others"] for event in events} == {199}
    assert sum(event["spent"]["own"] for event in events) == 3


def test_each_counter_has_its_own_and_what_fails_for_good_fails_alone(
    metrica: SandboxServer, upload: Any, monkeypatch: pytest.MonkeyPatch, airflow_db: None
) -> None:
    refused = {"conn_type": "yandex_metrica", "host": metrica.url, "password": "a-bad-token"}
    monkeypatch.setenv("AIRFLOW_CONN_REFUSED", json.dumps(refused))
    here, there = upload(101), upload(103)
    for counter_id in (101, 103):
        metrica.client.add_fault(times=1, **NOT_YET | {"path": f"/counter/{counter_id}/"})
    kinds: list[dict[str, Any]] = [
        {"uploads": {here: 101}},
        {"uploads": {there: 103}},
        {"uploads": {here: 101, there: 103}},
        {"uploads": {here: 105}, "metrica_conn_id": "refused"},
        {"uploads": {here: 101}, "metrica_conn_id": "gone"},
        {"uploads": {here: 7}},
    ]
    events = together([trigger(**kind) for kind in kinds for _ in range(5)])
    statuses = [[event["status"] for event in events[start : start + 5]] for start in range(0, 30, 5)]
    assert statuses == [["done"] * 5] * 3 + [["error"] * 5] * 3
    assert "does not exist any more" in events[20]["message"]
    counted = lists(metrica)
    assert counted == {"101": 2, "103": 2, "105": 1, "7": 1}


def test_one_that_is_cancelled_or_whose_time_is_up_leaves_the_others_alone(metrica: SandboxServer, upload: Any) -> None:
    known = upload()
    metrica.client.add_fault(times=3, **NOT_YET)

    async def run() -> list[Any]:
        tasks = [asyncio.ensure_future(first_event(trigger({known: 101}))) for _ in range(4)]
        hurried = asyncio.ensure_future(first_event(trigger({known: 101}, seconds=EVERY * 1.2)))
        await asyncio.sleep(EVERY * 1.5)
        tasks[0].cancel()
        return await asyncio.gather(*tasks, hurried, return_exceptions=True)

    cancelled, *events, hurried = asyncio.run(run())
    assert isinstance(cancelled, asyncio.CancelledError)
    assert [event["status"] for event in events] == ["done"] * 3
    assert hurried["status"] == "timeout"
    assert lists(metrica)["101"] == 4


def test_a_restart_of_the_triggerer_loses_nothing(metrica: SandboxServer, upload: Any) -> None:
    triggers = [trigger({upload(): 101}) for _ in range(5)]
    stored = [json.loads(json.dumps(each.serialize())) for each in triggers]
    metrica.client.add_fault(times=1, **NOT_YET)

    async def stopped() -> None:
        tasks = [asyncio.ensure_future(first_event(each)) for each in triggers]
        await asyncio.sleep(EVERY * 1.5)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(stopped())
    again = [import_string(path)(**arguments) for path, arguments in stored]
    assert {event["status"] for event in together(again)} == {"done"}
    assert lists(metrica) == {"101": 2}


def test_a_connection_that_is_corrected_meanwhile_is_read_anew(
    metrica: SandboxServer, upload: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = upload()
    silent = {"conn_type": "yandex_metrica", "host": "http://127.0.0.1:9", "password": "sandbox-token"}
    right = {**silent, "host": metrica.url}
    monkeypatch.setenv("AIRFLOW_CONN_MOVED", json.dumps(silent))

    async def run() -> Any:
        task = asyncio.ensure_future(first_event(trigger({known: 101}, metrica_conn_id="moved")))
        await asyncio.sleep(EVERY * 1.5)
        monkeypatch.setenv("AIRFLOW_CONN_MOVED", json.dumps(right))
        return await task

    assert asyncio.run(run())["status"] == "done"


@pytest.mark.parametrize("deferrable", [False, True])
class TestWhatTheUploadsOwnAnswerSettles:
    def test_the_operator_asks_for_nothing(self, metrica: SandboxServer, run: Any, deferrable: bool) -> None:
        waits = {"wait_for_completion": True, "deferrable": deferrable}
        delivery = run(MetricaUploadSimpleOrdersOperator, source=[ORDER], **waits)
        assert [part["status"] for part in delivery["parts"]] == ["PASSED"]
        assert not lists(metrica)

    def test_nor_does_the_sensor_but_for_the_others(
        self, metrica: SandboxServer, run: Any, context: Any, upload: Any, deferrable: bool
    ) -> None:
        delivery = run(MetricaUploadSimpleOrdersOperator, source=[ORDER])
        settled = delivery["parts"][0]["upload_id"]

        def wait(upload_ids: Any) -> Any:
            return MetricaCrmUploadSensor(task_id="wait", upload_ids=upload_ids, deferrable=deferrable)

        assert wait(delivery).execute(context()) == {settled: "PASSED"}
        assert not lists(metrica)
        other = upload()
        assert wait([delivery, other]).execute(context()) == {settled: "PASSED", other: "PASSED"}
        assert lists(metrica) == {"101": 1}


class Clock:
    """Time that passes by sleeping only."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead, self.slept = 0.0, list[int]()
        now, ticks = time.time, time.monotonic
        monkeypatch.setattr(time, "time", lambda: now() + self.ahead)
        monkeypatch.setattr(time, "monotonic", lambda: ticks() + self.ahead)
        monkeypatch.setattr(time, "sleep", self.sleep)

    def sleep(self, seconds: float) -> None:
        self.ahead += seconds
        self.slept += [round(seconds)] * (seconds > 5)  # the sandbox sleeps as well


@pytest.mark.parametrize("wait", ["operator", "sensor"])
def test_two_hours_cost_at_most_thirty_requests(
    metrica: SandboxServer,
    run: Any,
    upload: Any,
    context: Any,
    logged: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
    wait: str,
) -> None:
    metrica.client.change_settings(processing_seconds=7195, uploads_judged_at_once=False)
    known = upload()
    Clock(monkeypatch)
    if wait == "operator":
        run(MetricaUploadSimpleOrdersOperator, source=[ORDER], wait_for_completion=True)
    else:
        MetricaCrmUploadSensor(task_id="wait", upload_ids=known, timeout=7300).execute(context())
    asked = lists(metrica)["101"]
    assert 20 < asked <= 30
    run(MetricaUploadSimpleOrdersOperator, source=[ORDER], task_id="next")
    told = logged()
    assert f"Requests of this wait: {asked}." in told
    assert f"of them by waits: {asked}." in told


@pytest.mark.parametrize(
    ("given", "set_later", "pauses"),
    [
        ({}, {}, [30, 30, 60]),
        ({"poke_interval": 30}, {}, [30, 30, 30]),
        ({}, {"poke_interval": 45.0}, [45, 45, 45]),
        ({"exponential_backoff": True, "max_wait": 20}, {"poke_interval": 60.0}, [20, 20, 20]),
        ({}, {"exponential_backoff": True, "max_wait": timedelta(seconds=10)}, [10, 10, 10]),
    ],
)
def test_pauses_are_airflows_own_where_they_are_set(
    metrica: SandboxServer,
    context: Any,
    monkeypatch: pytest.MonkeyPatch,
    given: dict[str, Any],
    set_later: dict[str, Any],
    pauses: list[int],
) -> None:
    def task(**more: Any) -> MetricaCrmUploadSensor:
        made = MetricaCrmUploadSensor(task_id="wait", upload_ids="u-1", timeout=150, **given, **more)
        for name, value in set_later.items():  # as a cluster's policy does
            setattr(made, name, value)
        return made

    clock = Clock(monkeypatch)
    with pytest.raises(AirflowSensorTimeout):
        task().execute(context())
    assert clock.slept[:3] == pauses
    with pytest.raises(TaskDeferred) as deferred:
        task(deferrable=True).execute(context())
    assert deferred.value.trigger.poke_interval == (set_later | given).get("poke_interval")


class TestRequestsOfWaitsThatEndOtherwiseAreWrittenDown:
    REFUSED: ClassVar[dict[str, Any]] = {"preset": "access_denied", "path": "last_uploadings"}

    @pytest.fixture
    def by_waits(self, run: Any, logged: Callable[[], str]) -> Callable[[], int]:
        """How many requests of today the journal knows to be of waits."""

        def ask() -> int:
            run(MetricaUploadSimpleOrdersOperator, source=[ORDER], task_id="next")
            return int(logged().rpartition("of them by waits: ")[2].split(".")[0])

        return ask

    def sensor(self, upload_id: str, **arguments: Any) -> MetricaCrmUploadSensor:
        return MetricaCrmUploadSensor(task_id="wait", upload_ids=upload_id, poke_interval=0.1, **arguments)

    def test_each_process_of_a_rescheduled_one(
        self, metrica: SandboxServer, upload: Any, context: Any, by_waits: Any, airflow_db: None
    ) -> None:
        known = upload()
        metrica.client.add_fault(times=2, **NOT_YET)
        given = context()
        given["ti"].max_tries, given["ti"].get_first_reschedule_date = 0, lambda context: None
        for _ in range(2):
            with pytest.raises(AirflowRescheduleException):
                self.sensor(known, mode="reschedule").execute(given)
        assert by_waits() == 2
        self.sensor(known, mode="reschedule").execute(given)
        assert by_waits() == 3

    @pytest.mark.parametrize("deferrable", [False, True])
    def test_one_that_is_refused(
        self, metrica: SandboxServer, upload: Any, context: Any, by_waits: Any, deferrable: bool
    ) -> None:
        metrica.client.add_fault(times=None, **self.REFUSED)
        with pytest.raises(ServiceRefused):
            self.sensor(upload(), deferrable=deferrable).execute(context())
        assert by_waits() == 1

    def test_one_of_an_operator(self, metrica: SandboxServer, run: Any, by_waits: Any) -> None:
        metrica.client.change_settings(uploads_judged_at_once=False)
        metrica.client.add_fault(times=None, **self.REFUSED)
        with pytest.raises(ServiceRefused):
            run(MetricaUploadSimpleOrdersOperator, source=[ORDER], wait_for_completion=True)
        assert by_waits() == 1

    def test_one_that_is_refused_while_it_is_deferred(
        self, metrica: SandboxServer, upload: Any, context: Any, by_waits: Any
    ) -> None:
        task = self.sensor(upload(), deferrable=True)
        metrica.client.add_fault(times=1, **NOT_YET)
        with pytest.raises(TaskDeferred) as deferred:
            task.execute(context())
        metrica.client.add_fault(times=None, **self.REFUSED)
        event = fired(deferred.value.trigger)
        with pytest.raises(ServiceRefused):
            task.execute_complete(context(), event)
        assert by_waits() == 2
