# SPDX-License-Identifier: Apache-2.0
"""What the sensors of all services share: ask once, then wait in the worker or in the triggerer."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from airflow.providers.common.compat.sdk import (
    AirflowSensorTimeout,
    BaseSensorOperator,
    Context,
    PokeReturnValue,
    conf,
)

from airflow_provider_yandex_orders.exceptions import PassingError
from airflow_provider_yandex_orders.triggers.base import WaitTrigger
from airflow_provider_yandex_orders.waiting import UploadState, Wait, read_event


class WaitSensor(BaseSensorOperator):
    """Waits until a service has a final state for some ids, and judges the end.

    ``poke_interval`` (seconds between two questions) and ``timeout`` (seconds until the sensor gives up) are
    Airflow's own and mean the same deferred or not.

    :param deferrable: wait in the triggerer, without a worker slot.
    """

    def __init__(
        self,
        *,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deferrable = deferrable

    @cached_property
    def wait(self) -> Wait:
        """What is waited for, and the last that was heard of it."""
        return self.begin()

    @abstractmethod
    def begin(self) -> Wait:
        """What is to be waited for.

        :raises ConfigurationError: an argument came out as something else.
        """

    @abstractmethod
    def ask(self, ids: Sequence[str]) -> dict[str, UploadState]:
        """What the service says of some ids now."""

    @abstractmethod
    def trigger(self, end_time: float) -> WaitTrigger:
        """The trigger that waits in this sensor's place."""

    @abstractmethod
    def judged(self, wait: Wait) -> Any:
        """The sensor's result, when all is final."""

    @abstractmethod
    def late(self, wait: Wait) -> str:
        """Message for a wait that took too long."""

    def execute(self, context: Context) -> Any:
        """Ask once, and wait if that does not settle it."""
        if not self.deferrable:
            try:
                return super().execute(context)
            except AirflowSensorTimeout:
                raise AirflowSensorTimeout(self.late(self.wait)) from None
        answer = self.poke(context)
        if answer:
            return answer.xcom_value
        self.defer(trigger=self.trigger(time.time() + float(self.timeout)), method_name="execute_complete")
        return None

    def poke(self, context: Context) -> PokeReturnValue:
        """Ask the service once."""
        wait = self.wait
        if wait.open:
            try:
                wait.hear(self.ask(wait.open))
            except PassingError as error:
                self.log.warning("%s", error)
        if wait.open:
            self.log.info("Not final yet: %s.", wait.describe_open())
            return PokeReturnValue(False)
        return PokeReturnValue(True, self.judged(wait))

    def execute_complete(self, context: Context, event: Any) -> Any:
        """Judge what the trigger heard."""
        wait, timed_out = read_event(event)
        if timed_out:
            raise AirflowSensorTimeout(self.late(wait))
        return self.judged(wait)
