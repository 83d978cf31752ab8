# SPDX-License-Identifier: Apache-2.0
"""The delivery: the small dict every upload returns, the one record of what happened."""

from __future__ import annotations

from typing import Any, TypedDict


class DeliveredPart(TypedDict):
    """One file of a delivery."""

    path: str
    rows: int
    bytes: int
    sha256: str
    upload_id: str | None
    status: str
    rows_accepted: int | None


class Delivery(TypedDict):
    """What an upload did. ``rows_read = rows_sent + rows_rejected + rows_duplicate + rows_deferred``."""

    service: str
    entity: str
    counter_id: int
    rows_read: int
    rows_sent: int
    rows_rejected: int
    rows_duplicate: int
    rows_deferred: int
    values_dropped: int
    rejected_path: str | None
    deferred_path: str | None
    parts: list[DeliveredPart]


def upload_ids_of(value: Any) -> list[str]:
    """Upload ids of a delivery, or a list of ids (or of deliveries, as mapped tasks give them).

    :raises TypeError: it is none of these.
    """
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [str(part["upload_id"]) for part in value.get("parts", []) if part.get("upload_id")]
    if value is None or not hasattr(value, "__iter__"):
        raise TypeError(type(value).__name__)
    return [upload_id for each in value for upload_id in upload_ids_of(each)]
