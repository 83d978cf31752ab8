# SPDX-License-Identifier: Apache-2.0
"""What the triggers of all services share: ask about some ids until there is something to tell."""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from collections.abc import AsyncIterator, Sequence
from typing import Any, ClassVar

from airflow.providers.common.compat.connection import get_async_connection
from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_yandex_orders.exceptions import PassingError, PermanentError
from airflow_provider_yandex_orders.hooks.base import ServiceHook
from airflow_provider_yandex_orders.waiting import UploadState, Wait


class WaitTrigger(BaseTrigger):
    """Fires once, when all ids have a final state, when the time is over, or when asking cannot work.

    A service that does not answer is asked again until ``end_time``.

    :param conn_id: the connection.
    :param ids: what is waited for.
    :param poll_interval: seconds between two questions; the first comes one interval after the start.
    :param end_time: moment to give up, in seconds since 1970.
    """

    hook_class: ClassVar[type[ServiceHook]]

    def __init__(self, *, conn_id: str, ids: Sequence[str], poll_interval: float, end_time: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow leaves it without annotations
        self.conn_id = conn_id
        self.ids = list(ids)
        self.poll_interval = poll_interval
        self.end_time = end_time

    @abstractmethod
    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments besides the two times."""

    @abstractmethod
    def ask(self, hook: Any, ids: Sequence[str]) -> dict[str, UploadState]:
        """What the service says of some ids now; runs in a thread.

        :param hook: of :attr:`hook_class`.
        """

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments, from which Airflow makes the trigger anew."""
        times = {"poll_interval": self.poll_interval, "end_time": self.end_time}
        return f"{type(self).__module__}.{type(self).__qualname__}", {**self.arguments(), **times}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Ask, until there is something to tell."""
        connection = await get_async_connection(self.conn_id, hook=self.hook_class)
        hook = self.hook_class(self.conn_id, connection=connection)
        wait = Wait(self.ids)
        while True:
            # Sleep first: an event that comes while the deferring process still ends would fail the task.
            await asyncio.sleep(self.poll_interval)
            try:
                wait.hear(await asyncio.to_thread(self.ask, hook, wait.open))
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
