# SPDX-License-Identifier: Apache-2.0
"""Sends each part once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_yandex_orders.delivery.parts import Part
from airflow_provider_yandex_orders.delivery.progress import Progress
from airflow_provider_yandex_orders.delivery.result import DeliveredPart
from airflow_provider_yandex_orders.exceptions import (
    ConfigurationError,
    ServiceRefused,
    ServiceUnavailable,
    UploadFailedError,
    UploadUnclearError,
)
from airflow_provider_yandex_orders.waiting import Demands, UploadState

log = logging.getLogger(__name__)

SENDING = "sending"
"""Remembered before a part goes out that must not go out twice."""
TOLD = "told"
"""Remembered after people were told that nobody knows whether it arrived."""
NOT_TAKEN = "not taken"
"""Remembered after the service surely did not take it, or took it and judged it bad."""


@dataclass(frozen=True, slots=True)
class Route:
    """How the parts of an upload reach the service.

    :param upload: sends one part and reads the answer.
    :param key_of: name of a part in what is remembered.
    :param state_of: asks for the state of an upload.
    :param find: looks a part up at the service that was sent without an answer. Where a repeat does no harm there is
        none: the part is sent again.
    :param may_repeat: whether a part that may have arrived can be sent again.
    :param resend: sends a part that may have arrived before, or of which rows were refused, where that is done in
        another way; it is told what is remembered of the part.
    :param demands: which ends count as good: a part that ended otherwise is sent again.
    """

    upload: Callable[[Part], UploadState]
    key_of: Callable[[Part], str]
    state_of: Callable[[str], UploadState | None]
    find: Callable[[Part], UploadState | None] | None = None
    may_repeat: bool = True
    resend: Callable[[Part, Mapping[str, Any]], UploadState] | None = None
    demands: Demands = field(default_factory=Demands)


def send_parts(
    parts: Sequence[Part], route: Route, progress: Progress, delivered: list[DeliveredPart] | None = None
) -> list[DeliveredPart]:
    """Send the parts one after the other; those an earlier try brought through are not sent again.

    :param parts: the files.
    :param route: how they reach the service.
    :param progress: what earlier tries sent.
    :param delivered: takes each part as it comes through, for those who want to know after a failure as well.
    :return: all parts.
    :raises UploadFailedError: the service judged a part bad.
    """
    delivered = [] if delivered is None else delivered
    for number, part in enumerate(parts, 1):
        _deliver(part, f"Part {number} of {len(parts)}", route, progress, delivered)
    return delivered


def _deliver(part: Part, named: str, route: Route, progress: Progress, delivered: list[DeliveredPart]) -> None:
    key = route.key_of(part)
    remembered = progress.get(key)
    known = _known(part, key, remembered, route, progress)
    if known is None:
        send = _upload if route.resend is None else _repeatable_upload
        state = send(part, key, remembered, route, progress)
        if route.demands.is_bad(state):
            progress.set(key, {"status": NOT_TAKEN})
            delivered.append(_delivered(part, _remembered(state)))
            raise UploadFailedError(failed_part(part.path, state))
        known = _remembered(state)
        log.info("%s: %d rows%s, %s.", named, part.rows, _as_upload(known), known["status"])
    else:
        log.info("%s: sent by an earlier try%s, %s.", named, _as_upload(known), known["status"])
    progress.set(key, known)
    accepted, refused = known["rows_accepted"], known.get("refused") or []
    if accepted is not None and accepted + len(refused) != part.rows:
        log.warning("The service counts %d rows in %s, which has %d.", accepted, part.path, part.rows)
    delivered.append(_delivered(part, known))


def _delivered(part: Part, known: Mapping[str, Any]) -> DeliveredPart:
    refused = known.get("refused") or []
    delivered = DeliveredPart(
        path=part.path,
        rows=part.rows,
        bytes=part.bytes,
        sha256=part.sha256,
        upload_id=known["upload_id"] or None,
        status=known["status"],
        rows_accepted=known["rows_accepted"],
    )
    if refused:
        delivered["rows_refused"] = len(refused)
    return delivered


def refusals(parts: Sequence[Part], route: Route, progress: Progress) -> Iterator[tuple[str, str]]:
    """Key and the service's words of every row it would not take, from this try or an earlier one."""
    for part in parts:
        yield from map(tuple, (progress.get(route.key_of(part)) or {}).get("refused") or [])


