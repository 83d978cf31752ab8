# SPDX-License-Identifier: Apache-2.0
"""Order statistics page by page: the service's own bytes of each order, and the way from one page to the next."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from airflow_provider_yandex_orders.exceptions import Answer, ServiceRefused, ServiceUnavailable
from airflow_provider_yandex_orders.market.api import Paging
from airflow_provider_yandex_orders.market.filters import OrderFilter

log = logging.getLogger(__name__)

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


class _Result(msgspec.Struct):
    orders: list[msgspec.Raw]
    paging: Paging | None = None


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

FetchPage = Callable[..., OrdersPage]
"""Gets the page of a body that ``page_token`` names (``None``: the first one); PeriodTooLong where its period is."""


class PagesBroken(ServiceUnavailable):
    """The pages do not hang together any more; reading them from the first one may help."""


class PeriodTooLong(ServiceRefused):
    """The service takes no period of that length.

    :param most: days it takes, where it says so.
    """

    def __init__(self, message: str = "", *, answer: Answer | None = None, most: int | None = None) -> None:
        super().__init__(message, answer=answer)
        self.most = most


class Place(msgspec.Struct, frozen=True):
    """Where a page is.

    :param body: number of the request's body, from 0.
    :param token: token of the page; ``None`` for the first one of that body.
    :param longest: days one body spans at most, where the period is split; it decides which bodies there are.
    """

    body: int = 0
    token: str | None = None
    longest: int | None = None

    @property
    def is_first(self) -> bool:
        """Whether no page comes before it."""
        return self.body == 0 and self.token is None


class Step(NamedTuple):
    """A page on its way."""

    page: OrdersPage
    here: Place
    following: Place | None


class PageGuard:
    """Looks at every page of a fetch, those of earlier tries included. Keeps a few bytes of each."""

    def __init__(self) -> None:
        self._tokens: set[bytes] = set()
        self._contents: set[bytes] = set()
        self._pages = 0
        self._repeats = 0

    def check(self, page: OrdersPage, body: int) -> None:
        """Take in one page.

        :param body: number of the body it answers: each body's pages end by themselves.
        :raises PagesBroken: going on would never end.
        """
        self._pages += 1
        token = page.next_page_token
        if token is not None:
            name = _sum(f"{body} {token}".encode())
            if name in self._tokens:
                raise _broken(f"page {self._pages} names a next page that was read before")
            self._tokens.add(name)
        content = _sum(b"\n".join(page.lines))
        self._repeats = self._repeats + 1 if token is not None and content in self._contents else 0
        self._contents.add(content)
        if self._repeats >= MOST_REPEATS:
            raise _broken(f"the last {MOST_REPEATS} pages, up to page {self._pages}, repeat earlier ones")
        if self._pages >= MOST_PAGES and token is not None:
            raise _broken(f"there is no end after {MOST_PAGES} pages; ask for shorter periods")


def follow(fetch_page: FetchPage, chosen: OrderFilter, guard: PageGuard, start: Place | None = None) -> Iterator[Step]:
    """Pages one after the other; each token goes back as it came.

    A period the service finds too long is split into periods it takes, as it says or by halves.

    :param chosen: the orders asked for; its bodies are read to the end one after the other.
    :param guard: has seen the pages before ``start``.
    """
    here = start or Place()
    bodies = chosen.bodies(here.longest)
    while True:
        try:
            page = fetch_page(bodies[here.body], page_token=here.token)
        except PeriodTooLong as error:
            here = Place(longest=_shorter(here, chosen.days, error))
            bodies = chosen.bodies(here.longest)
            log.info("%s Reading it in %d periods of up to %d days.", error, len(bodies), here.longest)
            continue
        guard.check(page, here.body)
        following = _next(here, page, len(bodies))
        yield Step(page, here, following)
        if following is None:
            return
        here = following


def _shorter(here: Place, days: int, refused: PeriodTooLong) -> int:
    """Days to span instead; the refusal itself where the period is a day already, or pages of it were read."""
    spanned = min(days, here.longest or days)
    if spanned <= 1 or not here.is_first:
        raise refused
    return refused.most if refused.most and refused.most < spanned else (spanned + 1) // 2


def _next(here: Place, page: OrdersPage, bodies: int) -> Place | None:
    if page.next_page_token is not None:
        return Place(here.body, page.next_page_token, here.longest)
    return Place(here.body + 1, longest=here.longest) if here.body + 1 < bodies else None


def _broken(what: str) -> PagesBroken:
    return PagesBroken(
        f"Read order statistics page by page: {what}. Nothing is published; the next try begins with the first page. "
        "If this stays, tell the support of Yandex Market."
    )


def _sum(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=12).digest()
