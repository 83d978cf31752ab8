# SPDX-License-Identifier: Apache-2.0
"""The cells of a simple_orders file: what each column takes.

Sources: https://yandex.ru/dev/metrika/ru/management/openapi/schema/uploadSimpleOrders (columns),
https://yandex.ru/dev/metrika/ru/data-import/date (nine date forms),
https://yandex.ru/dev/metrika/ru/data-import/hashing (identifiers),
https://yandex.ru/dev/metrika/ru/management/openapi/goal/addGoal (characters of an identifier).

Unstated there and chosen here, each time the stricter reading, so that what passes here is safe to send:
* hex digits of a hash are lower case; money has no sign, no exponent and digits on both sides of the point;
* a two-digit year is 20yy; a date-time that does not exist on the calendar is refused, a clock jump is not looked at;
* an item of a list has no space before or after it, and is not empty;
* a status or a goal may name an identifier that is no goal of the counter (the vendor's sample does): the upload passes
  and carries a note.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

STATUSES: Final = frozenset({"PAID", "IN_PROGRESS", "CANCELLED", "SPAM"})
DEFAULT_STATUS: Final = "PAID"
DEFAULT_CURRENCY: Final = "RUB"

_TIME = r" (?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?"
_YEAR_FIRST: Final = re.compile(rf"\d{{4}}-\d\d-\d\d(?:{_TIME})?", re.ASCII)
_DAY_FIRST: Final = re.compile(rf"(\d\d)\.(\d\d)\.(\d{{4}}|\d\d)({_TIME})?", re.ASCII)
_WITHOUT_SECONDS: Final = len("2025-03-04 15:20")
_EARLIEST: Final = "1970"

# Possessive repeats: no pattern ever goes back over a cell, however long and wrong it is.
_ANY: Final = r"(?s:.++)"
_DIGITS: Final = r"[0-9]++"
_MD5: Final = r"[0-9a-f]{32}"
_MONEY: Final = r"[0-9]++(?:\.[0-9]++)?"
_EMAIL: Final = r"[a-z0-9.!#$%'*+^_`{|}~-]++@[a-z0-9-]++(?:\.[a-z0-9-]++)++"
_STATUS: Final = r"""[^/\\&#?="+\s\x00-\x1f]++(?: ++[^/\\&#?="+\s\x00-\x1f]++)*+"""
_GOAL: Final = r"""[^/\\&#?="+,:\s\x00-\x1f]++(?: ++[^/\\&#?="+,:\s\x00-\x1f]++)*+"""


def moment(cell: str) -> str | None:
    """A date or date-time in the form the store keeps: ``yyyy-MM-dd`` or with ``HH:mm:ss``; none if it is neither."""
    if _YEAR_FIRST.fullmatch(cell):
        text = cell
    elif match := _DAY_FIRST.fullmatch(cell):
        day, month, year, time = match.groups(default="")
        text = f"{year:0>4}-{month}-{day}{time}" if len(year) == len("yyyy") else f"20{year}-{month}-{day}{time}"
    else:
        return None
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return None
    if text < _EARLIEST:
        return None
    return text + ":00" if len(text) == _WITHOUT_SECONDS else text


def _list(item: str) -> str:
    return rf"{item}(?:,{item})*+"


@dataclass(frozen=True, slots=True)
class Column:
    """A column and its rule; the rule is worded for the error list, which never shows values."""

    pattern: str
    """Regular expression of a whole cell that is not empty."""
    rule: str
    multiple: bool = False
    """A comma list, which APPEND adds to."""


COLUMNS: Final[Mapping[str, Column]] = MappingProxyType(
    {
        "id": Column(_ANY, "any text"),
        "create_date_time": Column(_ANY, "a date or date-time in one of the nine formats, 1970 or later"),
        "client_uniq_id": Column(_ANY, "any text"),
        "client_ids": Column(_list(_DIGITS), "ClientIDs, decimal digits only", multiple=True),
        "emails": Column(_list(_EMAIL), "e-mails in lower case Latin letters", multiple=True),
        "phones": Column(_list(_DIGITS), "phones, digits only", multiple=True),
        "emails_md5": Column(_list(_MD5), "md5 hashes, 32 lower case hex digits", multiple=True),
        "phones_md5": Column(_list(_MD5), "md5 hashes, 32 lower case hex digits", multiple=True),
        "order_status": Column(
            _STATUS,
            "PAID, IN_PROGRESS, CANCELLED, SPAM or the identifier of a JavaScript-event goal",
        ),
        "revenue": Column(_MONEY, "a decimal number with a point"),
        "cost": Column(_MONEY, "a decimal number with a point"),
        "goals": Column(_list(rf"{_GOAL}(?::{_MONEY})?"), "goals as goal_id[:price],goal_id2", multiple=True),
        "currency": Column(r"[A-Z]{3}", "an ISO 4217 code, three capitals"),
    }
)
"""Every column of the format, in the order the store keeps them; dates are for :func:`moment` to judge."""

IDENTIFIERS: Final = ("client_ids", "emails", "phones", "emails_md5", "phones_md5")
"""A row must have a value in at least one of these."""
