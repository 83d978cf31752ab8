# SPDX-License-Identifier: Apache-2.0
"""Sensors for uploads to Metrica."""

from __future__ import annotations

import time
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

from airflow_provider_yandex_orders.delivery.result import upload_ids_of
from airflow_provider_yandex_orders.delivery.waiting import judge, read_event, still_open
from airflow_provider_yandex_orders.exceptions import ConfigurationError, PassingError
from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.states import Wait
from airflow_provider_yandex_orders.triggers.metrica import MetricaCrmUploadTrigger


class MetricaCrmUploadSensor(BaseSensorOperator):
    """Waits until Metrica has validated uploads of orders or contacts, and fails where it found one bad.

    ``PASSED`` means that the files are valid, not that their orders found visits: only reports tell that, a day or
    two later.

    .. seealso:: https://yandex.ru/dev/metrika/ru/management/openapi/schema/getLastUploadings

    :param upload_ids: a list of upload ids, or what an upload operator returned (``upload.output``). (templated)
    :param counter_id: the counter; by default the delivery's, else the connection's. (templated)
    :param metrica_conn_id: connection of type ``yandex_metrica``. (templated)
    :param deferrable: wait in the triggerer, without a worker slot.

    ``poke_interval`` (seconds between two questions) and ``timeout`` (seconds until the sensor gives up) are
    Airflow's own and mean the same deferred or not.
    """

    template_fields: Sequence[str] = ("upload_ids", "counter_id", "metrica_conn_id")

    def __init__(
        self,
        *,
        upload_ids: Any,
        counter_id: int | str | None = None,
        metrica_conn_id: str = MetricaHook.default_conn_name,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.upload_ids = upload_ids
        self.counter_id = counter_id
        self.metrica_conn_id = metrica_conn_id
        self.deferrable = deferrable

    @cached_property
    def wait(self) -> Wait:
        """The uploads, and the last that was heard of each.

        :raises ConfigurationError: ``upload_ids`` came out as something else.
        """
        try:
            return Wait(upload_ids_of(self.upload_ids))
        except TypeError as error:
            raise ConfigurationError(
                f"Wait for uploads: upload_ids is {error} after rendering. Give a list of ids, or the output of an "
                "upload task (a skipped upload has none)."
            ) from None

    def execute(self, context: Context) -> Any:
        """Ask once, and wait if that does not settle it."""
        if not self.deferrable:
            try:
                return super().execute(context)
            except AirflowSensorTimeout:
                raise AirflowSensorTimeout(still_open(self.wait, self.timeout)) from None
        answer = self.poke(context)
        if answer:
            return answer.xcom_value
        self.defer(
            trigger=MetricaCrmUploadTrigger(
                metrica_conn_id=self.metrica_conn_id,
                counter_id=self._counter(MetricaHook(self.metrica_conn_id)),
                upload_ids=list(self.wait.states),
                poll_interval=float(self.poke_interval),
                end_time=time.time() + float(self.timeout),
            ),
            method_name="execute_complete",
        )
        return None

    def poke(self, context: Context) -> PokeReturnValue:
        """Ask the service once."""
        wait = self.wait
        hook = MetricaHook(self.metrica_conn_id)
        if wait.open:
            try:
                wait.hear(hook.crm_upload_states(self._counter(hook), wait.open))
            except PassingError as error:
                self.log.warning("%s", error)
        if wait.open:
            self.log.info("Not final yet: %s.", wait.describe_open())
            return PokeReturnValue(False)
        return PokeReturnValue(True, judge(wait))

    def execute_complete(self, context: Context, event: Any) -> dict[str, Any]:
        """Judge what the trigger heard."""
        wait, timed_out = read_event(event)
        if timed_out:
            raise AirflowSensorTimeout(still_open(wait, self.timeout))
        return judge(wait)

    def _counter(self, hook: MetricaHook) -> int:
        delivered = self.upload_ids.get("counter_id") if isinstance(self.upload_ids, dict) else None
        return hook.counter_id(self.counter_id if self.counter_id not in (None, "") else delivered)
