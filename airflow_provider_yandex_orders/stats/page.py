# SPDX-License-Identifier: Apache-2.0
"""One page of order statistics: the service's own bytes of each order, and the token of the next page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

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
