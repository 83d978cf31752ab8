# SPDX-License-Identifier: Apache-2.0
"""The kinds of rows of the worlds: how each is sent, what a repeat of it comes to, and what the service has of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from airflow_provider_yandex_orders.operators.altcraft import AltcraftImportOrdersOperator
from airflow_provider_yandex_orders.operators.metrica import (
    MetricaUploadContactsOperator,
    MetricaUploadOfflineConversionsOperator,
    MetricaUploadOrdersOperator,
    MetricaUploadSimpleOrdersOperator,
)
from airflow_provider_yandex_orders.sensors.altcraft import AltcraftOrdersSensor
from airflow_provider_yandex_orders.sensors.metrica import MetricaCrmUploadSensor, MetricaOfflineConversionsSensor
from tests.matrix import kinds as matrix
from tests.simulation.fibres import START

Effect = matrix.Effect
METRICA = (
    "backend_error",
    "timeout",
    "quota_requests_by_ip",
    "quota_parallel_requests",
    "quota_requests_by_uid",
    "quota_requests_by_counter_id",
)
ALTCRAFT = ("altcraft_too_many", "altcraft_bad_gateway", "altcraft_unavailable", "altcraft_timeout")


@dataclass(frozen=True)
class Kind:
    """A kind of rows.

    :param rows: of the matrix: how a row is made, and its effects are counted.
    :param once: whether a second effect of a row counts.
    :param wait: the argument that lets the task wait; ``None`` where it cannot.
    :param sensor: what waits apart.
    :param presets: answers of the service that a world may have.
    :param dead_token: the answer to a token that died.
    :param later: whether a request may take effect after the client gave up: not where a newer row could be under it.
    """

    name: str
    rows: matrix.Kind
    once: bool
    wait: str
    sensor: Any
    presets: tuple[str, ...] = METRICA
    dead_token: str = "invalid_token"
    later: bool = False
    spoilable: bool = True
    part_rows: str = "max_part_rows"
    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def versioned(self) -> bool:
        return self.rows.versioned

    def bad_row(self) -> dict[str, Any]:
        """A row that no service takes."""
        row = self.rows.row(99, 1)
        name = "create_time" if "create_time" in row else "DateTime" if "DateTime" in row else "update_date_time"
        if "create_date_time" in row:
            name = "create_date_time"
        return {**row, name: "the day after tomorrow"}


class Conversions(matrix.Conversions):
    """Of one moment, on whatever day they are asked for."""

    def row(self, number: int, day: int) -> dict[str, Any]:
        paid = int(START) - 86_400
        return {"ClientId": f"17000000{number:02d}", "Target": "order_paid", "DateTime": paid, "Price": 1}


KINDS = (
    Kind(
        "simple orders",
        matrix.SimpleOrders("simple orders", MetricaUploadSimpleOrdersOperator, "simple_orders"),
        once=False,
        wait="wait_for_completion",
        sensor=MetricaCrmUploadSensor,
    ),
    Kind(
        "changed simple orders",
        matrix.SimpleOrders(
            "simple orders", MetricaUploadSimpleOrdersOperator, "simple_orders", {"changed_only": True}
        ),
        once=False,
        wait="wait_for_completion",
        sensor=MetricaCrmUploadSensor,
    ),
    Kind(
        "simple orders without id",
        matrix.SimpleOrders(
            "simple orders without id",
            MetricaUploadSimpleOrdersOperator,
            "simple_orders",
            {"require_id": False},
            versioned=False,
        ),
        once=True,
        wait="wait_for_completion",
        sensor=MetricaCrmUploadSensor,
        later=True,
    ),
    Kind(
        "conversions",
        Conversions("conversions", MetricaUploadOfflineConversionsOperator, "conversions/upload", versioned=False),
        once=True,
        wait="wait_for_completion",
        sensor=MetricaOfflineConversionsSensor,
        later=True,
    ),
    Kind(
        "contacts",
        matrix.Contacts("contacts", MetricaUploadContactsOperator, "data/contacts"),
        once=False,
        wait="wait_for_completion",
        sensor=MetricaCrmUploadSensor,
    ),
    Kind(
        "orders",
        matrix.Orders("orders", MetricaUploadOrdersOperator, "data/orders"),
        once=False,
        wait="wait_for_completion",
        sensor=MetricaCrmUploadSensor,
    ),
    Kind(
        "Altcraft",
        matrix.AltcraftOrders("Altcraft", AltcraftImportOrdersOperator, "orders/import", {"skip_triggers": False}),
        once=True,
        wait="verify",
        sensor=AltcraftOrdersSensor,
        presets=ALTCRAFT,
        dead_token="altcraft_refused",
        spoilable=False,
        part_rows="batch_size",
    ),
)
