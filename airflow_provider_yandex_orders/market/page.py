# SPDX-License-Identifier: Apache-2.0
"""One page of order statistics: the service's own bytes of each order, and the token of the next page."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from airflow_provider_yandex_orders.exceptions import ServiceUnavailable

_OBJECT = ord("{")
_decode_order = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode


@dataclass(frozen=True, slots=True)
class OrdersPage:
    """A page. Iterating gives each order as a dict, its fractions as ``Decimal``.

    :param lines: each order as the service wrote it, on one line.
    :param next_page_token: token of the next page; ``None`` on the last one.
    :param requests: requests it took to get, repeated ones included.
    """

    lines: Sequence[bytes]
    next_page_token: str | None = None
    requests: int = 1

    def __len__(self) -> int:
        return len(self.lines)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return map(_decode_order, self.lines)


class _Paging(msgspec.Struct):
    token: str | None = msgspec.field(name="nextPageToken", default=None)


class _Result(msgspec.Struct):
    orders: list[msgspec.Raw]
    paging: _Paging | None = None


class _Answer(msgspec.Struct):
    result: _Result


_decode_answer = msgspec.json.Decoder(_Answer).decode


def decode_page(body: bytes) -> OrdersPage:
    """Read an answer of ``stats/orders`` without touching the orders in it.

    :raises msgspec.DecodeError: it is no JSON, or of another shape. Slices of JSON are taken as they are: what they
        would let through, bad UTF-8 and elements that are no objects, is looked for here.
    """
    result = _decode_answer(body).result
    try:
        body.decode()
    except UnicodeDecodeError:
        raise msgspec.DecodeError("text that is not UTF-8") from None
    lines = [bytes(order) for order in result.orders]
    if any(line[0] != _OBJECT for line in lines):
        raise msgspec.ValidationError("Expected `object` in `result.orders`")
    if b"\n" in body or b"\r" in body:  # only between tokens: inside a text they are escaped
        lines = [line.replace(b"\r", b" ").replace(b"\n", b" ") for line in lines]
    return OrdersPage(lines, (result.paging.token if result.paging else None) or None)


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
