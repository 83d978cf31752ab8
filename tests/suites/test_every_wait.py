# SPDX-License-Identifier: Apache-2.0
"""Every kind of wait, and what it must do as all others do."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, ClassVar

import pytest
from airflow.providers.common.compat.sdk import AirflowSensorTimeout

from airflow_provider_yandex_orders.exceptions import PassingError
from airflow_provider_yandex_orders.hooks.altcraft import AltcraftHook
from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.operators.altcraft import AltcraftImportOrdersOperator
from airflow_provider_yandex_orders.operators.metrica import (
    MetricaUploadOfflineConversionsOperator,
    MetricaUploadSimpleOrdersOperator,
)
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sensors.altcraft import AltcraftOrdersSensor
from airflow_provider_yandex_orders.sensors.metrica import MetricaCrmUploadSensor, MetricaOfflineConversionsSensor
from tests.suites.wait import JudgedWaitSuite, WaitSuite
from tests.support import altcraft_rows
from tests.support.connections import connect, connect_altcraft


class OfCrmUploads(WaitSuite):
    asked = "last_uploadings"
    not_yet: ClassVar[dict[str, Any]] = {"status": 200, "body": {"uploadings": []}}
    outage: ClassVar[dict[str, Any]] = {"preset": "backend_error"}
    done = "PASSED"

    def connect(self, monkeypatch: pytest.MonkeyPatch, url: str, token: str) -> None:
        connect(monkeypatch, url, token=token)


class TestCrmUploadSensor(OfCrmUploads, JudgedWaitSuite):
    late = AirflowSensorTimeout
    bad = "FAILED.*revenue"
    revenue = "1"

    def spoil(self, sandbox: SandboxServer) -> None:
        self.revenue = "much"

    def task(self, sandbox: SandboxServer, folder: Path, **arguments: Any) -> Any:
        path = folder / "orders.csv"
        path.write_text(f"id,create_date_time,client_ids,revenue\n1,2026-11-01 10:00:00,1700000000123,{self.revenue}\n")
        ids = [MetricaHook().upload_simple_orders(101, str(path))["uploading_id"] for _ in range(2)]
        return MetricaCrmUploadSensor(task_id="wait", upload_ids=ids, **arguments)

    def words(self, result: Any) -> set[str]:
        return set(result.values())


class TestUploadOperator(OfCrmUploads):
    late = PassingError

    def task(self, sandbox: SandboxServer, folder: Path, **arguments: Any) -> Any:
        sandbox.client.change_settings(uploads_judged_at_once=False)
        row = {"create_date_time": "2026-11-01 10:00:00", "client_ids": "1700000000123"}
        return MetricaUploadSimpleOrdersOperator(
            task_id="upload",
            source=[{"id": "A-1", **row}, {"id": "A-2", **row}],
            max_part_rows=1,
            staging_path=str(folder),
            wait_for_completion=True,
            **arguments,
        )

    def words(self, result: Any) -> set[str]:
        return {part["status"] for part in result["parts"]}


class OfConversions(JudgedWaitSuite):
    asked = "offline_conversions/uploading"
    not_yet: ClassVar[dict[str, Any]] = {"status": 200, "body": {"uploadings": []}}
    outage: ClassVar[dict[str, Any]] = {"preset": "backend_error"}
    done = "PROCESSED"
    bad = "LINKAGE_FAILURE"
    linked = 1
    # The upload itself asks for the list of uploads once.

    def polls(self, sandbox: SandboxServer) -> int:
        return super().polls(sandbox) - 1

    def hold(self, sandbox: SandboxServer, polls: int | None, **fault: Any) -> None:
        super().hold(sandbox, polls, **{**(fault or self.not_yet), "skip": 1})

    def connect(self, monkeypatch: pytest.MonkeyPatch, url: str, token: str) -> None:
        connect(monkeypatch, url, token=token)

    def spoil(self, sandbox: SandboxServer) -> None:
        self.linked = 0

    def operator(self, sandbox: SandboxServer, folder: Path, **arguments: Any) -> Any:
        if not MetricaHook().goals(101):
            MetricaHook().create_goal(101, "order_paid", "Order paid")
        sandbox.client.change_settings(linked_share=self.linked)
        paid = int(time.time()) // 3600 * 3600 - 3600
        return MetricaUploadOfflineConversionsOperator(
            task_id="upload",
            source=[{"ClientId": f"1700000000{each}", "Target": "order_paid", "DateTime": paid} for each in (1, 2)],
            max_part_rows=1,
            staging_path=str(folder),
            **arguments,
        )


class TestOfflineConversionsSensor(OfConversions):
    late = AirflowSensorTimeout
    delivery: Any = None

    @pytest.fixture(autouse=True)
    def _context(self, context: Any) -> None:
        self.context = context

    def task(self, sandbox: SandboxServer, folder: Path, **arguments: Any) -> Any:
        if self.delivery is None:
            self.delivery = self.operator(sandbox, folder).execute(self.context())
        return MetricaOfflineConversionsSensor(task_id="wait", upload_ids=self.delivery, **arguments)

    def words(self, result: Any) -> set[str]:
        return set(result.values())


class TestOfflineConversionsOperator(OfConversions):
    late = PassingError

    def task(self, sandbox: SandboxServer, folder: Path, **arguments: Any) -> Any:
        return self.operator(sandbox, folder, wait_for_completion=True, **arguments)

    def words(self, result: Any) -> set[str]:
        return {part["status"] for part in result["parts"]}


class OfAltcraftOrders(WaitSuite):
    asked = "orders/get_status"
    questions = 2  # one an order
    not_yet: ClassVar[dict[str, Any]] = {"status": 200, "body": {"error": 404, "error_text": "Order not found"}}
    outage: ClassVar[dict[str, Any]] = {"preset": "altcraft_unavailable"}
    done = "new"

    def connect(self, monkeypatch: pytest.MonkeyPatch, url: str, token: str) -> None:
        connect_altcraft(monkeypatch, url, token=token)


class TestAltcraftOrdersSensor(OfAltcraftOrders):
    late = AirflowSensorTimeout

    def task(self, sandbox: SandboxServer, folder: Path, **arguments: Any) -> Any:
        orders = [{**altcraft_rows.order(number), "total_price": "45.00"} for number in (1, 2)]
        AltcraftHook().import_orders(orders, skip_triggers=True)
        return AltcraftOrdersSensor(task_id="wait", order_ids={"A-0001": "new", "A-0002": "new"}, **arguments)

    def words(self, result: Any) -> set[str]:
        return set(result["by_status"])


class TestAltcraftImportOperator(OfAltcraftOrders):
    late = PassingError

    # Before the first row it asks once, whether its token works.

    def hold(self, sandbox: SandboxServer, polls: int | None, **fault: Any) -> None:
        super().hold(sandbox, polls, **{**(fault or self.not_yet), "skip": 1})

    def task(self, sandbox: SandboxServer, folder: Path, **arguments: Any) -> Any:
        return AltcraftImportOrdersOperator(
            task_id="import",
            source=[altcraft_rows.order(1), altcraft_rows.order(2)],
            skip_triggers=True,
            verify=True,
            staging_path=str(folder),
            **arguments,
        )

    def words(self, result: Any) -> set[str]:
        return set(result["verified"]["by_status"])
