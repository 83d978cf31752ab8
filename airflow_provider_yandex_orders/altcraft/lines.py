# SPDX-License-Identifier: Apache-2.0
"""Orders with the lines of a second source, joined by the order's id."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from airflow_provider_yandex_orders.delivery.columns import check_mapping, check_read, watched
from airflow_provider_yandex_orders.exceptions import SourceError
from airflow_provider_yandex_orders.local_tables import Shelf
from airflow_provider_yandex_orders.privacy import shown_key
from airflow_provider_yandex_orders.rows.cells import is_missing
from airflow_provider_yandex_orders.rows.faults import BadValue
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.rows.scalars import identifier
from airflow_provider_yandex_orders.sources.base import Row, RowStream, Source, UnreadableRow
from airflow_provider_yandex_orders.sources.columns import getter, label

log = logging.getLogger(__name__)

KEY = "external_id"
"""The orders' field with their id."""
ORDER_KEY = "order_external_id"
"""The lines' field with the id of their order."""
FIELD = "lines"
"""The orders' field that takes the lines."""


class OrdersWithLines(Source):
    """Rows of one source, each with a list of the rows of another.

    The lines are put on local disk first, so neither source needs an order and memory stays flat. A line that cannot be
    read, or that names no order, fails the task: the order it belongs to would be sent without it.
    """

    def __init__(self, orders: Source, lines: Source, *, kind: RowKind) -> None:
        self.orders = orders
        self.lines = lines
        self.columns = orders.columns
        self._kind = kind

    def serialize(self) -> dict[str, Any]:
        """Both sources."""
        return {"orders": self.orders.serialize(), "lines": self.lines.serialize()}

    def __repr__(self) -> str:
        return f"{self.orders!r} with lines of {self.lines!r}"

    @contextmanager
    def open(self) -> Iterator[RowStream]:
        """Read the lines, then open the orders."""
        with Shelf() as shelf:
            with self.lines.open() as stream:
                reading = stream.reading
                self._fill(shelf, stream)
            with self.orders.open() as stream:
                columns = None if stream.columns is None else [*stream.columns, label(self.orders.columns, FIELD)]
                yield replace(stream, columns=columns, rows=self._joined(shelf, stream), reading_of_rows=reading)

    def _fill(self, shelf: Shelf, stream: RowStream) -> None:
        check_mapping(self.lines.columns, self._kind)
        order_column, id_column = (label(self.lines.columns, name) for name in (ORDER_KEY, *self._kind.key))
        needed = (replace(each, required=each.required or each.name == ORDER_KEY) for each in self._kind.fields)
        kind = replace(self._kind, fields=tuple(needed))
        number = 0
        pick = watched(self.lines, kind, stream, require_key=True)
        for number, whole in enumerate(stream.rows, start=1):
            if isinstance(whole, UnreadableRow):
                raise self._spoilt(number, whole.reason, whole.fix)
            row = pick(whole)
            if is_missing(row.get(order_column)):
                raise self._spoilt(number, f"{ORDER_KEY} is empty", "give each line the id of its order")
            try:
                order_id = identifier(row.get(order_column))
            except BadValue as bad:
                raise self._spoilt(number, f"{ORDER_KEY} {bad.reason}", bad.fix) from None
            shelf.add(order_id, str(row.get(id_column)), row)
        check_read(self.lines, kind, stream, pick)
        shelf.settle()
        log.info("Lines read: %d.", number)

    def _joined(self, shelf: Shelf, stream: RowStream) -> Iterator[Row]:
        key_of, field = getter(self.orders.columns, KEY), label(self.orders.columns, FIELD)
        for row in stream.rows:
            if isinstance(row, UnreadableRow):
                yield row
                continue
            try:
                key = identifier(key_of(row))
            except BadValue:  # the order is rejected for it
                key = ""
            yield {**row, field: shelf.take(key)}
        orphans = list(shelf.never_taken())
        if orphans:
            lines = sum(count for _, count in orphans)
            shown = ", ".join(shown_key(key) for key, _ in orphans[:5])
            log.warning("%d lines belong to %d orders that were not read (%s).", lines, len(orphans), shown)

    def _spoilt(self, number: int, reason: str, fix: str) -> SourceError:
        return SourceError(
            f"Read {self.lines!r}: row {number}: {reason}; {fix}. An order would be sent without one of its lines: "
            "nothing was sent."
        )
