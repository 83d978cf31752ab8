# SPDX-License-Identifier: Apache-2.0
"""Where an upload's files lie: one folder a task instance, on any storage."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import conf

from airflow_provider_yandex_orders.exceptions import SourceUnavailable

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath


def staging_folder(staging_path: str | None, context: Mapping[str, Any]) -> ObjectStoragePath:
    """Folder of a task instance, made if need be: ``<staging_path>/<dag_id>/<run_id>/<task_id>[/<map_index>]``.

    :param staging_path: folder or object storage URL; ``None`` for ``[yandex_orders] staging_path`` of the
        configuration, and where that is empty, ``$AIRFLOW_HOME/yandex_orders``.
    :param context: the task's context.
    """
    ti = context["ti"]
    folder: ObjectStoragePath = staging_root(staging_path) / ti.dag_id / ti.run_id / ti.task_id
    if ti.map_index >= 0:
        folder = folder / str(ti.map_index)
    if is_local(folder):  # object storage has no folders to make
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def staging_root(staging_path: str | None) -> ObjectStoragePath:
    """Where the folders of all task instances lie.

    :param staging_path: as of :func:`staging_folder`.
    """
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    return ObjectStoragePath(staging_path or conf.get("yandex_orders", "staging_path", fallback="") or _local_root())


def _local_root() -> str:
    """The local default, closed to other users of the machine: parts hold personal data."""
    home = Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser()
    root = home / "yandex_orders"
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    return str(root)


def is_local(path: ObjectStoragePath) -> bool:
    """Whether a path lies on this machine's own file system."""
    return path.protocol in ("", "file", "local")


def not_seen(path: str) -> SourceUnavailable:
    """The error for a staged file this worker does not see: another one may have it.

    :param path: where it should be.
    """
    return SourceUnavailable(
        f"Read {path}: there is no such file on this worker. Where workers are several machines, set staging_path of "
        "the task that wrote it (or [yandex_orders] staging_path) to storage all of them see, such as s3://. If the "
        "file was deleted, clear the task that wrote it. Nothing was sent."
    )


def write_whole(path: ObjectStoragePath, content: bytes) -> None:
    """Write a file so that a crash leaves the old one or the new one. Object storage does so by itself."""
    if not is_local(path):
        path.write_bytes(content)
        return
    local = Path(path.path)
    local.parent.mkdir(parents=True, exist_ok=True)
    new = local.with_name(f"{local.name}.new")
    new.write_bytes(content)
    new.replace(local)
