# SPDX-License-Identifier: Apache-2.0
"""Sensors for uploads to Metrica."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from airflow_provider_yandex_orders.delivery.result import upload_ids_of
from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.sensors.base import WaitSensor
from airflow_provider_yandex_orders.triggers.metrica import MetricaUploadsTrigger
from airflow_provider_yandex_orders.waiting import Demands, UploadState, Wait, judge, offline_demands, still_open


class MetricaUploadSensor(WaitSensor):
    """Waits until Metrica is done with uploads, and judges the end.

    :param upload_ids: a list of upload ids, or what an upload operator returned (``upload.output``). (templated)
    :param counter_id: the counter; by default the delivery's, else the connection's. (templated)
    :param metrica_conn_id: connection of type ``yandex_metrica``. (templated)
    :param deferrable: wait in the triggerer, without a worker slot.

    ``poke_interval`` (seconds between two questions) and ``timeout`` (seconds until the sensor gives up) are
    Airflow's own and mean the same deferred or not.
    """

    template_fields: Sequence[str] = ("upload_ids", "counter_id", "metrica_conn_id")
    family: ClassVar[str]

    def __init__(
        self,
        *,
        upload_ids: Any,
        counter_id: int | str | None = None,
        metrica_conn_id: str = MetricaHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.upload_ids = upload_ids
        self.counter_id = counter_id
        self.metrica_conn_id = metrica_conn_id

    def demands(self) -> Demands:
        """What the end of the uploads must be like."""
        return Demands()

    def begin(self) -> Wait:
        """The uploads.

        :raises ConfigurationError: ``upload_ids`` came out as something else.
        """
        try:
            return Wait(upload_ids_of(self.upload_ids))
        except TypeError as error:
            raise ConfigurationError(
                f"Wait for uploads: upload_ids is {error} after rendering. Give a list of ids, or the output of an "
                "upload task (a skipped upload has none)."
            ) from None

    def ask(self, ids: Sequence[str]) -> dict[str, UploadState]:
        """The states of uploads."""
        hook = MetricaHook(self.metrica_conn_id)
        return hook.upload_states(self.family, self._counter(hook), ids)

    def trigger(self, end_time: float) -> MetricaUploadsTrigger:
        """The trigger that waits in this sensor's place."""
        return MetricaUploadsTrigger(
            family=self.family,
            metrica_conn_id=self.metrica_conn_id,
            counter_id=self._counter(MetricaHook(self.metrica_conn_id)),
            upload_ids=list(self.wait.states),
            poll_interval=float(self.poke_interval),
            end_time=end_time,
        )

    def judged(self, wait: Wait) -> dict[str, Any]:
        """Status of each upload."""
        return judge(wait, self.demands())

    def late(self, wait: Wait) -> str:
        """Message for a wait that took too long."""
        return still_open(wait, self.timeout)

    def _counter(self, hook: MetricaHook) -> int:
        delivered = self.upload_ids.get("counter_id") if isinstance(self.upload_ids, dict) else None
        return hook.counter_id(self.counter_id if self.counter_id not in (None, "") else delivered)


class MetricaCrmUploadSensor(MetricaUploadSensor):
    """Waits until Metrica has validated uploads of orders or contacts, and fails where it found one bad.

    ``PASSED`` means that the files are valid, not that their orders found visits: only reports tell that, a day or
    two later.

    .. seealso:: https://yandex.ru/dev/metrika/ru/management/openapi/schema/getLastUploadings
    """

    family = "crm"


class MetricaOfflineConversionsSensor(MetricaUploadSensor):
    """Waits until Metrica has processed uploads of offline conversions, up to two hours, and judges the end.

    .. seealso:: https://yandex.ru/dev/metrika/ru/management/openapi/offline_conversions/findById_1

    :param min_accepted: least share of rows the service must have accepted, from 0 to 1.
    :param min_linked: least share of accepted rows that must have found a visit, where the service says.
    :param allow_linkage_failure: put up with uploads none of whose visitors was found.
    """

    family = "offline"

    def __init__(
        self, *, min_accepted: float = 1, min_linked: float = 0, allow_linkage_failure: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.min_accepted = min_accepted
        self.min_linked = min_linked
        self.allow_linkage_failure = allow_linkage_failure

    def demands(self) -> Demands:
        """What the end of the uploads must be like."""
        return offline_demands(self.min_accepted, self.min_linked, self.allow_linkage_failure)
