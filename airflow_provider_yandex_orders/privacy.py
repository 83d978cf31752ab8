# SPDX-License-Identifier: Apache-2.0
"""Keeps personal data out of messages: what may be quoted, and what stands in place of the rest."""

from __future__ import annotations

import hashlib
import re
import secrets
from functools import cache

_EMAIL = re.compile(r"[^\s@,;<>\"']+@[^\s@,;<>\"']+")
_NUMBER = re.compile(r"\+?\d(?:[\s().\u2010-\u2015/-]{0,3}\d){9,}")
_QUOTED = re.compile(r"""(?<!\w)(?P<open>["'`«“])(?P<inner>[^"'`»”]*)(?P<close>["'`»”])(?!\w)""")
_IDENTIFIER = re.compile(r"[a-z0-9_][a-z0-9_.:/$\[\]-]*|[A-Z0-9_][A-Z0-9_.:-]*|(?:[A-Z][a-z]+){2,}")
_NAMES_A_THING = re.compile(
    r"\b(column|field|parameter|attribute|header|relation|table|view|schema|database|function|constraint|index|key"
    r"|(?:object|column|table) name|колонк\w*|столб\w*|пол[еяю]|параметр\w*)[\s:]*$",
    re.IGNORECASE,
)
_OPENED = re.compile(r"""(?<!\w)["'`]|\((?!\d{1,6}\))""")
_PLAIN_END = re.compile(r"( for (column|key) ['`]?[a-zA-Z_][\w.]{0,63}['`]?( at row \d+)?|: syntax error)$", re.ASCII)
_WORD = re.compile(r"[^\W\d_]+(?:[_-][^\W\d_]+)*")
_CODE = re.compile(r"[\w.:/#№-]{1,64}")
_PHONE = re.compile(r"9\d{9}|[78]\d{10}|37[345]\d{8,10}|380\d{9}|99[2-68]\d{9}|00\d{9,13}")

VALUE = "<value>"


def scrub(text: str) -> str:
    """Somebody else's words without what looks like an e-mail address, a long number, or a quoted value.

    A quoted identifier such as the name of a parameter stays.
    """

    def cut(found: re.Match[str]) -> str:
        inner = found["inner"]
        named = _NAMES_A_THING.search(text, 0, found.start()) and re.fullmatch(r"\w{1,64}", inner)
        return found[0] if named or not inner or _IDENTIFIER.fullmatch(inner) else VALUE

    return _without_addresses(_QUOTED.sub(cut, text))


def driver_words(error: Exception) -> str:
    """What a database's driver says, without the values it quotes.

    Only the first line counts: others repeat the query and the row. It ends at the first quote or bracket that does not
    name a column, a table or the like, as a value may have quotes of its own; a plain end of the line stays.

    :param error: the driver's error.
    """
    code, *more = error.args or ("",)
    numbered = isinstance(code, int) and more
    said = str(more[0]) if numbered else ": ".join(map(str, error.args))
    rest = re.split(r"\n|\bDETAIL\b|\bCONTEXT\b", said.strip()[:2000], maxsplit=1)[0]
    kept = ""
    while opened := _OPENED.search(rest):
        sign, before = opened[0], rest[: opened.start()]
        inner, closed, tail = rest[opened.end() :].partition(sign)
        named = (
            sign == "`"
            or _NAMES_A_THING.search(before)
            or (before.endswith("near ") and inner.isupper() and len(inner) > 2 and tail[:1] in ("", ":"))
        )
        if not (closed and named and _IDENTIFIER.fullmatch(inner)):
            plain = _PLAIN_END.search(rest, opened.start())
            kept, rest = kept + before + VALUE, plain[0] if plain else ""
            break
        kept, rest = kept + before + sign + inner + sign, tail
    return _without_addresses(f"{kept}{rest}"[:300].rstrip(". ")) + (f" ({code})" if numbered else "")


def show(value: object) -> str:
    """A value for a message: a short word such as a status as it is, anything else only by its length.

    A word has letters only, or up to four digits only: what has spaces may be a name, what mixes both an address.
    """
    text = str(value)
    if len(text) <= 30 and _WORD.fullmatch(text) and not _is_name(text):
        return repr(text)
    if len(text) <= 4 and text.isdecimal():
        return repr(text)
    return f"a value of {len(text)} characters"


def shown_key(key: str) -> str:
    """A row's key for people: a code such as an order's number as it is, else its keyed sum, the same every time.

    What looks like an e-mail address, a phone or a name is no code: the row's number tells where it is.
    """
    digits = re.sub(r"\D", "", key) if re.fullmatch(r"[\d.+()\s-]+", key) else ""
    phones = [digits, *re.findall(r"\d+", key)]
    names = [word for word in re.findall(r"[^\W\d_]{3,}", key) if word.istitle() or not re.search(r"\d", key)]
    if _CODE.fullmatch(key) and not names and not any(map(_PHONE.fullmatch, phones)):
        return key
    return f"#{hashlib.blake2b(key.encode('utf-8', 'replace'), digest_size=8, key=_secret()).hexdigest()}"


def _without_addresses(text: str) -> str:
    return _NUMBER.sub("<number>", _EMAIL.sub("<e-mail>", text))


def _is_name(word: str) -> bool:
    """Whether a word is written as names of two parts are: ``Anna-Maria``."""
    return "-" in word and all(part.istitle() for part in word.split("-"))


@cache
def _secret() -> bytes:
    """A key nobody can guess: Airflow's own where it is known, so that sums are the same for all workers."""
    from airflow.providers.common.compat.sdk import conf

    known = conf.get("core", "fernet_key", fallback="")
    return hashlib.blake2b(known.encode(), person=b"yandex_orders").digest() if known else secrets.token_bytes(32)
