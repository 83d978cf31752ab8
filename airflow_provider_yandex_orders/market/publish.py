# SPDX-License-Identifier: Apache-2.0
"""Finished files to their place: a reader there sees a whole file or none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_yandex_orders.storage import check_writable, opened_path, put_whole

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

_DOING = "Prepare the folder for order statistics"
_CURE = "Correct path of the task."


def target_folder(url: str) -> ObjectStoragePath:
    """The folder published files go to, known to be writable before the first page is asked for."""
    folder = opened_path(url, _DOING, _CURE)
    check_writable(folder, _DOING, _CURE, only_write=True)
    return folder


def publish(folder: Path, target: ObjectStoragePath, stem: str) -> dict[str, str]:
    """Put every file of a local folder into another one, under names that begin with a stem.

    :return: what each file holds (its name before the first point) to its path.
    """
    placed = {}
    for file in sorted(folder.iterdir()):
        path = target / f"{stem}.{file.name}"
        put_whole(file, path)
        placed[file.name.partition(".")[0]] = str(path)
    return placed
