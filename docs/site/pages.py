# SPDX-License-Identifier: Apache-2.0
"""The pages of the site, from those of ``docs``: a hook of mkdocs.

Pages link to files that lie outside ``docs`` too, as they can be read in a checkout. On the site each of these files is
a page of its own. Headings are found by the names that they have in English in every language.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
ALWAYS = ("SECURITY.md", "CHANGELOG.md", "CONTRIBUTING.md", "CODE_OF_CONDUCT.md")
LINK = re.compile(r"(?<=\]\()([^)\s#]+)(?=#|\))")
FENCE = re.compile(r"^(```.*?^```)", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^(#+ .*?)(?: *\{#[\w-]+\})?$", re.MULTILINE)
ELSEWHERE = re.compile(r"<(?:script|link|img|iframe)\b[^>]*(?:src|href)=.?(?:https?:)?//[^>]*>")


def headings(text: str) -> list[str]:
    """The headings of a page, as they are written."""
    return HEADING.findall(FENCE.sub("", text))


def anchors(text: str) -> list[str]:
    """Names by which the headings of a page are found, as a page in a checkout has them."""
    found: list[str] = []
    for heading in headings(text):
        words = re.sub(r"\]\([^)]*\)", "", heading.lstrip("#").strip())
        name = re.sub(r"[^\w -]", "", words).lower().replace(" ", "-")
        found.append(f"{name}-{found.count(name)}" if name in found else name)
    return found


def named(text: str, names: list[str]) -> str:
    """A page whose headings are found by these names."""
    left = iter(names)
    parts = FENCE.split(text)
    for number in range(0, len(parts), 2):
        parts[number] = HEADING.sub(lambda head: f"{head[1]} {{ #{next(left)} }}", parts[number])
    return "".join(parts)


def place(file: Path) -> str:
    """Where the page of a file is among those of the site."""
    if file.is_relative_to(DOCS):
        return re.sub(r"\.ru\.md$", ".md", file.relative_to(DOCS).as_posix())
    name = file.relative_to(ROOT).as_posix()
    if file.is_dir():
        return f"files/{name}/index.md"
    return f"files/{name}" if name.endswith(".md") else f"files/{name.replace('.', '_')}.md"  # x.py.md has a language


def content(file: Path) -> str:
    """What stands on the page of a file."""
    if file.is_dir():
        names = sorted(each.name for each in file.iterdir() if each.suffix in {".py", ".md"})
        return "\n".join([f"# {file.name}", "", *(f"- [{name}]({name})" for name in names)])
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".md":
        return text
    language = {".py": "python", ".toml": "toml"}.get(file.suffix, "text")
    return f"# {file.relative_to(ROOT).as_posix()}\n\n````{language}\n{text}````\n"


def staged(folder: Path) -> None:
    """Write all pages into a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(DOCS, folder, ignore=shutil.ignore_patterns("site", "__pycache__"))
    files = [*DOCS.rglob("*.md"), *(ROOT / name for name in ALWAYS)]
    for file in files:  # grows
        own = place(file)
        at = Path(file.relative_to(DOCS) if file.is_relative_to(DOCS) else own)
        base = file if file.is_dir() else file.parent

        def led(link: re.Match[str], own: str = own, base: Path = base) -> str:
            target = Path(os.path.normpath(base / link[1]))
            if "://" in link[1] or not target.is_relative_to(ROOT) or not target.exists():
                return link[1]
            if not target.is_relative_to(DOCS) and target not in files:
                files.append(target)
            return os.path.relpath(place(target), Path(own).parent)

        text, head = content(file), ""
        if file.suffix == ".md" or file.is_dir():
            text = named(LINK.sub(led, text), anchors(content(file.with_name(file.name.replace(".ru.md", ".md")))))
        else:
            head = "---\nsearch:\n  exclude: true\n---\n"
        (folder / at).parent.mkdir(parents=True, exist_ok=True)
        (folder / at).write_text(head + text, encoding="utf-8")


def on_config(config: Any) -> Any:
    """Build from a copy."""
    folder = ROOT / "build" / "pages"
    staged(folder)
    config["docs_dir"] = str(folder)
    return config


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """The site works where no other can be reached."""
    if found := ELSEWHERE.search(output):
        raise PluginError(f"{page.file.src_uri} loads something from elsewhere: {found[0]}")
    return output
