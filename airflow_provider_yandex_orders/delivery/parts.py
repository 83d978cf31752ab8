# SPDX-License-Identifier: Apache-2.0
"""Part files: rows split where a file would grow too large."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import IO, TYPE_CHECKING

from airflow_provider_yandex_orders.delivery.money import Amounts
from airflow_provider_yandex_orders.journal.records import PartFile
from airflow_provider_yandex_orders.rows.formats import FileFormat
from airflow_provider_yandex_orders.storage import whole_file
from airflow_provider_yandex_orders.storage_faults import named_faults

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath


BLOCK = 256 * 1024
"""Rows are written and summed in blocks of so many bytes: a call a row would cost more than the bytes."""


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
    amounts: Amounts | None = None,
) -> Iterator[Part]:
    """Write encoded rows as ``part-00001.csv``, ``part-00002.csv``, ... and give each part as soon as it is whole.

    A part never exceeds ``max_bytes``, unless a single row does.
    """
    waiting = iter(lines)
    line = next(waiting, None)
    most = max_bytes - len(form.between) - len(form.tail)
    add: Callable[[list[bytes], FileFormat], object] = amounts.add if amounts else lambda _lines, _form: None
    for number in count(first):
        if line is None:
            return
        path = folder / f"{name}-{number:05d}{form.suffix}"
        digest, rows, lead = hashlib.sha256(), 0, form.head
        block: list[bytes] = []
        size, full = len(form.head), BLOCK
        with whole_file(path) as file:
            while line is not None and (not rows or (rows < max_rows and size + len(line) <= most)):
                block.append(line)
                size += len(line) + (len(form.between) if rows else 0)
                rows += 1
                if size > full:
                    _write(file, digest, lead + form.between.join(block))
                    add(block, form)
                    block, lead, full = [], form.between, size + BLOCK
                line = next(waiting, None)
            _write(file, digest, (lead + form.between.join(block) if block else b"") + form.tail)
            add(block, form)
        size += len(form.tail)
        yield Part(str(path), rows, size, digest.hexdigest(), number, money=amounts.end_part() if amounts else None)


def _write(file: IO[bytes], digest: hashlib._Hash, block: bytes) -> None:
    file.write(block)
    digest.update(block)


def remove_stale(folder: ObjectStoragePath, paths: Iterable[str]) -> None:
    """Remove part files an earlier try left beyond these."""
    kept = {path.rpartition("/")[2] for path in paths}
    with named_faults("Remove the parts of an earlier try from", folder):
        for path in folder.glob("*-[0-9][0-9][0-9][0-9][0-9].*"):
            if path.name not in kept:
                path.unlink()
