# SPDX-License-Identifier: Apache-2.0
"""Small files that are there whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath


def is_local(path: ObjectStoragePath) -> bool:
    """Whether a path lies on this machine's own file system."""
    return path.protocol in ("", "file", "local")


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
