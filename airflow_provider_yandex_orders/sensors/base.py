# SPDX-License-Identifier: Apache-2.0
"""What the sensors of all services share: ask once, then wait in the worker or in the triggerer."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cached_property
from typing import Any

from airflow.providers.common.compat.sdk import AirflowSensorTimeout, BaseSensorOperator, Context, PokeReturnValue

from airflow_provider_yandex_orders.exceptions import PassingError
from airflow_provider_yandex_orders.log_lines import failure_told
from airflow_provider_yandex_orders.retry import with_retry_policy
from airflow_provider_yandex_orders.waiting import SHORTEST_PAUSE, UploadState, Wait, pause_after, seconds_of


class WaitSensor(BaseSensorOperator):
    """Waits until a service has a final state for some ids, and judges the end."""

    def __init__(self, *, deferrable: bool, poke_interval: float | timedelta | None, **kwargs: Any) -> None:
        shown = SHORTEST_PAUSE if poke_interval is None else poke_interval
        super().__init__(poke_interval=shown, **with_retry_policy(kwargs))
        self._grows = poke_interval is None
        self.deferrable = deferrable

    @property
    def _every(self) -> float | None:
        """Seconds between two polls; ``None`` for a pause that grows, unless somebody, as a policy, has set them."""
        every = float(self.poke_interval)
        return None if self._grows and every == SHORTEST_PAUSE else every

    @abstractmethod
    def _new_wait(self) -> Wait:
        """How this sensor waits."""

    @abstractmethod
    def _wanted(self) -> dict[str, Any]:
        """What it waits for."""

    def _known(self) -> Mapping[str, UploadState]:
        """What is known of it already."""
        return {}

    @cached_property
    def _wait(self) -> Wait:
        return self._new_wait().expect(self._wanted(), self._known())

    def _get_next_poke_interval(self, started_at: Any, run_duration: Callable[[], float], poke_count: int) -> float:
        """Airflow's pause between two pokes, where the user chose it, or that it grows in Airflow's way."""
        if self._every is None and not self.exponential_backoff:
            waited = run_duration()
            return min(pause_after(waited, None), max(float(self.timeout) - waited, 1))
        return super()._get_next_poke_interval(started_at, run_duration, poke_count)

    @failure_told()
    def execute(self, context: Context) -> Any:
        """Ask once, and wait if that does not settle it."""
        started = time.time()
        try:
            if not self.deferrable:
                return super().execute(context)
            if self._wait.poll():
                return self._wait.result()
            return self._wait.hand_over(self, poke_interval=self._every, seconds=float(self.timeout), started=started)
        except AirflowSensorTimeout:
            raise AirflowSensorTimeout(self._wait.late(self.timeout)) from None
        finally:
            if "_wait" in vars(self):
                self._wait.tell_spent()

    def poke(self, context: Context) -> PokeReturnValue:
        """Ask the service once."""
        if self._wait.poll():
            return PokeReturnValue(True, self._wait.result())
        return PokeReturnValue(False)

    @failure_told()
    def execute_complete(self, context: Context, event: Any) -> Any:
        """Judge what the trigger heard."""
        wait = self._new_wait()
        if wait.resume(event):
            return wait.result()
        seconds = seconds_of(float(self.timeout), self.execution_timeout)
        # Airflow tries a task anew after its execution_timeout, and a sensor after its timeout not.
        error = PassingError if seconds < self.timeout else AirflowSensorTimeout
        raise error(wait.late(seconds))
