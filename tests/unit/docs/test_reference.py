# SPDX-License-Identifier: Apache-2.0
"""The pages of the reference are those of the code."""

from __future__ import annotations

import pytest

from tests.unit.docs.reference import FOLDER, PAGES


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_that_of_the_code(name: str) -> None:
    pytest.importorskip("airflow.sdk")  # signatures are shown as the first tier has them
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    assert text == PAGES[name](), "run: python -m tests.unit.docs.reference"


def test_no_other_page_is_there() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.md")) == sorted(PAGES)
