# SPDX-License-Identifier: Apache-2.0
"""Part files: rows split where a file would grow too large."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath


@dataclass(frozen=True, slots=True)
class Part:
    """One file of an upload.

    :param path: where it lies.
    :param rows: how many rows it holds.
    :param bytes: its length.
    :param sha256: sum of its content, which tells on the next try whether it is the same.
    """

    path: str
    rows: int
    bytes: int
    sha256: str


def write_parts(
    lines: Iterable[bytes], folder: ObjectStoragePath, *, header: bytes, max_rows: int, max_bytes: int
) -> list[Part]:
    """Write lines as ``part-00001.csv``, ``part-00002.csv``, ... and remove what an earlier try left beyond them.

    A part never exceeds ``max_bytes``, unless a single line does.
    """
    parts: list[Part] = []
    waiting = iter(lines)
    line = next(waiting, None)
    while line is not None:
        path = folder / f"part-{len(parts) + 1:05d}.csv"
        digest, size, rows = hashlib.sha256(header), len(header), 0
        with path.open("wb") as file:
            file.write(header)
            while line is not None and (not rows or (rows < max_rows and size + len(line) <= max_bytes)):
                file.write(line)
                digest.update(line)
                size += len(line)
                rows += 1
                line = next(waiting, None)
        parts.append(Part(str(path), rows, size, digest.hexdigest()))
    kept = {f"part-{number:05d}.csv" for number in range(1, len(parts) + 1)}
    for stale in folder.glob("part-*.csv"):
        if stale.name not in kept:
            stale.unlink()
    return parts
