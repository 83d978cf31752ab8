# SPDX-License-Identifier: Apache-2.0
"""Converters of customer identifiers to the one form Metrica compares.

Source: https://yandex.ru/dev/metrika/ru/data-import/hashing
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from airflow_provider_yandex_orders.rows.cells import NULL_VALUES
from airflow_provider_yandex_orders.rows.faults import BadValue
from airflow_provider_yandex_orders.rows.scalars import float_id, through_float

sum_of: Callable[[bytes], Any]
"""The md5 sum of a short text: Python's own needs half the time of OpenSSL's."""
try:
    sum_of = import_module("_md5").md5
except ImportError:  # a Python that was built without
    sum_of = partial(hashlib.md5, usedforsecurity=False)

EMAIL = re.compile(  # mail carries no address of more than 254 signs
    r"(?!.{255})[a-z0-9.!#$%&'*+/=?^_`{|}~-]++@[a-z0-9]++(?:-++[a-z0-9]++)*+(?:\.[a-z0-9]++(?:-++[a-z0-9]++)*+)++"
)
MD5 = re.compile(r"[0-9a-f]{32}")
_DIGITS = re.compile(r"\d{1,20}")
SHORTEST_CLIENT_ID = 8
_PHONE = re.compile(r"\+?[0-9\s().\u2010-\u2015/-]+")
_EXTENSION_AT_END = re.compile(
    r"[\s,;(]*(?:доб|добавочный|вн|внутр|внутренний|ext|extension|x|#)[.:]?\s*\d{1,7}\)?\.?$", re.IGNORECASE
)
_NO_DIGIT = re.compile("[^0-9]+")
_LONG = 11
_SPOILT = re.compile(r"\d+([.,]\d+)?[eE]\+?\d+|\d+\.0+")
COMPLETED = "phone_completed"
"""Noted of a number without a country code, which the region gave it."""

_PHONE_FIX = "write the number with its country code: +7 999 123-45-67"


def email(value: object) -> str:
    """An e-mail address in lower case, Latin letters only."""
    address = str(value).strip()
    if not address.isascii():  # before lower(): it makes a Latin k of the sign for kelvin
        raise BadValue("bad_email", "has letters that are not Latin", "give the address in Latin letters")
    address = address.lower()
    if not EMAIL.fullmatch(address):
        raise BadValue("bad_email", "is not an e-mail address", "correct it in the CRM, or leave the cell empty")
    return address


def russian_number() -> str:
    """A pattern of the ten digits after Russia's code, mobile or not, as the library of phone numbers has it."""
    from phonenumbers import PhoneMetadata  # for those who have phones

    russia: Any = PhoneMetadata.metadata_for_region("RU")
    kinds = russia.mobile, russia.fixed_line
    return f"(?:{'|'.join(each.national_number_pattern for each in kinds)})".replace("\\d", "[0-9]")


def phone_converter(region: str | None, note: Callable[[str], None] | None) -> Callable[[object], str]:
    """A converter of phone numbers to digits with the country code: ``79995551111``. Only such as exist are good.

    :param region: the country whose habits numbers without a country code follow; ``None``: they are bad.
    :param note: told of numbers that took their country code from the region.
    """
    import phonenumbers as library  # for those who have phones

    def read(number: str, country: str | None) -> str | None:
        try:
            found = library.parse(number, country)
        except library.NumberParseException:
            return None
        if not library.is_valid_number(found):
            return None
        return f"{found.country_code}{library.national_significant_number(found)}"

    number_of_russia = re.compile(f"[78]({russian_number()})")
    trunk = library.ndd_prefix_for_region(region, True) if region else None

    def convert(value: object) -> str:
        number = str(value).strip()
        if isinstance(value, float) or _SPOILT.fullmatch(number):  # as text its ".0" would be one more digit
            raise BadValue("bad_phone", "went through a floating-point number", "read the column as text")
        if not _PHONE.fullmatch(number) and not _PHONE.fullmatch(number := _EXTENSION_AT_END.sub("", number)):
            raise BadValue("bad_phone", "has signs no phone number has", _PHONE_FIX)
        digits, has_code = _NO_DIGIT.sub("", number), number.startswith("+")
        if (digits[:1] == "7" if has_code else region == "RU") and (russian := number_of_russia.fullmatch(digits)):
            return f"7{russian[1]}"
        if has_code:
            found = read(f"+{digits}", None)
        elif digits.startswith("00"):
            found = read(f"+{digits[2:]}", None)
        else:
            found = read(digits, region) if region else None
            if len(digits) >= _LONG and found != digits and not (found and trunk and digits.startswith(trunk)):
                whole = read(f"+{digits}", None)  # its country code may be there, without the plus
                at_home = read(f"+7{digits[1:]}", None) if digits.startswith("8") else None  # in Russia
                if len({found, whole, at_home} - {None}) > 1:
                    raise BadValue("bad_phone", "may be a number of two countries", _PHONE_FIX)
                found = found or whole
            if found is not None and note is not None and len(found) > len(digits):
                note(COMPLETED)
        if found is None:
            raise BadValue("bad_phone", "is a number that exists nowhere, or has no country code", _PHONE_FIX)
        return found

    return convert


def md5(value: object) -> str:
    """An md5 sum: 32 hexadecimal digits, lower case."""
    digest = str(value).strip().lower()
    if not MD5.fullmatch(digest):
        raise BadValue(
            "bad_md5",
            "is not an md5 sum of 32 hexadecimal digits",
            "hash each normalised value on its own, or give the plain value and hash_identifiers=True",
        )
    if digest in SUMS_OF_NOTHING:
        reason = "is the md5 sum of an empty text, or of a word for nothing, which many customers share"
        raise BadValue("bad_md5", reason, "hash only what is filled, and leave the cell empty else")
    return digest


def client_id(value: object) -> str:
    """A ClientID of Metrica: 8 to 20 decimal digits, always as text."""
    number = _digits(value, "ClientID", "take the value that ym(..., 'getClientID') gives on the site")
    if len(number) < SHORTEST_CLIENT_ID:
        raise BadValue(
            "bad_client_id",
            f"is not a ClientID: it has {SHORTEST_CLIENT_ID} digits or more",
            "a comma parts two ClientIDs: write one without signs between its digits, or leave the cell empty",
        )
    return number


def click_id(value: object) -> str:
    """A click id of Direct: decimal digits, always as text."""
    return _digits(value, "click id", "take the value of yclid in the address of the page the click opened")


def _digits(value: object, what: str, fix: str) -> str:
    number = str(value).strip()
    if not number.isdecimal() and (
        isinstance(value, float) or _SPOILT.fullmatch(number) or through_float(value, number)
    ):
        raise float_id()
    if isinstance(value, bool) or not (number.isascii() and _DIGITS.fullmatch(number) and number.strip("0")):
        raise BadValue("bad_client_id", f"is not a {what}: digits only, 20 at most, and not zeros alone", fix)
    return number


def hash_of(normalised: str) -> str:
    """The md5 sum Metrica expects of a normalised e-mail or phone."""
    digest: str = sum_of(normalised.encode()).hexdigest()
    return digest


SUMS_OF_NOTHING = frozenset(hash_of(spelt) for word in (*NULL_VALUES, " ") for spelt in (word, word.lower()))
