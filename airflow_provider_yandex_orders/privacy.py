# SPDX-License-Identifier: Apache-2.0
"""Keeps personal data out of messages that quote somebody else's words."""

from __future__ import annotations

import re

_EMAIL = re.compile(r"[^\s@,;<>\"']+@[^\s@,;<>\"']+")
_NUMBER = re.compile(r"\+?\d(?:[\s().\u2010-\u2015/-]{0,3}\d){9,}")
_HARMLESS = re.compile(r"\w[\w .-]{0,39}")


def scrub(text: str) -> str:
    """Replace what looks like an e-mail address, a phone or another long number."""
    return _NUMBER.sub("<number>", _EMAIL.sub("<e-mail>", text))


def show(value: object) -> str:
    """A value for a message: short words such as a status as they are, anything else only by its kind."""
    text = str(value)
    if _HARMLESS.fullmatch(text) and sum(character.isdigit() for character in text) < 5:
        return repr(text)
    return f"a value of {len(text)} characters"
