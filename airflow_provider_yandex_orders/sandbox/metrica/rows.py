# SPDX-License-Identifier: Apache-2.0
"""The rows of an upload, whatever their format: good ones in canonical text, faults counted, names collected.

A fault says where and which rule, never the value.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from types import TracebackType
from typing import Final, Self

from airflow_provider_yandex_orders.sandbox.metrica.entities import Entity
from airflow_provider_yandex_orders.sandbox.metrica.fields import Column, item_name, items

_NAMES_KEPT: Final = 1000
_CELLS_KEPT: Final = 10_000


class Rows(ABC):
    """One upload being read; iterate :meth:`good` to the end, then read the counts."""

    def __init__(self, entity: Entity, max_errors: int) -> None:
        self.entity = entity
        self.columns: Mapping[str, Column] = entity.columns
        """Every column that a row may have here."""
        self.elements = 0
        """Rows read, good and bad."""
        self.failed = 0
        """Faults found, also those not spelled out."""
        self.named: dict[str, set[str]] = {column.names: set() for column in entity.columns.values() if column.names}
        """Goals, statuses and products that good rows point to, up to a thousand of each."""
        self._max_errors = max_errors
        self._errors: list[str] = []
        self._naming = [column for column in entity.columns.values() if column.names]
        places = [place for place, column in enumerate(entity.columns.values()) if column.names]
        self._cells_of_names = cells_at(places) if places else None
        self._seen: set[tuple[str, ...]] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The source belongs to the caller and stays open; what was needed for reading goes."""
        self._seen.clear()

    @abstractmethod
    def good(self) -> Iterator[tuple[object, ...]]:
        """Good rows as (number, \\*values in the order the store keeps them), an absent value being empty text."""

    def errors(self) -> list[str]:
        """What is wrong, as the service would say it."""
        if self.failed > len(self._errors):
            return [*self._errors, f"and {self.failed - len(self._errors)} more errors"]
        return list(self._errors)

    def _add(self, faults: Iterable[str]) -> None:
        for fault in faults:
            self.failed += 1
            if len(self._errors) < self._max_errors:
                self._errors.append(fault)

    def _must(self, where: str, name: str) -> str:
        return f"{where}, column {name}: must be {self.columns[name].rule}"

    def _needed(self, where: str) -> str:
        return f"{where}: one of {', '.join(self.entity.needs)} is required"

    def _collect_names(self, values: tuple[str, ...]) -> None:
        """Remember what a good row points to; ``values`` are in the order of the entity's columns."""
        # Most rows repeat a few cells; a set of them spares taking each apart.
        if self._cells_of_names is None or (cells := self._cells_of_names(values)) in self._seen:
            return
        if len(self._seen) < _CELLS_KEPT:
            self._seen.add(cells)
        for cell, column in zip(cells, self._naming, strict=True):
            names = self.named[column.names]
            if cell and len(names) < _NAMES_KEPT:
                names.update(item_name(column.form, item) for item in items(column, cell))


def cells_at(places: Iterable[int]) -> Callable[[Sequence[str]], tuple[str, ...]]:
    """A fast way to take these cells of a row, at least one."""
    wanted = list(places)
    if len(wanted) > 1:
        return itemgetter(*wanted)
    (place,) = wanted
    return lambda row: (row[place],)


def whole(column: Column) -> re.Pattern[str]:
    """The compiled pattern of a cell."""
    return re.compile(column.pattern, re.ASCII)
