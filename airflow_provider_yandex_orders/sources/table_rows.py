# SPDX-License-Identifier: Apache-2.0
"""Rows from a table whose first filled line names the columns: what CSV and Excel have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any


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


def table_of(names: Sequence[str]) -> tuple[list[str], Callable[[Sequence[Any]], tuple[Any, ...] | None]]:
    """The columns of a table, and a function that makes a row of a line's cells: ``None`` where there are too few or
    too many.

    Columns without a name are left out, whether they hold something or not; of equal names the last counts.
    """
    named = {name: place for place, name in enumerate(names) if name and not name.isspace()}
    places, width = list(named.values()), len(names)
    least, whole = max(places, default=-1) + 1, len(named) == width

    def make(cells: Sequence[Any]) -> tuple[Any, ...] | None:
        if whole and len(cells) == width:
            return tuple(cells)
        if len(cells) < least or not is_empty(cells[width:]):
            return None
        return tuple([cells[place] for place in places])

    return list(named), make
