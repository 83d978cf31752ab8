# SPDX-License-Identifier: Apache-2.0
"""The delivery: the small dict every upload returns, the one record of what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

if TYPE_CHECKING:
    from airflow_provider_yandex_orders.delivery.prepare import Prepared


class DeliveredPart(TypedDict):
    """One file of a delivery. ``refused`` has the keys of rows the service would not take, where there are any."""

    path: str
    rows: int
    bytes: int
    sha256: str
    upload_id: str | None
    status: str
    rows_accepted: int | None
    refused: NotRequired[list[str]]


class Delivery(TypedDict):
    """What an upload did. ``rows_read = rows_sent + rows_rejected + rows_duplicate + rows_deferred``.

    It went to a counter of Metrica (``counter_id``) or to a platform (``host``); ``verified`` says what was found
    there.
    """

    service: str
    entity: str
    counter_id: NotRequired[int]
    host: NotRequired[str]
    rows_read: int
    rows_sent: int
    rows_rejected: int
    rows_duplicate: int
    rows_deferred: int
    values_dropped: int
    rejected_path: str | None
    deferred_path: str | None
    parts: list[DeliveredPart]
    verified: NotRequired[dict[str, Any]]


def delivery_of(
    prepared: Prepared,
    parts: list[DeliveredPart],
    *,
    service: str,
    entity: str,
    counter_id: int | None = None,
    host: str | None = None,
) -> Delivery:
    """The delivery of what was prepared and what became of its parts."""
    refused = sum(len(part.get("refused", ())) for part in parts)
    delivery = Delivery(
        service=service,
        entity=entity,
        rows_read=prepared.rows_read,
        rows_sent=sum(part["rows"] for part in parts) - refused,
        rows_rejected=prepared.rows_rejected + refused,
        rows_duplicate=prepared.rows_duplicate,
        rows_deferred=prepared.rows_deferred,
        values_dropped=prepared.values_dropped,
        rejected_path=prepared.rejected_path,
        deferred_path=prepared.deferred_path,
        parts=parts,
    )
    if counter_id is not None:
        delivery["counter_id"] = counter_id
    if host is not None:
        delivery["host"] = host
    return delivery


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
