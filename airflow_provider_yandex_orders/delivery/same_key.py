# SPDX-License-Identifier: Apache-2.0
"""What becomes of several rows of one key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Any

from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.rows import types
from airflow_provider_yandex_orders.rows.faults import Checked, Fault
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.templated import mapping

WAYS = ("sum", "join", "first", "last")
FIRST = "first_"
"""Begins what is noted of a row made of several, where of differing values of a field the first was taken."""

Numbered = tuple[list[int], Checked]
"""A row, and the numbers of the source's rows it is made of."""

_TWO_CURRENCIES = Fault(
    "currency", "other_currency", "rows of this key have amounts of several currencies", "give them one currency"
)


@dataclass(frozen=True, slots=True)
class SameKey:
    """What the user wants of rows of one key where nothing tells which of them is the newest.

    :param last: the last of them is sent.
    :param merges: one row is made of them, of each field the first filled.
    :param ways: how fields are put together otherwise.
    :param counts_copies: a row equal to another counts beside it: lines of an order may be equal.
    """

    last: bool = False
    merges: bool = False
    ways: Mapping[str, str] = field(default_factory=dict)
    counts_copies: bool = False

    @property
    def adds(self) -> bool:
        """Whether rows are parts of one whole: then none replaces another."""
        return self.counts_copies and not {"sum", "join"}.isdisjoint(self.ways.values())

    def put_together(self, rows: Sequence[tuple[int, Checked]], kind: RowKind, merge_mode: str) -> list[Numbered]:
        """The rows that those of one key come to.

        :param rows: all of the key, in the order they came.
        :param merge_mode: what the service does with fields that a row does not have.
        """
        newest = max(found.version for _number, found in rows)
        top = [([number], found) for number, found in rows if found.version in ("", newest)]
        older = [each for each in rows if each[1].version not in ("", newest)]
        if self.merges:
            top = [self._one(top, kind)]
        if older and self.adds:
            reason = f"rows of this key have several {kind.version}, and same_key adds up what may replace each other"
            fix = f"give the lines of one order one {kind.version}; or leave same_key out: the newest row is sent"
            top[0][1].faults.append(Fault(kind.version or "", "versions_differ", reason, fix))
        elif older and merge_mode != "SAVE":
            self._take_over(older, top, kind, merge_mode)
        else:
            return top
        top[0][0].extend(number for number, _found in older)
        return top

    def _take_over(self, older: list[tuple[int, Checked]], top: list[Numbered], kind: RowKind, merge_mode: str) -> None:
        """Give the newest rows what only older ones have: the service would take one after the other."""
        first = top[0][1]
        if self.last:
            older.reverse()
        older.sort(key=lambda each: each[1].version, reverse=True)
        for (_number, one), (_number, other) in pairwise(() if self.last or self.merges else older):
            if one.version == other.version and one.values != other.values:
                reason = "older rows of this key have one version and differ, and each is a change"
                first.faults.append(Fault(", ".join(kind.key), "rows_differ", reason, 'same_key="last" takes the last'))
                break
        adding = SameKey(ways=dict.fromkeys(_listed(kind), "add") if merge_mode == "APPEND" else {})
        before = adding._merged(found.values for _number, found in older)
        for _numbers, found in top:
            found.values = adding._merged([found.values, before])
        for _number, found in older:
            first.faults += found.faults
            first.dropped += found.dropped
            first.notes += found.notes

    def _merged(self, rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
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

    def _one(self, rows: Sequence[Numbered], kind: RowKind) -> Numbered:
        (_numbers, first), *others = rows
        values = self._merged(found.values for _numbers, found in rows)
        named = [each.name for each in kind.fields if each.type in types.CURRENCIES]
        currencies = {found.values[name] for _numbers, found in rows for name in named if name in found.values}
        for name in (each.name for each in kind.sent_fields if each.name in values and each.name not in self.ways):
            if any(found.values.get(name) not in (values[name], None, [], {}) for _numbers, found in rows):
                first.notes.append(f"{FIRST}{name}")
        for _numbers, found in others:
            first.faults += found.faults
            first.dropped += found.dropped
            first.notes += found.notes
            first.version = max(first.version, found.version)
        if len(currencies) > 1:
            first.faults.append(_TWO_CURRENCIES)
        first.values = values
        return [number for numbers, _found in rows for number in numbers], first


def read_same_key(value: object, kind: RowKind) -> SameKey:
    """The argument ``same_key``.

    :param value: as the user or a template gave it.
    """
    if value in (None, "", "None"):
        return SameKey()
    if value == "last":
        return SameKey(last=True)
    fields = {each.name: each for each in kind.sent_fields if each.name not in kind.key}
    listed = _listed(kind) & fields.keys()
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


def _listed(kind: RowKind) -> set[str]:
    return {each.name for each in kind.sent_fields if each.many or each.type is types.PRODUCTS}


def _together(way: str | None, known: Any, value: Any) -> Any:
    if known in ([], {}) or way == "last":
        return value
    if way == "sum":
        return format(Decimal(known) + Decimal(value), "f") if isinstance(known, str) else known + value
    if way == "add" and isinstance(known, dict):
        return {**value, **known}
    if way == "join" and isinstance(known, dict):  # products and their quantities
        return known | {name: known.get(name, 0) + count for name, count in value.items()}
    if way == "add":  # of a goal the newest price
        names = set(map(_name, known))
        return [*known, *(each for each in value if _name(each) not in names)]
    if way == "join":
        return [*known, *(each for each in value if each not in known)]
    return known


def _name(element: Any) -> Any:
    return element[0] if isinstance(element, tuple) else element