def was_sent(remembered: Mapping[str, Any] | None) -> bool:
    """Whether a part may have reached the service, by what is remembered of it."""
    return remembered is not None and remembered.get("status") != NOT_TAKEN


def refused_alone(remembered: Mapping[str, Any] | None) -> set[str]:
    """Keys of rows of a part that have certainly not arrived: each was refused alone, and not tried again since."""
    if remembered is None or remembered.get("status") == SENDING:
        return set()
    return {key for key, _said in remembered.get("refused") or ()}


def _known(
    part: Part, key: str, known: dict[str, Any] | None, route: Route, progress: Progress
) -> dict[str, Any] | None:
    """What the service has of a part by earlier tries; ``None`` when it is to be sent."""
    if known is None or known["status"] in (TOLD, NOT_TAKEN):
        return None
    if known["status"] == SENDING:
        if route.resend is not None:
            return None
        if route.find is None:
            raise _unclear(part, key, progress, "An earlier try was cut off while it sent a part.")
        state = route.find(part)
    elif known["final"]:
        return None if known.get("refused") and route.resend else known
    else:
        state = route.state_of(known["upload_id"])
        if state is None:
            return known
    return None if state is None or route.demands.is_bad(state) else _remembered(state)


def _upload(
    part: Part, key: str, _remembered: Mapping[str, Any] | None, route: Route, progress: Progress
) -> UploadState:
    if route.find is not None or not route.may_repeat:
        progress.set(key, {"status": SENDING})
    try:
        return route.upload(part)
    except (ConfigurationError, ServiceRefused):
        progress.set(key, {"status": NOT_TAKEN})
        raise
    except ServiceUnavailable as error:
        if not error.maybe_applied:
            progress.set(key, {"status": NOT_TAKEN})
        elif route.find is None and not route.may_repeat:
            raise _unclear(part, key, progress, str(error)) from None
        raise


def _repeatable_upload(
    part: Part, key: str, remembered: Mapping[str, Any] | None, route: Route, progress: Progress
) -> UploadState:
    """Upload with a mark left before, so that the next try knows it is a repeat; taken back where it surely is none."""
    before = dict(remembered or {"status": NOT_TAKEN})
    refused = before.get("refused")
    progress.set(key, {"status": SENDING, **({"refused": refused} if refused else {})})
    try:
        return route.resend(part, before) if route.resend and was_sent(before) else route.upload(part)
    except ConfigurationError:  # comes before anything is sent
        progress.set(key, before)
        raise
    except (ServiceUnavailable, ServiceRefused) as error:
        if not error.maybe_applied:
            progress.set(key, before)
        raise


def _unclear(part: Part, key: str, progress: Progress, what: str) -> UploadUnclearError:
    """The error that leaves the decision to people; the next run of the task is their answer."""
    progress.set(key, {"status": TOLD})
    return UploadUnclearError(
        f"{what} It is not known whether {part.path} has arrived, and it holds rows without a key, which would double. "
        "Look at the service; clear the task to send the part once more, or give the rows a key."
    )


def _remembered(state: UploadState) -> dict[str, Any]:
    return {
        "upload_id": state.upload_id,
        "status": state.status,
        "final": state.final,
        "rows_accepted": state.rows_accepted,
        **({"refused": [list(each) for each in state.refused]} if state.refused else {}),
    }


def _as_upload(known: dict[str, Any]) -> str:
    return f" as upload {known['upload_id']}" if known["upload_id"] else ""


def failed_part(path: str, state: UploadState) -> str:
    """Message for a file the service judged bad."""
    said = f" It said: {state.detail}." if state.detail else " It gave no reason."
    return (
        f"Upload {path}: the service took the file as {state.upload_id} and judged it {state.status}.{said} "
        "Look at the file; correct the rows at their source and run the task again."
    )
