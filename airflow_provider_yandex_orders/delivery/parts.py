# SPDX-License-Identifier: Apache-2.0
"""Part files: rows split where a file would grow too large."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_yandex_orders.journal.records import PartFile
from airflow_provider_yandex_orders.rows.formats import FileFormat
from airflow_provider_yandex_orders.storage import whole_file

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath


@dataclass(frozen=True, slots=True)
class Part(PartFile):
    """A file that is ready to go out.

    :param number: its place in the delivery, from 1.
    :param id: its number in the journal.
    :param mark: by what it is found again at the service.
    """

    number: int = 0
    id: int = 0
    mark: str = ""


def write_parts(
    lines: Iterable[bytes],
    folder: ObjectStoragePath,
    form: FileFormat,
    *,
    name: str = "part",
    max_rows: int,
    max_bytes: int,
    first: int = 1,
) -> list[Part]:
    """Write encoded rows as ``part-00001.csv``, ``part-00002.csv``, ...

    A part never exceeds ``max_bytes``, unless a single row does.

    :param first: number of the first.
    """
    parts: list[Part] = []
    waiting = iter(lines)
    line = next(waiting, None)
    while line is not None:
        number = first + len(parts)
        path = folder / f"{name}-{number:05d}{form.suffix}"
        digest, size, rows = hashlib.sha256(), 0, 0
        with whole_file(path) as file:

            def write(block: bytes) -> None:
                nonlocal size
                file.write(block)
                digest.update(block)  # noqa: B023 - called only inside this turn of the loop
                size += len(block)

            write(form.head)
            fixed = len(form.between) + len(form.tail)
            while line is not None and (not rows or (rows < max_rows and size + fixed + len(line) <= max_bytes)):
                write(form.between + line if rows else line)
                rows += 1
                line = next(waiting, None)
            write(form.tail)
        parts.append(Part(str(path), rows, size, digest.hexdigest(), number))
    return parts


def remove_stale(folder: ObjectStoragePath, paths: Iterable[str]) -> None:
    """Remove part files an earlier try left beyond these."""
    kept = {path.rpartition("/")[2] for path in paths}
    for path in folder.glob("*-[0-9][0-9][0-9][0-9][0-9].*"):
        if path.name not in kept:
            path.unlink()
