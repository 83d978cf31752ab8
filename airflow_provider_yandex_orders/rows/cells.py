# SPDX-License-Identifier: Apache-2.0
"""Cells before anybody asks what they hold: words for nothing, and text without what hides or protects it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection
from datetime import date
from functools import lru_cache
from typing import Any

from airflow_provider_yandex_orders.rows.faults import BadValue

_WORDS = r"NULL null \N None nan NaN NaT <NA> N/A #N/A #Н/Д undefined (null)"  # noqa: RUF001
NULL_VALUES = (*_WORDS.split(), "")
"""Words that stand for nothing where a source is not told others; free text knows them as written here only."""

_NO_DAYS = ("0000-00-00", "0001-01-01", "1601-01-01", "1753-01-01", "1899-12-30", "1899-12-31", "1900-01-00")
_ZERO_DAYS = frozenset(
    between.join(parts)
    for parts in (day.split("-") for day in (*_NO_DAYS, "1900-01-01"))
    for between, parts in (("-", parts), ("/", parts), (".", parts[::-1]), ("/", parts[::-1]))
)
"""What MySQL, 1C, .NET, Windows, SQL Server and Excel write for "no date"."""
_MIDNIGHT = re.compile(r"([T ](0?0:00(:00)?([.,]0+)?|12:00:00 AM))?\s*(Z|UTC|[+-]\d\d(:?\d\d){0,2})?", re.IGNORECASE)
_WRAPPED = re.compile(r'="((?:[^"]|"")*)"', re.DOTALL)
_SHEET_ERROR = re.compile(r"#[A-ZА-ЯЁ0-9_/]{3,}[!?]|#{3,}|#GETTING_DATA|ERR:\d{3}")  # noqa: RUF001 - Cyrillic, as the Russian Excel has them
_PADDED = 255  # databases fill words up with blanks
IsNull = Callable[[object], bool]


def visible(text: str) -> str:
    """Text without format characters, which nobody sees: marks of direction, soft hyphens, byte order marks."""
    if text.isascii() or text.isprintable():  # most texts, and quickly told
        return text
    return "".join(sign for sign in text if unicodedata.category(sign) != "Cf")


@lru_cache(maxsize=10_000)
def normal(name: str) -> str:
    """A name without what people do not see as a difference: case, space around it, a byte order mark."""
    return " ".join(visible(name).split()).casefold()


def unprotected(text: str) -> str:
    """Text without what keeps a spreadsheet from changing it: ``="0045"``, ``'0045``."""
    if text[:1] == "=" and (wrapped := _WRAPPED.fullmatch(text)):
        return wrapped[1].replace('""', '"')
    if text[:1] == "'" and text[1:2] not in ("", "'", " ") and text[-1] != "'":
        return text[1:]
    return text


def cleaned(value: Any) -> Any:
    """A text as people see it: without hidden signs, white space around it, and what protects it."""
    if not isinstance(value, str):
        return value
    text = visible(value).strip()
    return unprotected(text).strip() if text[:1] in ("=", "'") else text


def refuse_sheet_error(text: str) -> None:
    """Make sure that a text is not an error of a spreadsheet: ``#REF!``, ``Err:502``, or ``####`` for what is too wide.

    :raises BadValue: it is.
    """
    if _SHEET_ERROR.fullmatch(text.upper()):
        raise BadValue(
            "sheet_error", "is an error of a spreadsheet's formula", "correct the formula, or empty the cell"
        )


def is_missing(value: object) -> bool:
    """Whether a cell is empty: nothing, blank text, an empty list, or the NaN of data frames."""
    if isinstance(value, str):
        return not value or (not value[0].isalnum() and not visible(value).strip())
    if value is None or (isinstance(value, (float, date)) and value != value):  # pandas' NaT is a date
        return True
    if isinstance(value, (list, tuple, set, frozenset, dict)):
        return not value
    return type(value).__name__ in ("NAType", "NaTType")  # of pandas, which is not imported for this


def null_test(null_values: Collection[str], *, exact: bool = False) -> IsNull:
    """A test for words that stand for nothing.

    :param null_values: the words.
    :param exact: only as they are written: for fields of free text, where a name may be ``Null``.
    """
    words = frozenset(null_values if exact else (word.casefold() for word in null_values))
    longest = min(max(map(len, words), default=0), _PADDED)

    def is_null(value: object) -> bool:
        if not isinstance(value, str):
            return False
        if not (value.isascii() and value[:1].isalnum() and value[-1:].isalnum()):  # else, as mostly, nothing is hidden
            value = cleaned(value) if len(value) <= _PADDED else value
        return len(value) <= longest and (value if exact else value.casefold()) in words

    return is_null


def meant(value: Any, is_null: IsNull, *, dated: bool) -> Any:
    """A cell as it was meant: ``None`` for words and dates of nothing, and no spreadsheet's wrapping around numbers.

    :param is_null: tells words for nothing.
    :param dated: the field may hold a date: elsewhere a day for "no date" is no word for nothing, but a mistake.
    """
    if isinstance(value, str):
        first = value[:1]
        if first == "=" or (first == "'" and not value[1:2].isalpha()):
            value = unprotected(value.strip())
        if is_null(value):
            return None
        if dated and (value[:1] in ("0", "1", "3") or not value[:1].isalnum()):
            text = cleaned(value)
            if text[:10] in _ZERO_DAYS and _MIDNIGHT.fullmatch(text[10:]):
                return None
    elif dated and isinstance(value, date) and value.year <= 1900 and value.isoformat()[:10] in _ZERO_DAYS:
        return None
    return value
