# SPDX-License-Identifier: Apache-2.0
"""What the docs say holds: links, code, commands."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.russian import names

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


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
            assert not anchor or anchor in names(target.read_text(encoding="utf-8"))


def test_ten_questions_of_newcomers_are_answered_within_two_clicks() -> None:
    first = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    asked = re.findall(r"\[([^]]*\?)\]\(faq\.md#([\w-]+)\)", first)
    assert len(asked) == 10
    assert all(names(f"# {question}") == [anchor] for question, anchor in asked)  # which the test of links finds


@pytest.mark.parametrize("page", ["README.md", "docs/index.md"])
def test_the_first_dag_is_one(airflow_db: None, tmp_path: Path, page: str) -> None:
    pytest.importorskip("airflow.sdk")
    from airflow.models import DagBag

    code = re.search(r"```python\n(import pendulum\n.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    assert code is not None
    (tmp_path / "first_dag.py").write_text(code[1])
    bag = DagBag(str(tmp_path))
    assert bag.import_errors == {}
    assert list(bag.dags["orders_to_metrica"].task_dict) == ["upload_orders"]


def test_the_command_that_deletes_old_files_leaves_the_journal(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "storage.md").read_text(encoding="utf-8")
    command = re.search(r"^find .*-delete$", page, re.MULTILINE)
    assert command is not None
    part, journal = (tmp_path / "yandex_orders" / name for name in ("a_dag/a_run/a_task/part-00001.csv", "journal.db"))
    part.parent.mkdir(parents=True)
    for file in (part, part.with_name("new.csv"), journal):
        file.touch()
    for file in (part, journal):
        os.utime(file, (0, 0))
    subprocess.run(["sh", "-c", command[0]], env={**os.environ, "AIRFLOW_HOME": str(tmp_path)}, check=True)
    assert (part.exists(), part.with_name("new.csv").exists(), journal.exists()) == (False, True, True)


def test_the_tests_of_the_page_pass_as_they_stand_there(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    files = re.findall(r"```python\n# (\S+)\n(.*?)```", page, re.DOTALL)
    assert [name for name, _ in files] == ["dags/orders.py", "tests/conftest.py", "tests/test_orders.py"]
    for name, code in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(code, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert "2 passed" in done.stdout
