# SPDX-License-Identifier: Apache-2.0
"""Why a value or a row cannot be sent. Texts hold no values: a rejects file is read by many."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


class BadValue(Exception):
    """A value that cannot be sent as it is.

    :param code: short word to count and filter by.
    :param reason: what is wrong, without the value.
    :param fix: what to do.
    """

    def __init__(self, code: str, reason: str, fix: str) -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason
        self.fix = fix


class LeftOut(BadValue):
    """A good value that the service does not take: the row is sent without it, and that is told."""


class RefusedValue(BadValue):
    """A value that rejects its row, whatever else the row has."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a row, in the words of :class:`BadValue`.

    :param column: the source's column, or the field where there is no such column.
    """

    column: str
    code: str
    reason: str
    fix: str


@dataclass(slots=True)
class Checked:
    """One row, checked.

    :param values: what to send, by field; of no use when there are faults.
    :param key: the row's key as text, where it has a good one.
    :param version: text that is greater for the newer of two rows.
    :param label: what names the row to people.
    :param faults: why the row cannot be sent.
    :param dropped: what was left out of a row that can.
    :param notes: codes of things worth counting.
    """

    values: dict[str, Any] = field(default_factory=dict)
    key: str | None = None
    version: str = ""
    label: str | None = None
    faults: list[Fault] = field(default_factory=list)
    dropped: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
