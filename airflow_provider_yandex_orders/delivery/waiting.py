# SPDX-License-Identifier: Apache-2.0
"""The end of a wait, judged alike wherever the waiting was done."""

from __future__ import annotations

import logging
from typing import Any

from airflow_provider_yandex_orders.exceptions import PermanentError, ServiceRefused, UploadFailedError
from airflow_provider_yandex_orders.states import Wait

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


def judge(wait: Wait) -> dict[str, Any]:
    """Log the end of every upload.

    :return: status of each upload.
    :raises UploadFailedError: at least one ended badly.
    """
    for upload_id, state in wait.states.items():
        if state is not None:
            log.info("Upload %s: %s, %s rows.", upload_id, state.status, state.rows_accepted)
    if wait.failed:
        told = "; ".join(
            f"{state.upload_id} is {state.status}" + (f" ({state.detail})" if state.detail else "")
            for state in wait.failed
        )
        raise UploadFailedError(
            f"Wait for uploads: {told}. The service took these files and judged them bad: look at the parts named by "
            "the upload task, correct the rows at their source, and clear the upload task."
        )
    return {upload_id: state.status if state else None for upload_id, state in wait.states.items()}


def still_open(wait: Wait, seconds: float) -> str:
    """Message for a wait that took too long."""
    return (
        f"Wait for uploads: not final after {seconds:g} s: {wait.describe_open()}. The files were taken; nothing "
        "needs to be sent again. Clear this task to wait on, or give it a longer time."
    )
