# SPDX-License-Identifier: Apache-2.0
"""Date-times: read in the forms people have, written in the one form every CRM endpoint takes.

Source: https://yandex.ru/dev/metrika/ru/data-import/date
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import TypeVar

from airflow_provider_yandex_orders.rows.faults import BadValue, LeftOut
from airflow_provider_yandex_orders.rows.scalars import exact

_ISO = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:")
_DOTTED = re.compile(r"(\d\d?)\.(\d\d?)\.(\d{4}|\d\d)(?:,?[\sT]\s*(\d\d?:\d\d(?::\d\d(?:\.\d+)?)?.*))?")
_ONE_DIGIT_HOUR = re.compile(r"(\d{4}-\d\d-\d\d)[\sT](\d:\d\d.*)")
_DAY_WITH_ZONE = re.compile(r"\d{4}-?\d\d-?\d\d[+-]")  # XML has such days; read as ISO, the zone would be the time
_SECONDS = re.compile(r"[0-9]{9,10}")
Note = Callable[[str], None]
Moment = TypeVar("Moment", datetime, date)
SKIPPED = "time_skipped"
"""Noted of a naive time that its zone never had: the clocks were put forward over it."""
DOUBLED = "time_doubled"
"""Noted of a naive time that its zone had twice: the clocks were put back over it. It counts as the first."""

_FIX = "give yyyy-MM-dd HH:mm:ss, or a time with its zone such as 2026-01-31T12:00:00+03:00"


def read(value: object) -> datetime | date:
    """A date-time, or a date where no time is given.

    Taken: datetime and date objects, ISO 8601, and ``dd.MM.yyyy`` and ``dd.MM.yy`` as Metrica, 1C and Excel have them.
    """
    if isinstance(value, date):  # a datetime is one too
        return value
    if not isinstance(value, str):
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            raise BadValue("unix_time", "is a number, perhaps Unix time", _FIX)
        raise BadValue("bad_date", "is not a date-time", _FIX)
    text = value.strip()
    try:
        if _ISO.match(text):  # as most are
            return datetime.fromisoformat(text)
        if text.isdecimal():
            if len(text) == 8:
                return date.fromisoformat(text)
            raise BadValue("unix_time", "is a number, perhaps Unix time", _FIX)
        if _DAY_WITH_ZONE.match(text):
            raise BadValue("bad_date", "is a day with a time zone and no time", _FIX)
        dotted = _DOTTED.fullmatch(text)
        if dotted:
            day, month, year, time = dotted.groups()
            found = read(f"{year if len(year) == 4 else f'20{year}'}-{month:0>2}-{day:0>2}{f' {time}' if time else ''}")
            return found if len(year) == 4 else not_ahead(found)
        if short := _ONE_DIGIT_HOUR.fullmatch(text):
            text = f"{short[1]} 0{short[2]}"
        return date.fromisoformat(text) if len(text) <= 10 else datetime.fromisoformat(text)
    except ValueError:
        fix = f"{_FIX}; date_format= of a file reads other forms"
        raise BadValue("bad_date", "is not a date-time this can read", fix) from None


def not_ahead(found: Moment) -> Moment:
    """A date whose year was written with two digits: one that lies ahead is of the century before."""
    return found if found.year <= datetime.now(UTC).year + 1 else found.replace(year=found.year - 100)


@dataclass(frozen=True, slots=True)
class Clock:
    """Converters of moments, in the zones of one run.

    :param source_zone: zone of naive values; ``None`` for the counter's.
    :param counter_zone: gives the counter's zone; asked only when a value needs it.
    :param note: told of times that do not name one moment.
    """

    source_zone: tzinfo | None
    counter_zone: Callable[[], tzinfo]
    note: Note | None = None

    def counter_time(self, value: object) -> str:
        """``yyyy-MM-dd HH:mm:ss`` in the counter's zone."""
        return self.day_or_time(_with_time(value))

    def day_or_time(self, value: object) -> str:
        """``yyyy-MM-dd HH:mm:ss`` in the counter's zone; a bare date stays a date."""
        moment = read(value)
        if isinstance(moment, datetime):
            if moment.tzinfo is not None or self.source_zone is not None:
                moment = _shift(self._placed(moment), self.counter_zone())
            elif self.note is not None:
                self._placed(moment)
            shown = moment.isoformat(" ", "seconds")[:19]
        else:
            shown = moment.isoformat()
        if moment.year < 1970:
            raise BadValue("before_1970", "lies before 1970, which the service does not take", "correct the date")
        return shown

    def sortable(self, value: object) -> str:
        """Text that is greater for a later moment, whatever its zone and to the microsecond."""
        moment = read(value)
        if not isinstance(moment, datetime):
            moment = datetime(moment.year, moment.month, moment.day)  # noqa: DTZ001 - its zone follows
        return _shift(self._placed(moment), UTC).isoformat(timespec="microseconds")

    def unix_time(self, value: object) -> int:
        """Unix seconds."""
        value = exact(value)
        text = str(value).strip()
        if isinstance(value, (int, str)) and not isinstance(value, bool) and _SECONDS.fullmatch(text):
            return int(text)
        # Databases give an epoch as a number of either kind.
        number = value if isinstance(value, Decimal) else Decimal(value) if isinstance(value, float) else None
        if number is not None and number.is_finite() and 10**8 <= number < 10**10:
            return int(number)
        if isinstance(value, (int, float, Decimal)) or (isinstance(value, str) and text.isdecimal() and len(text) > 8):
            raise BadValue("bad_date", "is a number, but not of Unix seconds", "divide milliseconds by 1000")
        seconds = int(_shift(self._placed(_with_time(value)), UTC).timestamp())
        if seconds < 0:
            raise BadValue("before_1970", "lies before 1970, which the service does not take", "correct the date")
        return seconds

    def zoned(self, value: object) -> str:
        """RFC 3339 in UTC: ``2026-01-23T12:04:05Z``. Nobody but the source says what a naive value means."""
        moment = _with_time(value)
        if moment.tzinfo is None and self.source_zone is None:
            raise BadValue("no_zone", "has no time zone", "give source_timezone, or write it with its offset")
        return _shift(self._placed(moment), UTC).replace(tzinfo=None).isoformat() + "Z"

    def _placed(self, moment: datetime) -> datetime:
        """A naive moment in its zone. One the zone never had counts by the clocks before they were put forward."""
        if moment.tzinfo is not None:
            return moment
        placed = moment.replace(tzinfo=self.source_zone or self.counter_zone())
        if self.note is not None and placed.utcoffset() != placed.replace(fold=1 - placed.fold).utcoffset():
            early = placed.replace(fold=0).utcoffset() or timedelta()
            late = placed.replace(fold=1).utcoffset() or timedelta()
            if early < late:
                self.note(SKIPPED)
            elif early > late and not moment.fold:
                self.note(DOUBLED)
        return placed


def short_year() -> LeftOut:
    """The fault of a birth date that two people may have, a hundred years apart."""
    return LeftOut(
        "bad_date", "has a year of two digits, which fits two centuries", "write all four digits of the year"
    )


def birthday(value: object) -> str:
    """A date as ``yyyy-MM-dd``; the time of a date-time is left out, and so is a day the service does not take."""
    moment = read(value)
    if isinstance(value, str) and (dotted := _DOTTED.fullmatch(value.strip())) and len(dotted[3]) == 2:
        raise short_year()
    if moment.year < 1970:
        raise LeftOut("before_1970", "lies before 1970, which the service does not take", "nothing: the row is sent")
    return (moment.date() if isinstance(moment, datetime) else moment).isoformat()


def _with_time(value: object) -> datetime:
    moment = read(value)
    if not isinstance(moment, datetime):
        raise BadValue("no_time", "is a day without a time", "give the time too: yyyy-MM-dd HH:mm:ss")
    return moment


def _shift(moment: datetime, zone: tzinfo) -> datetime:
    try:
        return moment.astimezone(zone)
    except (OverflowError, ValueError):
        raise BadValue("bad_date", "lies outside the years a date can have", _FIX) from None
