# SPDX-License-Identifier: Apache-2.0
"""What a folder of tests shares ends before the next folder begins."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).parents[1]


def test_a_folder_whose_fixtures_are_of_the_package_is_one() -> None:
    """Without ``__init__.py`` pytest keeps them until the session ends: a browser's event loop, too."""
    folders = [path.parent for path in TESTS.rglob("conftest.py") if 'fixture(scope="package"' in path.read_text()]
    assert folders
    assert [folder.name for folder in folders if not (folder / "__init__.py").exists()] == []
