# SPDX-License-Identifier: Apache-2.0
"""Page tokens: opaque to a client, and good only with the request they were given for.

Source: https://yandex.ru/dev/market/partner-api/doc/ru/concepts/pagination . That a token of another body or ``limit``
is refused is the sandbox's reading of "the same on every following call".
"""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64

import msgspec
from starlette.datastructures import QueryParams

from airflow_provider_yandex_orders.sandbox.market.errors import MarketError


class Place(msgspec.Struct, frozen=True):
    """Where a page begins."""

    offset: int = 0
    """Orders of the listing that earlier pages gave."""
    before: tuple[int, ...] = ()
    """Where the pages before it began, the last first."""
    number: int = 1
    """The page's number, from 1."""


class _Token(msgspec.Struct, array_like=True):
    place: Place
    seal: str


def write(place: Place, request: str, limit: int) -> str:
    """The token of a place."""
    return urlsafe_b64encode(msgspec.json.encode(_Token(place, _seal(place, request, limit)))).decode()


def read(query: QueryParams, request: str, limit: int) -> Place:
    """The place a request asks for: the first one without a token.

    :param request: what the token must have been given for.
    """
    token = query.get("pageToken", query.get("page_token"))
    if token is None:
        return Place()
    try:
        found = msgspec.json.decode(urlsafe_b64decode(token.encode()), type=_Token)
    except (ValueError, BadBase64, msgspec.DecodeError):
        raise MarketError("market_bad_page_token") from None
    if found.seal != _seal(found.place, request, limit):
        raise MarketError("market_bad_page_token")
    return found.place


def _seal(place: Place, request: str, limit: int) -> str:
    text = f"{place}|{request}|{limit}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]
