# SPDX-License-Identifier: Apache-2.0
"""The delivery: the small dict every upload returns, the one record of what happened."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict, cast

import msgspec

from airflow_provider_yandex_orders.delivery.parts import total_of
from airflow_provider_yandex_orders.journal.records import COUNTS, PartFile, SentPart
from airflow_provider_yandex_orders.sources.parts import parts_in
from airflow_provider_yandex_orders.storage import write_whole

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    from airflow_provider_yandex_orders.delivery.plan import Prepared

XCOM_BYTES = 40_000
"""A delivery with a longer list of parts has it in a file: below 48 kB with room for what is added after the send."""

_PATHS = ("rejected_path", "dropped_path", "deferred_path")
_WHERE_ANY = ("rows_old", "rows_late", "rows_future", "rejected", "dropped")

PREPARED = "PREPARED"
"""Status of a part that was not to be sent."""

_UPLOAD_ID = re.compile(r"(?!0+$)\w[\w.:-]*")
_NO_ID = re.compile(r"\s*(none|null|true|false|\[.*\]|\(.*\)|\{.*\}|<.*>|b(['\"]).*\2)?\s*", re.IGNORECASE | re.DOTALL)
"""What other things look like as text."""


class DeliveredPart(TypedDict):
    """One file of a delivery. ``rows_refused`` counts rows the service would not take, where there are any; ``money``
    says what the others are worth."""

    path: str
    rows: int
    bytes: int
    sha256: str
    upload_id: str | None
    status: str
    rows_accepted: int | None
    rows_refused: NotRequired[int]
    money: NotRequired[Mapping[str, str]]


class Delivery(TypedDict):
    """What an upload did, all tries of the task together. ``rows_read = rows_sent + rows_rejected + rows_duplicate +
    rows_deferred + rows_unchanged + rows_outdated``: what the destination has already, and older versions of what it
    has, are not sent.

    It went to a counter of Metrica (``counter_id``) or to a platform (``host``); ``sample`` names some of the orders
    sent to a platform with their statuses, ``verified`` says what was found there. Where nothing was to be sent
    ``rows_sent`` is 0 and ``rows_prepared`` stands in its place. Where the list of parts is long, ``parts`` is empty
    and ``parts_path`` names a JSON file with all of them. ``rows_old`` counts new rows made before the days in which
    the service looks for visits, ``rows_late`` rows changed after the days in which it takes changes, ``rows_future``
    rows dated in the future, where there are any. ``rejected`` and ``dropped`` tell of each code of a fault how many
    ``rows`` have it, where the ``first`` is, its ``reason`` and its ``fix``. ``plan`` says of rows that were only
    prepared how many are new to the destination, changed, and so on, which amounts would be sent, and as of which of
    the journal's turns. ``money`` sums up what the rows of ``parts`` are worth, by currency and as exact text, where
    such rows are worth something. ``earlier_uploads`` are those of this task before it was cleared that may hold the
    rows counted as unchanged, and whose end nobody has heard of: who waits for the delivery waits for them too.
    """

    service: str
    entity: str
    counter_id: NotRequired[int]
    host: NotRequired[str]
    merge_mode: NotRequired[str]
    rows_read: int
    rows_sent: int
    rows_prepared: NotRequired[int]
    rows_rejected: int
    rows_duplicate: int
    rows_deferred: int
    rows_unchanged: int
    rows_outdated: int
    rows_old: NotRequired[int]
    rows_late: NotRequired[int]
    rows_future: NotRequired[int]
    values_dropped: int
    rejected: NotRequired[dict[str, dict[str, Any]]]
    dropped: NotRequired[dict[str, dict[str, Any]]]
    rejected_path: str | None
    dropped_path: str | None
    deferred_path: str | None
    parts: list[DeliveredPart]
    parts_path: NotRequired[str]
    money: NotRequired[dict[str, str]]
    earlier_uploads: NotRequired[list[str]]
    plan: NotRequired[dict[str, Any]]
    sample: NotRequired[dict[str, str | None]]
    verified: NotRequired[dict[str, Any]]


def delivery_of(
    prepared: Prepared,
    parts: list[DeliveredPart],
    *,
    earlier: Sequence[SentPart] = (),
    entity: str,
    sends: bool = True,
    worth: bool = False,
    **place: Any,
) -> Delivery:
    """The delivery of what was prepared and what became of its parts.

    :param parts: those of this try.
    :param earlier: those of earlier tries.
    :param place: ``service``, and ``counter_id`` and ``merge_mode`` or ``host``.
    """
    refused = sum(part.get("rows_refused", 0) for part in parts)
    rows = sum(part["rows"] for part in parts) - refused
    delivery: dict[str, Any] = {
        "entity": entity,
        **{name: getattr(prepared, name) for name in (*COUNTS, *_PATHS)},
        "parts": [*earlier_parts(earlier), *parts],
        **{name: count for name in _WHERE_ANY if (count := getattr(prepared, name))},
        **place,
    }
    delivery["rows_rejected"] += refused
    if worth:
        delivery["money"] = total_of(part.get("money", {}) for part in delivery["parts"])
    if sends:
        delivery["rows_sent"] += rows
    else:
        delivery |= {"rows_prepared": rows, "plan": dict(prepared.plan)}
    return cast("Delivery", delivery)


def delivered_part(
    part: PartFile, status: str, upload_id: str | None = None, rows_accepted: int | None = None
) -> DeliveredPart:
    """A part, and what the service says of it."""
    delivered = DeliveredPart(
        path=part.path,
        rows=part.rows,
        bytes=part.bytes,
        sha256=part.sha256,
        upload_id=upload_id,
        status=status,
        rows_accepted=rows_accepted,
    )
    return delivered if part.money is None else {**delivered, "money": part.money}


def earlier_parts(parts: Sequence[SentPart]) -> list[DeliveredPart]:
    """Parts the journal knows."""
    return [delivered_part(part, part.status or "", part.upload_id, part.rows_accepted) for part in parts]


def compacted(delivery: Delivery, folder: ObjectStoragePath) -> Delivery:
    """The delivery as it goes through XCom: a long list of parts is put into a file."""
    if len(json.dumps(delivery)) <= XCOM_BYTES:
        return delivery
    path = folder / "parts.json"
    write_whole(path, msgspec.json.encode(delivery["parts"]))
    short = delivery.copy()
    short["parts"], short["parts_path"] = [], str(path)
    return short


def restored(delivery: Delivery, parts: Sequence[SentPart]) -> Delivery:
    """The delivery with the parts the journal has: a file with a long list may lie on another worker."""
    whole = delivery.copy()
    if whole.pop("parts_path", None):
        whole["parts"] = earlier_parts(parts)
    return whole


def uploads_of(value: Any, *, service: str, entities: frozenset[str]) -> dict[str, int | None]:
    """Upload ids, each with the counter its delivery names (``None``: it was given without a delivery).

    :param value: an id (text or number), a delivery, or a list of these, as mapped tasks give them.
    :param entities: the entities whose uploads it can tell of here.
    :raises TypeError: it is none of these.
    :raises ValueError: a delivery is of something else, or nothing of it was to be sent; the message says so.
    """
    found: dict[str, int | None] = {}
    for each in ids_in(value):
        if isinstance(each, str) and not _UPLOAD_ID.fullmatch(each):
            raise TypeError("a text that is no id")
        found |= {each: None} if isinstance(each, str) else _uploads_in(each, service, entities)
    return found


def ids_in(value: Any) -> Iterator[str | Mapping[str, Any]]:
    """Ids as text, and mappings, of a value or of a list of such, however deep.

    :raises TypeError: it holds something else.
    """
    if isinstance(value, Mapping):
        yield value
    elif isinstance(value, (str, int)) and not isinstance(value, bool):
        if _NO_ID.fullmatch(str(value)):
            raise TypeError("a text that is no id")
        yield str(value)
    elif isinstance(value, (bytes, bytearray)) or not hasattr(value, "__iter__"):
        raise TypeError(type(value).__name__)
    else:
        for each in value:
            yield from ids_in(each)


def _uploads_in(delivery: Mapping[str, Any], service: str, entities: frozenset[str]) -> dict[str, int | None]:
    if "parts" not in delivery:
        raise TypeError("a mapping that is no delivery")
    if delivery.get("service", service) != service:
        raise ValueError(f"has a delivery to {delivery['service']}, and this sensor asks {service}")
    if delivery.get("entity") is not None and delivery["entity"] not in entities:
        raise ValueError(
            f"has a delivery of {delivery['entity']}, and this sensor waits for {', '.join(sorted(entities))}"
        )
    if "rows_prepared" in delivery:
        raise ValueError(
            "has a delivery that was only prepared (send=False or dry_run=True): there is no upload to wait for. Give "
            "the output of the task that sends it"
        )
    counter_id = delivery.get("counter_id")
    ids = [*delivery.get("earlier_uploads", ()), *(part.get("upload_id") for part in parts_in(delivery))]
    return {str(each): None if counter_id is None else int(counter_id) for each in ids if each}
