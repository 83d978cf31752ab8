# SPDX-License-Identifier: Apache-2.0
"""Small batches given by hand or by another task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from airflow_provider_yandex_orders.exceptions import SourceError
from airflow_provider_yandex_orders.sources.base import RowStream, Source


class RowsSource(Source):
    """A list of dicts. Meant for small batches: Airflow keeps an XCom of rows in its database.

    :param rows: the rows.
    """

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.rows = list(rows)

    @contextmanager
    def open(self) -> Iterator[RowStream]:
        """Go through the list."""
        yield RowStream(None, iter(self.rows))

    def serialize(self) -> dict[str, Any]:
        """Only how many rows there are."""
        return {"rows": len(self.rows)}


def as_source(value: object) -> Source:
    """Take a source as it is, and make one of a list of dicts, of a delivery or of a list of these.

    :raises SourceError: it is neither.
    """
    if isinstance(value, Source):
        return value
    rows = [value] if isinstance(value, Mapping) else value
    # What a mapped task returned is a sequence that is read lazily.
    if isinstance(rows, Sequence) and not isinstance(rows, (str, bytes)):
        rows = list(rows)
        if all(isinstance(row, Mapping) for row in rows):
            deliveries = ["parts" in row and "entity" in row for row in rows]
            if not any(deliveries):
                return RowsSource(rows)
            if all(deliveries):
                from airflow_provider_yandex_orders.sources.parts import PartsSource

                return PartsSource(*rows)
    raise SourceError(
        f"source= is a {type(value).__name__}: give a SqlSource, a FileSource, a list of dicts, "
        "or the output of a task that returns one of these lists, or of an upload task with send=False."
    )
