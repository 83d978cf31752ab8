# SPDX-License-Identifier: Apache-2.0
"""Sends each part once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from airflow_provider_yandex_orders.delivery.progress import Progress
from airflow_provider_yandex_orders.delivery.result import DeliveredPart
from airflow_provider_yandex_orders.exceptions import UploadFailedError
from airflow_provider_yandex_orders.parts.files import Part
from airflow_provider_yandex_orders.states import UploadState

log = logging.getLogger(__name__)


def send_parts(
    parts: Sequence[Part], upload: Callable[[Part], UploadState], progress: Progress, key_of: Callable[[Part], str]
) -> list[DeliveredPart]:
    """Send the parts one after the other; those an earlier try brought through are not sent again.

    :param parts: the files.
    :param upload: sends one and reads the answer.
    :param progress: what earlier tries sent.
    :param key_of: name of a part in ``progress``.
    :raises UploadFailedError: the service judged a part bad.
    """
    delivered = []
    for number, part in enumerate(parts, start=1):
        key = key_of(part)
        known = progress.get(key)
        if known is None:
            state = upload(part)
            known = {"upload_id": state.upload_id, "status": state.status, "rows_accepted": state.rows_accepted}
            if state.final and not state.good:
                raise UploadFailedError(failed_part(part.path, state))
            progress.set(key, known)
            log.info("Part %d of %d: %d rows as upload %s, %s.", number, len(parts), part.rows, *_shown(known))
        else:
            log.info("Part %d of %d: sent by an earlier try as upload %s, %s.", number, len(parts), *_shown(known))
        accepted = known["rows_accepted"]
        if accepted is not None and accepted != part.rows:
            log.warning("The service counts %d rows in %s, which has %d.", accepted, part.path, part.rows)
        delivered.append(
            DeliveredPart(
                path=part.path,
                rows=part.rows,
                bytes=part.bytes,
                sha256=part.sha256,
                upload_id=known["upload_id"],
                status=known["status"],
                rows_accepted=accepted,
            )
        )
    return delivered


def failed_part(path: str, state: UploadState) -> str:
    """Message for a file the service judged bad."""
    said = f" It said: {state.detail}." if state.detail else " It gave no reason."
    return (
        f"Upload {path}: the service took the file as {state.upload_id} and judged it {state.status}.{said} "
        "Look at the file; correct the rows at their source and run the task again."
    )


def _shown(known: dict[str, object]) -> tuple[object, object]:
    return known["upload_id"], known["status"]
