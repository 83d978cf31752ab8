# SPDX-License-Identifier: Apache-2.0
"""Waiting for uploads: where each is asked for, what cannot be waited for, and which times are kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowSensorTimeout, TaskDeferred

from airflow_provider_yandex_orders.exceptions import ConfigurationError, PassingError, UploadFailedError
from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.operators.metrica import (
    MetricaUploadOfflineConversionsOperator,
    MetricaUploadSimpleOrdersOperator,
)
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sensors.metrica import MetricaCrmUploadSensor, MetricaOfflineConversionsSensor
from tests.support.pauses import shorten
from tests.support.triggers import fired

Run = Callable[..., Any]
Context = Callable[..., Any]
ORDER = {"id": "A-1", "create_date_time": "2026-11-01 10:00:00", "emails": "a@example.com", "order_status": "PAID"}
CONVERSION = {"ClientId": "1700000000123456789", "Target": "order_paid", "DateTime": "2026-11-01T10:00:00+03:00"}


def sensor(upload_ids: Any, kind: type = MetricaCrmUploadSensor, **arguments: Any) -> Any:
    arguments = {"poke_interval": 0.1, "timeout": 20} | arguments
    return kind(task_id="wait", upload_ids=upload_ids, **arguments)


def deferral(task: Any, context: Context) -> TaskDeferred:
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(context())
    return deferred.value


@pytest.fixture
def orders(run: Run) -> Callable[..., Any]:
    """Uploads an order to a counter and gives the delivery."""
    return lambda counter_id, **arguments: run(
        MetricaUploadSimpleOrdersOperator, source=[ORDER], counter_id=counter_id, **arguments
    )


class TestSeveralCounters:
    @pytest.fixture
    def deliveries(self, metrica: SandboxServer, orders: Any) -> list[Any]:
        metrica.client.change_settings(processing_seconds=3, uploads_judged_at_once=False)
        return [orders(101), orders(103)]

    def test_each_delivery_is_asked_for_at_its_own_counter(self, deliveries: list[Any], context: Context) -> None:
        ids = {delivery["parts"][0]["upload_id"] for delivery in deliveries}
        assert sensor(iter(deliveries)).execute(context()) == dict.fromkeys(ids, "PASSED")

    def test_one_trigger_waits_for_all(self, deliveries: list[Any], context: Context) -> None:
        task = sensor(deliveries, deferrable=True)
        event = fired(deferral(task, context).trigger)
        assert set(task.execute_complete(context(), event).values()) == {"PASSED"}
        assert len(event["uploads"]) == 2

    def test_the_late_message_says_where_it_asked(
        self, metrica: SandboxServer, deliveries: list[Any], context: Context
    ) -> None:
        metrica.client.change_settings(processing_seconds=600)
        late = [sensor([delivery | {"counter_id": 103}], timeout=0.2) for delivery in deliveries]
        with pytest.raises(AirflowSensorTimeout, match=r"not listed yet.*counter 103, connection 'yandex_metrica_def"):
            late[0].execute(context())
        late[0].deferrable = True
        event = fired(deferral(late[0], context).trigger)
        with pytest.raises(AirflowSensorTimeout, match=r"not listed yet.*counter 103, connection 'yandex_metrica_def"):
            sensor([], timeout=0.2).execute_complete(context(), event)

    def test_a_bad_file_among_several_fails(
        self, metrica: SandboxServer, orders: Any, context: Context, tmp_path: Path
    ) -> None:
        path = tmp_path / "bad.csv"
        path.write_text("id,create_date_time,client_ids,revenue\n1,2026-11-01 10:00:00,123,much\n")
        bad = MetricaHook().upload_simple_orders(101, str(path))["uploading_id"]
        metrica.client.change_settings(processing_seconds=5)
        task = sensor([bad, orders(101)["parts"][0]["upload_id"]], deferrable=True)
        event = fired(deferral(task, context).trigger)
        with pytest.raises(UploadFailedError, match=f"{bad} is FAILED.*revenue"):
            task.execute_complete(context(), event)

    def test_an_empty_delivery_is_done(self, metrica: SandboxServer, context: Context) -> None:
        assert sensor({"counter_id": 101, "parts": []}).execute(context()) == {}
        assert metrica.client.requests() == []


class TestWhatCannotBeWaitedFor:
    def refused(self, upload_ids: Any, context: Context, words: str, kind: type = MetricaCrmUploadSensor) -> None:
        for deferrable in (False, True):
            with pytest.raises(ConfigurationError, match=words):
                sensor(upload_ids, kind, deferrable=deferrable).execute(context())

    @pytest.mark.parametrize("how", [{"send": False}, {"dry_run": True}])
    def test_a_delivery_that_sent_nothing_on_purpose(
        self, metrica: SandboxServer, orders: Any, context: Context, how: dict[str, bool]
    ) -> None:
        delivery = orders(101, **how)
        self.refused(delivery, context, "only prepared")
        self.refused([delivery], context, "only prepared")

    def test_a_delivery_of_another_family(self, metrica: SandboxServer, orders: Any, context: Context) -> None:
        self.refused(orders(101), context, "delivery of simple_orders", MetricaOfflineConversionsSensor)

    def test_a_delivery_to_another_service(self, metrica: SandboxServer, context: Context) -> None:
        delivery = {"service": "altcraft", "entity": "altcraft_orders", "host": "x", "parts": []}
        self.refused(delivery, context, "delivery to altcraft")

    def test_a_delivery_to_another_counter(self, metrica: SandboxServer, orders: Any, context: Context) -> None:
        delivery = orders(101)
        with pytest.raises(ConfigurationError, match="counter_id is 103, and upload_ids has a delivery to counter 101"):
            sensor([delivery, "u1"], counter_id="103").execute(context())
        assert sensor(delivery, counter_id="101").execute(context())

    @pytest.mark.parametrize("value", [None, 5.5, True, "None", b"1", ["[1]"], {"service": "market", "paths": []}])
    def test_ids_that_are_none(self, metrica: SandboxServer, context: Context, value: Any) -> None:
        self.refused(value, context, "output of an upload task")

    def test_numbers_are_ids(self, metrica: SandboxServer, context: Context) -> None:
        for upload_ids in (123, [123, 456], "[123, 456]", "['123']"):
            with pytest.raises(AirflowSensorTimeout, match=r"123 \(not listed yet\)"):
                sensor(upload_ids, timeout=0).execute(context())

    def test_one_conversion_upload_the_service_does_not_list_yet(
        self, metrica: SandboxServer, context: Context
    ) -> None:
        task = sensor(987654, MetricaOfflineConversionsSensor, deferrable=True, timeout=0.3)
        assert fired(deferral(task, context).trigger)["status"] == "timeout"


class TestTimes:
    def test_a_poll_is_one_attempt(self, metrica: SandboxServer, context: Context) -> None:
        metrica.client.add_fault(preset="backend_error", path="last_uploadings", times=None)
        with pytest.raises(AirflowSensorTimeout):
            sensor("u-1", timeout=0).execute(context())
        assert len(metrica.client.requests()) == 1
        trigger = deferral(sensor("u-1", timeout=0, deferrable=True), context).trigger
        assert fired(trigger)["status"] == "timeout"
        assert len(metrica.client.requests()) == 3

    def test_the_end_is_kept_while_a_poll_hangs(
        self, metrica: SandboxServer, context: Context, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shorten(monkeypatch.setattr, last_poll=0.5)
        trigger = deferral(sensor("u-1", timeout=0.5, deferrable=True), context).trigger
        metrica.client.add_fault(action="delay", seconds=4, path="last_uploadings", times=None)
        seen: list[float] = []
        hear = type(trigger.wait).place

        def place(self: Any, ids: Any) -> Any:
            seen.append(time.time())
            return str(hear(self, ids))

        monkeypatch.setattr(type(trigger.wait), "place", place)
        assert fired(trigger)["status"] == "timeout"
        assert seen[0] - trigger.end_time < 2
        assert len(metrica.client.requests()) <= 3  # no second thread beside one that hangs

    def test_the_execution_timeout_holds_while_deferred(self, metrica: SandboxServer, context: Context) -> None:
        task = sensor("u-1", deferrable=True, timeout=3600, execution_timeout=timedelta(seconds=1))
        deferred = deferral(task, context)
        assert deferred.timeout is not None
        assert deferred.timeout <= timedelta(seconds=1)
        event = fired(deferred.trigger)
        with pytest.raises(PassingError, match=r"not final after 1 s: u-1"):  # tried anew, as Airflow does
            task.execute_complete(context(), event)
        assert deferral(sensor("u-1", deferrable=True), context).timeout is None

    def test_so_it_does_in_an_operator(self, metrica: SandboxServer, run: Run) -> None:
        metrica.client.change_settings(processing_seconds=600, uploads_judged_at_once=False)
        with pytest.raises(TaskDeferred) as deferred:
            run(
                MetricaUploadSimpleOrdersOperator,
                source=[ORDER],
                wait_for_completion=True,
                deferrable=True,
                execution_timeout=timedelta(minutes=5),
            )
        assert deferred.value.timeout is not None
        assert timedelta(minutes=4) < deferred.value.timeout <= timedelta(minutes=5)
        assert deferred.value.trigger.end_time <= time.time() + 300

    @pytest.mark.parametrize("how", [{"poke_interval": "0.1", "timeout": "0.2"}, {"timeout": timedelta(seconds=0.2)}])
    def test_operators_take_the_sensors_two_words(self, metrica: SandboxServer, run: Run, how: dict[str, Any]) -> None:
        metrica.client.change_settings(processing_seconds=600, uploads_judged_at_once=False)
        with pytest.raises(PassingError, match=r"not final after 0\.2 s.*counter 101"):
            run(MetricaUploadSimpleOrdersOperator, source=[ORDER], wait_for_completion=True, **how)

    def test_a_deferred_operator_that_gives_up_tries_anew_without_sending(
        self, metrica: SandboxServer, tmp_path: Any, context: Context
    ) -> None:
        metrica.client.change_settings(processing_seconds=600)
        task = MetricaUploadOfflineConversionsOperator(
            task_id="upload",
            source=[CONVERSION],
            staging_path=str(tmp_path),
            check_targets=False,
            wait_for_completion=True,
            deferrable=True,
            poke_interval=0.1,
            timeout=0.2,
        )
        first = deferral(task, context)
        event = fired(first.trigger)
        assert first.kwargs is not None
        with pytest.raises(PassingError, match=r"not final after 0\.2 s"):
            task.execute_complete(context(), event, **first.kwargs)
        deferral(task, context)
        assert sum(request["method"] == "POST" for request in metrica.client.requests()) == 1


def test_deferrable_without_a_wait_is_told_at_parse_time() -> None:
    def make(**arguments: Any) -> None:
        MetricaUploadSimpleOrdersOperator(task_id="upload", source=[ORDER], **arguments)

    with pytest.warns(UserWarning, match=r"'upload'.*wait_for_completion=True"):
        make(deferrable=True)


@pytest.mark.parametrize("how", [{}, {"deferrable": True, "wait_for_completion": "{{ params.wait }}"}])
@pytest.mark.filterwarnings("error::UserWarning")
def test_nothing_is_told_of_a_wait(how: dict[str, Any]) -> None:
    MetricaUploadSimpleOrdersOperator(task_id="upload", source=[ORDER], **how)


class TestAnotherEndThanItBegan:
    """The service takes an upload and thinks better of it, or tells of it late or never."""

    def test_failed_orders_are_sent_again(self, metrica: SandboxServer, orders: Any, context: Context) -> None:
        metrica.client.change_settings(uploads_fail_later=True, uploads_judged_at_once=False)
        delivery = orders(101, changed_only=True)
        assert delivery["parts"][0]["status"] == "UNKNOWN"
        with pytest.raises(UploadFailedError, match="FAILED"):
            sensor(delivery).execute(context())
        metrica.client.change_settings(uploads_fail_later=False)
        assert [orders(101, changed_only=True, run_id=name)["rows_sent"] for name in ("two", "three")] == [1, 0]

    def test_failed_conversions_are_sent_again(
        self, metrica: SandboxServer, run: Run, goals: Any, context: Context
    ) -> None:
        goals("order_paid")

        def upload(run_id: str) -> Any:
            return run(MetricaUploadOfflineConversionsOperator, source=[CONVERSION], counter_id=101, run_id=run_id)

        metrica.client.change_settings(uploads_fail_later=True, linked_share=1)
        with pytest.raises(UploadFailedError, match="LINKAGE_FAILURE"):
            sensor(upload("one"), MetricaOfflineConversionsSensor).execute(context())
        metrica.client.change_settings(uploads_fail_later=False)
        assert [upload(name)["rows_sent"] for name in ("two", "three")] == [1, 0]
        assert [each["times_received"] for each in metrica.client.conversions(101)] == [1]

    def test_an_upload_that_is_never_listed(self, metrica: SandboxServer, orders: Any, context: Context) -> None:
        metrica.client.change_settings(uploads_never_listed=True, uploads_judged_at_once=False)
        with pytest.raises(AirflowSensorTimeout, match="not listed yet"):
            sensor(orders(101), timeout=0.3).execute(context())

    def test_an_upload_that_is_listed_late(self, metrica: SandboxServer, orders: Any, context: Context) -> None:
        metrica.client.change_settings(listing_lag_seconds=0.5, uploads_judged_at_once=False)
        assert set(sensor(orders(101)).execute(context()).values()) == {"PASSED"}
