# SPDX-License-Identifier: Apache-2.0
"""Rows from a table whose first filled line names the columns: what CSV and Excel have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from airflow_provider_yandex_orders.sources.base import Row


def is_empty(cells: Sequence[Any]) -> bool:
    """Whether a line has nothing in it."""
    if cells and type(first := cells[0]) is str and first and not first.isspace():  # most lines, and quickly told
        return False
    return not any(not cell.isspace() if isinstance(cell, str) and cell else cell not in (None, "") for cell in cells)


def header_of(lines: Iterator[Any]) -> list[str]:
    """The names in the first line that has any; none where the table is empty."""
    for cells in lines:
        if not is_empty(cells):
            return ["" if cell is None else str(cell) for cell in cells]
    return []


def row_maker(names: Sequence[str]) -> Callable[[Sequence[Any]], Row | None]:
    """A function that makes a row of a line's cells; ``None`` where there are too few or too many.

    Columns without a name are left out, whether they hold something or not.
    """
    named = [(name, place) for place, name in enumerate(names) if name and not name.isspace()]
    width, least = len(names), (named[-1][1] + 1 if named else 0)
    whole = len(named) == width

    def make(cells: Sequence[Any]) -> Row | None:
        if whole and len(cells) == width:
            return dict(zip(names, cells))  # noqa: B905 - as many, and to say so takes as long again
        if len(cells) < least or not is_empty(cells[width:]):
            return None
        return {name: cells[place] for name, place in named}

    return make
