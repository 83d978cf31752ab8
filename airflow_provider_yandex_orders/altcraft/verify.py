# SPDX-License-Identifier: Apache-2.0
"""Whether orders are really at an Altcraft Platform: which to ask for, and what the answers come to."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from airflow_provider_yandex_orders.altcraft.body import head_of, orders_of
from airflow_provider_yandex_orders.delivery.parts import Part
from airflow_provider_yandex_orders.delivery.result import ids_in
from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.privacy import shown_key
from airflow_provider_yandex_orders.templated import whole
from airflow_provider_yandex_orders.waiting import Heard

MOST = 500
"""Most orders of one wait: each is a request, and all are kept in memory, in the trigger and in its event."""
SAMPLE_CHARACTERS = 20_000
"""Most characters of JSON a delivery spends on its sample: all of it must fit into an XCom."""
NAMED = 100
"""Most orders a message names."""


def sample_size(size: int | str | None, said_by: str) -> int:
    """How many orders are asked for.

    :param size: the user's choice; ``None`` for as many as can be.
    """
    if size in (None, "", "None"):
        return MOST
    chosen = whole(size, said_by)
    if chosen > MOST:
        raise ConfigurationError(
            f"{said_by} must be from 1 to {MOST}, as each order is a request; None stands for all up to that."
        )
    return chosen


def sent_sample(
    parts: Sequence[Part], size: int, refused: Collection[str] = (), *, for_xcom: bool = True
) -> dict[str, str | None]:
    """Id and status of some of the orders that were sent, evenly spread and the same each time.

    Only the parts that hold them are read.

    :param refused: ids of orders that the platform would not take.
    :param for_xcom: pass over ids that look personal.
    """
    places = _places(sum(part.rows for part in parts), size)
    found: dict[str, str | None] = {}
    begin = 0
    for part in parts:
        here = [place - begin for place in places if begin <= place < begin + part.rows]
        begin += part.rows
        if here:
            good = [
                head
                for head in map(head_of, orders_of(part.path))
                if head[0] not in refused and (not for_xcom or shown_key(head[0]) == head[0])
            ]
            found.update(good[min(place, len(good) - 1)] for place in here if good)
    while found and len(json.dumps(found)) > SAMPLE_CHARACTERS:
        found = _spread(found, len(found) // 2)
    return found


def expected_orders(value: Any, status: str | None = None, host: str = "") -> dict[str, str | None]:
    """Order id to the status it must have.

    :param value: ids, a mapping of ids to statuses, a delivery (whose sample tells both), or a list of such.
    :param status: the status where ``value`` tells none; ``None`` for any.
    :param host: the platform that will be asked.
    :raises TypeError: ``value`` is none of these.
    :raises ConfigurationError: it is a delivery of which nothing can be asked here.
    """
    found: dict[str, str | None] = {}
    for each in ids_in(value):
        if isinstance(each, str):
            found[each] = status
        elif "parts" in each or "service" in each:
            found |= _delivered(each, host)
        elif all(word is None or isinstance(word, str) for word in each.values()):
            found |= {key: word for name, word in each.items() for key in ids_in(name) if isinstance(key, str)}
        else:
            raise TypeError("a mapping of something else than ids to statuses")
    return found


def sample_of(orders: Mapping[str, str | None], size: int | None) -> dict[str, str | None]:
    """Some of the orders, evenly spread and the same each time.

    :param size: how many; ``None`` for all.
    :raises ConfigurationError: it cannot work, or there are too many to ask for each.
    """
    most = sample_size(size, "sample")
    if size is None and len(orders) > most:
        raise ConfigurationError(
            f"Verify orders: {len(orders)} ids are given, and each is a request. Let sample be {MOST} or less, or give "
            "fewer ids."
        )
    return _spread(orders, most)


def found_orders(heard: Heard) -> dict[str, Any]:
    """How many orders were asked for, and how many have which status."""
    by_status = Counter(state.status for state in heard.states.values() if state is not None)
    return {"checked": len(heard.states), "by_status": dict(sorted(by_status.items()))}


def still_missing(heard: Heard, seconds: float) -> str:
    """Message for orders that are not there as expected."""
    missing = heard.open
    states = ((key, heard.states[key]) for key in missing[:NAMED])
    told = ((key, f"{state.status}, {state.detail}" if state else "not there") for key, state in states)
    shown = ", ".join(f"{shown_key(key)} ({words})" for key, words in told)
    more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
    return (
        f"Verify orders: {len(missing)} of {len(heard.states)} are not as expected after {seconds:g} s: {shown}{more}. "
        "The platform accepted the import, so they are not sent again by themselves. Look for them there (market "
        "settings, matching), and import what is missing with resend=True and skip_triggers=True."
    )


def _delivered(delivery: Mapping[str, Any], host: str) -> dict[str, str | None]:
    """The sample of a delivery."""
    if delivery.get("service") != "altcraft":
        raise ConfigurationError(
            f"Verify orders: order_ids is the output of a task of {delivery.get('service')}: give that of an import "
            "into the Altcraft Platform."
        )
    sent_to = str(delivery.get("host") or host).partition("/")[0].lower()
    if host and sent_to != host.lower():
        raise ConfigurationError(
            f"Verify orders: order_ids is a delivery to {sent_to}, and the connection of this task is of {host}. Name "
            "the connection of the import by altcraft_conn_id."
        )
    sample: dict[str, str | None] = dict(delivery.get("sample") or {})
    if not sample and (delivery.get("rows_sent") or "rows_prepared" in delivery):
        raise ConfigurationError(
            "Verify orders: order_ids is a delivery that names no order to ask for: nothing was sent, or its ids look "
            "personal. Give the output of a task that sent orders, or their ids."
        )
    return sample


def _spread(orders: Mapping[str, str | None], size: int) -> dict[str, str | None]:
    places = set(_places(len(orders), size))
    return {key: word for place, (key, word) in enumerate(orders.items()) if place in places}


def _places(count: int, size: int) -> list[int]:
    """Evenly spread places, from 0."""
    size = min(size, count)
    return [number * count // size for number in range(size)]
