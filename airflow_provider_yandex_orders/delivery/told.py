# SPDX-License-Identifier: Apache-2.0
"""What one process tells another of the rows it took, in place of writing and counting it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Call = tuple[str, str, tuple[Any, ...], dict[str, Any]]
"""What takes rows, the method that is called, and its arguments."""
Told = tuple[bytes, list[Call], list[dict[str, int]], set[str], dict[str, Any]]
"""What a process tells of the rows it took: those to be sent, calls, counts by name, filled fields, and the columns."""


class Kept:
    """Stands for what takes rows: keeps what it is told."""

    def __init__(self, name: str, calls: list[Call]) -> None:
        self._name, self._calls = name, calls

    def __getattr__(self, method: str) -> Callable[..., None]:
        return lambda *arguments, **named: self._calls.append((self._name, method, arguments, named))
