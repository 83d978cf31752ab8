# SPDX-License-Identifier: Apache-2.0
"""What becomes of several rows of one key, where nothing tells which of them is the newest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.rows import types
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.templated import mapping

WAYS = ("sum", "join", "first", "last")


@dataclass(frozen=True, slots=True)
class SameKey:
    """What the user wants of such rows.

    :param last: the last of them is sent.
    :param merges: one row is made of them, of each field the first filled.
    :param ways: how fields are put together otherwise.
    :param counts_copies: a row equal to another counts beside it: lines of an order may be equal.
    """

    last: bool = False
    merges: bool = False
    ways: Mapping[str, str] = field(default_factory=dict)
    counts_copies: bool = False

    def merged(self, rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """One row of several.

        :param rows: their converted values, in the order they came.
        """
        result: dict[str, Any] = {}
        seen = set()
        for values in rows:
            if not self.counts_copies:
                if (shown := repr(values)) in seen:
                    continue
                seen.add(shown)
            for name, value in values.items():
                if name in result and value not in ([], {}):
                    result[name] = _together(self.ways.get(name), result[name], value)
                else:
                    result.setdefault(name, value)
        return result


def read_same_key(value: object, kind: RowKind) -> SameKey:
    """The argument ``same_key``.

    :param value: as the user or a template gave it.
    :param kind: the rows it is for.
    :raises ConfigurationError: it cannot be followed.
    """
    if value in (None, "", "None"):
        return SameKey()
    if value == "last":
        return SameKey(last=True)
    fields = {each.name: each for each in kind.sent_fields if each.name not in kind.key}
    listed = {name for name, each in fields.items() if each.many or each.type is types.PRODUCTS}
    if value == "merge":
        return SameKey(merges=True, ways=dict.fromkeys(listed, "join"))
    allowed = 'same_key must be None, "last", "merge", or a mapping such as {"revenue": "sum", "products": "join"}'
    ways = {name: str(way) for name, way in mapping(value, "same_key", otherwise=allowed).items()}
    for name, way in ways.items():
        if name not in fields:
            raise ConfigurationError(f"{allowed}; {name!r} cannot stand in it. These can: {', '.join(fields)}.")
        fits = {"sum": fields[name].type.adds, "join": name in listed}
        if way not in WAYS or not fits.get(way, True):
            raise ConfigurationError(
                f"same_key: {name!r} cannot be put together by {way!r}. sum is for amounts, join for lists and "
                "products, first and last for any field."
            )
    return SameKey(merges=True, ways=ways, counts_copies=True)


def _together(way: str | None, known: Any, value: Any) -> Any:
    if known in ([], {}) or way == "last":
        return value
    if way == "sum":
        return format(Decimal(known) + Decimal(value), "f") if isinstance(known, str) else known + value
    if way == "join" and isinstance(known, dict):  # products and their quantities
        return known | {name: known.get(name, 0) + count for name, count in value.items()}
    if way == "join":
        return [*known, *(each for each in value if each not in known)]
    return known
