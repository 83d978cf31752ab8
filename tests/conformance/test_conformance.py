# SPDX-License-Identifier: Apache-2.0
"""Every rule of the services' documentation, and the tests that hold this package and the sandbox to it.

``python -m tests.conformance.test_conformance`` writes docs/conformance.md anew from the rules beside this file.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TESTS = HERE.parent
PAGE = TESTS.parent / "docs" / "conformance.md"
TEST = re.compile(r"([\w/]+)::([\w:]+)")
SERVICES = {"metrica": "Yandex Metrica", "market": "Yandex Market", "altcraft": "Altcraft Platform"}
HEAD = """# Conformance

What the services document, rule by rule: the page it stands on, the test that this package obeys it, and the test that
the [sandbox](sandbox.md) enforces it, or why there is none. Where a page is silent or two disagree, a cell says what
was chosen; what only a public copy of the pages or users' code shows leads there. The tables are made from
`tests/conformance`; a test holds that each test they name exists.
"""


@cache
def rules(service: str) -> dict[str, Any]:
    return tomllib.loads((HERE / f"rules_{service}.toml").read_text(encoding="utf-8"))


def rules_of(section: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """What each says, the cell of this package, that of the sandbox, and the page."""
    for says, ours, sandbox, *page in section["rules"]:
        yield says, ours, sandbox, page[0] if page else section["page"]


def each_rule() -> Iterator[tuple[str, str, str, str]]:
    for service in SERVICES:
        for section in rules(service)["section"]:
            yield from rules_of(section)


@cache
def collected(file: str) -> frozenset[str]:
    """The tests that a file has, as pytest names them."""
    path = TESTS / f"{file}.py"
    if not path.name.startswith("test_") or not path.exists():
        return frozenset()
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            found |= {f"{node.name}::{each.name}" for each in node.body if isinstance(each, ast.FunctionDef)}
        elif isinstance(node, ast.FunctionDef):
            found.add(node.name)
    return frozenset(name for name in found if name.rpartition(":")[2].startswith("test_"))


def shown(cell: str) -> str:
    """A cell as the page has it: names of tests lead to their files."""
    apart = re.sub(rf"({TEST.pattern}) (?={TEST.pattern})", r"\1, ", cell)
    return TEST.sub(lambda test: f"[`{test[2].rpartition(':')[2]}`](../tests/{test[1]}.py)", apart)


def page_text() -> str:
    parts = [HEAD]
    for service, name in SERVICES.items():
        parts.append(f"## {name}\n")
        for section in rules(service)["section"]:
            parts.append(f"### {section['title']}\n\n| rule | page | this package | sandbox |\n|---|---|---|---|")
            for says, ours, sandbox, address in rules_of(section):
                last = address.rstrip("/").rpartition("/")[2]
                label = "page" if last.isdigit() else last
                parts.append(f"| {says} | [{label}]({address}) | {shown(ours)} | {shown(sandbox)} |")
            parts[-1] += "\n"
        parts.append("### Left out\n\n" + "\n".join(f"- {what}" for what in rules(service)["left_out"]) + "\n")
    return "\n".join(parts)


def test_no_cell_is_empty() -> None:
    found = list(each_rule())
    assert len(found) > 150
    for says, ours, sandbox, page in found:
        assert page.startswith("https://"), says
        assert "|" not in says + ours + sandbox
        assert says.strip()
        for cell in (ours, sandbox):  # a test, or a reason of more than a word
            assert TEST.search(cell) or len(cell.split()) > 1, says


def test_every_test_that_is_named_exists() -> None:
    named = {(test[1], test[2]) for _, ours, sandbox, _ in each_rule() for test in TEST.finditer(f"{ours} {sandbox}")}
    assert {f"{file}::{test}" for file, test in named if test not in collected(file)} == set()


def test_the_page_is_that_of_the_rules() -> None:
    assert PAGE.read_text(encoding="utf-8") == page_text(), "run: python -m tests.conformance.test_conformance"


if __name__ == "__main__":
    PAGE.write_text(page_text(), encoding="utf-8")
