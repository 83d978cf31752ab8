# SPDX-License-Identifier: Apache-2.0
"""Every fault at every step of every task: the docs say what becomes of it.

With ``PRINT_FAULTS=1`` in the environment (and one process) the table in the docs is written anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.simulation.one_fault import BY_A_RETRY, IN_THE_TRY, NOT_THERE, PEOPLE, Column, cell, columns, faults
from tests.simulation.world import simulation

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
COLUMNS, FAULTS = list(columns()), list(faults())
HEAD = f"| fault | {' | '.join(column.name for column in COLUMNS)} |"


def told() -> dict[str, list[str]]:
    """The table: a row of cells for each fault."""
    _before, head, after = PAGE.read_text(encoding="utf-8").partition(HEAD)
    assert head, "docs/faults.md has no table of these tasks"
    lines = [line for line in after.splitlines()[2:] if line.startswith("|")]
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {name: cells for name, *cells in table}


def test_the_docs_have_every_fault_and_no_cell_is_empty() -> None:
    table = told()
    assert list(table) == [name for name, _kind, _trouble in FAULTS]
    for cells in table.values():
        for each in cells:
            assert set(each.split(", ")) <= {IN_THE_TRY, BY_A_RETRY, PEOPLE, NOT_THERE}


@pytest.mark.slow
@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_nothing_is_lost_or_doubled_whatever_the_fault(column: Column) -> None:
    with simulation():
        found = {fault[0]: cell(column, fault) for fault in FAULTS}
    if os.environ.get("PRINT_FAULTS"):
        write(column, found)
    number = COLUMNS.index(column)
    assert {name: cells[number] for name, cells in told().items()} == found


def write(column: Column, found: dict[str, str]) -> None:
    """Put a column into the page."""
    before, _head, _after = PAGE.read_text(encoding="utf-8").partition("| fault |")
    try:
        table = told()
    except AssertionError:
        table = {}
    rows = [HEAD, f"|---|{'---|' * len(COLUMNS)}"]
    for name, cells in ((name, table.get(name, [NOT_THERE] * len(COLUMNS))) for name, _kind, _trouble in FAULTS):
        cells[COLUMNS.index(column)] = found[name]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    PAGE.write_text(before + "\n".join(rows) + "\n", encoding="utf-8")
