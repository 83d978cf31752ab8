# SPDX-License-Identifier: Apache-2.0
"""Sensor for orders at an Altcraft Platform."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_provider_yandex_orders.altcraft.verify import expected_orders, found_orders, sample_of, still_missing
from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.hooks.altcraft import AltcraftHook
from airflow_provider_yandex_orders.sensors.base import WaitSensor
from airflow_provider_yandex_orders.triggers.altcraft import AltcraftOrdersTrigger
from airflow_provider_yandex_orders.waiting import UploadState, Wait


class AltcraftOrdersSensor(WaitSensor):
    """Waits until orders are at the platform with the status they were sent with, one request an order.

    .. seealso:: https://guides.altcraft.com/en/developer-guide/market/orders/get-status

    :param order_ids: a list of order ids, ``{"id": "status"}``, or what the import returned (``import_orders.output``),
        which tells the statuses too. (templated)
    :param status: status the orders must have, where ``order_ids`` does not tell; by default any. (templated)
    :param sample: how many orders to ask for, evenly spread; ``None`` for all.
    :param altcraft_conn_id: connection of type ``altcraft``. (templated)
    :return: ``{"checked": 100, "by_status": {"paid": 97, ...}}``
    """

    template_fields: Sequence[str] = ("order_ids", "status", "altcraft_conn_id")

    def __init__(
        self,
        *,
        order_ids: Any,
        status: str | None = None,
        sample: int | None = 100,
        altcraft_conn_id: str = AltcraftHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.order_ids = order_ids
        self.status = status
        self.sample = sample
        self.altcraft_conn_id = altcraft_conn_id

    def begin(self) -> Wait:
        """The orders to ask for.

        :raises ConfigurationError: ``order_ids`` came out as something else.
        """
        try:
            self._expected = sample_of(expected_orders(self.order_ids, self.status), self.sample)
        except TypeError as error:
            raise ConfigurationError(
                f"Verify orders: order_ids is {error} after rendering. Give a list of ids, or the output of an import "
                "task (a skipped import has none)."
            ) from None
        return Wait(self._expected)

    def ask(self, ids: Sequence[str]) -> dict[str, UploadState]:
        """The states of orders."""
        return AltcraftHook(self.altcraft_conn_id).order_states(self._expected, ids)

    def trigger(self, end_time: float) -> AltcraftOrdersTrigger:
        """The trigger that waits in this sensor's place."""
        return AltcraftOrdersTrigger(
            altcraft_conn_id=self.altcraft_conn_id,
            orders=self._expected,
            poll_interval=float(self.poke_interval),
            end_time=end_time,
        )

    def judged(self, wait: Wait) -> dict[str, Any]:
        """How many orders were asked for, and how many have which status."""
        found = found_orders(wait)
        self.log.info("Orders asked for: %d; by status: %s.", found["checked"], found["by_status"])
        return found

    def late(self, wait: Wait) -> str:
        """Message for a wait that took too long."""
        return still_missing(wait, self.timeout)
