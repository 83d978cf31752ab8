# SPDX-License-Identifier: Apache-2.0
"""Query parameters, read as strictly as their documentation describes them."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from starlette.datastructures import QueryParams

from airflow_provider_yandex_orders.sandbox.metrica.errors import MetricaError

_PLAIN: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
_PAIRS: Final = re.compile(r'"[^"]+":"[^"]+"(?:,"[^"]+":"[^"]+")*')
_PAIR: Final = re.compile(r'"([^"]+)":"([^"]+)"')
_COMMENT: Final = re.compile(r"[0-9A-Za-zА-Яа-яЁё]*")  # noqa: RUF001 - Cyrillic is meant
_LONGEST_COMMENT: Final = 255
_UTC: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z", re.ASCII)


def required(query: QueryParams, name: str) -> str:
    """A parameter that must be there and not be empty."""
    value = query.get(name, "")
    if not value:
        raise MetricaError("missing_parameter", f"The parameter {name} is required", name)
    return value


def choice(name: str, value: str, allowed: Sequence[str]) -> str:
    """One value of a closed list, case and all."""
    if value not in allowed:
        raise MetricaError("invalid_parameter", f"The parameter {name} must be one of {', '.join(allowed)}", name)
    return value


def number(query: QueryParams, name: str, *, default: int, least: int, most: int) -> int:
    """A whole number within bounds."""
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
        raise MetricaError("invalid_parameter", f"The parameter {name} must be a number from {least} to {most}", name)
    return int(text)


def flag(query: QueryParams, name: str, *, default: bool) -> bool:
    """A boolean."""
    text = query.get(name)
    if text is None:
        return default
    return choice(name, text, ("true", "false", "1", "0")) in {"true", "1"}


def words(query: QueryParams, name: str) -> list[str]:
    """A comma list without spaces; an absent or empty one has no words."""
    text = query.get(name, "")
    if any(character.isspace() for character in text):
        raise MetricaError("invalid_parameter", f"The list {name} must have no spaces", name)
    return text.split(",") if text else []


def pairs(query: QueryParams, name: str) -> dict[str, str]:
    """A list like ``"attribute":"column","attribute2":"column2"``; nothing may be there twice."""
    text = query.get(name, "")
    if not text:
        return {}
    found = _PAIR.findall(text)
    if not _PAIRS.fullmatch(text) or any(len({*side}) < len(found) for side in zip(*found, strict=True)):
        message = f'The parameter {name} must look like "attribute":"column", each named once, joined by commas'
        raise MetricaError("invalid_parameter", message, name)
    return dict(found)


def comment(query: QueryParams, name: str) -> str:
    """A short text of digits, Latin and Cyrillic letters; whether other characters pass is not documented.

    Source: https://yandex.ru/dev/metrika/ru/management/openapi/offline_conversions/upload_1 .
    """
    text = query.get(name, "")
    if len(text) > _LONGEST_COMMENT or not _COMMENT.fullmatch(text):
        message = f"The parameter {name} has at most {_LONGEST_COMMENT} digits, Latin and Cyrillic letters"
        raise MetricaError("invalid_parameter", message, name)
    return text


def moment(query: QueryParams, name: str, zone: ZoneInfo) -> str | None:
    """A date-time in either documented form, as naive text in the counter's zone, fit for comparing with stored ones.

    The plain form is taken as counter time, the form with ``Z`` as UTC; no source says so in words.
    """
    text = query.get(name)
    if text is None:
        return None
    try:
        if _PLAIN.fullmatch(text):
            return str(datetime.fromisoformat(text))
        if _UTC.fullmatch(text):
            aware = datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)
            return str(aware.astimezone(zone).replace(tzinfo=None))
    except (ValueError, OverflowError):
        pass
    raise MetricaError("invalid_parameter", f"The parameter {name} must look like 2020-02-10 10:00:00", name)
