# SPDX-License-Identifier: Apache-2.0
"""The sensor and its trigger against the sandbox."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from airflow.providers.common.compat.module_loading import import_string
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSensorTimeout, TaskDeferred

from airflow_provider_yandex_orders.exceptions import ConfigurationError, ServiceRefused, UploadFailedError
from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sensors.metrica import MetricaCrmUploadSensor
from airflow_provider_yandex_orders.triggers.metrica import MetricaUploadsTrigger
from tests.support.connections import connect

Context = Callable[..., Any]
HEADER = "id,create_date_time,client_ids,revenue\n"


@pytest.fixture
def upload(metrica: SandboxServer, tmp_path: Any) -> Callable[..., str]:
    """Uploads a file of one order, good or bad, and gives its id."""

    def send(revenue: str = "1") -> str:
        path = tmp_path / "orders.csv"
        path.write_text(f"{HEADER}1,2026-11-01 10:00:00,123,{revenue}\n")
        return str(MetricaHook().upload_simple_orders(101, str(path))["uploading_id"])

    return send


def sensor(upload_ids: Any, **arguments: Any) -> MetricaCrmUploadSensor:
    arguments.setdefault("poke_interval", 0.2)
    arguments.setdefault("timeout", 20)
    return MetricaCrmUploadSensor(task_id="wait", upload_ids=upload_ids, **arguments)


def fired(trigger: MetricaUploadsTrigger) -> dict[str, Any]:
    """The one event of a trigger made anew from what Airflow stores of it."""
    path, arguments = trigger.serialize()
    again = import_string(path)(**arguments)
    assert again.serialize() == (path, arguments)

    async def collect() -> list[Any]:
        return [event.payload async for event in again.run()]

    (payload,) = asyncio.run(collect())
    assert isinstance(payload, dict)
    return payload


class TestInTheWorker:
    def test_done_at_once(self, upload: Callable[..., str], context: Context) -> None:
        upload_id = upload()
        assert sensor([upload_id]).execute(context()) == {upload_id: "PASSED"}

    def test_waits_until_the_upload_is_listed(
        self, metrica: SandboxServer, upload: Callable[..., str], context: Context
    ) -> None:
        metrica.client.change_settings(processing_seconds=1)
        upload_id = upload()
        assert sensor([upload_id]).execute(context()) == {upload_id: "PASSED"}
        assert len([r for r in metrica.client.requests() if r["method"] == "GET"]) > 2

    def test_takes_a_delivery_and_its_counter(self, upload: Callable[..., str], context: Context) -> None:
        delivery = {"counter_id": 101, "parts": [{"upload_id": upload()}, {"upload_id": None}]}
        assert list(sensor(delivery).execute(context()).values()) == ["PASSED"]

    def test_an_empty_delivery_is_done(self, metrica: SandboxServer, context: Context) -> None:
        assert sensor({"counter_id": 101, "parts": []}).execute(context()) == {}
        assert metrica.client.requests() == []

    def test_a_bad_file_fails_for_good_with_the_services_words(
        self, upload: Callable[..., str], context: Context
    ) -> None:
        upload_id = upload(revenue="much")
        with pytest.raises(UploadFailedError) as raised:
            sensor([upload_id]).execute(context())
        assert isinstance(raised.value, AirflowFailException)
        assert f"{upload_id} is FAILED" in str(raised.value)
        assert "revenue" in str(raised.value)

    def test_the_time_out_names_what_is_open(self, metrica: SandboxServer, context: Context) -> None:
        with pytest.raises(AirflowSensorTimeout, match=r"unknown-id \(not listed yet\)"):
            sensor(["unknown-id"], timeout=0.1).execute(context())

    def test_a_service_that_fails_is_asked_again(
        self,
        metrica: SandboxServer,
        upload: Callable[..., str],
        context: Context,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        upload_id = upload()
        monkeypatch.setattr("airflow_provider_yandex_orders.http.client._pause", lambda _state: 0)
        metrica.client.add_fault(preset="backend_error", path="last_uploadings", times=7)
        assert sensor([upload_id]).execute(context()) == {upload_id: "PASSED"}

    @pytest.mark.parametrize("value", [None, 5.5, "[1, 2]"])
    def test_ids_that_are_none(self, metrica: SandboxServer, context: Context, value: Any) -> None:
        with pytest.raises(ConfigurationError, match="output of an upload task"):
            sensor(value).execute(context())

    def test_many_uploads_are_found_by_paging_back(
        self, metrica: SandboxServer, upload: Callable[..., str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("airflow_provider_yandex_orders.hooks.metrica.LIST_LIMIT", 2)
        ids = []
        for _ in range(3):
            ids.append(upload())
            time.sleep(1.1)  # the service's list tells uploads apart by whole seconds
        hook = MetricaHook()
        monkeypatch.setattr(
            hook, "last_uploadings", lambda c, before=None: MetricaHook.last_uploadings(hook, c, limit=2, before=before)
        )
        assert set(hook.upload_states("crm", 101, ids)) == set(ids)


class TestDeferred:
    def defers(self, task: MetricaCrmUploadSensor, context: Context) -> MetricaUploadsTrigger:
        with pytest.raises(TaskDeferred) as deferred:
            task.execute(context())
        assert deferred.value.method_name == "execute_complete"
        assert isinstance(deferred.value.trigger, MetricaUploadsTrigger)
        return deferred.value.trigger

    def test_asks_once_before_it_defers(self, upload: Callable[..., str], context: Context) -> None:
        upload_id = upload()
        assert sensor([upload_id], deferrable=True).execute(context()) == {upload_id: "PASSED"}

    def test_waits_in_the_triggerer(self, metrica: SandboxServer, upload: Callable[..., str], context: Context) -> None:
        metrica.client.change_settings(processing_seconds=1)
        upload_id = upload()
        task = sensor([upload_id], deferrable=True)
        event = fired(self.defers(task, context))
        assert event["status"] == "done"
        assert task.execute_complete(context(), event) == {upload_id: "PASSED"}

    def test_a_bad_file_among_several_fails(
        self, metrica: SandboxServer, upload: Callable[..., str], context: Context
    ) -> None:
        bad = upload(revenue="much")
        metrica.client.change_settings(processing_seconds=1)
        good = upload()
        task = sensor([bad, good], deferrable=True)
        event = fired(self.defers(task, context))
        with pytest.raises(UploadFailedError, match=bad):
            task.execute_complete(context(), event)

    def test_gives_up_at_the_time_out(self, metrica: SandboxServer, context: Context) -> None:
        task = sensor(["unknown-id"], deferrable=True, timeout=0.3)
        event = fired(self.defers(task, context))
        assert event["status"] == "timeout"
        with pytest.raises(AirflowSensorTimeout, match=r"unknown-id \(not listed yet\)"):
            task.execute_complete(context(), event)

    def test_a_token_that_dies_meanwhile_ends_the_wait(
        self, metrica: SandboxServer, context: Context, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        task = sensor(["unknown-id"], deferrable=True)
        trigger = self.defers(task, context)
        connect(monkeypatch, metrica.url, token="a-token-that-died")
        event = fired(trigger)
        assert event["status"] == "error"
        with pytest.raises(ServiceRefused, match="Get a new OAuth token"):
            task.execute_complete(context(), event)

    @pytest.mark.parametrize("event", [None, {}, {"status": "other"}, "done"])
    def test_events_of_nobody(self, event: Any, context: Context) -> None:
        with pytest.raises(AirflowFailException, match="versions of the package"):
            sensor(["x"], deferrable=True).execute_complete(context(), event)

    def test_an_outage_outlasts_a_poll_but_not_the_wait(
        self, metrica: SandboxServer, upload: Callable[..., str], context: Context, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("airflow_provider_yandex_orders.http.client._pause", lambda _state: 0)
        upload_id = upload()
        metrica.client.change_settings(processing_seconds=0)
        metrica.client.add_fault(preset="backend_error", path="last_uploadings", times=12)
        task = sensor([upload_id], deferrable=True)
        event = fired(self.defers(task, context))
        assert task.execute_complete(context(), event) == {upload_id: "PASSED"}
