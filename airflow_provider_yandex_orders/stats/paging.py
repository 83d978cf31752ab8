# SPDX-License-Identifier: Apache-2.0
"""From page to page, with guards against pages that go round in circles.

Source: https://yandex.ru/dev/market/partner-api/doc/ru/concepts/pagination
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from airflow_provider_yandex_orders.exceptions import ServiceUnavailable
from airflow_provider_yandex_orders.stats.page import OrdersPage

MOST_PAGES = 50_000
"""Pages of one fetch: ten million orders."""
MOST_REPEATS = 10
"""Pages in a row that say only what earlier ones said."""

Body = dict[str, Any]
FetchPage = Callable[[Body, str | None], OrdersPage]
"""Gets the page of a body that a token names; ``None`` for the first one."""


class PagesBroken(ServiceUnavailable):
    """The pages do not hang together any more; reading them from the first one may help."""


class Place(msgspec.Struct, frozen=True):
    """Where the next page is.

    :param body: number of the request's body, from 0.
    :param token: token of the page; ``None`` for the first one of that body.
    """

    body: int = 0
    token: str | None = None


class PageGuard:
    """Looks at every page of a fetch, those of earlier tries included. Keeps a few bytes of each."""

    def __init__(self) -> None:
        self._tokens: set[bytes] = set()
        self._contents: set[bytes] = set()
        self._pages = 0
        self._repeats = 0

    def check(self, page: OrdersPage) -> None:
        """Take in one page.

        :raises PagesBroken: going on would never end.
        """
        self._pages += 1
        token = page.next_page_token
        if token is not None:
            name = _sum(token.encode())
            if name in self._tokens:
                raise _broken(f"page {self._pages} names a next page that was read before")
            self._tokens.add(name)
        content = _sum(b"\n".join(page.lines))
        self._repeats = self._repeats + 1 if content in self._contents else 0
        self._contents.add(content)
        if self._repeats >= MOST_REPEATS:
            raise _broken(f"the last {MOST_REPEATS} pages, up to page {self._pages}, repeat earlier ones")
        if self._pages >= MOST_PAGES and token is not None:
            raise _broken(f"there is no end after {MOST_PAGES} pages; ask for shorter periods")


def follow(
    fetch_page: FetchPage, bodies: Sequence[Body], guard: PageGuard, start: Place | None = None
) -> Iterator[tuple[OrdersPage, Place | None]]:
    """Pages one after the other, each with the place of the next one; each token goes back as it came.

    :param fetch_page: gets one page.
    :param bodies: bodies of the requests, read to the end one after the other.
    :param guard: has seen the pages before ``start``.
    :param start: where to begin.
    """
    place: Place | None = start or Place()
    while place is not None:
        page = fetch_page(bodies[place.body], place.token)
        guard.check(page)
        place = _next(place, page, len(bodies))
        yield page, place


def _next(place: Place, page: OrdersPage, bodies: int) -> Place | None:
    if page.next_page_token is not None:
        return Place(place.body, page.next_page_token)
    return Place(place.body + 1) if place.body + 1 < bodies else None


def _broken(what: str) -> PagesBroken:
    return PagesBroken(
        f"Read order statistics page by page: {what}. Nothing is published; the next try begins with the first page. "
        "If this stays, tell the support of Yandex Market."
    )


def _sum(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=12).digest()
