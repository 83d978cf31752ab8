# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: RUF001 - Cyrillic letters and printed quotes are meant
"""Keeps personal data out of messages: what may be quoted, and what stands in place of the rest."""

from __future__ import annotations

import hashlib
import re
import secrets
from contextlib import suppress
from functools import cache

_EMAIL = re.compile(r"[^\s@,;<>\"']+@[^\s@,;<>\"']+")
_NUMBER = re.compile(r"\+?\d(?:[\s().\u2010-\u2015/-]{0,3}\d){9,}")
_QUOTED = re.compile(
    r"""(?<!\w)(?:(["'`]).*?\1|«.*?»|“.*?”|‘.*?’|„.*?[“”]|\[(?!(?:Errno|WinError|SSL)\b|[\d, ]*\])[^\[\]]*\])(?!\w)""",
    re.DOTALL,
)
_IDENTIFIER = re.compile(r"[a-z0-9_][a-z0-9_.:/$\[\]-]*|[A-Z0-9_][A-Z0-9_.:-]*|(?:[A-Z][a-z]+){2,}")
_NAMES_A_THING = re.compile(
    r"\b(column|field|parameter|attribute|header|relation|table|view|schema|database|function|constraint|index|key"
    r"|(?:object|column|table) name|колонк\w*|столб\w*|пол[еяю]|параметр\w*)[\s:]*$",
    re.IGNORECASE,
)
_OPENED = re.compile(r"""(?<!\w)["'`«“„‘]|\((?!\d{1,6}\))""")
_PLAIN_END = re.compile(r"( for (column|key) ['`]?[a-zA-Z_][\w.]{0,63}['`]?( at row \d+)?|: syntax error)$", re.ASCII)
_WORD = re.compile(r"[^\W\d_]+(?:[_-][^\W\d_]+)*")
_CODE = re.compile(r"[\w.:/#№-]{1,64}")
_PLAIN_CODE = re.compile(r"[a-z]{0,2}[-/#№]?[0-9]{1,9}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PLAIN_WORDS = (
    r"(?!(?:Bad|Not|No|Too|Many|Internal|Server|Service|Error|Access|Denied|Request|Requests|Found|Forbidden|Gateway"
    r"|Unauthorized|Unavailable|Temporarily|Timeout|Time|Method|Allowed|Content|Length|Required|Entity|Large|Payload"
    r"|Unprocessable|Unsupported|Media|Type|Proxy|Authentication|Authorization|Failed|Invalid|Unknown|Missing|Token"
    r"|Slow|Down|Yandex|Metrica|Metrika|Market|Altcraft|Platform|Google|Amazon|Azure|Cloud|Storage|Order|Orders|Id|Date"
    r"|Number|Name|Status|Total|Amount|Price|Currency|Target|Phone|Email|Яндекс|Метрик[аи]|Маркета?|Альткрафт|Дата|Номер"
    r"|Статус|Сумма|Цена|Заказа?|Телефона?|Почта|Имя|Товара?)\b)"
)
_CAPITALISED = rf"{_PLAIN_WORDS}(?:[А-ЯЁ][а-яё]+(?:-[А-ЯЁ][а-яё]+)*|(?:[A-Z]['’])?[A-Z][a-z]+(?:-[A-Z][a-z]+)*)"
_NAME = re.compile(rf"(?<!\w){_CAPITALISED}(?:,?\s+(?:{_CAPITALISED}(?!\w)|[А-ЯЁA-Z]\.(?:\s?[А-ЯЁA-Z]\.)?))+")
_LAST_WORD = re.compile(rf": {_PLAIN_WORDS}(?![a-z_][a-z0-9_.]*(?:[;,]|$))[^\s;,]+(?=[;,]|$)", re.ASCII)
_SURNAME = re.compile(r"(?!Готов)[А-ЯЁ][а-яё]+(?:[оеё]ва?|[иы]на?|[сц]кий|[сц]кая|ко|ич|юк)")
_PHONE = re.compile(r"9\d{9}|[78]\d{10}|37[345]\d{8,10}|380\d{9}|99[2-68]\d{9}|00\d{9,13}")

