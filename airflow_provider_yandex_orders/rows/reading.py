# SPDX-License-Identifier: Apache-2.0
"""How a source writes values that could be read in several ways: amounts, dates, and words for nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from airflow_provider_yandex_orders.rows.cells import NULL_VALUES, IsNull, null_test
from airflow_provider_yandex_orders.rows.dates import not_ahead, short_year
from airflow_provider_yandex_orders.rows.faults import BadValue

_WITH_COMMA = re.compile(
    r"([+-]?)(\d+|\d{1,3}(?:[\s'\u2019]\d{3})+|\d{1,3}(?:\.\d{3})+(?=,))(?:,(\d+))?(?![\d.,])(\D*)"
)
_SHORT_YEAR = re.compile("%[yx]")
_TIME = re.compile(r"%-?[HIcXfMSps]")


@dataclass(frozen=True, slots=True)
class Reading:
    """How the values of a source are written.

    :param decimal: what stands before the decimals of an amount: ``.`` or ``,``.
    :param date_format: form of dates and date-times, as of ``strptime``; ``None`` for the forms everybody knows.
    :param null_values: texts that stand for nothing.
    """

    decimal: str = "."
    date_format: str | None = None
    null_values: frozenset[str] = frozenset(NULL_VALUES)

    def is_null(self, *, exact: bool = False) -> IsNull:
        """A test for words that stand for nothing; an exact one is for fields of free text."""
        return null_test(self.null_values, exact=exact)


Written = Callable[[Reading], Callable[[object], object] | None]
"""Makes what brings values of a source into the form converters take; ``None`` where they have it already."""


def amount(reading: Reading) -> Callable[[object], object] | None:
    """Amounts with a decimal comma, thousands parted by spaces, apostrophes, or points before a comma."""
    return _amount_with_comma if reading.decimal == "," else None


def moment(reading: Reading) -> Callable[[object], object] | None:
    """Dates and date-times of one form: others are refused, as the source says that it has no others."""
    form = reading.date_format
    if form is None:
        return None
    has_time = _TIME.search(form) is not None

    def read(value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            found = datetime.strptime(value.strip(), form)  # noqa: DTZ007 - its zone is the source's
        except ValueError:
            raise BadValue(
                "bad_date", "does not have the form that date_format says", "correct it, or date_format= of the source"
            ) from None
        found = not_ahead(found) if _SHORT_YEAR.search(form) else found
        return found if has_time else found.date()

    return read


def birthday(reading: Reading) -> Callable[[object], object] | None:
    """Birth dates of one form: with two digits of the year nobody knows the century."""
    read = moment(reading)
    if not _SHORT_YEAR.search(reading.date_format or ""):
        return read

    def refuse(value: object) -> object:
        if isinstance(value, str):
            raise short_year()
        return value

    return refuse


def _amount_with_comma(value: object) -> object:
    if not isinstance(value, str):
        return value
    written = _WITH_COMMA.fullmatch(value.strip())
    if written:
        sign, whole, decimals, rest = written.groups()
        return f"{sign}{re.sub(r'[^0-9]', '', whole)}{f'.{decimals}' if decimals else ''}{rest}"
    if "." in value or "," in value:
        raise BadValue(
            "decimal_point",
            "is no amount with a decimal comma, which decimal= of the source says all amounts are",
            "write 2 345,60, or leave decimal= out where a point stands before the decimals",
        )
    return value
