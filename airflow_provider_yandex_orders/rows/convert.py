# SPDX-License-Identifier: Apache-2.0
"""From a field's declaration to the function that converts its values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from airflow_provider_yandex_orders.privacy import show
from airflow_provider_yandex_orders.rows import dates, identifiers, lists, scalars
from airflow_provider_yandex_orders.rows.bad_value import BadValue
from airflow_provider_yandex_orders.rows.kind import Field, FieldType, RowKind

Converter = Callable[[object], Any]


@dataclass(frozen=True, slots=True)
class Rules:
    """What one run asks of its rows, beyond what their kind declares.

    :param counter_zone: gives the counter's time zone; asked when the first value needs it.
    :param source_zone: zone of naive date-times; ``None`` for the counter's.
    :param hash_identifiers: send md5 sums in place of e-mails and phones.
    :param status_map: CRM status to the service's.
    :param require_key: reject rows without a key.
    """

    counter_zone: Callable[[], tzinfo]
    source_zone: tzinfo | None = None
    hash_identifiers: bool = False
    status_map: Mapping[str, str] = field(default_factory=dict)
    require_key: bool = True


_SIMPLE: dict[FieldType, Converter] = {
    FieldType.TEXT: scalars.text,
    FieldType.KEY: scalars.text,
    FieldType.CLIENT_ID: identifiers.client_id,
    FieldType.EMAIL: identifiers.email,
    FieldType.PHONE: identifiers.phone,
    FieldType.MD5: identifiers.md5,
    FieldType.MONEY: scalars.money,
    FieldType.CURRENCY: scalars.currency,
    FieldType.GOALS: lists.goal,
}


def converter(declared: Field, kind: RowKind, rules: Rules) -> Converter:
    """The converter of one value (of one element, where the field is a list)."""
    if declared.type is FieldType.DATE_TIME:
        return dates.counter_time(rules.source_zone, rules.counter_zone)
    if declared.type is FieldType.STATUS:
        return status(kind.statuses, rules.status_map)
    return _SIMPLE[declared.type]


def status(words: tuple[str, ...], status_map: Mapping[str, str]) -> Converter:
    """A converter of order statuses: mapped words first, then the service's own, then goal identifiers."""
    mapped = {str(word).strip(): meant for word, meant in status_map.items()}  # keys may be numbers
    by_upper = {word.upper(): word for word in words} | {"CANCELED": "CANCELLED"}

    def convert(value: object) -> str:
        word = scalars.text(value)
        if word in mapped:
            return mapped[word]
        if word in words:
            return word
        if status_map:
            raise BadValue("unmapped_status", f"{show(word)} is not in status_map", "add it to status_map of the task")
        if word.upper() in by_upper:
            meant = by_upper[word.upper()]
            raise BadValue(
                "status_spelling",
                f"{show(word)} is not spelt as the service does",
                f"send {meant}, or map it",
            )
        try:
            return lists.goal_identifier(word)
        except BadValue:
            raise BadValue(
                "unknown_status",
                f"{show(word)} is neither a status nor a goal identifier",
                f"map it with status_map to one of {', '.join(words)} or to a goal identifier",
            ) from None

    return convert
