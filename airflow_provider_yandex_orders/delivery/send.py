# SPDX-License-Identifier: Apache-2.0
"""Sends each part once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress

from airflow_provider_yandex_orders.delivery.memory import Memory, unclear
from airflow_provider_yandex_orders.delivery.parts import Part
from airflow_provider_yandex_orders.delivery.result import DeliveredPart, delivered_part
from airflow_provider_yandex_orders.exceptions import PassingError, PermanentError, UploadFailedError
from airflow_provider_yandex_orders.log_lines import Pace, say
from airflow_provider_yandex_orders.waiting import UploadState

log = logging.getLogger(__name__)


def send_parts(
    parts: Sequence[Part],
    upload: Callable[[Part], UploadState],
    memory: Memory,
    delivered: list[DeliveredPart],
    *,
    may_repeat: bool = True,
) -> None:
    """Send the parts one after the other.

    :param delivered: takes each part as it comes through, for those who want to know after a failure as well.
    :param may_repeat: whether a part that may have arrived can be sent again, or asked for.
    :raises UploadFailedError: the service judged a part bad.
    :raises UploadUnclearError: nobody knows whether a part arrived that must not arrive twice.
    """
    if memory.repeats.quiet or memory.repeats.find or not may_repeat:
        memory.first_use(parts)
    pace, done = Pace("rows sent", sum(part.rows for part in parts)), 0
    for part in parts:
        state = memory.arrived(part)
        if state is None:
            state = _sent(part, upload, memory, may_repeat)
            if memory.repeats.demands.is_bad(state):
                memory.refused(part, state.status)
                delivered.append(_delivered(part, state))
                raise UploadFailedError(failed_part(part.path, state))
            memory.accepted(part, state)
        else:
            say(
                logging.WARNING,
                f"Part {part.number}: the service has it already, and not from this journal of deliveries: another one "
                "sent it. Rows count twice where workers each have a journal of their own: let journal_conn_id "
                "([yandex_orders] of the configuration, or the task's argument) name one that all of them reach.",
            )
        done += part.rows
        pace.reached(done)
        accepted = state.rows_accepted
        if accepted is not None and accepted + len(state.refused) != part.rows:
            log.warning("The service counts %d rows in a part that has %d:", accepted, part.rows)
            log.warning("    %s", part.path)
        delivered.append(_delivered(part, state))


def _sent(part: Part, upload: Callable[[Part], UploadState], memory: Memory, may_repeat: bool) -> UploadState:
    memory.goes_out(part)
    try:
        return upload(part)
    except (PassingError, PermanentError) as error:
        if not getattr(error, "maybe_applied", False):
            memory.refused(part)
        elif not may_repeat:
            memory.told(part.id)
            raise unclear(f"{error} Its rows lie in {part.path}.") from None
        else:
            memory.unanswered(part)
        raise
    except BaseException:  # the task is ended from outside, maybe after the last byte
        with suppress(Exception):
            memory.unanswered(part)
        raise


def _delivered(part: Part, state: UploadState) -> DeliveredPart:
    delivered = delivered_part(part, state.status, state.upload_id or None, state.rows_accepted)
    if state.money is not None:
        delivered["money"] = state.money
    if state.refused:
        delivered["rows_refused"] = len(state.refused)
    return delivered


def failed_part(path: str, state: UploadState) -> str:
    """Message for a file the service judged bad."""
    said = f" It said: {state.detail}." if state.detail else " It gave no reason."
    return (
        f"Upload {path}: the service took the file as {state.upload_id} and judged it {state.status}.{said} "
        "Look at the file; correct the rows at their source and run the task again."
    )
