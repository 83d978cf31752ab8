# SPDX-License-Identifier: Apache-2.0
"""The tables of fields in the docs are those of the declarations.

``python -m tests.unit.docs.test_field_tables`` writes those of the row kinds anew.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from airflow_provider_yandex_orders.altcraft import kinds as altcraft_kinds
from airflow_provider_yandex_orders.market.tables.declare import Table
from airflow_provider_yandex_orders.market.tables.order_stats import TABLES
from airflow_provider_yandex_orders.metrica import kinds as metrica_kinds
from airflow_provider_yandex_orders.rows.kind import Field, RowKind

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MARK = re.compile(r"<!-- fields:(\w+) -->\n(.*?)<!-- end -->", re.DOTALL)
GUIDE = ROOT / "docs" / "market.md"
BEGIN, END = "<!-- tables: begin -->\n", "<!-- tables: end -->\n"


def declared_kinds() -> dict[str, RowKind]:
    """Every row kind of the package, by name."""
    found = [
        value
        for module in (altcraft_kinds, metrica_kinds)
        for value in vars(module).values()
        if isinstance(value, RowKind)
    ]
    return {kind.name: kind for kind in found}


def table(kind: RowKind) -> str:
    """The fields of a kind as a table."""

    def needed(field: Field) -> str:
        if field.required:
            return "yes"
        return "one of these" if field.name in kind.identifiers else ""

    lines = ["| field | needed | holds | meaning |", "|---|---|---|---|"]
    for field in kind.fields:
        holds = f"list of {field.type.label}" if field.many else field.type.label
        lines.append(f"| `{field.name}` | {needed(field)} | {holds} | {field.meaning} |")
    return "\n".join(lines) + "\n"


def with_tables(text: str) -> str:
    """The page with every table as the declarations have it."""
    return MARK.sub(lambda mark: f"<!-- fields:{mark[1]} -->\n{table(declared_kinds()[mark[1]])}<!-- end -->", text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tables_are_those_of_the_declarations(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text == with_tables(text), "run: python -m tests.unit.docs.test_field_tables"


def test_every_kind_has_its_table() -> None:
    documented = {mark for page in PAGES for mark, _ in MARK.findall(page.read_text(encoding="utf-8"))}
    assert documented == set(declared_kinds())


def described(table: Table) -> str:
    """One table as the guide shows it."""
    rows = [
        f"| `{column.name}` | {column.type.value} | {f'`{column.source}`' if column.source else ''} | {column.note} |"
        for column in table.columns
    ]
    key = ", ".join(f"`{part}`" for part in table.key)
    head = [f"### `{table.name}`", "", f"{table.note} Key: {key}.", "", "| column | type | service's name | meaning |"]
    return "\n".join([*head, "|---|---|---|---|", *rows, ""])


def test_the_columns_of_market_are_those_of_the_code() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    shown = text[text.index(BEGIN) + len(BEGIN) : text.index(END)]
    assert shown == "\n".join(map(described, TABLES))


if __name__ == "__main__":
    for written in PAGES:
        written.write_text(with_tables(written.read_text(encoding="utf-8")), encoding="utf-8")
