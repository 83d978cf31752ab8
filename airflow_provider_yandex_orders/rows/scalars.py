# SPDX-License-Identifier: Apache-2.0
"""Converters of single values: texts, numbers and currencies."""

from __future__ import annotations

import operator
import re
from datetime import date, datetime, time
from decimal import Decimal
from numbers import Number, Rational
from typing import Any

from airflow_provider_yandex_orders.rows.cells import cleaned
from airflow_provider_yandex_orders.rows.faults import BadValue

_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_NUMBER = re.compile(r"[+-]?(\d+|\d{1,3}([\s'\u2019]\d{3})+|\d{1,3}(,\d{3})+(?=\.))(\.\d+)?")
THROUGH_FLOAT = re.compile(
    r"[+-]?(\d+[.,]0*|\d{1,3}(?P<by>[\s'\u2019.,])\d{3}((?P=by)\d{3})*(?!(?P=by))[.,]0+"
    r"|\d([.,]\d+)?[eE]\+\d+|\d[.,]\d+[eE]\d+)"
)
_WHOLE = re.compile(r"[0-9]{1,18}(\.0{1,9})?")
_BETWEEN = re.compile(r"[\s,'\u2019]")
_GROUPED = re.compile(r"\d[\d\s]*(,\d+)?")


def exact(value: Any) -> Any:
    """Numbers and truth values of other libraries as Python's own; anything else as it is."""
    if isinstance(value, (str, int, float, Decimal)) or value is None:
        return value
    if isinstance(value, Rational) and not hasattr(value, "item"):
        quotient = Decimal(int(value.numerator)) / Decimal(int(value.denominator))
        return quotient if quotient * int(value.denominator) == int(value.numerator) else value
    if (isinstance(value, Number) or type(value).__name__ in ("bool_", "bool")) and hasattr(value, "item"):
        return value.item()
    return operator.index(value) if hasattr(value, "__index__") else value


def identifier(value: object) -> str:
    """An id: one word or several in a line, and not one that went through a floating-point number."""
    found = line(value)
    if through_float(value, found):
        raise float_id()
    return found


def through_float(value: object, written: str) -> bool:
    """Whether an id or its text is what spreadsheets and data frames make of one: ``88.0``, ``1 234,00``, ``4E+9``."""
    if isinstance(value, Decimal) and value.as_tuple().exponent:  # JSON's 88.0 and 4.2e17
        return True
    return THROUGH_FLOAT.fullmatch(written) is not None


def line(value: object) -> str:
    """Text that names something: without signs nobody sees, and without control characters."""
    if isinstance(value, (date, time)):
        reason = "is a date or a time, which spreadsheets make of ids such as 12-05"
        raise BadValue("not_text", reason, "make its column one of text where the ids are typed, or map another")
    found: str = cleaned(text(value))
    if not found.isprintable() and _CONTROL.search(found):
        raise BadValue("control_sign", "holds a control character, such as a line end", "correct it at its source")
    return found


def float_id(what: str = "") -> BadValue:
    """The fault of an id that may not be the one that was typed."""
    return BadValue(
        "float_id",
        f"{what}went through a floating-point number, which changes long ids",
        "read the column as text: CAST(... AS TEXT) in SQL, dtype=str in pandas, a text column in a spreadsheet",
    )


def text(value: object) -> str:
    """Text as it is, without white space around it. Whole numbers become text; a float does not."""
    if isinstance(value, str):
        if not value.isascii() and _SURROGATE.search(value):
            raise BadValue("not_text", "holds half a character, which UTF-8 cannot write", "correct it at its source")
        return value.strip()
    value = exact(value)
    if isinstance(value, (bytes, bytearray, memoryview, list, tuple, set, frozenset, dict)):
        raise BadValue(
            "not_text", f"is {type(value).__name__} where a text must be", "map another column, or CAST it to text"
        )
    if isinstance(value, bool):
        raise BadValue("not_text", "is a truth value where a text must be", "map another column")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        raise float_id()
    if isinstance(value, Decimal):
        if value.is_finite() and value == value.to_integral_value():
            return format(value.to_integral_value(), "f")
        raise BadValue("not_text", "is a fraction or no number where an id must be", "map another column")
    return str(value).strip()


def money(value: object) -> Decimal:
    """An exact amount, zero or more."""
    amount = _decimal(value)
    if amount < 0:
        raise BadValue(
            "negative",
            "is below zero, which the service does not describe",
            "send a refund as the order's status CANCELLED, or as a smaller revenue of the same order",
        )
    return amount.copy_abs()  # a zero may have a sign


def amount(value: object) -> str:
    """An exact amount, zero or more, as the text a service wants: a point, no exponent."""
    number = _decimal(value)
    if number < 0:
        raise BadValue("negative", "is below zero", "tell a refund by a status, not by a negative price")
    return format(number.copy_abs(), "f")


def count(value: object) -> int:
    """A number of things, one or more."""
    number = _decimal(value)
    if number != number.to_integral_value() or number < 1:
        raise BadValue("bad_count", "is no whole number of 1 or more", "give 1, 2, 3, ...")
    return int(number)


def flag(value: object) -> bool:
    """True or false."""
    known = {"true": True, "false": False, "1": True, "0": False}
    meant = known.get(str(value).strip().lower())
    if meant is None:
        raise BadValue("bad_flag", "is neither true nor false", "give true or false")
    return meant


