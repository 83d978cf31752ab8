# SPDX-License-Identifier: Apache-2.0
"""Which orders a request finds, and the pages it gets them in.

The service says nothing about the order of the list, about changes meanwhile, or how far back its data goes. Here
orders come by id, the oldest are of the stores' first day, and a setting makes some of them change while a client
reads: an order that changed after its page was given comes again, newer, on the next page, and once more, in its old
form, on the one after that, as from a copy that lags behind.

Only the orders of the page are made: what is found is a run of places that is walked from where the page begins, day by
day, and whether a day has any is known of all its orders of one course at once.
"""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from airflow_provider_yandex_orders.sandbox.market import orders
from airflow_provider_yandex_orders.sandbox.market.filters import Filters
from airflow_provider_yandex_orders.sandbox.market.life import COURSES, LONGEST, Day, Event, history
from airflow_provider_yandex_orders.sandbox.market.tokens import Place

_SHOWN_DAYS = 30
"""How far back an open beginning reaches."""


class Page(NamedTuple):
    """One page: orders as JSON, and where the next one begins."""

    orders: list[bytes]
    following: Place | None


class Listing(NamedTuple):
    """Every order that filters find, each by its place among all orders of the store, in the order of the places.

    :param now: what the service knows of, to the minute.
    :param per_day: orders made each day.
    """

    campaign_id: int
    filters: Filters
    now: datetime
    per_day: int

    def page(self, place: Place, limit: int, changes: int) -> Page:
        """The page at a place.

        :param changes: orders of each page that change after it was given.
        """
        changes = min(changes, (limit - 1) // 2)
        again = [(list(islice(self._found(start), changes)), age == 0) for age, start in enumerate(place.before)]
        room = limit - sum(len(each) for each, _ in again)
        found = list(islice(self._found(place.offset), room + 1))
        written = [self._write(each) for each in found[:room]]
        for each, changed in again:
            written += [self._write(one, changed=changed) for one in each]
        following = None
        if len(found) > room:
            before = (place.offset, *place.before[:1]) if changes else ()
            following = Place(found[room], before, place.number + 1)
        return Page(written, following)

    def _write(self, place: int, *, changed: bool = False) -> bytes:
        made, number = orders.made_at(place)
        return orders.write(self.campaign_id, Day(made, self.per_day), number, self.now, changed=changed)

    def _found(self, start: int) -> Iterator[int]:
        """What is found, from a place on."""
        if self.filters.orders is not None:
            named = (orders.place_of(self.campaign_id, order) for order in self.filters.orders)
            places = sorted(place for place in named if place is not None and place >= start)
            yield from filter(self._fits, places)
            return
        first, number = orders.made_at(start)
        for made in self._days(first):
            courses = self._courses(made)
            if any(courses):
                day = Day(made, self.per_day)
                cut = self._happened(day)
                for each in range(number if made == first else 0, self.per_day):
                    if each % len(COURSES) in courses[each >= cut] and self._marked(each):
                        yield orders.place(made, each)

    def _days(self, first: date) -> Iterator[date]:
        """The days whose orders may be found, from one on."""
        today = self.now.date()
        start, end = self.filters.created
        if any(self.filters.updated):
            start, end = self.filters.updated
            start = max(orders.EPOCH, start or today - timedelta(days=_SHOWN_DAYS)) - timedelta(days=LONGEST)
        end = min(end or today, today)
        start = max(start or max(orders.EPOCH, end) - timedelta(days=_SHOWN_DAYS), orders.EPOCH, first)
        return (start + timedelta(days=after) for after in range((end - start).days + 1))

    def _fits(self, place: int) -> bool:
        """Whether the filters let an order pass that is asked for by id."""
        made, number = orders.made_at(place)
        first, last = self.filters.created
        if number >= self.per_day or (first and made < first) or (last and made > last):
            return False
        passed = number < self._happened(Day(made, self.per_day))
        return number % len(COURSES) in self._courses(made)[not passed] and self._marked(number)

    def _marked(self, number: int) -> bool:
        return self.filters.has_cis in (None, orders.has_cis(number))

    def _happened(self, day: Day) -> int:
        """How many of a day's orders were made by this time of day."""
        return bisect_right(range(day.orders), self.now.time(), key=lambda number: day.moment(number).time())

    def _courses(self, made: date) -> tuple[frozenset[int], frozenset[int]]:
        """Courses of the orders that fit: of those made by this time of day, and of those made later."""
        age = (self.now.date() - made).days
        start, end = self.filters.updated
        first = (start - made).days if start else 0
        last = (end - made).days if end else LONGEST
        # What lies beyond an order's life makes no difference: all old days share one answer.
        within = (min(max(first, 0), LONGEST + 1), min(max(last, -1), LONGEST))
        passed, later = (_fitting(max(-1, min(days, LONGEST)), *within, self.filters) for days in (age, age - 1))
        return passed, later


@lru_cache(maxsize=4096)
def _fitting(age: int, first: int, last: int, filters: Filters) -> frozenset[int]:
    """Courses that fit.

    :param age: whole days since the orders were made.
    :param first: days after that on which a change counts: from this one,
    :param last: to this one.
    """
    return frozenset(
        course for course in range(len(COURSES)) if _course_fits(history(course, age), first, last, filters)
    )


def _course_fits(happened: list[Event], first: int, last: int, filters: Filters) -> bool:
    if not any(first <= days <= last for days, _ in happened):
        return False
    return filters.statuses is None or orders.status_of(happened)[0] in filters.statuses
