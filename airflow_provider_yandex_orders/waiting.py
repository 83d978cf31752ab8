# SPDX-License-Identifier: Apache-2.0
"""The state of an upload and the wait for several, in words that fit every service."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from airflow_provider_yandex_orders.exceptions import (
    ConfigurationError,
    PermanentError,
    ServiceRefused,
    UploadFailedError,
)


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


log = logging.getLogger(__name__)


def read_event(event: Any) -> tuple[Wait, bool]:
    """Read a trigger's event.

    :return: the uploads, and whether the time was over.
    :raises ServiceRefused: asking could not work.
    :raises PermanentError: the event is none of ours.
    """
    status = event.get("status") if isinstance(event, dict) else None
    if status == "error":
        raise ServiceRefused(str(event.get("message")))
    if status not in ("done", "timeout"):
        raise PermanentError(
            f"Resume after waiting: the trigger sent {status or 'nothing'!r}, which this version does not know. Make "
            "the versions of the package on workers and triggerers equal and clear the task."
        )
    return Wait.from_event(event["uploads"]), status == "timeout"


@dataclass(frozen=True, slots=True)
class Demands:
    """What the end of an upload must be like.

    :param min_accepted: least share of rows the service must have accepted, from 0 to 1.
    :param min_linked: least share of accepted rows that must have found a visit, where the service says.
    :param forgiven: final words that count as good though they are not.
    """

    min_accepted: float = 0
    min_linked: float = 0
    forgiven: tuple[str, ...] = ()

    def faults(self, state: UploadState) -> Iterator[str]:
        """What is wrong with the end of one upload."""
        if state.final and not state.good and state.status not in self.forgiven:
            yield state.status + (f" ({state.detail})" if state.detail else "")
        if _below(state.rows_accepted, state.rows_total, self.min_accepted):
            counted = f"{state.rows_accepted} of {state.rows_total}"
            yield f"only {counted} rows accepted, min_accepted is {self.min_accepted:g}"
        if _below(state.rows_linked, state.rows_accepted, self.min_linked):
            yield f"only {state.rows_linked} of {state.rows_accepted} rows linked, min_linked is {self.min_linked:g}"


def offline_demands(min_accepted: float, min_linked: float, allow_linkage_failure: bool) -> Demands:
    """The demands on uploads of offline conversions.

    :raises ConfigurationError: a share is not between 0 and 1.
    """
    for name, share in (("min_accepted", min_accepted), ("min_linked", min_linked)):
        if not 0 <= share <= 1:
            raise ConfigurationError(f"{name} must be a share from 0 to 1.")
    return Demands(min_accepted, min_linked, ("LINKAGE_FAILURE",) if allow_linkage_failure else ())


def _below(part: int | None, whole: int | None, share: float) -> bool:
    return part is not None and bool(whole) and part / (whole or 1) < share


def judge(wait: Wait, demands: Demands = Demands()) -> dict[str, Any]:
    """Log the end of every upload.

    :return: status of each upload.
    :raises UploadFailedError: at least one ended badly.
    """
    faults = []
    for upload_id, state in wait.states.items():
        if state is not None:
            log.info("Upload %s: %s. %s", upload_id, state.status, _counts(state))
            faults += [f"{upload_id} is {fault}" for fault in demands.faults(state)]
    if faults:
        raise UploadFailedError(
            f"Wait for uploads: {'; '.join(faults)}. The service took these files: look at the parts named by the "
            "upload task, correct the rows at their source and clear the upload task, or ask for less."
        )
    return {upload_id: state.status if state else None for upload_id, state in wait.states.items()}


def _counts(state: UploadState) -> str:
    shown = [
        f"{count} {what}"
        for count, what in (
            (state.rows_total, "rows sent"),
            (state.rows_accepted, "accepted"),
            (state.rows_linked, "linked to visits"),
        )
        if count is not None
    ]
    return "; ".join(each for each in (", ".join(shown), state.detail) if each)


def still_open(wait: Wait, seconds: float) -> str:
    """Message for a wait that took too long."""
    return (
        f"Wait for uploads: not final after {seconds:g} s: {wait.describe_open()}. The files were taken; nothing "
        "needs to be sent again. Clear this task to wait on, or give it a longer time."
    )
