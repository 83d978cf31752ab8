# SPDX-License-Identifier: Apache-2.0
"""Pages in Russian follow the English ones: the same headings, code, links and tables, of the text as it is now."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.russian import DOCS, FENCE, first_line, levels, links, names, renew, tables

ENGLISH_ONLY = {
    "conformance": "its tables are made from tests/conformance",
    "faults": "its table is made by tests/simulation",
}
"""Pages without one, and why; besides those of docs/reference, which are made from the code."""
RUSSIAN = sorted(path.name.removesuffix(".ru.md") for path in DOCS.glob("*.ru.md"))
ENGLISH = sorted({path.name.removesuffix(".md") for path in DOCS.glob("*.md")} - {f"{page}.ru" for page in RUSSIAN})


def texts(page: str) -> tuple[str, str]:
    english, russian = (DOCS / f"{page}{ending}" for ending in (".md", ".ru.md"))
    return english.read_text(encoding="utf-8"), russian.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", RUSSIAN)
def test_a_page_in_russian_says_what_the_english_one_says_now(page: str) -> None:
    english, russian = texts(page)
    assert levels(russian) == levels(english)
    assert names(russian) == names(english)
    assert FENCE.findall(russian) == FENCE.findall(english)
    assert links(russian) == links(english)
    changed = f"{page}.md has changed: translate what is new, then run python -m tests.docs.russian {page}"
    assert russian.splitlines()[0] == first_line(page), changed


@pytest.mark.parametrize("page", RUSSIAN)
def test_tables_in_russian_have_the_rows_of_the_english_ones_and_their_words(page: str) -> None:
    english, russian = texts(page)
    assert [len(table) for table in tables(russian)] == [len(table) for table in tables(english)]
    assert tables(russian) == tables(english)


def test_no_page_is_left_out() -> None:
    assert set(RUSSIAN) <= set(ENGLISH)
    assert set(ENGLISH) - set(RUSSIAN) == set(ENGLISH_ONLY)


def test_a_sum_is_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.docs.russian.DOCS", tmp_path)
    (tmp_path / "a.md").write_text("# One\n")
    for before in ("# Один\n", "<!-- a.md, sha256 0 -->\n\n# Один\n"):
        (tmp_path / "a.ru.md").write_text(before)
        renew("a")
        assert (tmp_path / "a.ru.md").read_text() == "<!-- a.md, sha256 5add2e4a6306bb1b -->\n\n# Один\n"
