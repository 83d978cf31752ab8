# SPDX-License-Identifier: Apache-2.0
"""Converters of single values: texts, numbers and currencies."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal

from airflow_provider_yandex_orders.rows.faults import BadValue

_SURROGATE = re.compile("[\ud800-\udfff]")
_NUMBER = re.compile(r"\d+(\.\d+)?")
_GROUPED = re.compile(r"\d[\d\s\u00a0\u202f]*(,\d+)?")


def text(value: object) -> str:
    """Text as it is, without white space around it. Whole numbers become text; a float does not."""
    if isinstance(value, str):
        if not value.isascii() and _SURROGATE.search(value):
            raise BadValue("not_text", "holds half a character, which UTF-8 cannot write", "correct it at its source")
        return value.strip()
    if isinstance(value, (bytes, bytearray, memoryview, list, tuple, set, frozenset, dict)):
        raise BadValue(
            "not_text", f"is {type(value).__name__} where a text must be", "map another column, or CAST it to text"
        )
    if isinstance(value, bool):
        raise BadValue("not_text", "is a truth value where a text must be", "map another column")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        raise BadValue(
            "float_id",
            "went through a floating-point number, which changes long ids",
            "read the column as text: CAST(... AS TEXT) in SQL, dtype=str in pandas",
        )
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


def word(value: object) -> str | int:
    """Text, or a whole number that stays one; a list becomes comma-separated text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, (list, tuple)):
        return ",".join(map(text, value))
    return text(value)


def as_it_is(value: object) -> object:
    """Whatever it is; dates become text and binary fractions exact."""
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
    """A custom attribute as text, the way a CSV cell has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return ",".join(map(plain, value))
    if isinstance(value, (float, Decimal)):
        return format(_decimal(value), "f")
    if isinstance(value, date):
        return str(value.replace(microsecond=0, tzinfo=None)) if isinstance(value, datetime) else value.isoformat()
    return text(value)


def _decimal(value: object) -> Decimal:
    if isinstance(value, str):
        stripped = value.strip()
        if _NUMBER.fullmatch(stripped) or (stripped[:1] in "+-" and _NUMBER.fullmatch(stripped[1:])):
            return Decimal(stripped)
        if _GROUPED.fullmatch(stripped):
            raise BadValue(
                "decimal_comma",
                "is a number with a comma or with spaces between its digits",
                "write 1500.50: a point for the decimals and nothing between thousands",
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
_FORMER = {"RUR": "RUB", "BYR": "BYN", "TL": "TRY"}


def any_currency(value: object) -> str:
    """Any three letters, in capitals: for services that have a list of currencies of their own."""
    letters = str(value).strip().upper()
    if len(letters) == 3 and letters.isascii() and letters.isalpha():
        return letters
    raise BadValue("bad_currency", "is not a currency code", "send the three letters the service has set up")


def currency(value: object) -> str:
    """A currency code of ISO 4217, in capitals."""
    code = str(value).strip().upper()
    if code in _CURRENCIES:
        return code
    if code in _FORMER:
        raise BadValue("old_currency", f"is {code}, which is no longer in use", f"send {_FORMER[code]}")
    raise BadValue("unknown_currency", "is not a currency code of ISO 4217", "send three letters such as RUB")
