# SPDX-License-Identifier: Apache-2.0
"""Tests use the package as its users do: whatever is behind the public modules may change without them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PACKAGE = "airflow_provider_yandex_orders"
SERVICES = ("altcraft", "market", "metrica")
PUBLIC = {
    "__main__",  # the command
    "assets",
    "notifications.delivery",
    "exceptions",
    "sources",
    "sources.market_to_altcraft",
    *(f"{folder}.{service}" for folder in ("hooks", "operators", "sensors", "triggers") for service in SERVICES),
}
PROGRAMS = {"sandbox", "demo"}
"""Programs of their own, which are tested whole."""
EXPLAINED = {
    TESTS / "support" / "pauses.py",
    TESTS / "simulation" / "nature.py",
    TESTS / "simulation" / "breaks.py",
    TESTS / "support_tests" / "leaking.py",
    Path(__file__),
}
"""They say themselves why they reach further; the last has examples."""


def named(source: str) -> Iterator[str]:
    """Modules of the package that a file imports, or names in a text that is run or patched."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{each.name}" for each in node.names)
        elif isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from re.findall(rf"{PACKAGE}(?:\.\w+)+", node.value)
            for module, name in re.findall(rf"from ({PACKAGE}[.\w]*) import (\w+)", node.value):
                yield f"{module}.{name}"


def internal(source: str) -> list[str]:
    """What of them no user imports."""
    found = []
    for name in named(source):
        package, *path = name.split(".")
        if package != PACKAGE or not path or path[0] in PROGRAMS | {"__version__"}:
            continue
        if not {".".join(path), ".".join(path[:-1])} & PUBLIC:  # a module, or something in it
            found.append(name)
    return found


def test_only_unit_tests_import_what_is_not_public() -> None:
    files = {path for path in TESTS.rglob("*.py") if "unit" not in path.relative_to(TESTS).parts} - EXPLAINED
    assert len(files) > 100
    reached = {str(path.relative_to(TESTS)): internal(path.read_text(encoding="utf-8")) for path in sorted(files)}
    assert {file: names for file, names in reached.items() if names} == {}


@pytest.mark.parametrize(
    ("line", "fine"),
    [
        ("from airflow_provider_yandex_orders.hooks.metrica import MetricaHook", True),
        ("from airflow_provider_yandex_orders.sandbox.market.access import MarketAccess", True),
        ("from airflow_provider_yandex_orders import sources", True),
        ("from airflow_provider_yandex_orders import journal", False),
        ("from airflow_provider_yandex_orders.journal import lease", False),
        ("from airflow_provider_yandex_orders.operators import base", False),
        ("import airflow_provider_yandex_orders.rows.dates", False),
        ("patch('airflow_provider_yandex_orders.triggers.base.LAST_POLL')", False),
        ("run('from airflow_provider_yandex_orders.journal import lease')", False),
    ],
)
def test_the_rule_itself_notices(line: str, fine: bool) -> None:
    assert (internal(line) == []) is fine
