# SPDX-License-Identifier: Apache-2.0
"""From a field's declaration to the function that converts its values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from difflib import get_close_matches
from typing import Any

from airflow_provider_yandex_orders.privacy import show
from airflow_provider_yandex_orders.rows import dates, identifiers, lists, scalars
from airflow_provider_yandex_orders.rows.faults import BadValue, RefusedValue
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
    :param refuse_clear: reject e-mails and phones that are not hashed.
    :param targets: gives the goals a conversion may name: identifier to what is wrong with the goal, or nothing.
    :param of_rows: how rows inside a row are checked, where that differs.
    :param row_columns: ``{"field": "key"}`` where names inside such rows differ.
    """

    counter_zone: Callable[[], tzinfo]
    source_zone: tzinfo | None = None
    hash_identifiers: bool = False
    status_map: Mapping[str, str] = field(default_factory=dict)
    require_key: bool = True
    refuse_clear: bool = False
    targets: Callable[[], Mapping[str, str | None]] | None = None
    of_rows: Rules | None = None
    row_columns: Mapping[str, str] | None = None


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
    FieldType.DATE: dates.day,
    FieldType.PRODUCTS: lists.products,
    FieldType.AMOUNT: scalars.amount,
    FieldType.COUNT: scalars.count,
    FieldType.FLAG: scalars.flag,
    FieldType.FULL_PHONE: identifiers.full_phone,
    FieldType.CODE: scalars.code,
    FieldType.WORD: scalars.word,
    FieldType.VALUES: lists.values,
    FieldType.RAW: scalars.as_it_is,
}


def converter(declared: Field, kind: RowKind, rules: Rules) -> Converter:
    """The converter of one value (of one element, where the field is a list)."""
    if declared.type is FieldType.DATE_TIME:
        return dates.counter_time(rules.source_zone, rules.counter_zone)
    if declared.type is FieldType.UNIX_TIME:
        return dates.unix_time(rules.source_zone, rules.counter_zone)
    if declared.type is FieldType.ATTRIBUTE:
        return attribute(dates.counter_time(rules.source_zone, rules.counter_zone))
    if declared.type is FieldType.MOMENT:
        return dates.zoned(rules.source_zone)
    if declared.type is FieldType.STATUS:
        return status(kind, rules.status_map)
    if declared.type is FieldType.CHOICE:
        return choice(declared.choices)
    if declared.type is FieldType.TARGET:
        return target(rules.targets)
    if declared.hashed_into and rules.refuse_clear:
        return _refused
    return _SIMPLE[declared.type]


def status(kind: RowKind, status_map: Mapping[str, str]) -> Converter:
    """A converter of order statuses: mapped words first, then the service's own, then what the kind allows."""
    words, own = kind.statuses, lists.status_id if kind.own_statuses else lists.goal_identifier
    mapped = {str(word).strip(): meant for word, meant in status_map.items()}  # keys may be numbers
    by_spelling = {_spelling(word): word for word in words}

    def convert(value: object) -> str:
        word = scalars.text(value)
        if word in mapped:
            return mapped[word]
        if word in words:
            return word
        if status_map:
            raise BadValue("unmapped_status", f"{show(word)} is not in status_map", "add it to status_map of the task")
        if word == "CANCELED" or (_spelling(word) in by_spelling and not kind.own_statuses):
            meant = by_spelling[_spelling(word)]
            raise BadValue(
                "status_spelling",
                f"{show(word)} is not spelt as the service does",
                f"send {meant}, or map it",
            )
        fix = f"map it with status_map to one of {', '.join(words)}"
        if kind.only_statuses:
            raise BadValue("unknown_status", f"{show(word)} is no status", fix)
        try:
            return own(word)
        except BadValue:
            raise BadValue(
                "unknown_status",
                f"{show(word)} cannot be a status",
                f"{fix}, or to an identifier without spaces",
            ) from None

    return convert


def attribute(time: Converter) -> Converter:
    """A converter of custom attributes: any value as a CSV cell has it, date-times as those of fields.

    :param time: converts date-times.
    """

    def convert(value: object) -> str:
        text: str = time(value) if isinstance(value, datetime) else scalars.plain(value)
        return text

    return convert


def _spelling(word: str) -> str:
    return word.upper().replace("CANCELLED", "CANCELED")  # both are common, and each service knows one


def choice(words: tuple[str, ...]) -> Converter:
    """A converter of fields that may only be one of a few words."""
    by_upper = {word.upper(): word for word in words}

    def convert(value: object) -> str:
        word = scalars.text(value)
        if word.upper() not in by_upper:
            raise BadValue("bad_choice", f"is {show(word)}", f"send {' or '.join(words)}, or leave it empty")
        return by_upper[word.upper()]

    return convert


def target(targets: Callable[[], Mapping[str, str | None]] | None) -> Converter:
    """A converter of the goal a conversion reaches.

    :param targets: gives the counter's goals; asked with the first row. Without it only the form is checked.
    """

    def convert(value: object) -> str:
        identifier = lists.goal_identifier(value)
        if targets is None:
            return identifier
        known = targets()
        if identifier not in known:
            near = get_close_matches(identifier, [name for name, fault in known.items() if not fault], n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise BadValue(
                "unknown_target",
                f"{show(identifier)} is no goal of this counter",
                f"{hint}make it with MetricaEnsureGoalsOperator, or correct it: the identifier, not the name",
            )
        if fault := known[identifier]:
            raise BadValue(
                "unfit_target",
                f"{show(identifier)} {fault}",
                "send the identifier of a JS-event goal that matches exactly",
            )
        return identifier

    return convert


def _refused(_value: object) -> str:
    raise RefusedValue("clear_identifier", "is not hashed, and this task takes only hashed ones", "send the md5 field")
