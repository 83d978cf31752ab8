# SPDX-License-Identifier: Apache-2.0
"""What an answer is like, without what it says, and how two answers differ."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from airflow_provider_yandex_orders.privacy import scrub

Shape = dict[str, set[str]]
"""Paths of an answer and what stands there: a type, or in a refusal the words."""

_HEADERS: Final = ("Content-Type", "Retry-After", "X-RateLimit-Resource-Limit", "X-RateLimit-Resource-Until")
_FORMS: Final = {
    "date": re.compile(r"\d{4}-\d{2}-\d{2}"),
    "date and time": re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?"),
    "date and time with Z": re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?Z"),
    "date and time with an offset": re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?[+-]\d{2}:?\d{2}"),
}
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z_0-9]{0,40}")
_NUMBERS: Final = {"whole number", "number"}


def shape(status: int, headers: Mapping[str, str], content: bytes, own: Mapping[str, str]) -> Shape:
    """What an answer is like.

    :param own: texts of this side, the token and ids, and what stands in their place in what is shown.
    """
    found: Shape = {"status": {str(status)}}
    for name in _HEADERS:
        if name in headers:
            found[f"header {name}"] = {headers[name].partition(";")[0] if name == "Content-Type" else "there"}
    try:
        _add(found, "$", msgspec.json.decode(content), own if status >= 400 else None)
    except (msgspec.DecodeError, UnicodeDecodeError):
        found["$"] = {"no JSON" if content else "nothing"}
    return found


def differences(service: Shape, sandbox: Shape) -> Iterator[str]:
    """Each difference in a line. What an empty list or a null leaves unsaid is none."""
    for path in sorted({*service, *sandbox}):
        here, there = service.get(path, set()) - {"null"}, sandbox.get(path, set()) - {"null"}
        if path not in service:
            if _would_have(service, path, there):
                yield f"{path}: only the sandbox has it ({_listed(there)})"
        elif path not in sandbox:
            if _would_have(sandbox, path, here):
                yield f"{path}: only the service has it ({_listed(here)})"
        elif here and there and here.isdisjoint(there) and not here | there <= _NUMBERS:
            yield f"{path}: the service {_listed(here)}, the sandbox {_listed(there)}"


def _add(found: Shape, path: str, value: Any, own: Mapping[str, str] | None) -> None:
    kinds = found.setdefault(path, set())
    if isinstance(value, dict):
        kinds.add("object")
        for name, each in value.items():
            _add(found, f"{path}.{name if _NAME.fullmatch(name) else '<name>'}", each, own)
    elif isinstance(value, list):
        kinds.add("list")
        for each in value:
            _add(found, f"{path}[]", each, own)
    elif value is None:
        kinds.add("null")
    elif own is not None:
        text = str(value)
        for secret, shown in own.items():
            text = text.replace(secret, shown)
        kinds.add(f'"{scrub(text)[:300]}"')
    else:
        kinds.add(_kind(value))


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return next((form for form, pattern in _FORMS.items() if pattern.fullmatch(value)), "text")
    return {bool: "true or false", int: "whole number"}.get(type(value), "number")


def _would_have(shape: Shape, path: str, elsewhere: set[str]) -> bool:
    """Whether it says something that an answer has no such path: what stands around is there, or the other refuses."""
    if any(kind.startswith('"') for kind in elsewhere):
        return True
    around = path.rpartition(".")[0]
    return not path.endswith("[]") and (not around.startswith("$") or "object" in shape.get(around, ()))


def _listed(kinds: set[str]) -> str:
    return " or ".join(sorted(kinds))
