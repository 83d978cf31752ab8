# SPDX-License-Identifier: Apache-2.0
"""The state of an upload and the wait for several, in words that fit every service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class UploadState:
    """What a service says of one upload.

    :param upload_id: the service's id.
    :param status: the service's own word.
    :param final: whether the word cannot change any more.
    :param good: whether a final word is the one wanted.
    :param rows_accepted: rows the service counts, where it says.
    :param rows_linked: rows that found a visit, where it says.
    :param rows_total: rows of the file as the service counted them.
    :param detail: what the service adds, without rows' values.
    :param refused: rows of the file the service would not take: key and its words, each.
    """

    upload_id: str
    status: str
    final: bool
    good: bool
    rows_accepted: int | None = None
    rows_linked: int | None = None
    rows_total: int | None = None
    detail: str = ""
    refused: tuple[tuple[str, str], ...] = ()


SHOWN = 20
"""Most open ids a line of the log names."""


class Wait:
    """Uploads that are waited for, and the last that was heard of each.

    :param upload_ids: the service's ids.
    """

    def __init__(self, upload_ids: Iterable[str]) -> None:
        self.states: dict[str, UploadState | None] = dict.fromkeys(upload_ids)

    def hear(self, states: Mapping[str, UploadState]) -> None:
        """Take in what the service says now; an upload it does not list keeps its last state."""
        self.states.update({upload_id: state for upload_id, state in states.items() if upload_id in self.states})

    @property
    def open(self) -> list[str]:
        """Uploads without a final state."""
        return [upload_id for upload_id, state in self.states.items() if state is None or not state.final]

    @property
    def failed(self) -> list[UploadState]:
        """Uploads that ended badly."""
        return [state for state in self.states.values() if state is not None and state.final and not state.good]

    def describe_open(self) -> str:
        """The open uploads with the last state of each."""
        shown = []
        waiting = self.open
        for upload_id in waiting[:SHOWN]:
            state = self.states[upload_id]
            shown.append(f"{upload_id} ({state.status if state else 'not listed yet'})")
        more = f" and {len(waiting) - SHOWN} more" if len(waiting) > SHOWN else ""
        return ", ".join(shown) + more

    def to_event(self) -> dict[str, Any]:
        """What was heard, as plain values for a trigger's event."""
        return {
            upload_id: {name: value for name, value in asdict(state).items() if value not in (None, "", ())}
            if state
            else None
            for upload_id, state in self.states.items()
        }

    @classmethod
    def from_event(cls, uploads: Mapping[str, Any]) -> Wait:
        """The wait a trigger's event tells of."""
        wait = cls(uploads)
        wait.hear({upload_id: UploadState(**state) for upload_id, state in uploads.items() if state})
        return wait
