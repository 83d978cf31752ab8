# SPDX-License-Identifier: Apache-2.0
"""Whether orders are really at an Altcraft Platform: which to ask for, and what the answers come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from airflow_provider_yandex_orders.altcraft.body import format_of, head_of, orders_of
from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.sources.file import FileSource
from airflow_provider_yandex_orders.sources.parts import parts_in
from airflow_provider_yandex_orders.waiting import Heard

NAMED = 100
"""Most orders a message names."""


def expected_orders(value: Any, status: str | None = None) -> dict[str, str | None]:
    """Order id to the status it must have.

    :param value: ids, a mapping of ids to statuses, a delivery (whose parts tell the statuses), or a list of
        deliveries.
    :param status: the status where ``value`` tells none; ``None`` for any.
    :raises TypeError: ``value`` is none of these.
    """
    if isinstance(value, str):
        return {value: status}
    if isinstance(value, Mapping):
        return dict(_delivered(value)) if "parts" in value else {str(key): word for key, word in value.items()}
    if value is None or not hasattr(value, "__iter__"):
        raise TypeError(type(value).__name__)
    found: dict[str, str | None] = {}
    for each in value:
        found |= expected_orders(each if isinstance(each, (str, Mapping)) else str(each), status)
    return found


def sample_of(orders: Mapping[str, str | None], size: int | None) -> dict[str, str | None]:
    """Some of the orders, evenly spread and the same each time.

    :param size: how many; ``None`` for all.
    :raises ConfigurationError: it is less than one.
    """
    if size is not None and size < 1:
        raise ConfigurationError("A sample has at least one order; None stands for all.")
    if size is None or len(orders) <= size:
        return dict(orders)
    places = {number * len(orders) // size for number in range(size)}
    return {key: word for place, (key, word) in enumerate(orders.items()) if place in places}


def found_orders(heard: Heard) -> dict[str, Any]:
    """How many orders were asked for, and how many have which status."""
    by_status = Counter(state.status for state in heard.states.values() if state is not None)
    return {"checked": len(heard.states), "by_status": dict(sorted(by_status.items()))}


def still_missing(heard: Heard, seconds: float) -> str:
    """Message for orders that are not there as expected."""
    missing = heard.open
    shown = ", ".join(f"{key} ({_told(heard, key)})" for key in islice(missing, NAMED))
    more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
    return (
        f"Verify orders: {len(missing)} of {len(heard.states)} are not as expected after {seconds:g} s: {shown}{more}. "
        "The platform accepted the import. Look for them there (market settings, matching); clear the import's task to "
        "send what is missing."
    )


def _told(heard: Heard, key: str) -> str:
    state = heard.states[key]
    return f"{state.status}, {state.detail}" if state else "not there"


def _delivered(delivery: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    for part in parts_in(delivery):
        refused = set(part.get("refused") or ())
        with FileSource(str(part["path"])).opened() as file:
            content = file.read()
        for order in orders_of(content, format_of(str(part["path"]))):
            key, status = head_of(order)
            if key not in refused:
                yield key, status
