# SPDX-License-Identifier: Apache-2.0
"""The steps of an import of orders into an Altcraft Platform."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow_provider_yandex_orders.altcraft.api import BODY_BYTES, is_wrong_token
from airflow_provider_yandex_orders.altcraft.batch import import_part
from airflow_provider_yandex_orders.altcraft.body import BODIES, XML_DATA
from airflow_provider_yandex_orders.altcraft.lines import OrdersWithLines
from airflow_provider_yandex_orders.altcraft.order_kind import OrderShape, order_options
from airflow_provider_yandex_orders.altcraft.verify import sample_size, sent_sample
from airflow_provider_yandex_orders.delivery.memory import REPEAT, Repeats
from airflow_provider_yandex_orders.delivery.parts import Part
from airflow_provider_yandex_orders.delivery.plan import Limits, Prepared
from airflow_provider_yandex_orders.delivery.rejects import FaultFile
from airflow_provider_yandex_orders.delivery.result import Delivery
from airflow_provider_yandex_orders.exceptions import (
    ConfigurationError,
    PassingError,
    PermanentError,
    RejectedRowsError,
    ServiceRefused,
)
from airflow_provider_yandex_orders.hooks.altcraft import AltcraftHook
from airflow_provider_yandex_orders.operators.arguments import phone_region, statuses
from airflow_provider_yandex_orders.operators.steps import UploadSteps
from airflow_provider_yandex_orders.privacy import shown_key
from airflow_provider_yandex_orders.rows.faults import BadValue, Fault
from airflow_provider_yandex_orders.rows.formats import FileFormat
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.rows.options import CheckOptions
from airflow_provider_yandex_orders.rows.scalars import flag
from airflow_provider_yandex_orders.sources.base import Source
from airflow_provider_yandex_orders.sources.columns import labels
from airflow_provider_yandex_orders.sources.rows import as_source
from airflow_provider_yandex_orders.templated import mapping, switch, whole
from airflow_provider_yandex_orders.triggers.altcraft import AltcraftOrdersWait
from airflow_provider_yandex_orders.waiting import UploadState, Wait

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath

    from airflow_provider_yandex_orders.operators.altcraft.import_orders import AltcraftImportOrdersOperator

log = logging.getLogger(__name__)

LOOKED_AT = 20
"""Orders that are asked for where the journal knows nothing of the platform."""
NO_ORDER = "airflow-provider-yandex-orders-asks-for-no-order"
"""Whether there is such an order does not matter: who may not ask hears of the token."""


class ImportSteps(UploadSteps):
    """Batches, one after the other; what the platform refuses joins the rejects."""

    task: AltcraftImportOrdersOperator

    def __init__(self, task: AltcraftImportOrdersOperator) -> None:
        super().__init__(task)
        self._refused: dict[str, str] = {}

    def deliver(self, context: Context) -> Delivery:
        """The same, but triggers are never started by mistake."""
        meant = self._triggers_skipped or switch(self.task.triggers_in_backfill, "triggers_in_backfill")
        in_backfill = getattr(context.get("dag_run"), "run_type", None) == "backfill"
        if self._sends and in_backfill and not meant:
            raise ConfigurationError(
                "Import orders: this run belongs to a backfill, and skip_triggers is False: triggers would write to "
                "customers about the past. Nothing was sent. Say skip_triggers=True, for backfills alone as "
                "\"{{ dag_run.run_type == 'backfill' }}\"; or triggers_in_backfill=True where it is meant."
            )
        return super().deliver(context)

    def _conclude(self, delivery: Delivery, prepared: Prepared, folder: ObjectStoragePath) -> None:
        own = {part.path for part in prepared.parts}
        parts = [
            Part(part["path"], part["rows"], part["bytes"], part["sha256"])
            for part in delivery["parts"]
            # Which orders of an earlier try were refused is not known any more.
            if part["path"] in own or part["status"] == "ACCEPTED"
        ]
        size, refused = sample_size(self.task.verify_sample, "verify_sample"), frozenset(self._refused)
        try:
            delivery["sample"] = sent_sample(parts, size, refused)
        except PassingError:  # files of earlier tries lie on another worker
            delivery["sample"] = sent_sample(prepared.parts, size, refused)
        if self._refused:
            prepared.rejected = {**prepared.rejected, "refused": {"rows": len(self._refused)}}
        self._report_refused(delivery, folder)

    def _to_wait_for(self, delivery: Delivery) -> Wait | None:
        if not switch(self.task.verify, "verify") or not delivery["rows_sent"]:
            return None
        if not delivery.get("sample"):
            log.warning(
                "Nothing is verified: of no order is it known that it was taken and that its id is neither a phone, an "
                "address nor a name, which are kept nowhere. Look for the orders at the platform."
            )
            return None
        return self._new_wait().expect(delivery["sample"])

    @cached_property
    def _hook(self) -> AltcraftHook:
        return AltcraftHook(self.task.altcraft_conn_id)

    def _place(self) -> dict[str, Any]:
        return {"service": "altcraft", "host": self._hook.host}

    def _check_right(self) -> None:
        super()._check_right()
        try:
            self._hook.order_status(NO_ORDER)
        except ServiceRefused as error:
            if is_wrong_token(error.answer):
                raise
            log.warning("Orders cannot be looked up; whether they can be imported shows with the first. %s", error)

    # Arguments and what they make.

    def _check_arguments(self) -> None:
        if self.task.body_format not in BODIES or self.task.xml_data not in XML_DATA:
            raise ConfigurationError(f"body_format must be json or xml, and xml_data one of {', '.join(XML_DATA)}.")
        super()._check_arguments()
        switch(self.task.verify, "verify")
        whole(self.task.max_part_rows, "batch_size")
        statuses(self._shape.orders, self.task.status_map, "status_map")
        statuses(self._shape.lines, self.task.line_status_map, "line_status_map")
        sample_size(self.task.verify_sample, "verify_sample")
        _ = self._triggers_skipped, switch(self.task.triggers_in_backfill, "triggers_in_backfill")

    @cached_property
    def _triggers_skipped(self) -> bool:
        """The user's choice for orders that were never sent."""
        try:
            return flag(self.task.skip_triggers)
        except BadValue as bad:
            raise ConfigurationError(f"skip_triggers {bad.reason}: {bad.fix}.") from None

    @cached_property
    def _shape(self) -> OrderShape:
        return OrderShape(
            extra_statuses=self.task.extra_statuses,
            extra_line_statuses=self.task.extra_line_statuses,
            custom_fields=self.task.custom_fields,
            custom_line_statuses=self.task.custom_line_statuses,
            defaults=self.task.defaults,
            phone_region=phone_region(self.task.phone_region),
            reading=as_source(self.task.source).reading,
            extra_fields=self.task.extra_fields,
            as_xml=self.task.body_format == "xml",
        )

    def _row_kind(self) -> RowKind:
        return self._shape.orders

    def _files(self, kind: RowKind) -> Mapping[str, FileFormat]:
        return {"part": self._shape.file_format, REPEAT: self._shape.file_format}

    def _part_limits(self) -> Limits:
        return self._limits(BODY_BYTES)

    def _repeats(self) -> Repeats:
        resend = switch(self.task.resend, "resend")
        return Repeats(
            counted=True, quiet=True, resend=resend, first_use=None if self._triggers_skipped else self._look_first
        )

    def _check_options(self) -> CheckOptions:
        columns = labels(self.task.lines.columns) if isinstance(self.task.lines, Source) else None
        return order_options(
            self._source_zone(),
            mapping(self.task.status_map, "status_map"),
            mapping(self.task.line_status_map, "line_status_map"),
            columns or self.task.line_columns,
            phone_region(self.task.phone_region),
        )

    def _rows_source(self) -> Source:
        orders = super()._rows_source()
        if self.task.lines is None:
            return orders
        return OrdersWithLines(orders, as_source(self.task.lines), kind=self._shape.lines)

    def _mapped_columns(self) -> Mapping[str, str]:
        return self.task.extra_fields or {}

    # The import.

    def _uploader(self, prepared: Prepared) -> Callable[[Part], UploadState]:
        def upload(part: Part) -> UploadState:
            repeat = part.path.rpartition("/")[2].startswith(REPEAT)
            state = import_part(part, self._send, self._triggers_skipped, repeat=repeat)
            self._refused |= dict(state.refused)
            return state

        return upload

    def _send(self, orders: Sequence[Any], skip_triggers: bool) -> None:
        self._hook.import_orders(
            orders,
            skip_triggers=skip_triggers,
            body_format=self.task.body_format,
            xml_data=self.task.xml_data,
            **self._shape.definitions,
        )

    def _look_first(self, parts: Sequence[Part], _is_known: Callable[[str], bool]) -> None:
        """Make sure that the platform does not have the orders from before there was this journal."""
        there = self._hook.order_states({}, sent_sample(parts, LOOKED_AT, for_xcom=False))
        if there:
            raise PermanentError(
                f"Import orders: the journal of deliveries knows nothing that was sent to this platform, which has "
                f"{len(there)} of {LOOKED_AT} orders that were looked up, {shown_key(next(iter(there)))} for one. "
                "Triggers could write to customers a second time, so nothing was sent. Let journal_conn_id "
                "([yandex_orders] of the configuration, or the task's argument) name the journal that was in use. "
                "Where there is none, run the task once with skip_triggers=True, which starts no triggers, or with "
                "resend=True, which starts them for all."
            )

    def _report_refused(self, delivery: Delivery, folder: ObjectStoragePath) -> None:
        """Put the orders the platform refused to the other rejects."""
        with FaultFile(folder / "rejected.jsonl", more=True) as rejected:
            for key, said in self._refused.items():
                reason = f"the platform: {said.rstrip('. ')}"
                rejected.add(None, key, [Fault("", "refused", reason, "correct what it names and clear the task")])
        if not rejected.entries:
            return
        delivery["rejected_path"] = rejected.path
        delivery["rejected"] = {**delivery.get("rejected", {}), **rejected.told}
        limits = self._part_limits()
        if not limits.allows(delivery["rows_rejected"], delivery["rows_read"]):
            raise RejectedRowsError(
                f"Import orders: {delivery['rows_sent']} were imported; {rejected.entries} were refused by the "
                f"platform. That makes {delivery['rows_rejected']} rejected rows, and max_rejected is "
                f"{limits.max_rejected:g}. Each with the platform's words: {rejected.path}. Correct them and clear the "
                "task: it sends only what has not arrived."
            )

    # The wait.

    def _new_wait(self) -> AltcraftOrdersWait:
        return AltcraftOrdersWait(self.task.altcraft_conn_id)

    def _finish(self, delivery: Delivery, wait: Wait) -> Delivery:
        delivery["verified"] = wait.result()
        log.info("Verified at the platform: %s.", delivery["verified"])
        return delivery
