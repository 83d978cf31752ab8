# SPDX-License-Identifier: Apache-2.0
"""What plainly good values of each type look like, as source text for a compiled pass over rows.

A form may be narrow, never wrong: what none of them knows goes to the type's converter, which alone says what is bad.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from airflow_provider_yandex_orders.rows.dates import Clock
from airflow_provider_yandex_orders.rows.faults import BadValue
from airflow_provider_yandex_orders.rows.identifiers import EMAIL, MD5, SUMS_OF_NOTHING, russian_number
from airflow_provider_yandex_orders.rows.options import CheckOptions
from airflow_provider_yandex_orders.rows.scalars import THROUGH_FLOAT

_HOURS = 10_000
"""Hours that are kept in mind: those of a year."""
_HOUR = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}(?:Z|[+-][0-9]{2}(?::[0-9]{2})?)?")
_MINUTES = {f":{n // 60:02}:{n % 60:02}": n for n in range(3600)}
_AMOUNT = re.compile(r"(?:0|[1-9][0-9]{0,11}+)(?:\.[0-9]{1,4}+)?+").fullmatch
LEAST_LIMIT = 10**12
"""An amount that is plainly good is below this."""
_WRITTEN = frozenset({float, Decimal})
_ADDRESS = re.compile(rf"(?=[a-z0-9])(?:{EMAIL.pattern})").fullmatch
_ODD_ID = re.compile(rf'.*["\\]|E.*:|(?:{THROUGH_FLOAT.pattern})\Z').match
_ODD_TEXT = re.compile(r'.*["\\]|E.*:').match

Bind = Callable[[str, object], str]
"""Takes a name and what it is to stand for; gives the name by which source text may use it."""


@dataclass(frozen=True, slots=True)
class Form:
    """One form of plainly good values.

    :param when: an expression: whether ``v`` has the form. It may leave something in ``x``, ``y`` and ``h``.
    :param text: an expression: the value as text, without quotes, backslashes and control characters.
    :param is_number: whether JSON has it as a number.
    """

    when: str
    text: str
    is_number: bool = False


Forms = Callable[[CheckOptions, Bind], list[Form]]


def none(_options: CheckOptions, _bind: Bind) -> list[Form]:
    """No form: the converter is always asked, and what it said of a word is kept in mind."""
    return []


def text(_options: CheckOptions, bind: Bind) -> list[Form]:
    """One line that begins with a letter."""
    odd = bind("odd_text", _ODD_TEXT)
    return [Form(f"type(v) is str and v[:1].isalpha() and v.isprintable() and v[-1] != ' ' and not {odd}(v)", "v")]


def identifier(_options: CheckOptions, bind: Bind) -> list[Form]:
    """Letters, digits and hyphens, or a line no number in it can have been cut."""
    odd = bind("odd_id", _ODD_ID)
    line = f"v[:1].isalnum() and v.isprintable() and v[-1] != ' ' and not {odd}(v)"
    return [
        Form(f"type(v) is str and (v.replace('-', '').isalnum() or ({line}))", "v"),
        Form("type(v) is int and 0 <= v < 10**18", "str(v)"),
    ]


def client_id(_options: CheckOptions, _bind: Bind) -> list[Form]:
    """Eight digits or more."""
    digits = "v.isdecimal() and v.isascii() and 8 <= len(v) <= 20 and v[0] != '0'"
    return [Form(f"type(v) is str and {digits}", "v"), Form("type(v) is int and 10**7 <= v < 10**20", "str(v)")]


def email(_options: CheckOptions, bind: Bind) -> list[Form]:
    """One address."""
    return [Form(f"type(v) is str and v.isascii() and {bind('is_address', _ADDRESS)}(x := v.lower())", "x")]


def md5(_options: CheckOptions, bind: Bind) -> list[Form]:
    """One sum."""
    is_sum, nothing = bind("is_sum", MD5.fullmatch), bind("sums_of_nothing", SUMS_OF_NOTHING)
    return [Form(f"type(v) is str and v.isascii() and {is_sum}(x := v.lower()) and x not in {nothing}", "x")]


def phone(options: CheckOptions, bind: Bind) -> list[Form]:
    """A number of Russia."""
    before = r"(?:\+7|[78])" if options.phone_region == "RU" else r"\+7"
    # A plus is the first sign or none; a blank at the end could hide a word for nothing.
    bare = "v[:1] not in ' ()-' and v[-1] != ' ' and (x := v.encode().translate(None, b' ()-').decode())"
    is_number = bind("is_number", re.compile(before + russian_number()).fullmatch)
    return [Form(f"type(v) is str and v.isascii() and {bare} and {is_number}(x)", "'7' + x[-10:]")]


def amount(options: CheckOptions, bind: Bind) -> list[Form]:
    """Digits, with a point before decimals; texts only where the source has a point there too."""
    is_amount = bind("is_amount", _AMOUNT)
    texts = [Form(f"type(v) is str and {is_amount}(v)", "v", is_number=True)]
    return [
        *(texts if options.reading.decimal == "." else []),
        Form(f"type(v) in {bind('written', _WRITTEN)} and {is_amount}(x := str(v))", "x", is_number=True),
        Form("type(v) is int and 0 <= v < 10**12", "str(v)", is_number=True),
    ]


def moment(converter: str) -> Forms:
    """Date and time to the second, with or without its offset.

    :param converter: that of :class:`~airflow_provider_yandex_orders.rows.dates.Clock`.
    """

    def cases(options: CheckOptions, bind: Bind) -> list[Form]:
        if options.reading.date_format is not None:
            return []
        hours, minutes = bind("hours", _Hours(options, converter)), bind("minutes", _MINUTES)
        naive, zoned = f"(y := x[13:]) in {minutes}", f"(y := x[13:19]) in {minutes}"
        time = f"(h := {hours}[x[:13]] if {naive} else {zoned} and {hours}[x[:13] + x[19:]])"
        of_datetime = f"type(v) is {bind('datetime', datetime)} and not v.fold"
        if converter == "unix_time":
            digits = "v.isdecimal() and v.isascii() and 9 <= len(v) <= 10 and v[0] != '0'"
            return [
                Form("type(v) is int and 10**8 <= v < 10**10", "str(v)", is_number=True),
                Form(f"type(v) is str and {digits}", "v", is_number=True),
                Form(f"type(v) is str and (x := v) and {time}", f"str(h + {minutes}[y])", is_number=True),
                Form(
                    f"{of_datetime} and (x := v.isoformat(' ', 'seconds')) and {time}",
                    f"str(h + {minutes}[y])",
                    is_number=True,
                ),
            ]
        if converter == "sortable":
            exact = f"x[13:19] in {minutes} and (h := {hours}[x[:13] + x[26:]])"
            return [
                Form(f"type(v) is str and (x := v) and {time}", "h + y + '.000000+00:00'"),
                Form(
                    f"{of_datetime} and (x := v.isoformat(' ', 'microseconds')) and {exact}", "h + x[13:26] + '+00:00'"
                ),
            ]
        return [
            Form(f"type(v) is str and (x := v) and {time}", "h + y"),
            Form(f"{of_datetime} and (x := v.isoformat(' ', 'seconds')) and {time}", "h + y"),
        ]

    return cases


class _Hours(dict[str, "str | int"]):
    """What an hour, given with its offset if it has one, is in the form a converter makes: all before the minutes.

    Nothing for hours in which the clocks are changed, and for what is no hour: the converter is then asked itself.
    """

    def __init__(self, options: CheckOptions, converter: str) -> None:
        super().__init__()
        self._notes: list[str] = []
        clock = Clock(options.source_zone, options.counter_zone, self._notes.append)
        self._shown: Callable[[object], str | int] = getattr(clock, converter)
        self._seconds = clock.unix_time

    def __missing__(self, key: str) -> str | int:
        if not _HOUR.fullmatch(key):
            return ""
        if len(self) == _HOURS:
            self.clear()
        self[key] = found = self._of(key[:13], key[13:])
        return found

    def _of(self, hour: str, offset: str) -> str | int:
        self._notes.clear()
        ends = f"{hour}:00:00{offset}", f"{hour}:59:59{offset}"
        try:
            (first, last), (begin, end) = map(self._shown, ends), map(self._seconds, ends)
        except BadValue:
            return ""
        if self._notes or end - begin != _MINUTES[":59:59"]:
            return ""
        if isinstance(first, int):
            return first
        is_whole = first[13:19] == ":00:00" and last == f"{first[:13]}:59:59{first[19:]}"
        return first[:13] if is_whole else ""
