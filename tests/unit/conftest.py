# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the unit tests: a scripted HTTP server, storage folders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.storage import memory_bucket
from tests.unit.http.scripted_server import ScriptedServer, running_server

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A server that answers what the test scripts."""
    with running_server() as scripted:
        yield scripted


@pytest.fixture
def memory_url() -> str:
    """A fresh folder of object storage that lies in memory."""
    return memory_bucket()


@pytest.fixture(params=["local", "memory"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStoragePath:
    """A folder for parts: on disk, and in object storage."""
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    root = str(tmp_path) if request.param == "local" else request.getfixturevalue("memory_url")
    path: ObjectStoragePath = ObjectStoragePath(root) / "dag" / "scheduled__2025-01-01T00:00:00+00:00" / "task"
    if request.param == "local":
        path.mkdir(parents=True)
    return path
