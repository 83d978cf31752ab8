# SPDX-License-Identifier: Apache-2.0
"""Pictures of the docs are made by the tests in the browser: none stays that nothing takes anew."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_pictures_are_those_of_the_tests_and_of_the_docs() -> None:
    kept = {path.stem for path in (ROOT / "docs" / "pictures").iterdir()}
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "browser").glob("*.py"))
    assert set(re.findall(r'picture\(\w+, "([\w-]+)"', tests)) == kept
    pages = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")))
    assert set(re.findall(r"pictures/([\w-]+)\.png", pages)) == kept
