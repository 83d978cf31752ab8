# SPDX-License-Identifier: Apache-2.0
"""What fields hold: one object a type, with all that is known of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from airflow_provider_yandex_orders.rows import dates, forms, identifiers, lists, reading, scalars, words
from airflow_provider_yandex_orders.rows.cells import cleaned, refuse_sheet_error
from airflow_provider_yandex_orders.rows.faults import BadValue
from airflow_provider_yandex_orders.rows.options import CheckOptions

Converter = Callable[[object], Any]
_ENDS_AS_THOUSANDS = re.compile(r"\.\d{3}$")


@dataclass(frozen=True, slots=True)
class FieldType:
    """What a field holds.

    :param label: what the docs call it.
    :param make: makes the converter of one value (of one element, where the field is a list) for a run.
    :param by_hand: people type such values: of a list, a bad one is left out and told, and the others are sent.
    :param wide: values of a list may be parted by semicolons and line ends too, as none of these stands in them.
    :param look: looks at all elements of a list before they are converted.
    :param words: the words a value may be, where they are known.
    :param others: converts a value that is none of ``words``, where that is allowed.
    :param written: how sources may write such values, where that can differ.
    :param adds: it is a number of which several may be added up.
    :param as_json: how a JSON file has one value, where that is not the value itself.
    :param free: it holds any text, so that signs in it may be meant, and so may most words.
    :param inline: the forms of values that need no converter to be told good.
    """

    label: str
    make: Callable[[FieldType, CheckOptions], Converter]
    by_hand: bool = False
    wide: bool = False
    look: Callable[[Sequence[Any]], None] | None = None
    words: tuple[str, ...] = ()
    others: Callable[[object], str] | None = None
    written: reading.Written | None = None
    adds: bool = False
    as_json: Callable[[Any], Any] | None = None
    free: bool = False
    inline: forms.Forms = forms.none

    @property
    def dated(self) -> bool:
        """Whether it may hold a date."""
        return self.free or self.written in (reading.moment, reading.birthday)

    def converter(self, options: CheckOptions) -> Converter:
        """The converter of one value, for what a run asks."""
        convert, free = self.make(self, options), self.free
        prepare = self.written(options.reading) if self.written else None

        def converted(value: object) -> Any:
            if isinstance(value, str):
                value = value if free else cleaned(value)
                if value[:1] in ("#", "E"):
                    refuse_sheet_error(value)
            return convert(value if prepare is None else prepare(value))

        return converted

    def with_words(self, more: tuple[str, ...]) -> FieldType:
        """The type with more words."""
        return replace(self, words=tuple(dict.fromkeys((*self.words, *more))))


def choice(*allowed: str) -> FieldType:
    """One of a few words."""
    return FieldType("one of a few words", lambda own, _options: words.choice_converter(own.words), words=allowed)


def status(*known: str, others: Callable[[object], str] | None = None) -> FieldType:
    """The status of an order or a line.

    :param known: the service's words.
    :param others: converts other statuses; ``None`` where there are none.
    """
    return FieldType(
        "status",
        lambda own, options: words.status_converter(own.words, own.others, options),
        words=known,
        others=others,
    )


def _always(convert: Converter) -> Callable[[FieldType, CheckOptions], Converter]:
    return lambda _own, _options: convert


def _with_nulls(convert: Callable[..., Any]) -> Callable[[FieldType, CheckOptions], Converter]:
    return lambda own, options: partial(convert, is_null=options.reading.is_null(exact=own.free))


def _attribute(_own: FieldType, options: CheckOptions) -> Converter:
    time = options.clock.counter_time

    def convert(value: object) -> list[str]:
        values = value if isinstance(value, (list, tuple)) else [value]
        filled = (each for each in values if each is not None and each != "")
        return [time(each) if isinstance(each, datetime) else scalars.plain(each) for each in filled]

    return convert


def _phone(_own: FieldType, options: CheckOptions) -> Converter:
    return identifiers.phone_converter(options.phone_region, options.note)


def _full_phone(own: FieldType, options: CheckOptions) -> Converter:
    phone = _phone(own, options)
    return lambda value: f"+{phone(value)}"


def _goals(_own: FieldType, options: CheckOptions) -> Converter:
    target = words.target_converter(options.targets)
    is_null, price_of = options.reading.is_null(), MONEY.converter(options)
    with_point = MONEY.converter(replace(options, reading=replace(options.reading, decimal=".")))

    def price_in_text(price: str) -> Any:
        # Between goals the comma is the list's, so that prices there have a point whatever the file's amounts have.
        if options.reading.decimal == "," and _ENDS_AS_THOUSANDS.search(cleaned(price)):
            raise BadValue(
                "decimal_point", "has a price with a point before three digits", "write lead:1500 or lead:1.50"
            )
        return (price_of if "," in price else with_point)(price)

    def convert(value: object) -> tuple[str, Any]:
        name, price = lists.goal(value, is_null, price_of, price_in_text)
        return target(name), price

    return convert


def _goal_as_json(goal: tuple[str, Any]) -> dict[str, Any]:
    identifier, price = goal
    return {"goal_action_id": identifier} if price is None else {"goal_action_id": identifier, "price": price}


TEXT = FieldType("text", _always(scalars.text), free=True, inline=forms.text)
ID = FieldType("id", _always(scalars.identifier), inline=forms.identifier)
CLIENT_ID = FieldType("ClientID", _always(identifiers.client_id), wide=True, inline=forms.client_id)
CLICK_ID = FieldType("click id", _always(identifiers.click_id), inline=forms.client_id)
EMAIL = FieldType("e-mail", _always(identifiers.email), by_hand=True, wide=True, inline=forms.email)
PHONE = FieldType("phone", _phone, by_hand=True, wide=True, inline=forms.phone)
FULL_PHONE = FieldType("phone, sent with +", _full_phone, by_hand=True, wide=True)
MD5 = FieldType("md5", _always(identifiers.md5), wide=True, inline=forms.md5)
DATE_TIME = FieldType(
    "date-time",
    lambda _own, options: options.clock.counter_time,
    written=reading.moment,
    inline=forms.moment("counter_time"),
)
DAY_OR_TIME = FieldType(
    "date or date-time",
    lambda _own, options: options.clock.day_or_time,
    written=reading.moment,
    inline=forms.moment("counter_time"),
)
UNIX_TIME = FieldType(
    "date-time, sent as Unix seconds",
    lambda _own, options: options.clock.unix_time,
    written=reading.moment,
    inline=forms.moment("unix_time"),
)
MOMENT = FieldType("date-time with its zone", lambda _own, options: options.clock.zoned, written=reading.moment)
DATE = FieldType("date", _always(dates.birthday), written=reading.birthday)
MONEY = FieldType("decimal", _always(scalars.money), written=reading.amount, adds=True, inline=forms.amount)
AMOUNT = FieldType("decimal, sent as text", _always(scalars.amount), written=reading.amount, adds=True)
CURRENCY = FieldType("currency", lambda _own, options: partial(scalars.currency, region=options.phone_region))
ANY_CURRENCY = FieldType("currency code", _always(scalars.any_currency))
CURRENCIES = (CURRENCY, ANY_CURRENCY)
COUNT = FieldType("whole number", _always(scalars.count), written=reading.amount, adds=True)
FLAG = FieldType("true or false", _always(scalars.flag))
WORD = FieldType("text or whole number", _always(scalars.word))
RAW = FieldType("any value, sent as it is", _always(scalars.as_it_is), free=True)
ATTRIBUTE = FieldType("any value or values", _attribute, free=True)
GOALS = FieldType("goal[:price]", _goals, look=lists.no_decimal_comma, as_json=_goal_as_json)
TARGET = FieldType("goal identifier", lambda _own, options: words.target_converter(options.targets))
PRODUCTS = FieldType("product:quantity", _with_nulls(lists.products), free=True)
VALUES = FieldType("field: value", _with_nulls(lists.values_by_id), free=True)
ROWS = FieldType("row", _always(scalars.as_it_is))
"""Rows inside a row: each is checked as a row of the field's own kind."""
