# SPDX-License-Identifier: Apache-2.0
"""Waits for uploads of one counter of Metrica."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from airflow_provider_yandex_orders.hooks.base import ServiceHook
from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.triggers.base import WaitTrigger
from airflow_provider_yandex_orders.waiting import UploadState


class MetricaUploadsTrigger(WaitTrigger):
    """Fires once, when all uploads have a final state, when the time is over, or when asking cannot work.

    :param family: ``crm`` or ``offline``.
    :param metrica_conn_id: the connection.
    :param counter_id: the counter the uploads went to.
    :param upload_ids: ids of the uploads.
    :param poll_interval: seconds between two questions; the first comes one interval after the start.
    :param end_time: moment to give up, in seconds since 1970.
    """

    hook_class: ClassVar[type[ServiceHook]] = MetricaHook

    def __init__(
        self,
        *,
        family: str,
        metrica_conn_id: str,
        counter_id: int,
        upload_ids: list[str],
        poll_interval: float,
        end_time: float,
    ) -> None:
        super().__init__(conn_id=metrica_conn_id, ids=upload_ids, poll_interval=poll_interval, end_time=end_time)
        self.family = family
        self.counter_id = counter_id

    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments besides the two times."""
        return {
            "family": self.family,
            "metrica_conn_id": self.conn_id,
            "counter_id": self.counter_id,
            "upload_ids": self.ids,
        }

    def ask(self, hook: MetricaHook, ids: Sequence[str]) -> dict[str, UploadState]:
        """The states of uploads."""
        return hook.upload_states(self.family, self.counter_id, ids)
