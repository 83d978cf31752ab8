# SPDX-License-Identifier: Apache-2.0
"""The items of an order as it was placed and as it is now, brought together.

Source: https://yandex.ru/dev/market/partner-api/doc/ru/reference/orders-stats/getOrdersStats
``items`` is what remains, ``initialItems`` the order as placed, given only when units were taken out since.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DELIVERY = "Доставка"
"""Name of the element of ``items`` that is no item but the delivery."""

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Placed:
    """One item.

    :param number: its place in the order as placed, from 1, which stays the same while the order changes; 0 and below
        for delivery.
    :param item: the item with both counts.
    :param remains: whether units of it are left.
    """

    number: int
    item: Item
    remains: bool = True

    @property
    def is_delivery(self) -> bool:
        """Whether it is the delivery."""
        return self.number < 1


def placed_items(items: Sequence[Item], initial: Sequence[Item]) -> Iterator[Placed]:
    """Number the items of an order, those that were taken out included.

    :param items: what remains.
    :param initial: the order as placed; empty when nothing changed.
    """
    goods = [item for item in items if item.get("offerName") != DELIVERY]
    for before, item in enumerate(item for item in items if item.get("offerName") == DELIVERY):
        yield Placed(-before, _with_initial_count(item))
    if not initial:
        for number, item in enumerate(goods, start=1):
            yield Placed(number, _with_initial_count(item))
        return
    first_ones = [item for item in initial if item.get("offerName") != DELIVERY]
    for number, first in enumerate(first_ones, start=1):
        place = next((place for place, item in enumerate(goods) if _same(item, first)), None)
        ordered = first.get("initialCount")
        ordered = first.get("count") if ordered is None else ordered
        if place is None:
            yield Placed(number, {**first, "count": 0, "initialCount": ordered}, remains=False)
        else:
            yield Placed(number, _with_initial_count(goods.pop(place), ordered))
    for number, item in enumerate(goods, start=len(first_ones) + 1):
        yield Placed(number, _with_initial_count(item))


def _with_initial_count(item: Item, ordered: Any = None) -> Item:
    if item.get("initialCount") is not None:
        return item
    return {**item, "initialCount": item.get("count") if ordered is None else ordered}


def _same(one: Item, other: Item) -> bool:
    """Whether both are one item: by the seller's SKU, without one by the card, without one by the name."""
    for name in ("shopSku", "marketSku", "offerName"):
        if one.get(name) is not None or other.get(name) is not None:
            return bool(one.get(name) == other.get(name))
    return False
