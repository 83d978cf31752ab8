# SPDX-License-Identifier: Apache-2.0
"""Waits until orders are at an Altcraft Platform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from airflow_provider_yandex_orders.hooks.altcraft import AltcraftHook
from airflow_provider_yandex_orders.hooks.base import ServiceHook
from airflow_provider_yandex_orders.triggers.base import WaitTrigger
from airflow_provider_yandex_orders.waiting import UploadState


class AltcraftOrdersTrigger(WaitTrigger):
    """Fires once, when all orders are there as expected, when the time is over, or when asking cannot work.

    :param altcraft_conn_id: the connection.
    :param orders: order id to the status it must have; ``None`` for any.
    :param poll_interval: seconds between two questions; the first comes one interval after the start.
    :param end_time: moment to give up, in seconds since 1970.
    """

    hook_class: ClassVar[type[ServiceHook]] = AltcraftHook

    def __init__(
        self, *, altcraft_conn_id: str, orders: Mapping[str, str | None], poll_interval: float, end_time: float
    ) -> None:
        super().__init__(conn_id=altcraft_conn_id, ids=list(orders), poll_interval=poll_interval, end_time=end_time)
        self.orders = dict(orders)

    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments besides the two times."""
        return {"altcraft_conn_id": self.conn_id, "orders": self.orders}

    def ask(self, hook: AltcraftHook, ids: Sequence[str]) -> dict[str, UploadState]:
        """The states of orders."""
        return hook.order_states(self.orders, ids)
