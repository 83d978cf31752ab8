# SPDX-License-Identifier: Apache-2.0
"""Orders as one task sends them: the declared kinds, with what the task's arguments change in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from functools import cached_property
from typing import Any

from airflow_provider_yandex_orders.altcraft.body import xml_format
from airflow_provider_yandex_orders.altcraft.kinds import (
    ALTCRAFT_CUSTOM_FIELDS,
    ALTCRAFT_LINE_STATUSES,
    ALTCRAFT_ORDER_LINES,
    ALTCRAFT_ORDERS,
)
from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.rows.check import RowChecker
from airflow_provider_yandex_orders.rows.defaults import with_defaults
from airflow_provider_yandex_orders.rows.faults import BadValue
from airflow_provider_yandex_orders.rows.formats import FileFormat, json_format
from airflow_provider_yandex_orders.rows.kind import Field, RowKind
from airflow_provider_yandex_orders.rows.options import CheckOptions
from airflow_provider_yandex_orders.rows.reading import Reading
from airflow_provider_yandex_orders.rows.rules import fits_xml
from airflow_provider_yandex_orders.rows.types import RAW
from airflow_provider_yandex_orders.templated import structure


@dataclass(frozen=True)
class OrderShape:
    """What orders are like in a task, by its arguments; properties raise ``ConfigurationError`` where they cannot work.

    :param reading: how the source writes values, and the defaults do too.
    :param as_xml: whether orders are sent as XML, which cannot hold every text.
    """

    extra_statuses: Sequence[str] = ()
    extra_line_statuses: Sequence[str] = ()
    custom_fields: Sequence[Mapping[str, Any]] | None = None
    custom_line_statuses: Sequence[Mapping[str, Any]] | None = None
    defaults: object = None
    phone_region: str | None = "RU"
    reading: Reading = field(default_factory=Reading)
    extra_fields: Mapping[str, str] | None = None
    as_xml: bool = False

    @cached_property
    def definitions(self) -> dict[str, list[dict[str, Any]]]:
        """What the import defines on its way."""
        return {
            "custom_fields": _definitions(self.custom_fields, ALTCRAFT_CUSTOM_FIELDS, "custom_fields"),
            "custom_line_statuses": _definitions(
                self.custom_line_statuses, ALTCRAFT_LINE_STATUSES, "custom_line_statuses"
            ),
        }

    @cached_property
    def lines(self) -> RowKind:
        """The kind of the lines."""
        defined = [each["external_id"] for each in self.definitions["custom_line_statuses"]]
        return ALTCRAFT_ORDER_LINES.with_statuses((*defined, *map(str, self.extra_line_statuses)))

    @cached_property
    def orders(self) -> RowKind:
        """The kind of the orders."""
        kind = ALTCRAFT_ORDERS.with_field("lines", rows=self.lines).with_statuses(tuple(map(str, self.extra_statuses)))
        for name in self.extra_fields or ():
            if name in kind.field_names:
                raise ConfigurationError(f"extra_fields: {name!r} is a field of every order; map it with columns=.")
        kind = kind.with_fields(tuple(Field(name, RAW, "As it is.") for name in self.extra_fields or ()))
        options = CheckOptions(_no_zone, phone_region=self.phone_region, reading=self.reading)
        kind = with_defaults(kind, self.defaults, options)
        return replace(kind, rules=(*kind.rules, fits_xml)) if self.as_xml else kind

    @property
    def file_format(self) -> FileFormat:
        """How orders are written."""
        return xml_format(self.orders) if self.as_xml else json_format(self.orders)


def order_options(
    zone: tzinfo | None,
    status_map: Mapping[Any, str] | None,
    line_status_map: Mapping[Any, str] | None,
    line_columns: Mapping[str, str] | None,
    phone_region: str | None = "RU",
) -> CheckOptions:
    """How orders and their lines are checked.

    :param zone: zone of date-times without one; the platform has none of its own to fall back on.
    :param line_columns: the lines' fields to their keys.
    """
    lines = CheckOptions(_no_zone, zone, status_map=line_status_map or {})
    own = CheckOptions(_no_zone, zone, status_map=status_map or {}, phone_region=phone_region)
    return replace(own, of_rows=lines, row_columns=line_columns)


def _definitions(given: Sequence[Mapping[str, Any]] | None, kind: RowKind, said_by: str) -> list[dict[str, Any]]:
    """Definitions that go along with an import, checked."""
    check = RowChecker(kind, CheckOptions(_no_zone))
    found = []
    for definition in structure(given) or ():
        if not isinstance(definition, Mapping):
            raise ConfigurationError(f"{said_by} must be a list of mappings.")
        checked = check(definition)
        unknown = sorted(set(definition) - set(kind.field_names))
        if unknown:
            raise ConfigurationError(f"{said_by}: {', '.join(unknown)}: there is no such field in {kind.name}.")
        if checked.faults:
            told = "; ".join(f"{fault.reason}: {fault.fix}" for fault in checked.faults)
            raise ConfigurationError(f"{said_by} {checked.label!r}: {told}.")
        found.append(checked.values)
    return found


def _no_zone() -> tzinfo:
    raise BadValue("no_zone", "has no time zone", "give source_timezone, or write it with its offset")
