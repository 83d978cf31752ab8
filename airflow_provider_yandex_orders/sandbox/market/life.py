# SPDX-License-Identifier: Apache-2.0
"""The life of a generated order: what happens to it on which day after it was made.

Source: https://yandex.ru/dev/market/partner-api/doc/ru/reference/orders-stats/getOrdersStats (statuses; when payments
appear). The courses and their days are made up: short enough to try, long enough that an order changes for weeks.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import Final

MOSCOW: Final = timezone(timedelta(hours=3))
PAID: Final = "paid"
REFUNDED: Final = "refunded"

Event = tuple[int, str]
"""Days after the order was made, and its new status or :data:`PAID` or :data:`REFUNDED`."""

_DELIVERED: Final[tuple[Event, ...]] = ((0, "PROCESSING"), (1, "DELIVERY"), (4, "DELIVERED"), (9, PAID))
COURSES: Final[tuple[tuple[Event, ...], ...]] = (
    _DELIVERED,
    _DELIVERED,
    ((0, "PROCESSING"), (1, "DELIVERY"), (3, "PICKUP"), (6, "DELIVERED"), (12, PAID)),
    ((0, "PENDING"), (1, "CANCELLED_BEFORE_PROCESSING")),
    _DELIVERED,
    (*_DELIVERED, (20, "PARTIALLY_RETURNED"), (24, REFUNDED)),
    ((0, "PROCESSING"), (2, "DELIVERY"), (5, "DELIVERED"), (10, PAID)),
    ((0, "PROCESSING"), (1, "DELIVERY"), (8, "CANCELLED_IN_DELIVERY")),
    _DELIVERED,
    ((0, "PROCESSING"), (1, "DELIVERY"), (4, "DELIVERED"), (9, PAID), (21, "RETURNED"), (26, REFUNDED)),
)
"""The order with number ``n`` of a day takes the course ``n % len(COURSES)``."""

SHORTENED: Final = 6
"""The course whose orders lost units before they went out."""

LONGEST: Final = 26
"""Days after which nothing happens to any order."""

_OPEN: Final = 6 * 3600
_OPEN_SECONDS: Final = 15 * 3600


@dataclass(frozen=True, slots=True)
class Day:
    """One day's orders, numbered from 0 in the order they came.

    Everything that happens to an order happens at the time of day at which it was made.
    """

    made: date
    orders: int

    def moment(self, number: int, days: int = 0) -> datetime:
        """When an order was made, or some days later; Moscow time."""
        second = _OPEN + number * _OPEN_SECONDS // max(1, self.orders)
        return datetime.combine(self.made, time(0), MOSCOW) + timedelta(days=days, seconds=second)


def history(number: int, age: int) -> list[Event]:
    """What has happened to an order.

    :param number: its number; orders that differ by a multiple of the courses live alike.
    :param age: whole days since it was made.
    """
    return [event for event in COURSES[number % len(COURSES)] if event[0] <= age]
