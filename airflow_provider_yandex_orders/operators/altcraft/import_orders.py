# SPDX-License-Identifier: Apache-2.0
"""Imports orders into the Market of an Altcraft Platform."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_yandex_orders.altcraft.api import BATCH_ORDERS, BODY_BYTES
from airflow_provider_yandex_orders.altcraft.batch import import_part
from airflow_provider_yandex_orders.altcraft.body import BODIES, XML_DATA
from airflow_provider_yandex_orders.altcraft.lines import OrdersWithLines
from airflow_provider_yandex_orders.altcraft.order_kind import OrderShape, order_options
from airflow_provider_yandex_orders.altcraft.verify import SAMPLE, sample_size, sent_sample
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
)
from airflow_provider_yandex_orders.hooks.altcraft import AltcraftHook
from airflow_provider_yandex_orders.operators.arguments import SourceArgument, keyed, phone_region, statuses
from airflow_provider_yandex_orders.operators.base import UploadOperator
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
from airflow_provider_yandex_orders.waiting import DEFERRABLE, UploadState, Wait

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath

LOOKED_AT = 20
"""Orders that are asked for where the journal knows nothing of the platform."""


class AltcraftImportOrdersOperator(UploadOperator):
    """Imports orders with their lines, in batches, one after the other.

    All orders are checked before the first is sent. The result is the *delivery*: counts, paths, what became of each
    batch, and a ``sample`` of the orders for a sensor. ``ACCEPTED`` means that the platform took the batch: only
    ``verify``, or a sensor, sees the orders there. Where the platform refuses a batch for what it holds, the batch is
    halved until each bad order stands alone; those are rejected with the platform's words.

    .. seealso:: https://guides.altcraft.com/en/developer-guide/market/orders/56249746

    All arguments but ``line_columns``, ``extra_statuses``, ``extra_line_statuses``, ``extra_fields``, ``body_format``,
    ``xml_data`` and ``deferrable`` are templated.

    :param source: where the orders come from: a ``SqlSource``, a ``FileSource``, a list of dicts, or the output of a
        task that returns one.
    :param skip_triggers: whether the platform must not start its triggers, which may write to customers. There is no
        default: ``True`` for the past, ``False`` for news. Orders of which nobody knows whether they arrived are always
        sent without triggers. In a backfill ``False`` is refused: it is the past.
    :param triggers_in_backfill: ``True`` lets a backfill start triggers all the same; by default ``False``.
    :param altcraft_conn_id: connection of type ``altcraft``; by default ``altcraft_default``.
    :param lines: a second source with the orders' lines, joined by their field ``order_external_id``; by default an
        order has its own in ``lines``.
    :param line_columns: ``{"field": "key"}`` where lines inside an order have other names; by default they have not.
    :param status_map: the CRM's statuses of orders to the platform's; by default they are the same. A status that is in
        neither is rejected.
    :param line_status_map: the CRM's statuses of lines to the platform's, likewise.
    :param extra_statuses: statuses of orders this platform has besides the five documented ones; by default none.
    :param extra_line_statuses: statuses of lines it has besides the six built-in ones and ``custom_line_statuses``; by
        default none.
    :param custom_fields: definitions of custom fields, made with the import: ``external_id``, ``name``,
        ``entity_type``, ``required``, ``value_type``, ``default_value``, ``enum_values``; by default none.
    :param custom_line_statuses: definitions of line statuses, likewise: ``external_id``, ``name``, ``type``.
    :param defaults: values of fields a row has nothing in, such as ``{"endpoint": "shop-1", "currency": "RUB"}``; by
        default none.
    :param extra_fields: ``{"field": "source column"}``: more fields of an order, sent as they are; by default none.
    :param source_timezone: zone of date-times without one, such as ``Europe/Moscow``; by default such date-times are
        rejected, as the platform has no zone.
    :param max_rejected: rejected orders that are put up with: a number, or a share below 1; by default 0. With more of
        them before the import nothing is sent; orders the platform refuses count too, after the good ones went.
    :param max_dropped: unusable values of one column that may be left out of rows that are sent: a whole number, or a
        share below 1 of the column's values; 0.2 by default. Fewer than five are never too many for a share. With more
        nothing is sent and the task fails.
    :param phone_region: country, by its two letters, whose habits phone numbers without a country code follow; ``RU``
        by default.
    :param same_key: what becomes of rows of one key that differ where no version tells the newest: ``None`` (by
        default) rejects them, ``"last"`` sends the last, ``"merge"`` makes one row of the first filled value of each
        field, with lists joined; a mapping such as ``{"revenue": "sum", "products": "join"}`` names the way of a field:
        ``sum``, ``join``, ``first`` or ``last``; the others take the first filled, and equal rows count too.
    :param batch_size: most orders of one request; by default 100.
    :param max_part_bytes: most bytes of one request; by default 5 MB.
    :param body_format: ``json`` (default) or ``xml``.
    :param xml_data: how XML holds the orders, which the documentation does not show: ``rows`` (default: ``<data>`` with
        a ``<row>`` each) or ``repeated`` (a ``<data>`` each).
    :param skip_empty: ``True`` skips the task when the source has no rows; by default it succeeds without an import.
    :param resend: ``True`` sends rows the destination has already as well, and older versions of what it has; ``False``
        by default.
    :param journal_conn_id: connection of the journal of deliveries; by default ``[yandex_orders] journal_conn_id`` of
        Airflow's configuration, else a file under ``AIRFLOW_HOME``.
    :param dry_run: ``True`` checks all orders and writes the parts, and sends nothing; by default ``False``.
    :param staging_path: folder or object storage URL for parts and rejects; by default ``[yandex_orders] staging_path``
        of Airflow's configuration, else a folder under ``AIRFLOW_HOME``.
    :param keep_parts: ``False`` deletes the part files once they are accepted; by default ``True``.
    :param verify: ask the platform for the orders after the import, and fail where one is missing or has another
        status; by default ``False``.
    :param verify_sample: how many to ask for, evenly spread, from 1 to 500; by default 100; ``None`` for all up to 500.
        As many travel in the delivery for a sensor.
    :param poke_interval: seconds between two polls, where the task verifies; by default 30.
    :param timeout: seconds after which verifying gives up; by default 600.
    :param deferrable: verify in the triggerer, without a worker slot; by default ``[operators] default_deferrable``.
    """

    template_fields: Sequence[str] = (
        *UploadOperator.template_fields,
        "status_map",
        "lines",
        "altcraft_conn_id",
        "skip_triggers",
        "triggers_in_backfill",
        "line_status_map",
        "custom_fields",
        "custom_line_statuses",
        "verify",
        "verify_sample",
    )
    lines = SourceArgument()
    _wait_argument: ClassVar[str] = "verify"

    skip_triggers: bool | str
    triggers_in_backfill: bool | str
    altcraft_conn_id: str
    line_columns: Mapping[str, str] | None
    extra_statuses: Sequence[str]
    extra_line_statuses: Sequence[str]
    custom_fields: Sequence[Mapping[str, Any]] | None
    custom_line_statuses: Sequence[Mapping[str, Any]] | None
    extra_fields: Mapping[str, str] | None
    batch_size: int | str
    body_format: str
    xml_data: str
    verify: bool | str
    verify_sample: int | str | None

    def __init__(
        self,
        *,
        source: Any,
        skip_triggers: bool | str,
        triggers_in_backfill: bool | str = False,
        altcraft_conn_id: str = AltcraftHook.default_conn_name,
        lines: Any = None,
        line_columns: Mapping[str, str] | None = None,
        status_map: Mapping[Any, str] | str | None = None,
        line_status_map: Mapping[Any, str] | str | None = None,
        extra_statuses: Sequence[str] = (),
        extra_line_statuses: Sequence[str] = (),
        custom_fields: Sequence[Mapping[str, Any]] | None = None,
        custom_line_statuses: Sequence[Mapping[str, Any]] | None = None,
        defaults: Mapping[str, Any] | str | None = None,
        extra_fields: Mapping[str, str] | None = None,
        source_timezone: str | None = None,
        max_rejected: float | str = 0,
        max_dropped: float | str = 0.2,
        phone_region: str = "RU",
        same_key: str | Mapping[str, str] | None = None,
        batch_size: int | str = BATCH_ORDERS,
        max_part_bytes: int | str | None = None,
        body_format: str = "json",
        xml_data: str = "rows",
        skip_empty: bool | str = False,
        resend: bool | str = False,
        journal_conn_id: str | None = None,
        dry_run: bool | str = False,
        staging_path: str | None = None,
        keep_parts: bool | str = True,
        verify: bool | str = False,
        verify_sample: int | str | None = SAMPLE,
        poke_interval: float | timedelta | str = 30,
        timeout: float | timedelta | str = 10 * 60,
        deferrable: bool = DEFERRABLE,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._keep(locals())
        self.status_map = keyed(status_map, "status_map")
        self.line_status_map = keyed(line_status_map, "line_status_map")
        self.max_part_rows = batch_size
        self._refused: dict[str, str] = {}

    def _deliver(self, context: Context) -> Delivery:
        meant = self._triggers_skipped or switch(self.triggers_in_backfill, "triggers_in_backfill")
        if self._sends and _in_backfill(context) and not meant:
            raise ConfigurationError(
                "Import orders: this run belongs to a backfill, and skip_triggers is False: triggers would write to "
                "customers about the past. Nothing was sent. Say skip_triggers=True, for backfills alone as "
                "\"{{ dag_run.run_type == 'backfill' }}\"; or triggers_in_backfill=True where it is meant."
            )
        return super()._deliver(context)

    def _conclude(self, delivery: Delivery, prepared: Prepared, folder: ObjectStoragePath) -> None:
        own = {part.path for part in prepared.parts}
        parts = [
            Part(part["path"], part["rows"], part["bytes"], part["sha256"])
            for part in delivery["parts"]
            # Which orders of an earlier try were refused is not known any more.
            if part["path"] in own or part["status"] == "ACCEPTED"
        ]
        size, refused = sample_size(self.verify_sample, "verify_sample"), frozenset(self._refused)
        try:
            delivery["sample"] = sent_sample(parts, size, refused)
        except PassingError:  # files of earlier tries lie on another worker
            delivery["sample"] = sent_sample(prepared.parts, size, refused)
        if self._refused:
            prepared.rejected_codes = {**prepared.rejected_codes, "refused": len(self._refused)}
        self._report_refused(delivery, folder)

    def _to_wait_for(self, delivery: Delivery) -> Mapping[str, str | None]:
        if not switch(self.verify, "verify") or not delivery["rows_sent"]:
            return {}
        if not delivery.get("sample"):
            self.log.warning(
                "Nothing is verified: of no order is it known that it was taken and that its id is neither a phone, an "
                "address nor a name, which are kept nowhere. Look for the orders at the platform."
            )
        return delivery.get("sample", {})

    @cached_property
    def _hook(self) -> AltcraftHook:
        return AltcraftHook(self.altcraft_conn_id)

    def _place(self) -> dict[str, Any]:
        return {"service": "altcraft", "host": self._hook.host}

    # Arguments and what they make.

    def _check_arguments(self) -> None:
        if self.body_format not in BODIES or self.xml_data not in XML_DATA:
            raise ConfigurationError(f"body_format must be json or xml, and xml_data one of {', '.join(XML_DATA)}.")
        super()._check_arguments()
        switch(self.verify, "verify")
        whole(self.max_part_rows, "batch_size")
        statuses(self._shape.orders, self.status_map, "status_map")
        statuses(self._shape.lines, self.line_status_map, "line_status_map")
        sample_size(self.verify_sample, "verify_sample")
        _ = self._triggers_skipped, switch(self.triggers_in_backfill, "triggers_in_backfill")

    @cached_property
    def _triggers_skipped(self) -> bool:
        """The user's choice for orders that were never sent."""
        try:
            return flag(self.skip_triggers)
        except BadValue as bad:
            raise ConfigurationError(f"skip_triggers {bad.reason}: {bad.fix}.") from None

    @cached_property
    def _shape(self) -> OrderShape:
        return OrderShape(
            extra_statuses=self.extra_statuses,
            extra_line_statuses=self.extra_line_statuses,
            custom_fields=self.custom_fields,
            custom_line_statuses=self.custom_line_statuses,
            defaults=self.defaults,
            phone_region=phone_region(self.phone_region),
            reading=as_source(self.source).reading,
            extra_fields=self.extra_fields,
            as_xml=self.body_format == "xml",
        )

    def _row_kind(self) -> RowKind:
        return self._shape.orders

    def _files(self, kind: RowKind) -> Mapping[str, FileFormat]:
        return {"part": self._shape.file_format, REPEAT: self._shape.file_format}

    def _part_limits(self) -> Limits:
        return self._limits(BODY_BYTES)

    def _repeats(self) -> Repeats:
        resend = switch(self.resend, "resend")
        return Repeats(
            counted=True, quiet=True, resend=resend, first_use=None if self._triggers_skipped else self._look_first
        )

    def _check_options(self) -> CheckOptions:
        columns = labels(self.lines.columns) if isinstance(self.lines, Source) else None
        return order_options(
            self._source_zone(),
            mapping(self.status_map, "status_map"),
            mapping(self.line_status_map, "line_status_map"),
            columns or self.line_columns,
            phone_region(self.phone_region),
        )

    def _rows_source(self) -> Source:
        orders = super()._rows_source()
        if self.lines is None:
            return orders
        return OrdersWithLines(orders, as_source(self.lines), kind=self._shape.lines)

    def _mapped_columns(self) -> Mapping[str, str]:
        return self.extra_fields or {}

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
            body_format=self.body_format,
            xml_data=self.xml_data,
            **self._shape.definitions,
        )

    def _look_first(self, parts: Sequence[Part]) -> None:
        """Make sure that the platform does not have the orders from before there was this journal.

        :raises PermanentError: it has.
        """
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
        """Put the orders the platform refused to the other rejects.

        :raises RejectedRowsError: they are too many together; the good ones are sent all the same.
        """
        with FaultFile(folder / "rejected.jsonl", more=True) as rejected:
            for key, said in self._refused.items():
                reason = f"the platform: {said.rstrip('. ')}"
                rejected.add(None, key, [Fault("", "refused", reason, "correct what it names and clear the task")])
        if not rejected.entries:
            return
        delivery["rejected_path"] = rejected.path
        for line in rejected.lines:
            self.log.warning("Orders the platform refused: %s", line)
        self.log.warning("All in: %s", rejected.path)
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
        return AltcraftOrdersWait(self.altcraft_conn_id)

    def _finish(self, delivery: Delivery, wait: Wait) -> Delivery:
        delivery["verified"] = wait.result()
        self.log.info("Verified at the platform: %s.", delivery["verified"])
        return delivery


def _in_backfill(context: Context) -> bool:
    return getattr(context.get("dag_run"), "run_type", None) == "backfill"
