# SPDX-License-Identifier: Apache-2.0
"""Which orders a request finds, and the pages it gets them in.

The service says nothing about the order of the list or about changes meanwhile. Here orders come by id, and a setting
makes some of them change while a client reads: an order that changed after its page was given comes again, newer, on
the next page, and once more, in its old form, on the one after that, as from a copy that lags behind.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from airflow_provider_yandex_orders.sandbox.market import orders
from airflow_provider_yandex_orders.sandbox.market.filters import Filters
from airflow_provider_yandex_orders.sandbox.market.life import COURSES, LONGEST, Day, touched
from airflow_provider_yandex_orders.sandbox.market.tokens import Place

_SHOWN_DAYS = 30
"""How far back an open beginning reaches."""


class Found(NamedTuple):
    """One order of a listing."""

    made: date
    number: int


class Page(NamedTuple):
    """One page: orders as JSON, and where the next one begins."""

    orders: list[bytes]
    following: Place | None


@lru_cache(maxsize=8)
def listing(campaign_id: int, filters: Filters, now: datetime, per_day: int) -> tuple[Found, ...]:
    """Every order the filters find, by id.

    :param now: what the service knows of, to the minute.
    :param per_day: orders made each day.
    """
    if filters.orders is None:
        days = _days(filters, now.date(), per_day)
        found = ((day, number) for day in days for number in _numbers(day, filters, now))
    else:
        named = _named(campaign_id, filters.orders, per_day)
        found = ((day, number) for day, number in named if _fits(day, number, filters, now))
    marked = filters.has_cis
    return tuple(Found(day.made, number) for day, number in found if marked in (None, orders.has_cis(number)))


def page(
    campaign_id: int, filters: Filters, now: datetime, per_day: int, place: Place, limit: int, changes: int
) -> Page:
    """The page at a place.

    :param changes: orders of each page that change after it was given.
    """
    found = listing(campaign_id, filters, now, per_day)
    changes = min(changes, (limit - 1) // 2)
    again = [(found[place.before[age] : place.before[age] + changes], age == 0) for age in range(len(place.before))]
    end = min(len(found), place.offset + limit - sum(len(each) for each, _ in again))
    written = [_write(campaign_id, each, now, per_day) for each in found[place.offset : end]]
    for each, changed in again:
        written += [_write(campaign_id, one, now, per_day, changed=changed) for one in each]
    following = None
    if end < len(found):
        before = (place.offset, *place.before[:1]) if changes else ()
        following = Place(end, before, place.number + 1)
    return Page(written, following)


def _write(campaign_id: int, found: Found, now: datetime, per_day: int, *, changed: bool = False) -> bytes:
    return orders.write(campaign_id, Day(found.made, per_day), found.number, now, changed=changed)


def _days(filters: Filters, today: date, per_day: int) -> Iterator[Day]:
    """The days whose orders may be found."""
    start, end = filters.created
    if any(filters.updated):
        first, end = filters.updated
        start = (first or today - timedelta(days=_SHOWN_DAYS)) - timedelta(days=LONGEST)
    end = min(end or today, today)
    start = start or end - timedelta(days=_SHOWN_DAYS)
    return (Day(start + timedelta(days=after), per_day) for after in range((end - start).days + 1))


def _numbers(day: Day, filters: Filters, now: datetime) -> Iterator[int]:
    """The orders of a day that are found."""
    if day.made + timedelta(days=LONGEST) < now.date():  # all is over: orders of one course have one history
        courses = {course for course in range(len(COURSES)) if _fits(day, course, filters, now)}
        return (number for number in range(day.orders) if number % len(COURSES) in courses)
    return (number for number in range(day.orders) if _fits(day, number, filters, now))


def _named(campaign_id: int, named: frozenset[int], per_day: int) -> Iterator[tuple[Day, int]]:
    """The orders that are asked for by id."""
    places = sorted(place for order in named if (place := orders.place_of(campaign_id, order)))
    return ((Day(made, per_day), number) for made, number in places if number < per_day)


def _fits(day: Day, number: int, filters: Filters, now: datetime) -> bool:
    history = day.history(number, now)
    if not history:
        return False
    first, last = filters.created
    if (first and day.made < first) or (last and day.made > last):
        return False
    start, end = filters.updated
    if (start or end) and not touched(day, history, start or date.min, end or date.max):
        return False
    return filters.statuses is None or orders.status_of(history)[0] in filters.statuses