def quantity(value: object) -> int:
    """A whole number, zero or more, that is no binary fraction."""
    number = Decimal(value) if isinstance(value, str) and _WHOLE.fullmatch(value.strip()) else exact(value)
    if isinstance(number, (bool, str, float)) or number < 0 or number != (whole := int(number)):
        raise BadValue("bad_count", "is no whole number", "give 0, 1, 2, ...")
    return whole


def word(value: object) -> str | int:
    """An id, or a whole number that stays one; a list becomes comma-separated text."""
    value = exact(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, (list, tuple)):
        return ",".join(map(identifier, value))
    return identifier(value)


def as_it_is(value: object) -> object:
    """Whatever it is; dates become text and binary fractions exact."""
    value = exact(value)
    if isinstance(value, (float, Decimal)):
        return _decimal(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {text(name): as_it_is(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_it_is(each) for each in value]
    return value if isinstance(value, int) else text(value)


def plain(value: object) -> str:
    """One value of a custom attribute as text."""
    value = exact(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (float, Decimal)):
        return format(_decimal(value), "f")
    if isinstance(value, date):
        return str(value.replace(microsecond=0, tzinfo=None)) if isinstance(value, datetime) else value.isoformat()
    return text(value)


def _decimal(value: object) -> Decimal:
    value = exact(value)
    if isinstance(value, str):
        stripped = value.strip()
        if written := _NUMBER.fullmatch(stripped):
            return Decimal(_BETWEEN.sub("", stripped) if written[2] or written[3] else stripped)
        if _GROUPED.fullmatch(stripped):
            raise BadValue(
                "decimal_comma",
                "is a number with a comma, or with spaces that do not part thousands",
                'write 1500.50, with a point, or say decimal="," of a file whose amounts have a decimal comma',
            )
    elif isinstance(value, Decimal) and value.is_finite():
        return value
    elif isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    elif isinstance(value, float):
        amount = Decimal(repr(float(value)))  # of subclasses too
        if amount.is_finite():
            return amount
    raise BadValue("not_a_number", "is not a number", "give a plain number such as 1500.50, without a currency sign")


# ISO 4217 codes in use, funds and metals left out.
_CURRENCIES = frozenset(
    """AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
    CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF
    IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD
    MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB
    RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD
    UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG""".split()  # noqa: SIM905 - shorter to read
)
_FORMER = {"BYR": "BYN", "TL": "TRY"}
_WORDS = {
    "₽": ("RUB",),
    "руб": ("RUB", "BYN"),  # noqa: RUF001 - Cyrillic, as people write it
    "р": ("RUB", "BYN"),  # noqa: RUF001
    "рублей": ("RUB", "BYN"),
    "br": ("BYN",),
    "$": ("USD",),
    "€": ("EUR",),
    "£": ("GBP",),
    "₸": ("KZT",),
    "тг": ("KZT",),
    "₴": ("UAH",),
    "грн": ("UAH",),
}
_WITH_WORD = re.compile(r"([^\W\d_]+\.?|[^\w\s.,+-])?\s*([+-]?\d(?:[\d\s.,'\u2019]*\d)?)\s*([^\W\d_]+\.?|[^\w\s.,+-])?")


def without_currency(value: str, currency: object) -> str:
    """An amount without the word for its currency, where that is the row's.

    :param currency: the row's currency; nothing counts as roubles, as the service does.
    """
    if value[:1].isdecimal() and value[-1:].isdecimal():  # as most: no word stands there
        return value
    written = _WITH_WORD.fullmatch(cleaned(value))
    if written is None or bool(written[1]) == bool(written[3]):
        return value
    meant = _currencies(written[1] or written[3])
    given = next(iter(_currencies(cleaned(str(currency or "RUB")))), "")
    if meant and given not in meant:
        raise BadValue(
            "other_currency",
            f"has the word of another currency than the row's, which is {given or 'unknown'}",
            "fill the row's currency, or say defaults={'currency': ...}",
        )
    return written[2] if meant else value


def any_currency(value: object) -> str:
    """Any three letters, in capitals: for services that have a list of currencies of their own."""
    letters = str(value).strip().upper()
    if len(letters) == 3 and letters.isascii() and letters.isalpha():
        return letters
    raise BadValue("bad_currency", "is not a currency code", "send the three letters the service has set up")


def currency(value: object, region: str | None = "RU") -> str:
    """A currency code of ISO 4217, in capitals; signs and words for a currency are read too.

    :param region: the country the rows come from: in Belarus roubles may be those of two countries.
    """
    meant = _currencies(str(value))
    if len(meant) == 1 or (meant and region != "BY"):
        return meant[0]
    code = str(value).strip().upper()
    if code in _FORMER:
        raise BadValue("old_currency", f"is {code}, which is no longer in use", f"send {_FORMER[code]}")
    raise BadValue("unknown_currency", "is not a currency code of ISO 4217", "send three letters such as RUB")


def is_amount(text: str) -> bool:
    """Whether a text can be nothing but a number, perhaps with a word for its currency."""
    written = _WITH_WORD.fullmatch(text)
    return written is not None and all(_currencies(word) for word in (written[1], written[3]) if word)


def _currencies(written: str) -> tuple[str, ...]:
    """The currencies a word, a sign or a code may stand for."""
    word = written.strip().rstrip(".").casefold()
    code = word.upper().replace("RUR", "RUB")
    return _WORDS.get(word) or ((code,) if code in _CURRENCIES else ())
