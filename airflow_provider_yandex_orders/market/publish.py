# SPDX-License-Identifier: Apache-2.0
"""Finished files to their place: a reader there sees a whole file or none."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_yandex_orders.storage import is_local

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

_BLOCK = 1024 * 1024


def publish(folder: Path, target: ObjectStoragePath, stem: str, writer: str) -> dict[str, str]:
    """Put every file of a local folder into another one, local or object storage.

    :param folder: the files.
    :param target: where they go; files of the same name are replaced.
    :param stem: beginning of each name there.
    :param writer: who writes, for the names of files that are not whole yet: two writers never share one, and the next
        try of a killed writer uses its own again.
    :return: what each file holds (its name before the first point) to its path.
    """
    placed = {}
    for file in sorted(folder.iterdir()):
        path = target / f"{stem}.{file.name}"
        if is_local(target):
            _replace(file, Path(path.path), hashlib.sha256(writer.encode()).hexdigest()[:8])
        else:
            _upload(file, path)
        placed[file.name.partition(".")[0]] = str(path)
    return placed


def _replace(file: Path, path: Path, writer: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{writer}.part")
    shutil.copyfile(file, unfinished)
    unfinished.replace(path)


def _upload(file: Path, path: ObjectStoragePath) -> None:
    """An object appears when its upload ends; nothing but reading a finished local file can fail before."""
    with file.open("rb") as read, path.open("wb") as written:
        shutil.copyfileobj(read, written, _BLOCK)
