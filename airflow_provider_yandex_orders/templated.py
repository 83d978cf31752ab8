# SPDX-License-Identifier: Apache-2.0
"""Values of templated arguments: a template gives texts, native rendering gives what they mean; both are taken."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from math import isfinite
from typing import Any, TypeVar

from airflow_provider_yandex_orders.exceptions import ConfigurationError

_N = TypeVar("_N", int, float)
_LARGEST_ID = 2**63 - 1
_SWITCH = {"true": True, "1": True, "false": False, "0": False}


def switch(value: object, name: str) -> bool:
    """True or false.

    :param name: the argument, for the message.
    """
    meant = _SWITCH.get(str(value).strip().lower())
    if meant is None:
        raise ConfigurationError(f"{name} must be True or False; after rendering it is neither.")
    return meant


def whole(value: object, name: str) -> int:
    """A whole number of 1 or more."""
    number = None if isinstance(value, bool) else _number(value, int)
    if number is None or number < 1 or (isinstance(value, float) and value != number):
        raise ConfigurationError(f"{name} must be a whole number and at least 1.")
    return number


def whole_id(value: object) -> int | None:
    """An id of a service: a whole number above 0, or text of the digits 0 to 9; ``None`` where it is neither."""
    text = str(value).strip() if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    fits = text.isascii() and text.isdigit() and len(text) <= 20 and 0 < int(text) <= _LARGEST_ID
    return int(text) if fits else None


def number(value: object, name: str, *, meaning: str, most: float | None = None) -> float:
    """A number of 0 or more.

    :param meaning: what it may be, for the message.
    :param most: the greatest it may be.
    """
    if isinstance(value, timedelta):
        value = value.total_seconds()
    found = None if isinstance(value, bool) else _number(value, float)
    if found is None or not isfinite(found) or found < 0 or (most is not None and found > most):
        raise ConfigurationError(f"{name} must be {meaning}.")
    return found


def share(value: object, name: str) -> float:
    """A share from 0 to 1."""
    return number(value, name, meaning="a share from 0 to 1", most=1)


def structure(value: Any) -> Any:
    """What the text of a list or a mapping means, in JSON or as Python shows it; anything else as it is."""
    if isinstance(value, str) and value.strip()[:1] in ("[", "{", "("):
        for read in (json.loads, ast.literal_eval):
            try:
                return read(value.strip())
            except (ValueError, SyntaxError, RecursionError, MemoryError):
                continue
    return value


def mapping(value: object, name: str, *, otherwise: str = "") -> Mapping[Any, Any]:
    """A mapping, or the text of one; nothing is an empty one.

    :param otherwise: what it must be, for the message.
    """
    found = {} if value in (None, "", "None") else structure(value)
    if not isinstance(found, Mapping):
        raise ConfigurationError(f"{otherwise or f'{name} must be a mapping'}; after rendering it is none.")
    return found


def _number(value: Any, kind: Callable[[Any], _N]) -> _N | None:
    try:
        return kind(value.strip() if isinstance(value, str) else value)
    except (TypeError, ValueError, OverflowError):
        return None
