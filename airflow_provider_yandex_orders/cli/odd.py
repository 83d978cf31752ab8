# SPDX-License-Identifier: Apache-2.0
"""What looks odd in the rows of a file: no fault of one row, yet hardly what was meant."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from airflow_provider_yandex_orders.local_tables import LocalTables
from airflow_provider_yandex_orders.rows import types
from airflow_provider_yandex_orders.rows.cells import is_missing
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.sources.base import Row, RowStream, UnreadableRow
from airflow_provider_yandex_orders.sources.columns import Picker, label
from airflow_provider_yandex_orders.sources.file import FileSource

_CANDIDATES = 100
"""Values of a column that are counted at once."""
_LEAST = 3
"""A value that stands in fewer rows may well be one customer's."""
_CUSTOMER = (types.CLIENT_ID, types.EMAIL, types.PHONE, types.FULL_PHONE, types.MD5)


class WatchedFile(FileSource):
    """A file whose rows, of one kind, are looked at while an upload reads them."""

    def __init__(self, path: Any, kind: RowKind, **options: Any) -> None:
        super().__init__(path, **options)
        self._kind = kind
        self._looks: list[_Look] = []  # Airflow copies sources: what is found must be seen from here

    @contextmanager
    def open(self) -> Iterator[RowStream]:
        """Open the files, and look at each row that is read."""
        with super().open() as stream:
            look = _Look(self, self._kind, stream)
            self._looks.append(look)
            with look.lines:
                yield replace(stream, rows=look.over(stream.rows))
                look.end()

    def oddities(self) -> list[str]:
        """What was found, a sentence each."""
        return [sentence for look in self._looks for sentence in look.found]


class _Look:
    def __init__(self, source: FileSource, kind: RowKind, stream: RowStream) -> None:
        columns = {each: label(source.columns, each.name) for each in kind.fields}
        self.found: list[str] = []
        self._customers = {each.name: column for each, column in columns.items() if each.type in _CUSTOMER}
        if kind.owner:
            self._customers[kind.owner] = label(source.columns, kind.owner)
        self._key = [label(source.columns, name) for name in kind.key]
        self._version = label(source.columns, kind.version or "")
        adds = {each.name: column for each, column in columns.items() if each.type.adds}
        self._amounts = adds if len(kind.key) == 1 else {}
        currencies = {each.name: column for each, column in columns.items() if each.type in types.CURRENCIES}
        self._added = [*self._amounts.values(), next(iter(currencies.values()), "")]  # amounts of one currency only
        fields = [*kind.key, *self._customers, *self._amounts, *currencies, *filter(None, [kind.version])]
        self._pick = Picker(
            source.columns,
            list(dict.fromkeys(fields)),
            null_values=stream.reading.null_values,
            dated=[kind.version or ""],
        )
        self._frequent = {name: _Frequent() for name in self._customers}
        self.lines = _Lines(len(self._added))
        self._rows = 0
        self._last: list[Any] | None = None

    def over(self, rows: Iterator[Row]) -> Iterator[Row]:
        for row in rows:
            if not isinstance(row, UnreadableRow):
                self._look_at(self._pick(row))
            yield row

    def _look_at(self, row: Row) -> None:
        key = [row.get(column) for column in self._key]
        if key != self._last or all(map(is_missing, key)):  # the lines of one order are one customer's
            self._last = key
            self._rows += 1
            for name, column in self._customers.items():
                value = row.get(column)
                if not is_missing(value):
                    self._frequent[name].add(str(value))
        if self._amounts and is_missing(row.get(self._version)) and not is_missing(key[0]):
            amounts = (row.get(column) for column in self._added)
            self.lines.add(str(key[0]), [None if is_missing(value) else str(value) for value in amounts])

    def end(self) -> None:
        for name, column in self._customers.items():
            share = self._frequent[name].most()
            if share >= _LEAST and share * 3 >= self._rows:
                self.found.append(
                    f"{name} (column {column!r}): one value stands in about {share:,} of {self._rows:,} rows. A value "
                    "that stands for many customers is no identifier: all these orders would be one customer's."
                )
        *by_amount, (mixed, _) = self.lines.by_amount()
        for (name, column), (differ, repeat) in zip(self._amounts.items(), by_amount, strict=True):
            if differ and mixed:
                self.found.append(
                    f"{name} (column {column!r}): differs between the rows of {differ:,} orders, and {mixed:,} orders "
                    "have rows of several currencies: these cannot be added up. Give each order one currency first."
                )
            elif differ:
                self.found.append(
                    f"{name} (column {column!r}): differs between the rows of {differ:,} orders. If it is the amount "
                    f'of a line, it must be added up: --same-key {name}=sum, same_key={{"{name}": "sum"}} in the task.'
                )
            if repeat:
                self.found.append(
                    f"{name} (column {column!r}): stands alike in all rows of {repeat:,} orders that have several. It "
                    "is then the order's, never to be added up: --same-key merge takes it once."
                )


class _Frequent:
    """The most frequent of many values, counted in the space of a hundred (the sums of Misra and Gries)."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._missed = 0

    def add(self, value: str) -> None:
        counts = self._counts
        if value in counts or len(counts) < _CANDIDATES:
            counts[value] = counts.get(value, 0) + 1
            return
        self._missed += 1
        for each in list(counts):
            counts[each] -= 1
            if not counts[each]:
                del counts[each]

    def most(self) -> int:
        """How often it occurs: never more than a hundredth of all too many."""
        return max(self._counts.values(), default=-self._missed) + self._missed


class _Lines(LocalTables):
    """What the rows of one order say of its amounts."""

    def __init__(self, amounts: int) -> None:
        self._amounts = range(amounts)
        columns = "".join(f", low{n} TEXT, high{n} TEXT, filled{n} INTEGER" for n in self._amounts)
        changes = "".join(
            f", low{n} = min(ifnull(low{n}, excluded.low{n}), ifnull(excluded.low{n}, low{n}))"
            f", high{n} = max(ifnull(high{n}, excluded.high{n}), ifnull(excluded.high{n}, high{n}))"
            f", filled{n} = filled{n} + excluded.filled{n}"
            for n in self._amounts
        )
        super().__init__(
            f"CREATE TABLE orders (key INTEGER PRIMARY KEY, rows INTEGER{columns})",
            insert=f"INSERT INTO orders VALUES (?, 1{', ?, ?, ?' * amounts}) "  # noqa: S608 - numbers only
            f"ON CONFLICT (key) DO UPDATE SET rows = rows + 1{changes}",
        )

    def add(self, key: str, amounts: list[str | None]) -> None:
        digest = hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=8).digest()
        told = [each for amount in amounts for each in (amount, amount, int(amount is not None))]
        self._insert([int.from_bytes(digest, signed=True), *told])

    def by_amount(self) -> Iterator[tuple[int, int]]:
        """Of each column: orders whose rows differ in it, and orders in all of whose rows it stands alike."""
        self._flush()
        for n in self._amounts:
            yield self._db.execute(
                f"SELECT ifnull(sum(low{n} <> high{n}), 0), "  # noqa: S608 - numbers only
                f"ifnull(sum(low{n} = high{n} AND filled{n} = rows), 0) FROM orders WHERE rows > 1"
            ).fetchone()
