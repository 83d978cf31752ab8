# SPDX-License-Identifier: Apache-2.0
"""Operators that upload to Yandex Metrica."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, ClassVar

from airflow.providers.common.compat.sdk import Context, conf

from airflow_provider_yandex_orders.delivery.prepare import prepare
from airflow_provider_yandex_orders.delivery.progress import part_key, progress_of
from airflow_provider_yandex_orders.delivery.result import Delivery, upload_ids_of
from airflow_provider_yandex_orders.delivery.send import send_parts
from airflow_provider_yandex_orders.delivery.waiting import judge, read_event, still_open
from airflow_provider_yandex_orders.exceptions import ConfigurationError, PassingError
from airflow_provider_yandex_orders.hooks.metrica import MetricaHook, crm_upload_state
from airflow_provider_yandex_orders.kinds.simple_orders import SIMPLE_ORDERS
from airflow_provider_yandex_orders.operators.upload import UploadOperator, zone
from airflow_provider_yandex_orders.parts.files import Part
from airflow_provider_yandex_orders.parts.staging import staging_folder
from airflow_provider_yandex_orders.rows.bad_value import BadValue
from airflow_provider_yandex_orders.rows.convert import Rules, status
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.services import metrica
from airflow_provider_yandex_orders.sources.rows import as_source
from airflow_provider_yandex_orders.states import UploadState, Wait
from airflow_provider_yandex_orders.triggers.metrica import MetricaCrmUploadTrigger

MERGE_MODES = ("SAVE", "UPDATE", "APPEND")


class MetricaCrmUploadOperator(UploadOperator):
    """Uploads one kind of CRM row to a counter of Metrica.

    All rows are checked before the first one is sent. The result is the *delivery*: counts, paths and upload ids.
    A retry sends only the parts the service does not have yet.

    :param metrica_conn_id: connection of type ``yandex_metrica``. (templated)
    :param counter_id: the counter; by default the connection's. (templated)
    :param merge_mode: ``SAVE`` replaces an order the service has, ``UPDATE`` changes only fields that are sent,
        ``APPEND`` adds to lists. (templated)
    :param wait_for_completion: wait in this task until the service has validated the files; a sensor does the same
        as a task of its own.
    :param poll_interval: seconds between two questions of that wait.
    :param wait_timeout: seconds after which that wait gives up.
    :param deferrable: wait in the triggerer, without a worker slot.
    """

    template_fields: Sequence[str] = (*UploadOperator.template_fields, "metrica_conn_id", "counter_id", "merge_mode")
    kind: ClassVar[RowKind]

    def __init__(
        self,
        *,
        metrica_conn_id: str = MetricaHook.default_conn_name,
        counter_id: int | str | None = None,
        merge_mode: str = "SAVE",
        wait_for_completion: bool = False,
        poll_interval: float = 30,
        wait_timeout: float = 2 * 60 * 60,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.metrica_conn_id = metrica_conn_id
        self.counter_id = counter_id
        self.merge_mode = merge_mode
        self.wait_for_completion = wait_for_completion
        self.poll_interval = poll_interval
        self.wait_timeout = wait_timeout
        self.deferrable = deferrable

    def execute(self, context: Context) -> Delivery:
        """Prepare, send, wait if asked, report."""
        hook = MetricaHook(self.metrica_conn_id)
        counter_id = hook.counter_id(self.counter_id)
        self._check_arguments()
        counter = cache(lambda: _counter_for_upload(hook, counter_id))
        rules = Rules(
            counter_zone=cache(lambda: zone(counter()["time_zone_name"], f"counter {counter_id}")),
            source_zone=self.source_zone(),
            hash_identifiers=self.hash_identifiers,
            status_map=self.status_map or {},
            require_key=self.require_key,
        )
        folder = staging_folder(self.staging_path, context)
        limits = self.limits(window_days=metrica.LINKING_WINDOW_DAYS)
        prepared = prepare(as_source(self.source), self.kind, rules, limits, folder)
        self.skip_if_empty(prepared.rows_read)
        if prepared.parts:
            counter()  # the right to upload is asked for before the first file is
        parts = send_parts(
            prepared.parts,
            lambda part: crm_upload_state(self._upload(hook, counter_id, part, resend=not prepared.has_keyless)),
            progress_of(context, folder),
            lambda part: part_key(hook.base_url, counter_id, self.kind.name, self.merge_mode, sha256=part.sha256),
        )
        delivery = Delivery(
            service="metrica",
            entity=self.kind.name,
            counter_id=counter_id,
            rows_read=prepared.rows_read,
            rows_sent=sum(part["rows"] for part in parts),
            rows_rejected=prepared.rows_rejected,
            rows_duplicate=prepared.rows_duplicate,
            rows_deferred=0,
            values_dropped=prepared.values_dropped,
            rejected_path=prepared.rejected_path,
            deferred_path=None,
            parts=parts,
        )
        self.log.info("Sent %d rows to counter %d in %d part(s).", delivery["rows_sent"], counter_id, len(parts))
        return self._completed(hook, delivery) if self.wait_for_completion and parts else delivery

    def execute_complete(self, context: Context, event: Any, delivery: Delivery) -> Delivery:
        """Judge what the trigger heard."""
        wait, timed_out = read_event(event)
        if timed_out:
            raise PassingError(still_open(wait, self.wait_timeout))
        return _judged(delivery, wait)

    @property
    def require_key(self) -> bool:
        """Whether a row without a key is rejected."""
        return True

    @abstractmethod
    def _upload(self, hook: MetricaHook, counter_id: int, part: Part, *, resend: bool) -> dict[str, Any]:
        """Send one part and return the service's ``uploading`` object."""

    def _check_arguments(self) -> None:
        if self.merge_mode not in MERGE_MODES:
            raise ConfigurationError(f"merge_mode must be one of {', '.join(MERGE_MODES)}.")
        service_status = status(self.kind.statuses, {})
        for word, mapped in (self.status_map or {}).items():
            try:
                service_status(mapped)
            except BadValue as bad:
                raise ConfigurationError(f"status_map[{word!r}] {bad.reason}: {bad.fix}.") from None

    def _completed(self, hook: MetricaHook, delivery: Delivery) -> Delivery:
        wait, end_time = Wait(upload_ids_of(delivery)), time.time() + self.wait_timeout
        while True:
            try:
                wait.hear(hook.crm_upload_states(delivery["counter_id"], wait.open))
            except PassingError as error:
                self.log.warning("%s", error)
            if not wait.open:
                return _judged(delivery, wait)
            self.log.info("Not final yet: %s.", wait.describe_open())
            if self.deferrable:
                self.defer(
                    trigger=MetricaCrmUploadTrigger(
                        metrica_conn_id=self.metrica_conn_id,
                        counter_id=delivery["counter_id"],
                        upload_ids=list(wait.states),
                        poll_interval=self.poll_interval,
                        end_time=end_time,
                    ),
                    method_name="execute_complete",
                    kwargs={"delivery": delivery},
                )
            if time.time() >= end_time:
                raise PassingError(still_open(wait, self.wait_timeout))
            time.sleep(self.poll_interval)


