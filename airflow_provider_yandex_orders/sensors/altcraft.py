# SPDX-License-Identifier: Apache-2.0
"""Sensor for orders at an Altcraft Platform."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.hooks.altcraft import AltcraftHook
from airflow_provider_yandex_orders.sensors.base import WaitSensor
from airflow_provider_yandex_orders.templated import structure
from airflow_provider_yandex_orders.waiting import DEFERRABLE

if TYPE_CHECKING:
    from airflow_provider_yandex_orders.triggers.altcraft import AltcraftOrdersWait


class AltcraftOrdersSensor(WaitSensor):
    """Waits until orders are at the platform with the status they were sent with, one request an order.

    .. seealso:: https://guides.altcraft.com/en/developer-guide/market/orders/get-status

    :param order_ids: a list of order ids, ``{"id": "status"}``, or what an import returned (``import_orders.output``),
        or a list of such. An import tells a sample of its orders with their statuses (its ``verify_sample``); one into
        another platform than the connection's is refused. (templated)
    :param status: status the orders must have, where ``order_ids`` does not tell; by default any. (templated)
    :param sample: how many of them to ask for, evenly spread, from 1 to 500; by default 100; ``None`` for each, of 500
        at most.
    :param altcraft_conn_id: connection of type ``altcraft``; by default ``altcraft_default``. (templated)
    :param poke_interval: seconds between two polls; by default as long as the wait lasts so far, from 30 to 300.
    :param deferrable: wait in the triggerer, without a worker slot; by default ``[operators] default_deferrable``.
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
        poke_interval: float | timedelta | None = None,
        deferrable: bool = DEFERRABLE,
        **kwargs: Any,
    ) -> None:
        super().__init__(poke_interval=poke_interval, deferrable=deferrable, **kwargs)
        self.order_ids = order_ids
        self.status = status
        self.sample = sample
        self.altcraft_conn_id = altcraft_conn_id

    def _new_wait(self) -> AltcraftOrdersWait:
        from airflow_provider_yandex_orders.triggers.altcraft import AltcraftOrdersWait

        return AltcraftOrdersWait(self.altcraft_conn_id)

    def _wanted(self) -> dict[str, str | None]:
        from airflow_provider_yandex_orders.altcraft.verify import expected_orders, sample_of

        host = AltcraftHook(self.altcraft_conn_id).host
        try:
            return sample_of(expected_orders(structure(self.order_ids), self.status, host), self.sample)
        except TypeError as error:
            raise ConfigurationError(
                f"Verify orders: order_ids is {error} after rendering. Give a list of ids, or the output of an import "
                "task (a skipped import has none)."
            ) from None
