# SPDX-License-Identifier: Apache-2.0
"""Waits for uploads of one counter of Metrica."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.providers.common.compat.connection import get_async_connection
from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_yandex_orders.exceptions import PassingError, PermanentError
from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.states import Wait


class MetricaCrmUploadTrigger(BaseTrigger):
    """Fires once, when all uploads have a final state, when the time is over, or when asking cannot work.

    A service that does not answer is asked again until ``end_time``.

    :param metrica_conn_id: the connection.
    :param counter_id: the counter the uploads went to.
    :param upload_ids: ids of the uploads.
    :param poll_interval: seconds between two questions; the first comes one interval after the start.
    :param end_time: moment to give up, in seconds since 1970.
    """

    def __init__(
        self,
        *,
        metrica_conn_id: str,
        counter_id: int,
        upload_ids: list[str],
        poll_interval: float,
        end_time: float,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow leaves it without annotations
        self.metrica_conn_id = metrica_conn_id
        self.counter_id = counter_id
        self.upload_ids = upload_ids
        self.poll_interval = poll_interval
        self.end_time = end_time

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments, from which Airflow makes the trigger anew."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {
            "metrica_conn_id": self.metrica_conn_id,
            "counter_id": self.counter_id,
            "upload_ids": self.upload_ids,
            "poll_interval": self.poll_interval,
            "end_time": self.end_time,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Ask, until there is something to tell."""
        connection = await get_async_connection(self.metrica_conn_id, hook=MetricaHook)
        hook = MetricaHook(self.metrica_conn_id, connection=connection)
        wait = Wait(self.upload_ids)
        while True:
            # Sleep first: an event that comes while the deferring process still ends would fail the task.
            await asyncio.sleep(self.poll_interval)
            try:
                wait.hear(await asyncio.to_thread(hook.crm_upload_states, self.counter_id, wait.open))
            except PassingError as error:
                self.log.warning("%s Asking again in %g s.", error, self.poll_interval)
            except PermanentError as error:
                yield TriggerEvent({"status": "error", "message": str(error), "uploads": wait.to_event()})
                return
            if not wait.open:
                yield TriggerEvent({"status": "done", "uploads": wait.to_event()})
                return
            if time.time() >= self.end_time:
                yield TriggerEvent({"status": "timeout", "uploads": wait.to_event()})
                return
