# SPDX-License-Identifier: Apache-2.0
"""What the triggers of all services share: poll for some ids until there is something to tell."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.providers.common.compat.sdk import AirflowNotFoundException
from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_yandex_orders.exceptions import ConfigurationError, PassingError, PermanentError
from airflow_provider_yandex_orders.waiting import Wait

LAST_POLL = 5.0
"""Seconds the last poll may take, which begins when the time is over."""


class WaitTrigger(BaseTrigger):
    """Fires once, when all ids have a final state, when the time is over, or when asking cannot work.

    A service that does not answer is asked again until ``end_time``; one that names a time to wait is left alone so
    long. A poll is one attempt of each request.

    :param wait: the wait of the task, with what is waited for.
    :param poke_interval: seconds between two polls; the first comes one interval after the start.
    :param end_time: moment to give up, in seconds since 1970.
    """

    def __init__(self, wait: Wait, *, poke_interval: float, end_time: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow leaves it without annotations
        self.wait = wait
        self.poke_interval = poke_interval
        self.end_time = end_time

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments, from which Airflow makes the trigger anew."""
        times = {"poke_interval": self.poke_interval, "end_time": self.end_time}
        return f"{type(self).__module__}.{type(self).__qualname__}", {**self.wait.arguments(), **times}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll until there is something to tell."""
        wait, heard = self.wait, self.wait.heard
        hook: Any = None
        pause = self.poke_interval
        while True:
            # Sleep first: an event that comes while the deferring process still ends would fail the task.
            await asyncio.sleep(max(0.0, min(pause, self.end_time - time.time())))
            pause = self.poke_interval
            try:
                hook = hook or wait.hook_class(wait.conn_id, connection=await _connection(wait.conn_id))
                poll = asyncio.ensure_future(asyncio.to_thread(_states, wait, hook))
                # A thread cannot be stopped: the time is kept without it, and no second one is begun beside it.
                await asyncio.wait({poll}, timeout=max(self.end_time - time.time(), LAST_POLL))
                if poll.done():
                    heard.hear(poll.result())
                else:
                    poll.cancel()
            except PassingError as error:
                pause = max(pause, error.retry_after or 0)
                self.log.warning("%s Asking again in %g s.", error, pause)
            except PermanentError as error:
                yield TriggerEvent({"status": "error", "message": str(error), "uploads": heard.to_event()})
                return
            if not heard.open:
                yield TriggerEvent({"status": "done", "uploads": heard.to_event()})
                return
            if time.time() >= self.end_time:
                asked = wait.place(heard.open)
                yield TriggerEvent({"status": "timeout", "uploads": heard.to_event(), "asked": asked})
                return


def _states(wait: Wait, hook: Any) -> Any:
    return wait.states(hook.once(), wait.heard.open)


async def _connection(conn_id: str) -> Any:
    from airflow.providers.common.compat.connection import get_async_connection

    try:
        return await get_async_connection(conn_id)
    except AirflowNotFoundException:
        raise ConfigurationError(
            f"Wait: the connection {conn_id!r} does not exist any more. Create it and clear the task."
        ) from None
    except Exception as error:  # noqa: BLE001 - whatever Airflow's API client raises
        raise PassingError(
            f"Wait: Airflow does not give the connection {conn_id!r} ({type(error).__name__})."
        ) from None