VALUE = "<value>"


def scrub(text: str) -> str:
    """Somebody else's words without what looks like an e-mail address, a long number, a name, or a quoted value.

    A quoted identifier such as the name of a parameter stays.
    """

    def cut(found: re.Match[str]) -> str:
        inner = found[0][1:-1]
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
    return _without_addresses(_LAST_WORD.sub(f": {VALUE}", f"{kept}{rest}"[:300].rstrip(". "))) + (
        f" ({code})" if numbered else ""
    )


def show(value: object) -> str:
    """A value for a message: a short word such as a status as it is, anything else only by its length.

    A word has letters only, or up to four digits only: what has spaces may be a name, what mixes both an address.
    """
    text = str(value)
    if len(text) <= 30 and _WORD.fullmatch(text) and not is_name(text):
        return repr(text)
    if len(text) <= 4 and text.isdecimal():
        return repr(text)
    return f"a value of {len(text)} characters"


def shown_key(key: str) -> str:
    """A row's key for people: a code such as an order's number as it is, else its keyed sum, the same every time.

    What looks like an e-mail address, a phone or a name is no code: the row's number tells where it is.
    """
    if _PLAIN_CODE.fullmatch(key) or (_CODE.fullmatch(key) and not _has_name(key) and not _has_phone(key)):
        return key
    return f"#{hashlib.blake2b(key.encode('utf-8', 'replace'), digest_size=8, key=_secret()).hexdigest()}"


def is_name(word: str) -> bool:
    """Whether a word is written as names are: ``Anna-Maria``, or with the end of a Russian surname."""
    parts = re.split("[_-]", word)
    capitalised = len(parts) > 1 and all(part.istitle() for part in parts)
    long_parts = [part for part in parts if re.fullmatch("[А-Яа-яЁё]{3,}", part)]
    joined = re.fullmatch("(?:[А-ЯЁ][а-яё]+){2,}", word)
    return capitalised or len(long_parts) > 1 or bool(joined or _SURNAME.fullmatch(word))


def _without_addresses(text: str) -> str:
    return _NUMBER.sub("<number>", _EMAIL.sub("<e-mail>", _NAME.sub(VALUE, text)))


def _has_name(key: str) -> bool:
    """Whether a key has a capitalised word, a surname, two words, or nothing but a word."""
    words = re.findall(r"[^\W\d_]{3,}", key)
    apart = [word for word in re.findall(r"(?<![^\W_])[^\W\d_]{3,}", key) if word.islower() or word.istitle()]
    no_digit = not re.search(r"\d", key)
    return len(apart) > 1 or any(no_digit or word.istitle() or is_name(word.title()) for word in words)


def _has_phone(key: str) -> bool:
    """Whether the digits of a key, or some of them, are a phone's."""
    core = re.sub(r"^\D+|\D+$", "", key)
    runs = re.findall(r"\d+", core)
    if not re.search(r"[^\W\d_]", core):
        runs.append("".join(runs))
    return any(_PHONE.fullmatch(digits) or _is_valid_phone(digits) for digits in runs)


def _is_valid_phone(digits: str) -> bool:
    if not 10 <= len(digits) <= 15:
        return False
    import phonenumbers as library  # for those who reject rows

    read: list[tuple[str, str | None]] = [(digits, "RU")]
    if not re.match("20[2-4]", digits):  # a year begins it, sooner than a number of Cairo
        read.append((f"+{digits}", None))
    for number, region in read:
        with suppress(library.NumberParseException):
            if library.is_valid_number(library.parse(number, region)):
                return True
    return False


@cache
def _secret() -> bytes:
    """A key nobody can guess: Airflow's own where it is known, so that sums are the same for all workers."""
    from airflow.providers.common.compat.sdk import conf

    known = conf.get("core", "fernet_key", fallback="")
    return hashlib.blake2b(known.encode(), person=b"yandex_orders").digest() if known else secrets.token_bytes(32)
