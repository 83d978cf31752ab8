# SPDX-License-Identifier: Apache-2.0
"""Imports orders into the Market of an Altcraft Platform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from airflow_provider_yandex_orders.hooks.altcraft import AltcraftHook
from airflow_provider_yandex_orders.operators.arguments import SourceArgument, keyed
from airflow_provider_yandex_orders.operators.base import UploadOperator
from airflow_provider_yandex_orders.waiting import DEFERRABLE


class AltcraftImportOrdersOperator(UploadOperator):
    """Imports orders with their lines, in batches, one after the other.

    All orders are checked before the first is sent. The result is the *delivery*: counts, paths, what became of each
    batch, and a ``sample`` of the orders for a sensor. ``ACCEPTED`` means that the platform took the batch: only
    ``verify``, or a sensor, sees the orders there. Where the platform refuses a batch for what it holds, the batch is
    halved until each bad order stands alone; those are rejected with the platform's words.

    .. seealso:: https://guides.altcraft.com/en/developer-guide/market/orders/56249746

    All arguments but ``line_columns``, ``extra_statuses``, ``extra_line_statuses``, ``extra_fields``, ``body_format``,
    ``xml_data``, ``deferrable`` and ``emit_asset`` are templated.

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
    :param workers: how many processes check rows; 1 by default: the task's own. More of them pay from some 100,000 rows
        on, on a machine whose cores are free; the result is the same.
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
    :param poke_interval: seconds between two polls that verify; by default as long as it lasts so far, from 30 to 300.
    :param timeout: seconds after which verifying gives up; by default 600.
    :param deferrable: verify in the triggerer, without a worker slot; by default ``[operators] default_deferrable``.
    :param emit_asset: ``True`` (by default) emits an asset event of each delivery; ``False`` only of ``outlets``.
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
    template_fields_renderers = {**UploadOperator.template_fields_renderers, "lines": "json", "lines.sql": "sql"}  # noqa: RUF012
    _steps_class = "airflow_provider_yandex_orders.operators.altcraft.steps.ImportSteps"
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
        batch_size: int | str = 100,
        max_part_bytes: int | str | None = None,
        workers: int | str = 1,
        body_format: str = "json",
        xml_data: str = "rows",
        skip_empty: bool | str = False,
        resend: bool | str = False,
        journal_conn_id: str | None = None,
        dry_run: bool | str = False,
        staging_path: str | None = None,
        keep_parts: bool | str = True,
        verify: bool | str = False,
        verify_sample: int | str | None = 100,
        poke_interval: float | timedelta | str | None = None,
        timeout: float | timedelta | str = 10 * 60,
        deferrable: bool = DEFERRABLE,
        emit_asset: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._keep(locals())
        self.status_map = keyed(status_map, "status_map")
        self.line_status_map = keyed(line_status_map, "line_status_map")
        self.max_part_rows = batch_size
