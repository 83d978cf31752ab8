# SPDX-License-Identifier: Apache-2.0
"""Sensors for uploads to Metrica."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.metrica.answers import offline_demands, passed
from airflow_provider_yandex_orders.sensors.base import WaitSensor
from airflow_provider_yandex_orders.templated import structure
from airflow_provider_yandex_orders.waiting import DEFERRABLE, Demands, UploadState

if TYPE_CHECKING:
    from airflow_provider_yandex_orders.triggers.metrica import MetricaUploadsWait


class MetricaUploadSensor(WaitSensor):
    """Waits until Metrica is done with uploads, and judges the end."""

    template_fields: Sequence[str] = ("upload_ids", "counter_id", "metrica_conn_id", "journal_conn_id")
    _family: ClassVar[str]

    def __init__(
        self,
        *,
        upload_ids: Any,
        counter_id: int | str | None = None,
        metrica_conn_id: str = MetricaHook.default_conn_name,
        journal_conn_id: str | None = None,
        poke_interval: float | timedelta | None = None,
        deferrable: bool = DEFERRABLE,
        **kwargs: Any,
    ) -> None:
        super().__init__(poke_interval=poke_interval, deferrable=deferrable, **kwargs)
        self.upload_ids = upload_ids
        self.counter_id = counter_id
        self.metrica_conn_id = metrica_conn_id
        self.journal_conn_id = journal_conn_id

    def _demands(self) -> Demands:
        """What the end of the uploads must be like."""
        return Demands()

    def _new_wait(self) -> MetricaUploadsWait:
        from airflow_provider_yandex_orders.triggers.metrica import MetricaUploadsWait

        return MetricaUploadsWait(self._family, self.metrica_conn_id, self._demands(), self.journal_conn_id)

    def _wanted(self) -> dict[str, int]:
        from airflow_provider_yandex_orders.delivery.result import uploads_of
        from airflow_provider_yandex_orders.metrica.kinds import entities

        try:
            uploads = uploads_of(structure(self.upload_ids), service="metrica", entities=entities(self._family))
        except TypeError as error:
            raise ConfigurationError(
                f"Wait for uploads: upload_ids is {error} after rendering. Give a list of ids, or the output of an "
                "upload task (a skipped upload has none)."
            ) from None
        except ValueError as error:
            raise ConfigurationError(f"Wait for uploads: upload_ids {error}.") from None
        given = self.counter_id not in (None, "")
        if not uploads or not (given or None in uploads.values()):
            return {each: at for each, at in uploads.items() if at is not None}
        chosen = MetricaHook(self.metrica_conn_id).counter_id(self.counter_id)
        others = {at for at in uploads.values() if given and at not in (None, chosen)}
        if others:
            raise ConfigurationError(
                f"Wait for uploads: counter_id is {chosen}, and upload_ids has a delivery to counter "
                f"{others.pop()}. Leave counter_id out, or give the delivery that is meant."
            )
        return {each: at or chosen for each, at in uploads.items()}

    def _known(self) -> dict[str, UploadState]:
        from airflow_provider_yandex_orders.delivery.result import ids_in
        from airflow_provider_yandex_orders.sources.parts import parts_in

        deliveries = (each for each in ids_in(structure(self.upload_ids)) if not isinstance(each, str))
        return passed(part for each in deliveries for part in parts_in(each))


class MetricaCrmUploadSensor(MetricaUploadSensor):
    """Waits until Metrica has validated uploads of orders or contacts, and fails where it found one bad.

    ``PASSED`` means that the files are valid, not that their orders found visits: only reports tell that, a day or
    two later. An upload whose own answer said so is not asked for again. ``timeout`` (seconds until the sensor gives
    up) is Airflow's own; it and ``poke_interval`` mean the same deferred or not.

    .. seealso:: https://yandex.ru/dev/metrika/ru/management/openapi/schema/getLastUploadings

    :param upload_ids: an upload id (text or number), what an upload operator returned (``upload.output``), or a list of
        these. Uploads of a delivery are polled at its own counter. (templated)
    :param counter_id: the counter of all the uploads; by default the delivery's, else the connection's. A delivery to
        another one is refused. (templated)
    :param metrica_conn_id: connection of type ``yandex_metrica``, ``yandex_metrica_default`` by default. (templated)
    :param journal_conn_id: connection of the journal of deliveries; by default ``[yandex_orders] journal_conn_id`` of
        Airflow's configuration, else a file under ``AIRFLOW_HOME``. (templated)
    :param poke_interval: seconds between two polls; by default as long as the wait lasts so far, from 30 to 300.
    :param deferrable: wait in the triggerer, without a worker slot; by default ``[operators] default_deferrable``.
    :return: ``{upload id: status}``
    """

    _family = "crm"


class MetricaOfflineConversionsSensor(MetricaUploadSensor):
    """Waits until Metrica has processed uploads of offline conversions, up to two hours, and judges the end.

    ``timeout`` (seconds until the sensor gives up) is Airflow's own; it and ``poke_interval`` mean the same deferred or
    not.

    .. seealso:: https://yandex.ru/dev/metrika/ru/management/openapi/offline_conversions/findById_1

    :param upload_ids: an upload id (text or number), what an upload operator returned (``upload.output``), or a list of
        these. Uploads of a delivery are polled at its own counter. (templated)
    :param counter_id: the counter of all the uploads; by default the delivery's, else the connection's. A delivery to
        another one is refused. (templated)
    :param metrica_conn_id: connection of type ``yandex_metrica``, ``yandex_metrica_default`` by default. (templated)
    :param min_accepted: least share of rows the service must have accepted, from 0 to 1; 1 by default. (templated)
    :param min_linked: least share of accepted rows that must have found a visit, where the service says, from 0 to 1; 0
        by default. (templated)
    :param allow_linkage_failure: ``True`` puts up with uploads none of whose visitors was found; ``False`` by default.
        (templated)
    :param journal_conn_id: connection of the journal of deliveries; by default ``[yandex_orders] journal_conn_id`` of
        Airflow's configuration, else a file under ``AIRFLOW_HOME``. (templated)
    :param poke_interval: seconds between two polls; by default as long as the wait lasts so far, from 30 to 300.
    :param deferrable: wait in the triggerer, without a worker slot; by default ``[operators] default_deferrable``.
    :return: ``{upload id: status}``
    """

    template_fields: Sequence[str] = (
        *MetricaUploadSensor.template_fields,
        "min_accepted",
        "min_linked",
        "allow_linkage_failure",
    )
    _family = "offline"

    def __init__(
        self,
        *,
        upload_ids: Any,
        counter_id: int | str | None = None,
        metrica_conn_id: str = MetricaHook.default_conn_name,
        min_accepted: float | str = 1,
        min_linked: float | str = 0,
        allow_linkage_failure: bool | str = False,
        journal_conn_id: str | None = None,
        poke_interval: float | timedelta | None = None,
        deferrable: bool = DEFERRABLE,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            upload_ids=upload_ids,
            counter_id=counter_id,
            metrica_conn_id=metrica_conn_id,
            journal_conn_id=journal_conn_id,
            poke_interval=poke_interval,
            deferrable=deferrable,
            **kwargs,
        )
        self.min_accepted = min_accepted
        self.min_linked = min_linked
        self.allow_linkage_failure = allow_linkage_failure

    def _demands(self) -> Demands:
        return offline_demands(self.min_accepted, self.min_linked, self.allow_linkage_failure)
