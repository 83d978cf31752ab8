# SPDX-License-Identifier: Apache-2.0
"""What the docs say holds: links, code, commands."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def codes_in_the_package() -> set[str]:
    """Every code a row or a value may be refused with, as the source text has it."""
    places = {"BadValue": 0, "RefusedValue": 0, "Fault": 1}
    found = set()
    for path in (ROOT / "airflow_provider_yandex_orders").rglob("*.py"):
        if {"sandbox", "demo"} & set(path.parts):
            continue
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in places:
                named = [each.value for each in call.keywords if each.arg == "code"]
                place = places[call.func.id]
                found |= {
                    str(each.value)
                    for each in (*call.args[place : place + 1], *named)
                    if isinstance(each, ast.Constant)
                }
    return found - {"bad_map"}  # of an argument


def test_the_table_of_codes_is_that_of_the_package() -> None:
    page = (ROOT / "docs" / "rows.md").read_text(encoding="utf-8").partition("| `code` |")[2]
    told = {
        code for line in page.splitlines() for code in re.findall(r"`(\w+)`", line.split("|")[1] if "|" in line else "")
    }
    assert told == codes_in_the_package()


def test_every_switch_of_the_sandbox_is_in_its_table() -> None:
    from airflow_provider_yandex_orders.sandbox.settings import RUNTIME_SETTINGS, SandboxSettings

    page = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8").partition("## Switches")[2].partition("## ")[0]
    told = dict(re.findall(r"^\| `(\w+)` \(([\w.]+)\) \|", page, re.MULTILINE))
    settings = SandboxSettings()
    own = {name: getattr(settings, name) for name in RUNTIME_SETTINGS if not name.startswith("market_")}
    assert told == {
        name: str(value).lower() if isinstance(value, bool) else f"{value:g}" for name, value in own.items()
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if not link.startswith("http"):
            path, _, anchor = link.partition("#")
            target = (page.parent / path) if path else page
            assert target.exists(), link
            headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8") if anchor else "", re.MULTILINE)
            assert not anchor or anchor in {re.sub(r"[^\w -]", "", head).lower().replace(" ", "-") for head in headings}


def test_the_first_dag_of_the_readme_is_one(airflow_db: None, tmp_path: Path) -> None:
    pytest.importorskip("airflow.sdk")
    from airflow.models import DagBag

    code = re.search(r"## First DAG\n\n```python\n(.*?)```", PAGES[0].read_text(encoding="utf-8"), re.DOTALL)
    assert code is not None
    (tmp_path / "first_dag.py").write_text(code[1])
    bag = DagBag(str(tmp_path))
    assert bag.import_errors == {}
    assert list(bag.dags["orders_to_metrica"].task_dict) == ["upload_orders"]


def test_the_readmes_commands_are_in_the_makefile() -> None:
    targets = set(re.findall(r"^([\w.-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z][\w.-]*)", PAGES[0].read_text(encoding="utf-8"), re.MULTILINE))
    assert {"demo", "test", "lint", "test-2.11"} <= named <= targets
