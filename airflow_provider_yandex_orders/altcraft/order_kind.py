# SPDX-License-Identifier: Apache-2.0
"""Orders as one task sends them: the declared kind, with what the task's arguments change in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from typing import Any

from airflow_provider_yandex_orders.altcraft.kinds import ALTCRAFT_ORDER_LINES, ALTCRAFT_ORDERS
from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.rows.check import row_checker
from airflow_provider_yandex_orders.rows.convert import Rules, converter
from airflow_provider_yandex_orders.rows.faults import BadValue
from airflow_provider_yandex_orders.rows.kind import Field, FieldType, RowKind
from airflow_provider_yandex_orders.rows.rules import FitsXml


def line_kind(statuses: Iterable[str]) -> RowKind:
    """Lines, with statuses besides those every platform has."""
    return ALTCRAFT_ORDER_LINES.with_statuses(tuple(map(str, statuses)))


def order_kind(
    lines: RowKind,
    *,
    statuses: Iterable[str] = (),
    extra_fields: Iterable[str] = (),
    defaults: Mapping[str, Any] | None = None,
    as_xml: bool = False,
) -> RowKind:
    """Orders with lines of a kind.

    :param lines: the kind of the lines.
    :param statuses: statuses besides the documented ones.
    :param extra_fields: fields that are sent as they are.
    :param defaults: values for fields a row has nothing in.
    :param as_xml: whether they are sent as XML, which cannot hold every text.
    :raises ConfigurationError: one of them cannot work.
    """
    kind = ALTCRAFT_ORDERS.with_rows("lines", lines).with_statuses(tuple(map(str, statuses)))
    for name in extra_fields:
        if name in kind.field_names:
            raise ConfigurationError(f"extra_fields: {name!r} is a field of every order; map it with columns=.")
    kind = kind.with_fields(tuple(Field(name, FieldType.RAW, "As it is.") for name in extra_fields))
    kind = kind.with_defaults(_converted(kind, defaults or {}))
    return kind.with_rules((FitsXml(),)) if as_xml else kind


def rules_of(zone: tzinfo | None, status_map: Mapping[str, str] | None) -> Rules:
    """How rows are checked: the platform has no time zone of its own to fall back on."""
    return Rules(counter_zone=_no_zone, source_zone=zone, status_map=status_map or {})


def definitions(given: Sequence[Mapping[str, Any]] | None, kind: RowKind, said_by: str) -> list[dict[str, Any]]:
    """Definitions that go along with an import, checked.

    :param given: one mapping each.
    :param kind: what they are.
    :param said_by: the argument, for the message.
    :raises ConfigurationError: one of them cannot work.
    """
    check = row_checker(kind, rules_of(None, None))
    found = []
    for definition in given or ():
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


def _converted(kind: RowKind, defaults: Mapping[str, Any]) -> dict[str, Any]:
    declared = {field.name: field for field in kind.fields if field.rows is None and field.name not in kind.key}
    found = {}
    for name, value in defaults.items():
        if name not in declared:
            raise ConfigurationError(f"defaults: {name!r} cannot have one; these can: {', '.join(declared)}.")
        convert = converter(declared[name], kind, rules_of(None, None))
        try:
            found[name] = [convert(each) for each in value] if declared[name].many else convert(value)
        except BadValue as bad:
            raise ConfigurationError(f"defaults: {name!r} {bad.reason}: {bad.fix}.") from None
    return found


def _no_zone() -> tzinfo:
    raise BadValue("no_zone", "has no time zone", "give source_timezone, or write it with its offset")
