# SPDX-License-Identifier: Apache-2.0
"""Counts what the upload found wrong, from the JSON Lines files it left."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True)
class Finding:
    """One kind of fault: how often it was met and what to do about it."""

    count: int
    code: str
    column: str
    fix: str


def local_path(location: str) -> Path:
    """Return the path that a delivery names as a path or as a `file://` URL."""
    parts = urlsplit(location)
    return Path(unquote(parts.path)) if parts.scheme == "file" else Path(location)


def findings(file: Path) -> list[Finding]:
    """Return the faults of the file, the most frequent first; none when there is no file."""
    if not file.is_file():
        return []
    counts: Counter[tuple[str, str]] = Counter()
    fixes: dict[tuple[str, str], str] = {}
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            entry = json.loads(line)
            kind = (str(entry["code"]), str(entry.get("column") or ""))
            counts[kind] += 1
            fixes.setdefault(kind, str(entry.get("fix") or ""))
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [Finding(count, *kind, fixes[kind]) for kind, count in ordered]
