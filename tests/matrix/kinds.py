# SPDX-License-Identifier: Apache-2.0
"""The kinds of rows of the matrix: how each is sent, and how its effects are counted at the service."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.operators.altcraft import AltcraftImportOrdersOperator
from airflow_provider_yandex_orders.operators.metrica import (
    MetricaUploadContactsOperator,
    MetricaUploadOfflineConversionsOperator,
    MetricaUploadOrdersOperator,
    MetricaUploadSimpleOrdersOperator,
)
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.support import altcraft_rows

CREATED = "2026-11-01 10:00:00"


@dataclass(frozen=True)
class Effect:
    """What a row came to at the service.

    :param counted: how often it counts there.
    :param received: how often it was taken.
    :param day: of which day its content is.
    """

    counted: int
    received: int
    day: int


@dataclass(frozen=True)
class Kind:
    """A kind whose rows a repeat only writes once more."""

    name: str
    operator: Any
    request: str
    arguments: dict[str, Any] = field(default_factory=dict)
    versioned: bool = True
    asks: bool = False
    """Whether people are asked where the journal was lost."""

    def set_up(self) -> None:
        """Make ready what the service must have."""

    def row(self, number: int, day: int) -> dict[str, Any]:
        """A row as it is on a day."""
        raise NotImplementedError

    def effects(self, sandbox: SandboxServer) -> dict[int, Effect]:
        """What the service has, by the number of the row."""
        raise NotImplementedError


class SimpleOrders(Kind):
    def row(self, number: int, day: int) -> dict[str, Any]:
        version = f"2026-11-{day:02d} 12:00:00"
        row = {"id": f"A-{number}", "create_date_time": CREATED, "client_ids": f"17000000{number:02d}", "revenue": day}
        return row | ({"update_date_time": version} if self.versioned else {"id": None, "revenue": 1})

    def effects(self, sandbox: SandboxServer) -> dict[int, Effect]:
        found: dict[int, Effect] = {}
        for each in sandbox.client.orders(101, kind="simple_orders"):
            (client_id,) = each["client_ids"] if isinstance(each["client_ids"], list) else [each["client_ids"]]
            number, received = int(client_id) % 100, each["times_received"]
            before = found.get(number, Effect(0, 0, 0))
            counted = before.counted + 1
            found[number] = Effect(counted, before.received + received, int(float(each["revenue"])))
        return found


class Contacts(Kind):
    def row(self, number: int, day: int) -> dict[str, Any]:
        version = f"2026-11-{day:02d} 12:00:00"
        return {
            "uniq_id": f"C-{number}",
            "client_ids": f"17000000{number:02d}",
            "name": f"{day}",
            "update_date_time": version,
        }

    def effects(self, sandbox: SandboxServer) -> dict[int, Effect]:
        return {
            int(each["uniq_id"][2:]): Effect(1, each["times_received"], int(each["name"]))
            for each in sandbox.client.contacts(101)
        }


class Orders(Kind):
    def row(self, number: int, day: int) -> dict[str, Any]:
        return {
            "id": f"A-{number}",
            "client_uniq_id": f"C-{number}",
            "create_date_time": CREATED,
            "update_date_time": f"2026-11-{day:02d} 12:00:00",
            "order_status": "PAID",
            "revenue": day,
        }

    def effects(self, sandbox: SandboxServer) -> dict[int, Effect]:
        return {
            int(each["id"][2:]): Effect(1, each["times_received"], int(float(each["revenue"])))
            for each in sandbox.client.orders(101, kind="orders")
        }


class Conversions(Kind):
    def set_up(self) -> None:
        MetricaHook().create_goal(101, "order_paid", "Order paid")

    def row(self, number: int, day: int) -> dict[str, Any]:
        paid = int(time.time()) // 86_400 * 86_400 - 86_400
        return {"ClientId": f"17000000{number:02d}", "Target": "order_paid", "DateTime": paid, "Price": 1}

    def effects(self, sandbox: SandboxServer) -> dict[int, Effect]:
        return {
            int(each["ClientId"]) % 100: Effect(each["times_received"], each["times_received"], 1)
            for each in sandbox.client.conversions(101)
        }


class AltcraftOrders(Kind):
    """Its triggers count, one for each version that is news."""

    def row(self, number: int, day: int) -> dict[str, Any]:
        version = f"2026-11-{day:02d}T12:00:00Z"
        return altcraft_rows.order(number, delivery_cost=f"{day}.00", update_time=version)

    def effects(self, sandbox: SandboxServer) -> dict[int, Effect]:
        return {
            int(each["external_id"][2:]): Effect(
                each["triggers_started"], each["times_received"], int(float(each["delivery_cost"]))
            )
            for each in sandbox.client.altcraft_orders(limit=1000)
        }


KINDS: list[Kind] = [
    SimpleOrders("simple orders", MetricaUploadSimpleOrdersOperator, "simple_orders"),
    SimpleOrders(
        "simple orders without id",
        MetricaUploadSimpleOrdersOperator,
        "simple_orders",
        {"require_id": False},
        versioned=False,
        asks=True,
    ),
    Contacts("contacts", MetricaUploadContactsOperator, "data/contacts"),
    Orders("orders", MetricaUploadOrdersOperator, "data/orders"),
    Conversions("conversions", MetricaUploadOfflineConversionsOperator, "conversions/upload", versioned=False),
    AltcraftOrders("Altcraft", AltcraftImportOrdersOperator, "orders/import", {"skip_triggers": False}, asks=True),
]
