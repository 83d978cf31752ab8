# SPDX-License-Identifier: Apache-2.0
"""Waits until orders are at an Altcraft Platform: the wait of a task, and the trigger that waits in its place."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from airflow_provider_yandex_orders.hooks.altcraft import AltcraftHook
from airflow_provider_yandex_orders.triggers.base import WaitTrigger
from airflow_provider_yandex_orders.waiting import UploadState, Wait


class AltcraftOrdersWait(Wait):
    """The wait for orders, each with the status it must have."""

    hook_class = AltcraftHook

    def places(self, ids: Iterable[str]) -> dict[Wait, list[str]]:
        """All orders of this wait alone: each is a request, and another wait may want another status of it."""
        return {self: list(ids)}

    def ask(
        self, hook: AltcraftHook, place: Wait, ids: Collection[str], missed: dict[str, int]
    ) -> dict[str, UploadState]:
        """The states of orders, each heard at once: the poll may end in the midst of them."""
        for each in ids:
            self.heard.hear(hook.order_states(self.wanted, [each]))
        return {}

    def arguments(self) -> dict[str, Any]:
        """The connection, and the status of each order."""
        return {"altcraft_conn_id": self.conn_id, "orders": dict(self.wanted)}

    def trigger(self, **more: Any) -> AltcraftOrdersTrigger:
        """The trigger that waits in the task's place."""
        return AltcraftOrdersTrigger(**self.arguments(), **more)

    def result(self) -> dict[str, Any]:
        """How many orders were asked for, and how many have which status."""
        from airflow_provider_yandex_orders.altcraft.verify import found_orders

        return found_orders(self.heard)

    def late(self, seconds: float) -> str:
        """Message for a wait that took too long."""
        from airflow_provider_yandex_orders.altcraft.verify import still_missing

        return still_missing(self.heard, seconds)


class AltcraftOrdersTrigger(WaitTrigger):
    """Fires once, when all orders are there as expected, when the time is over, or when asking cannot work.

    :param altcraft_conn_id: the connection.
    :param orders: order id to the status it must have; ``None`` for any.
    :param poke_interval: seconds between two polls; the first comes one interval after the start. ``None`` for as
        many as the wait lasts so far, from 30 to 300.
    :param end_time: moment to give up, in seconds since 1970.
    :param heard: id to a state that is known already; nobody asks for a final one.
    """

    def __init__(
        self,
        *,
        altcraft_conn_id: str,
        orders: Mapping[str, str | None],
        poke_interval: float | None,
        end_time: float,
        heard: Mapping[str, Any] | None = None,
    ) -> None:
        wait = AltcraftOrdersWait(altcraft_conn_id).expect(orders)
        super().__init__(wait, poke_interval=poke_interval, end_time=end_time, heard=heard)
