# SPDX-License-Identifier: Apache-2.0
"""Converters of customer identifiers to the one form Metrica compares.

Source: https://yandex.ru/dev/metrika/ru/data-import/hashing
"""

from __future__ import annotations

import hashlib
import re

from airflow_provider_yandex_orders.rows.faults import BadValue

_EMAIL = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+"
)
_PHONE = re.compile(r"\+?[0-9\s\u00a0().\u2010-\u2014/-]+")
_TRUNK = re.compile(r"8[34789][0-9]{9}")
_MD5 = re.compile(r"[0-9a-f]{32}")
_CLIENT_ID = re.compile(r"\d{1,20}")
_THROUGH_FLOAT = re.compile(r"\d+(\.\d+)?[eE]\+?\d+|\d+\.0+")

_PHONE_FIX = "write the number with its country code: +7 999 123-45-67"


def email(value: object) -> str:
    """An e-mail address in lower case, Latin letters only."""
    address = str(value).strip()
    if not address.isascii():  # before lower(): it makes a Latin k of the sign for kelvin
        raise BadValue("bad_email", "has letters that are not Latin", "give the address in Latin letters")
    address = address.lower()
    if not _EMAIL.fullmatch(address):
        raise BadValue("bad_email", "is not an e-mail address", "correct it in the CRM, or leave the cell empty")
    return address


def phone(value: object) -> str:
    """A phone number as digits with the country code: ``79995551111``.

    A leading 8 of eleven digits is Russia's and Kazakhstan's own prefix and becomes 7. Ten digits without a country
    code are not guessed at.
    """
    number = str(value).strip()
    if isinstance(value, float) or _THROUGH_FLOAT.fullmatch(number):  # as text its ".0" would be one more digit
        raise BadValue("bad_phone", "went through a floating-point number", "read the column as text")
    if not _PHONE.fullmatch(number):
        raise BadValue("bad_phone", "has signs no phone number has", _PHONE_FIX)
    digits = re.sub(r"\D", "", number)
    if number.startswith("+"):
        return _international(digits)
    if digits.startswith("00"):
        return phone(f"+{digits[2:]}")
    if _TRUNK.fullmatch(digits):
        return f"7{digits[1:]}"
    if len(digits) < 11:
        raise BadValue("bad_phone", "has no country code, or is too short", _PHONE_FIX)
    return _international(digits)


def full_phone(value: object) -> str:
    """A phone number with its plus: ``+79995551111``."""
    return f"+{phone(value)}"


def _international(digits: str) -> str:
    # No country code begins with 0 or 89; numbers of Russia and Kazakhstan have eleven digits.
    if not 8 <= len(digits) <= 15 or digits.startswith(("0", "89")) or (digits[0] == "7" and len(digits) != 11):
        raise BadValue("bad_phone", "has no country code, or is too short or too long", _PHONE_FIX)
    return digits


def md5(value: object) -> str:
    """An md5 sum: 32 hexadecimal digits, lower case."""
    digest = str(value).strip().lower()
    if not _MD5.fullmatch(digest):
        raise BadValue(
            "bad_md5",
            "is not an md5 sum of 32 hexadecimal digits",
            "hash each normalised value on its own, or give the plain value and hash_identifiers=True",
        )
    return digest


def client_id(value: object) -> str:
    """A ClientID of Metrica: decimal digits, always as text."""
    number = str(value).strip()
    if isinstance(value, float) or _THROUGH_FLOAT.fullmatch(number):
        raise BadValue(
            "float_client_id",
            "went through a floating-point number and has lost digits",
            "keep the ClientID as text from the site to this column; a spreadsheet or a numeric column changes it",
        )
    if isinstance(value, bool) or not (number.isascii() and _CLIENT_ID.fullmatch(number)):
        raise BadValue(
            "bad_client_id",
            "is not a ClientID: digits only, 20 at most",
            "take the value that ym(..., 'getClientID') gives on the site",
        )
    return number


def hash_of(normalised: str) -> str:
    """The md5 sum Metrica expects of a normalised e-mail or phone."""
    return hashlib.md5(normalised.encode(), usedforsecurity=False).hexdigest()
