# SPDX-License-Identifier: Apache-2.0
"""Faults on demand: which request, before or after it took effect, and what the client then sees.

A fault names requests (method, path, query) and says how many of them it lets pass (``skip``) and then meets
(``times``). Faults are asked in the order they were made; the first that meets a request takes it and the later ones do
not count that request, so a list of faults plays out one after the other.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

_DEFAULT_STATUS: Final = 503


@dataclass(frozen=True, slots=True)
class Answer:
    """A ready answer; header names in lower case, without the length."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


Preset = Callable[[int | None], Answer]
"""Makes a documented answer; the argument replaces its usual HTTP status."""


def _html(status: int | None) -> Answer:
    page = b"<html><head><title>Bad gateway</title></head><body><h1>The sandbox says no</h1></body></html>"
    return Answer(status or 502, page, {"content-type": "text/html; charset=utf-8"})


def _html_ok(status: int | None) -> Answer:
    return _html(status or 200)


def _empty(status: int | None) -> Answer:
    return Answer(status or 200, b"")


GENERAL_PRESETS: Final[Mapping[str, Preset]] = {"html": _html, "html_ok": _html_ok, "empty": _empty}


class FaultSpec(BaseModel):
    """A fault as the control API takes it."""

    model_config = ConfigDict(extra="forbid")

    method: str | None = None
    """HTTP method; none: any."""
    path: str = ""
    """Regular expression searched in the path; empty: any."""
    query: str = ""
    """Regular expression searched in the raw query string; empty: any."""
    skip: Annotated[int, Field(ge=0)] = 0
    times: Annotated[int, Field(ge=1)] | None = 1
    """How many requests it meets; null: all."""
    moment: Literal["before", "after"] = "before"
    action: Literal["answer", "delay", "drop", "truncate"] = "answer"
    preset: str | None = None
    status: Annotated[int, Field(ge=200, le=599)] | None = None
    body: str | dict[str, Any] | list[Any] | None = None
    headers: dict[str, str] = {}
    seconds: Annotated[float, Field(ge=0, le=3600)] = 0
    """Wait before the action; the whole point of ``delay``."""

    @field_validator("path", "query")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return pattern

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        answers = self.action in {"answer", "truncate"}
        shaped = self.preset is not None or self.body is not None
        if not answers and (shaped or self.status is not None or self.headers):
            raise ValueError(f"{self.action!r} gives no answer of its own: leave out preset, status, body, headers")
        if self.preset is not None and self.body is not None:
            raise ValueError("a preset brings its own body")
        if self.action == "delay" and self.seconds == 0:
            raise ValueError("a delay needs seconds")
        if self.action == "truncate" and self.moment == "before" and not shaped:
            raise ValueError("nothing to cut yet: give a body or a preset, or use moment 'after'")
        return self


@dataclass(slots=True)
class Fault:
    """A fault and its counts."""

    id: int
    spec: FaultSpec
    answer: Answer | None
    """The answer given or cut; none: the service's own."""
    seen: int = 0
    hits: int = 0

    def takes(self, method: str, path: str, query: str) -> bool:
        """Count a request and say whether the fault meets it."""
        spec = self.spec
        if spec.method is not None and spec.method.upper() != method:
            return False
        if re.search(spec.path, path) is None or re.search(spec.query, query) is None:
            return False
        self.seen += 1
        if self.seen <= spec.skip or (spec.times is not None and self.hits >= spec.times):
            return False
        self.hits += 1
        return True

    def as_dict(self) -> dict[str, Any]:
        """The fault as the control API lists it."""
        return {"id": self.id, **self.spec.model_dump(), "seen": self.seen, "hits": self.hits}


class FaultBook:
    """The faults in force; used from the event loop only."""

    def __init__(self, presets: Mapping[str, Preset]) -> None:
        self.presets: dict[str, Preset] = {**GENERAL_PRESETS, **presets}
        self._faults: list[Fault] = []
        self._made = 0

    def add(self, spec: FaultSpec) -> Fault:
        """Put a fault in force; an unknown preset is a ValueError."""
        if spec.preset is not None and spec.preset not in self.presets:
            raise ValueError(f"unknown preset {spec.preset!r}; known: {', '.join(sorted(self.presets))}")
        self._made += 1
        fault = Fault(self._made, spec, self._answer(spec))
        self._faults.append(fault)
        return fault

    def take(self, method: str, path: str, query: str) -> Fault | None:
        """The fault that meets this request, if any."""
        return next((fault for fault in self._faults if fault.takes(method, path, query)), None)

    def all(self) -> list[Fault]:
        """Every fault, used up or not, in the order they are asked."""
        return list(self._faults)

    def remove(self, number: int) -> None:
        """Forget one fault; one that is gone already is no error."""
        self._faults = [fault for fault in self._faults if fault.id != number]

    def clear(self) -> int:
        """Forget every fault; returns how many there were."""
        count = len(self._faults)
        self._faults.clear()
        return count

    def reset(self) -> None:
        """Forget every fault, and count from the beginning."""
        self._faults.clear()
        self._made = 0

    def _answer(self, spec: FaultSpec) -> Answer | None:
        if spec.preset is not None:
            made = self.presets[spec.preset](spec.status)
            answer = Answer(made.status, made.body, dict(made.headers))
        elif spec.action == "truncate" and spec.body is None:
            return None
        elif spec.action in {"answer", "truncate"}:
            text, kind = "" if spec.body is None else spec.body, "text/plain; charset=utf-8"
            if not isinstance(text, str):
                text, kind = json.dumps(text, ensure_ascii=False), "application/json"
            answer = Answer(spec.status or _DEFAULT_STATUS, text.encode(), {"content-type": kind})
        else:
            return None
        extra = {name.lower(): value for name, value in spec.headers.items()}
        return Answer(answer.status, answer.body, {**answer.headers, **extra})
