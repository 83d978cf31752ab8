# SPDX-License-Identifier: Apache-2.0
"""Which letters the bytes of a file stand for."""

from __future__ import annotations

import codecs
import io
import re
from typing import IO, cast

from airflow_provider_yandex_orders.exceptions import ConfigurationError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as the mark of UTF-16 does
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CYRILLIC = ["cp1251", "cp866", "koi8_r"]
_PLAUSIBLE = [*_CYRILLIC, "cp1252", "cp1250", "cp1254", "utf_16_le", "utf_16_be"]
_LATIN = re.compile(rb"[A-Za-z]")
_WORD = re.compile(rb"[A-Za-z]*[\x80-\xff][A-Za-z\x80-\xff]*")
_SAMPLE = 65_536
_LOOKED_THROUGH = 100_000_000


def check_encoding(encoding: str, shown: str) -> str:
    """The name of an encoding as Python spells it."""
    name = f"cp{encoding}" if encoding.isdecimal() else encoding  # 1251, as a rendered template may give it
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise ConfigurationError(
            f"Read {shown}: there is no encoding {encoding!r}. Write encoding= as utf-8, cp1251, utf-16 and the like."
        ) from None


def decoded(file: IO[bytes], encoding: str) -> tuple[io.TextIOWrapper, str]:
    """The text of a file and the encoding it is read with: a byte order mark is surer than what was told.

    :param encoding: as :func:`check_encoding` gave it.
    :raises UnicodeError: the first bytes cannot be of this encoding.
    """
    head = file.read(_SAMPLE)
    file.seek(0)
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    if marked is None and not encoding.startswith(("utf-16", "utf-32")) and _wide(head):
        raise UnicodeError("the file is UTF-16")
    if marked is None and not encoding.startswith("utf") and _is_utf8(head):
        raise UnicodeError("the file is UTF-8")
    # Airflow 2.11 wraps files in objects that io does not take as they are.
    raw = io.BufferedReader(cast("io.RawIOBase", file))
    used = marked or encoding
    return io.TextIOWrapper(raw, encoding=used, newline=""), used.removesuffix("-sig")


def guess_encoding(file: IO[bytes]) -> str | None:
    """What the bytes of a file look like; ``None`` where nobody can tell."""
    from charset_normalizer import from_bytes

    sample, before = b"", b""
    for _ in range(_LOOKED_THROUGH // _SAMPLE):
        chunk = file.read(_SAMPLE)
        if not chunk:
            break
        if b"\0" in chunk or not chunk.isascii():
            sample = before[-200:] + chunk
            break
        before = chunk
    if wide := _wide(sample):
        return wide
    text = sample.decode(errors="replace")
    if 2 * text.count("\ufffd") < sum(not sign.isascii() for sign in text):
        return "utf-8"
    # The letters alone: the rest is digits and English words, which say nothing.
    words = b" ".join(_WORD.findall(sample))
    has_latin = 3 * len(_LATIN.findall(words)) > len(words)  # in Cyrillic words no letter is from ASCII
    best = from_bytes(words[:_SAMPLE], cp_isolation=_PLAUSIBLE if has_latin else _CYRILLIC).best()
    return best.encoding if best else None


def _wide(sample: bytes) -> str | None:
    """The UTF-16 that bytes look like: every second byte of what is no letter is zero. A zero alone is damage."""
    if not sample:
        return None
    first, second = (sample[start::2].count(0) for start in (0, 1))
    if 20 * max(first, second) < len(sample) or 10 * min(first, second) > max(first, second):
        return None
    return "utf-16-le" if second > first else "utf-16-be"


def _is_utf8(head: bytes) -> bool:
    if head.isascii():
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True
