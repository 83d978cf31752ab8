# SPDX-License-Identifier: Apache-2.0
"""What the triggers of all services share: wait for some ids until there is something to tell."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_yandex_orders.exceptions import PassingError, PermanentError
from airflow_provider_yandex_orders.triggers.shared import Waiter, joined
from airflow_provider_yandex_orders.waiting import Wait

LAST_POLL = 5.0
"""Seconds the last poll may take, which begins when the time is over."""
ONE_MORE = 0.1
"""Seconds it may take besides for each id that is open: an order is a request of its own."""
LATE_START = 10.0
"""Seconds more where the time is over at the start: the first connection a triggerer reads takes so long."""


class WaitTrigger(BaseTrigger):
    """Fires once, when all ids have a final state, when the time is over, or when asking cannot work.

    It shares the polls of its places with all triggers of this process. A service that does not answer is asked again
    until ``end_time``; one that names a time to wait is left alone so long. A poll is one attempt of each request.

    :param wait: the wait of the task, with what is waited for.
    :param poke_interval: seconds between two polls; the first comes one interval after the start. ``None`` for a pause
        that grows.
    :param end_time: moment to give up, in seconds since 1970.
    :param heard: states that are known already.
    """

    def __init__(
        self, wait: Wait, *, poke_interval: float | None, end_time: float, heard: Mapping[str, Any] | None
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow leaves it without annotations
        self.wait = wait
        self.poke_interval = poke_interval
        self.end_time = end_time
        self._arguments = {
            **wait.arguments(),
            "poke_interval": poke_interval,
            "end_time": end_time,
            **({"heard": dict(heard)} if heard else {}),
        }
        wait.heard.hear_event(heard or {})

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments, from which Airflow makes the trigger anew."""
        return f"{type(self).__module__}.{type(self).__qualname__}", self._arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait until there is something to tell."""
        waiter = Waiter(self.wait, self.poke_interval, self.end_time)
        late = LAST_POLL + ONE_MORE * len(self.wait.heard.open)
        late += waiter.began + LATE_START if self.end_time < waiter.began else self.end_time
        lasting = None
        with joined(waiter), suppress(TimeoutError):
            async with asyncio.timeout(late - time.time()):
                lasting = await self._listen(waiter)
        if isinstance(lasting, PermanentError):
            yield self._event("error", message=str(lasting))
        elif lasting is not None:
            raise lasting
        elif self.wait.heard.open:
            yield self._event("timeout", asked=self.wait.place(self.wait.heard.open))
        else:
            yield self._event("done")

    async def _listen(self, waiter: Waiter) -> Exception | None:
        """Sit out what passes until no poll is left; the error that ends the wait, if there was one."""
        while waiter.pollers or not waiter.told.empty():
            error = await waiter.told.get()
            if isinstance(error, PassingError):
                self.log.warning("%s Asking again.", error)
            elif error is not None:
                return error
        return None

    def _event(self, status: str, **more: str) -> TriggerEvent:
        wait = self.wait
        return TriggerEvent({"status": status, "uploads": wait.heard.to_event(), "spent": wait.spent._asdict(), **more})
