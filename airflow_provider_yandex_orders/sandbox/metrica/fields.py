# SPDX-License-Identifier: Apache-2.0
"""Cells: what a column takes, in the canonical text that the store keeps.

Sources: https://yandex.ru/dev/metrika/ru/data-import/date (forms of dates),
https://yandex.ru/dev/metrika/ru/data-import/hashing (identifiers),
https://yandex.ru/dev/metrika/ru/management/openapi/goal/addGoal (characters of an identifier).

Unstated there and chosen here, each time the stricter reading, so that what passes here is safe to send:
* hex digits of a hash are lower case; money has no sign, no exponent and digits on both sides of the point;
* a two-digit year is 20yy; a date-time that does not exist on the calendar is refused, a clock jump is not looked at;
* an item of a list has no space before or after it, and is not empty;
* a quantity of a product is a whole number.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Literal

Form = Literal[
    "text", "number", "money", "list", "set", "ids", "goals", "products", "date", "date_time", "moment", "unix"
]
"""How a value is written: plain text, numbers, kinds of lists (those of a set and of ids are unique), kinds of time."""

LISTS: Final = frozenset({"list", "set", "ids", "goals", "products"})
MOST_MONEY: Final = 9_223_372_036_854
"""The greatest revenue and cost of an order."""

_TIME = r" (?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?"
_YEAR_FIRST: Final = re.compile(rf"\d{{4}}-\d\d-\d\d(?:{_TIME})?", re.ASCII)
_DAY_FIRST: Final = re.compile(rf"(\d\d)\.(\d\d)\.(\d{{4}}|\d\d)({_TIME})?", re.ASCII)
_DAY: Final = len("2025-03-04")
_WITHOUT_SECONDS: Final = len("2025-03-04 15:20")
_EARLIEST: Final = "1970"
_UNIX_DIGITS: Final = 12

# Possessive repeats: no pattern ever goes back over a cell, however long and wrong it is.
ANY: Final = r"(?s:.++)"
ANY_ITEM: Final = r"[^,]++"
DIGITS: Final = r"[0-9]++"
MD5: Final = r"[0-9a-f]{32}"
MONEY: Final = r"[0-9]++(?:\.[0-9]++)?"
_AMOUNT: Final = re.compile(MONEY)
EMAIL: Final = r"[a-z0-9.!#$%'*+^_`{|}~-]++@[a-z0-9-]++(?:\.[a-z0-9-]++)++"
CURRENCY: Final = r"[A-Z]{3}"
IDENTIFIER: Final = r"""[^/\\&#?="+\s\x00-\x1f]++(?: ++[^/\\&#?="+\s\x00-\x1f]++)*+"""
GOAL: Final = r"""[^/\\&#?="+,:\s\x00-\x1f]++(?: ++[^/\\&#?="+,:\s\x00-\x1f]++)*+"""
_WORDS: Final = r"[^,:\s\x00-\x1f]++(?: ++[^,:\s\x00-\x1f]++)*+"
PRODUCT: Final = rf"(?:{_WORDS}:)++[0-9]++"


def comma_list(item: str, most: int | None = None) -> str:
    """The pattern of a comma list of such items, of at most so many."""
    more = "*+" if most is None else f"{{0,{most - 1}}}+"
    return rf"(?:{item})(?:,(?:{item})){more}"


def moment(cell: str) -> str | None:
    """A date or date-time in the form the store keeps: ``yyyy-MM-dd`` or with ``HH:mm:ss``; none if it is neither."""
    if _YEAR_FIRST.fullmatch(cell):
        text = cell
    elif match := _DAY_FIRST.fullmatch(cell):
        day, month, year, clock = match.groups(default="")
        text = f"{year:0>4}-{month}-{day}{clock}" if len(year) == len("yyyy") else f"20{year}-{month}-{day}{clock}"
    else:
        return None
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return None
    if text < _EARLIEST:
        return None
    return text + ":00" if len(text) == _WITHOUT_SECONDS else text


def date(cell: str) -> str | None:
    """A date without a time."""
    text = moment(cell)
    return text if text is not None and len(text) == _DAY else None


def date_time(cell: str) -> str | None:
    """A date with a time."""
    text = moment(cell)
    return text if text is not None and len(text) > _DAY else None


def past_second(cell: str) -> str | None:
    """Unix time in seconds that is over; milliseconds lie in a far future."""
    if not (cell.isascii() and cell.isdigit() and len(cell) <= _UNIX_DIGITS and int(cell) <= time.time()):
        return None
    return str(int(cell))


def unique(cell: str) -> str | None:
    """A comma list in which nothing is twice."""
    return cell if "," not in cell or len(set(found := cell.split(","))) == len(found) else None


def within_limit(cell: str) -> str | None:
    """An amount that the service can count."""
    small = len(cell) < len(str(MOST_MONEY)) or not _AMOUNT.fullmatch(cell)  # what is no number, the pattern tells
    return cell if small or Decimal(cell) <= MOST_MONEY else None


CONVERTERS: Final[Mapping[str, Callable[[str], str | None]]] = MappingProxyType(
    {
        "moment": moment,
        "date": date,
        "date_time": date_time,
        "unix": past_second,
        "set": unique,
        "ids": unique,
        "money": within_limit,
    }
)
"""Forms that a pattern cannot judge: each function gives the canonical text, or none."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column and its rule; the rule is worded for the error list, which never shows values."""

    rule: str = "any text"
    pattern: str = ANY
    """Regular expression of a whole cell that is not empty."""
    form: Form = "text"
    names: str = ""
    """What its values point to, if anything: ``goal``, ``status`` or ``product``."""
    in_csv: bool = True
    """Whether the CSV form of the upload has it too."""

    @property
    def multiple(self) -> bool:
        """A comma list, which APPEND adds to."""
        return self.form in LISTS

    @property
    def free(self) -> bool:
        """Whether the pattern has nothing to say about a cell."""
        return self.pattern == ANY


def items(column: Column, cell: str) -> list[str]:
    """The values of a cell."""
    return cell.split(",") if column.multiple else [cell]


def item_name(form: str, item: str) -> str:
    """The part of an item that tells it from others: a goal without its price, a product without its quantity."""
    if form == "goals":
        return item.partition(":")[0]
    return item.rpartition(":")[0] if form == "products" else item
