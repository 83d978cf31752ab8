# SPDX-License-Identifier: Apache-2.0
"""Values the user gives for fields a row has nothing in."""

from __future__ import annotations

from dataclasses import replace

from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.rows import lists
from airflow_provider_yandex_orders.rows.faults import BadValue
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.rows.options import CheckOptions
from airflow_provider_yandex_orders.rows.status_map import read_status_map
from airflow_provider_yandex_orders.templated import mapping


def with_defaults(kind: RowKind, given: object, options: CheckOptions) -> RowKind:
    """The kind with the user's defaults, of which the status an empty one is mapped to is one.

    :param given: the argument ``defaults``, as the user or a template gave it.
    :param options: how rows are checked: a default is read as a row's value is, but not mapped.
    :raises ConfigurationError: a default cannot be sent.
    """
    declared = {field.name: field for field in kind.fields if field.rows is None and field.name not in kind.key}
    values, found = mapping(given, "defaults"), {}
    of_nothing = read_status_map(options.status_map).get("") if kind.status else None
    if of_nothing:
        values = {**values, kind.status: of_nothing}
    for name, value in values.items():
        if name not in declared:
            raise ConfigurationError(f"defaults: {name!r} cannot have one; these can: {', '.join(declared)}.")
        field = declared[name]
        convert = field.type.converter(replace(options, status_map={}))
        try:
            elements = lists.split(value, wide=field.type.wide) if field.many else []
            if field.type.look:
                field.type.look(elements)
            found[name] = [convert(each) for each in elements] if field.many else convert(value)
        except BadValue as bad:
            said_by = 'status_map[""]:' if of_nothing and name == kind.status else "defaults:"
            raise ConfigurationError(f"{said_by} {name!r} {bad.reason}: {bad.fix}.") from None
    return kind.with_defaults(found) if found else kind
