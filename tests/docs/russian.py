# SPDX-License-Identifier: Apache-2.0
"""Pages in Russian and the English pages they were made from.

``python -m tests.docs.russian page ...`` writes the sums of these pages anew, once their texts follow the English ones.
"""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def first_line(page: str) -> str:
    """What the first line of a Russian page says of the English one."""
    return f"<!-- {page}.md, sha256 {hashlib.sha256((DOCS / f'{page}.md').read_bytes()).hexdigest()[:16]} -->"


def levels(text: str) -> list[str]:
    """The levels of the headings."""
    return re.findall(r"^(#+) ", FENCE.sub("", text), re.MULTILINE)


def names(text: str) -> list[str]:
    """By which names the headings are found: what their words make, or what stands behind them in braces."""
    return list(map(_name, re.findall(r"^#+ (.*)$", FENCE.sub("", text), re.MULTILINE)))


def _name(heading: str) -> str:
    named = re.search(r"\{#([\w-]+)\}$", heading)
    return named[1] if named else re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-")


def links(text: str) -> list[str]:
    """Where the page leads, in any order; a page in Russian is the page."""
    found = re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", text))
    return sorted({link.replace(".ru.md", ".md") for link in found})


def tables(text: str) -> list[list[list[str]]]:
    """The tables: of each of their rows the words in backticks, which are the same in any language."""
    found = re.findall(r"(?:^\|.*\n)+", FENCE.sub("", text), re.MULTILINE)
    return [[re.findall(r"`([^`]+)`", row) for row in table.splitlines()] for table in found]


def renew(page: str) -> None:
    """Write down that the Russian page follows the English one as it is now."""
    path = DOCS / f"{page}.ru.md"
    text = path.read_text(encoding="utf-8")
    rest = text.split("\n", 1)[1] if text.startswith("<!-- ") else f"\n{text}"
    path.write_text(f"{first_line(page)}\n{rest}", encoding="utf-8")


if __name__ == "__main__":
    for named in sys.argv[1:]:
        renew(named.removesuffix(".md").removesuffix(".ru"))
