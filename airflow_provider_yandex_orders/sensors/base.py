# SPDX-License-Identifier: Apache-2.0
"""What the sensors of all services share: ask once, then wait in the worker or in the triggerer."""

from __future__ import annotations

import time
from abc import abstractmethod
from functools import cached_property
from typing import Any

from airflow.providers.common.compat.sdk import AirflowSensorTimeout, BaseSensorOperator, Context, PokeReturnValue

from airflow_provider_yandex_orders.exceptions import PassingError
from airflow_provider_yandex_orders.waiting import Wait, seconds_of


class WaitSensor(BaseSensorOperator):
    """Waits until a service has a final state for some ids, and judges the end."""

    def __init__(self, *, deferrable: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.deferrable = deferrable

    @abstractmethod
    def _new_wait(self) -> Wait:
        """How this sensor waits."""

    @abstractmethod
    def _wanted(self) -> dict[str, Any]:
        """What it waits for."""

    @cached_property
    def _wait(self) -> Wait:
        return self._new_wait().expect(self._wanted())

    def execute(self, context: Context) -> Any:
        """Ask once, and wait if that does not settle it."""
        if not self.deferrable:
            try:
                return super().execute(context)
            except AirflowSensorTimeout:
                raise AirflowSensorTimeout(self._wait.late(self.timeout)) from None
        started = time.time()
        if self._wait.poll():
            return self._wait.result()
        return self._wait.hand_over(
            self, poke_interval=float(self.poke_interval), seconds=float(self.timeout), started=started
        )

    def poke(self, context: Context) -> PokeReturnValue:
        """Ask the service once."""
        if self._wait.poll():
            return PokeReturnValue(True, self._wait.result())
        return PokeReturnValue(False)

    def execute_complete(self, context: Context, event: Any) -> Any:
        """Judge what the trigger heard."""
        wait = self._new_wait()
        if wait.resume(event):
            return wait.result()
        seconds = seconds_of(float(self.timeout), self.execution_timeout)
        # Airflow tries a task anew after its execution_timeout, and a sensor after its timeout not.
        error = PassingError if seconds < self.timeout else AirflowSensorTimeout
        raise error(wait.late(seconds))
