# SPDX-License-Identifier: Apache-2.0
"""Pictures are made by the tests in the browser: none stays that nothing takes anew. The house is as it is drawn."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_pictures_are_those_of_the_tests_and_of_the_docs() -> None:
    kept = {path.stem for path in (ROOT / "docs" / "pictures").iterdir()}
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "browser").glob("*.py"))
    assert set(re.findall(r'picture\(\w+, "([\w-]+)"', tests)) == kept
    pages = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")))
    assert set(re.findall(r"pictures/([\w-]+)\.png", pages)) == kept


def test_the_floors_of_the_drawn_house_are_those_of_the_import_rules() -> None:
    drawn = (ROOT / "docs" / "drawings" / "house.svg").read_text(encoding="utf-8")
    shown = {name: int(y) for y, name in re.findall(r'y="(\d+)" text-anchor="middle"[^>]*bold">(\w+)<', drawn)}
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    (layers,) = (rule["layers"] for rule in rules if rule["type"] == "layers")
    floors = [[name.split(".")[1] for name in layer.split(" | ") if name.count(".") == 1] for layer in layers]
    ruled = {name: floor for floor, names in enumerate(floors) for name in names}
    assert set(shown) - set(ruled) == {"sandbox", "demo"}
    below = sorted(set(shown) & set(ruled), key=lambda name: ruled[name])
    assert [shown[name] for name in below] == sorted(shown[name] for name in below)