class MetricaUploadSimpleOrdersOperator(MetricaCrmUploadOperator):
    """Uploads simplified orders: an order and its customer's identifiers in one row.

    Fields: ``id``, ``create_date_time``, one of ``client_ids``, ``emails``, ``phones``, ``emails_md5``,
    ``phones_md5``, and optionally ``client_uniq_id``, ``order_status``, ``revenue``, ``cost``, ``goals``, ``currency``.
    Of several rows with one ``id`` the one with the latest ``update_date_time`` is sent, without that field the last.

    .. seealso:: https://yandex.ru/dev/metrika/ru/management/openapi/schema/uploadSimpleOrders

    :param require_id: reject orders without ``id``. ``False`` sends them; they double when they are sent again.
    """

    kind = SIMPLE_ORDERS

    def __init__(self, *, require_id: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.require_id = require_id

    @property
    def require_key(self) -> bool:
        """Whether an order without ``id`` is rejected."""
        return self.require_id

    def _upload(self, hook: MetricaHook, counter_id: int, part: Part, *, resend: bool) -> dict[str, Any]:
        return hook.upload_simple_orders(counter_id, part.path, merge_mode=self.merge_mode, resend=resend)


def _counter_for_upload(hook: MetricaHook, counter_id: int) -> Mapping[str, Any]:
    """Settings of a counter the token may upload to.

    :raises ConfigurationError: it may not.
    """
    counter = hook.counter(counter_id)
    if counter.get("permission") not in metrica.CAN_UPLOAD:
        raise ConfigurationError(
            f"Upload to counter {counter_id}: the token of {hook.conn_id!r} may only look (permission "
            f"{counter.get('permission')!r}). Give its account edit rights on the counter."
        )
    return counter


def _judged(delivery: Delivery, wait: Wait) -> Delivery:
    judge(wait)
    for part in delivery["parts"]:
        state = wait.states.get(part["upload_id"] or "")
        if isinstance(state, UploadState):
            part["status"], part["rows_accepted"] = state.status, state.rows_accepted
    return delivery
