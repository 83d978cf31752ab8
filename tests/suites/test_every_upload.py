# SPDX-License-Identifier: Apache-2.0
"""Every kind of upload, and what it must do as all others do."""

from __future__ import annotations

import time
from typing import Any, ClassVar

import pytest

from airflow_provider_yandex_orders.exceptions import ServiceUnavailable
from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.operators.altcraft import AltcraftImportOrdersOperator
from airflow_provider_yandex_orders.operators.metrica import (
    MetricaUploadContactsOperator,
    MetricaUploadOfflineConversionsOperator,
    MetricaUploadOrdersOperator,
    MetricaUploadSimpleOrdersOperator,
)
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.suites.upload import MAIL, NAME, PHONE, Sent, UploadSuite
from tests.support import altcraft_rows
from tests.support.connections import connect, connect_altcraft
from tests.support.pauses import shorten


class MetricaSuite(UploadSuite):
    quota: ClassVar[dict[str, Any]] = {"preset": "quota_requests_by_uid"}
    trouble: ClassVar[dict[str, Any]] = {"preset": "backend_error"}

    def connect(self, monkeypatch: pytest.MonkeyPatch, url: str, token: str) -> None:
        connect(monkeypatch, url, token=token)


class TestSimpleOrders(MetricaSuite):
    operator = MetricaUploadSimpleOrdersOperator
    request = "data/simple_orders"
    wrong = "revenue"

    def row(self, number: int, **fields: Any) -> dict[str, Any]:
        when = "2026-11-01 10:00:00"
        return {
            "id": f"A-{number}",
            "create_date_time": when,
            "client_ids": f"1700000000{number}",
            "revenue": "1.5",
            **fields,
        }

    def person(self, number: int) -> dict[str, Any]:
        return self.row(number, emails=MAIL, phones=PHONE)

    def received(self, sandbox: SandboxServer) -> list[int]:
        return [each["times_received"] for each in sandbox.client.orders(101)]


class TestContactsInJson(MetricaSuite):
    operator = MetricaUploadContactsOperator
    request = "data/contacts"
    wrong = "create_date_time"

    def row(self, number: int, **fields: Any) -> dict[str, Any]:
        return {"uniq_id": f"C-{number}", "client_ids": f"1700000000{number}", **fields}

    def person(self, number: int) -> dict[str, Any]:
        return self.row(number, name=NAME, emails=MAIL, phones=PHONE)

    def received(self, sandbox: SandboxServer) -> list[int]:
        return [each["times_received"] for each in sandbox.client.contacts(101)]


class TestContactsInCsv(TestContactsInJson):
    arguments: ClassVar[dict[str, Any]] = {"upload_format": "csv"}


class TestOrdersInJson(MetricaSuite):
    operator = MetricaUploadOrdersOperator
    request = "data/orders"
    wrong = "revenue"

    def row(self, number: int, **fields: Any) -> dict[str, Any]:
        return {
            "id": f"A-{number}",
            "client_uniq_id": f"C-{number}",
            "create_date_time": "2026-11-01 10:00:00",
            "order_status": "PAID",
            **fields,
        }

    def person(self, number: int) -> dict[str, Any]:
        return self.row(number, client_uniq_id=MAIL)

    def received(self, sandbox: SandboxServer) -> list[int]:
        return [each["times_received"] for each in sandbox.client.orders(101, kind="orders")]


class TestOrdersInCsv(TestOrdersInJson):
    arguments: ClassVar[dict[str, Any]] = {"upload_format": "csv"}


class TestOfflineConversions(MetricaSuite):
    operator = MetricaUploadOfflineConversionsOperator
    request = "offline_conversions/upload"
    wrong = "Price"

    @pytest.fixture(autouse=True)
    def _listed_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is not listed at once is not there."""
        shorten(monkeypatch.setattr, listed_within=0)

    def set_up(self, sandbox: SandboxServer) -> None:
        MetricaHook().create_goal(101, "order_paid", "Order paid")

    def row(self, number: int, **fields: Any) -> dict[str, Any]:
        paid = int(time.time()) // 3600 * 3600 - 3600
        return {
            "id": f"A-{number}",
            "ClientId": f"1700000000{number}",
            "Target": "order_paid",
            "DateTime": paid,
            **fields,
        }

    def person(self, number: int) -> dict[str, Any]:
        return self.row(number, UserId=MAIL, ClientId=None)

    def received(self, sandbox: SandboxServer) -> list[int]:
        return [each["times_received"] for each in sandbox.client.conversions(101)]

    def counted(self, sandbox: SandboxServer) -> list[int]:
        return self.received(sandbox)

    def test_a_short_failure_is_waited_out(self, sandbox: SandboxServer, send: Sent, naps: list[float]) -> None:
        """A repeat counts twice here, so the task is handed back, and its next try asks first."""
        sandbox.client.add_fault(method="POST", path=self.request, times=1, **self.trouble)
        with pytest.raises(ServiceUnavailable):
            send(self.rows(3))
        assert naps == []
        send(self.rows(3))
        assert self.received(sandbox) == [1] * 3


class TestAltcraftOrdersInJson(UploadSuite):
    operator = AltcraftImportOrdersOperator
    arguments: ClassVar[dict[str, Any]] = {"skip_triggers": False}
    rows_of_a_part = "batch_size"
    request = "market/orders/import"
    quota: ClassVar[dict[str, Any]] = {"preset": "altcraft_too_many", "headers": {"Retry-After": "3600"}}
    trouble: ClassVar[dict[str, Any]] = {"preset": "altcraft_unavailable"}
    wrong = "delivery_cost"

    def connect(self, monkeypatch: pytest.MonkeyPatch, url: str, token: str) -> None:
        connect_altcraft(monkeypatch, url, token=token)

    def row(self, number: int, **fields: Any) -> dict[str, Any]:
        return altcraft_rows.order(number, **fields)

    def person(self, number: int) -> dict[str, Any]:
        return self.row(number, email=MAIL, phone=PHONE)

    def received(self, sandbox: SandboxServer) -> list[int]:
        return [each["times_received"] for each in sandbox.client.altcraft_orders()]

    def counted(self, sandbox: SandboxServer) -> list[int]:
        return [max(1, each["triggers_started"]) for each in sandbox.client.altcraft_orders()]


class TestAltcraftOrdersInXml(TestAltcraftOrdersInJson):
    arguments: ClassVar[dict[str, Any]] = {"skip_triggers": False, "body_format": "xml"}
