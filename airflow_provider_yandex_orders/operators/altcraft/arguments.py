# SPDX-License-Identifier: Apache-2.0
"""What a user says of orders for an Altcraft Platform, checked before a row is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar

from airflow_provider_yandex_orders.altcraft.api import BATCH_ORDERS
from airflow_provider_yandex_orders.altcraft.body import BODIES, ROW, XML_DATA
from airflow_provider_yandex_orders.altcraft.kinds import ALTCRAFT_CUSTOM_FIELDS, ALTCRAFT_LINE_STATUSES
from airflow_provider_yandex_orders.altcraft.lines import OrdersWithLines
from airflow_provider_yandex_orders.altcraft.order_kind import definitions, line_kind, order_kind, rules_of
from airflow_provider_yandex_orders.altcraft.xml import xml_format
from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.hooks.altcraft import AltcraftHook
from airflow_provider_yandex_orders.operators.base import SourceArgument, UploadOperator
from airflow_provider_yandex_orders.rows.convert import Rules
from airflow_provider_yandex_orders.rows.faults import BadValue
from airflow_provider_yandex_orders.rows.formats import FileFormat, json_format
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.rows.scalars import flag
from airflow_provider_yandex_orders.sources.base import Source
from airflow_provider_yandex_orders.sources.rows import as_source


class AltcraftOrderArguments(UploadOperator):
    """Arguments of an import of orders.

    :param skip_triggers: whether the platform must not start its triggers, which may write to customers. There is no
        default: ``True`` for the past, ``False`` for news. Orders that may have been sent before are always sent
        without triggers. (templated)
    :param lines: a second source with the orders' lines, joined by their field ``order_external_id``; by default an
        order has its own in ``lines``. (templated)
    :param line_columns: ``{"field": "key"}`` where lines inside an order have other names.
    :param altcraft_conn_id: connection of type ``altcraft``. (templated)
    :param status_map: the CRM's statuses of orders to the platform's. (templated)
    :param line_status_map: the CRM's statuses of lines to the platform's. (templated)
    :param extra_statuses: statuses of orders this platform has besides the five documented ones.
    :param extra_line_statuses: statuses of lines it has besides the six built-in ones and ``custom_line_statuses``.
    :param custom_fields: definitions of custom fields, made with the import: ``external_id``, ``name``,
        ``entity_type``, ``required``, ``value_type``, ``default_value``, ``enum_values``. (templated)
    :param custom_line_statuses: definitions of line statuses, likewise: ``external_id``, ``name``, ``type``.
        (templated)
    :param defaults: values of fields a row has nothing in, such as ``{"endpoint": "shop-1", "currency": "RUB"}``.
        (templated)
    :param extra_fields: ``{"field": "source column"}``: more fields of an order, sent as they are.
    :param batch_size: orders of one request.
    :param max_part_bytes: bytes of one request; by default 5 MB.
    :param body_format: ``json`` or ``xml``.
    :param xml_data: how XML holds the orders, which the documentation does not show: ``rows`` (``<data>`` with a
        ``<row>`` each) or ``repeated`` (a ``<data>`` each).
    """

    template_fields: Sequence[str] = (
        *UploadOperator.template_fields,
        "status_map",
        "lines",
        "altcraft_conn_id",
        "skip_triggers",
        "line_status_map",
        "custom_fields",
        "custom_line_statuses",
        "defaults",
    )
    _source_arguments: ClassVar[tuple[str, ...]] = ("source", "lines")

    lines = SourceArgument()

    def __init__(
        self,
        *,
        skip_triggers: bool | str,
        lines: Any = None,
        line_columns: Mapping[str, str] | None = None,
        altcraft_conn_id: str = AltcraftHook.default_conn_name,
        status_map: Mapping[str, str] | None = None,
        line_status_map: Mapping[str, str] | None = None,
        extra_statuses: Sequence[str] = (),
        extra_line_statuses: Sequence[str] = (),
        custom_fields: Sequence[Mapping[str, Any]] | None = None,
        custom_line_statuses: Sequence[Mapping[str, Any]] | None = None,
        defaults: Mapping[str, Any] | None = None,
        extra_fields: Mapping[str, str] | None = None,
        batch_size: int = BATCH_ORDERS,
        body_format: str = "json",
        xml_data: str = "rows",
        **kwargs: Any,
    ) -> None:
        super().__init__(max_part_rows=batch_size, **kwargs)
        self.skip_triggers = skip_triggers
        self.lines = lines
        self.line_columns = line_columns
        self.altcraft_conn_id = altcraft_conn_id
        self.status_map = status_map
        self.line_status_map = line_status_map
        self.extra_statuses = extra_statuses
        self.extra_line_statuses = extra_line_statuses
        self.custom_fields = custom_fields
        self.custom_line_statuses = custom_line_statuses
        self.defaults = defaults
        self.extra_fields = extra_fields
        self.batch_size = batch_size
        self.body_format = body_format
        self.xml_data = xml_data

    def _check_arguments(self) -> None:
        """Make sure that the arguments can work.

        :raises ConfigurationError: one cannot.
        """
        if self.body_format not in BODIES or self.xml_data not in XML_DATA:
            raise ConfigurationError(f"body_format must be json or xml, and xml_data one of {', '.join(XML_DATA)}.")
        self._check_shared_arguments()
        self._check_status_map(self.order_kind, self.status_map, "status_map")
        self._check_status_map(self.line_kind, self.line_status_map, "line_status_map")
        _ = self.triggers_skipped, self.definitions

    @cached_property
    def triggers_skipped(self) -> bool:
        """The user's choice for orders that were never sent."""
        try:
            return flag(self.skip_triggers)
        except BadValue as bad:
            raise ConfigurationError(f"skip_triggers {bad.reason}: {bad.fix}.") from None

    @cached_property
    def definitions(self) -> dict[str, list[dict[str, Any]]]:
        """What the import defines on its way."""
        return {
            "custom_fields": definitions(self.custom_fields, ALTCRAFT_CUSTOM_FIELDS, "custom_fields"),
            "custom_line_statuses": definitions(
                self.custom_line_statuses, ALTCRAFT_LINE_STATUSES, "custom_line_statuses"
            ),
        }

    @cached_property
    def line_kind(self) -> RowKind:
        """The lines as this task sends them."""
        defined = [each["external_id"] for each in self.definitions["custom_line_statuses"]]
        return line_kind((*defined, *self.extra_line_statuses))

    @cached_property
    def order_kind(self) -> RowKind:
        """The orders as this task sends them."""
        return order_kind(
            self.line_kind,
            statuses=self.extra_statuses,
            extra_fields=self.extra_fields or (),
            defaults=self.defaults,
            as_xml=self.body_format == "xml",
        )

    def rules(self) -> Rules:
        """How rows are checked."""
        zone = self._source_zone()
        lines = self.lines.columns if isinstance(self.lines, Source) else None
        return replace(
            rules_of(zone, self.status_map),
            of_rows=rules_of(zone, self.line_status_map),
            row_columns=lines or self.line_columns,
        )

    def file_format(self) -> FileFormat:
        """How orders are written."""
        kind = self.order_kind
        return xml_format(kind, ROW) if self.body_format == "xml" else json_format(kind)

    def _rows_source(self) -> Source:
        """The orders, with their lines where those come from a source of their own."""
        orders = super()._rows_source()
        if self.lines is None:
            return orders
        return OrdersWithLines(
            orders,
            as_source(self.lines),
            kind=self.line_kind,
            key="external_id",
            order_key="order_external_id",
            field="lines",
        )

    def _mapped_columns(self) -> Mapping[str, str]:
        """Extra fields are mapped like the others."""
        return self.extra_fields or {}
