# SPDX-License-Identifier: Apache-2.0
"""A part in object storage goes from there to the service: neither a copy on disk nor the whole of it in memory."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFile

from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.support.storage import memory_bucket

ROWS = 30_000
BLOCK = 1024 * 1024
_watched: dict[int, list[str]] = {}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _watched and (arguments[2] or 0) & _WRITES:
        _watched.get(get_ident(), []).append(str(arguments[0]))


@pytest.fixture(scope="module", autouse=True)
def _audited() -> None:
    sys.addaudithook(_audit)  # it stays as long as the process, and is idle but for these tests


@contextmanager
def written_here() -> Iterator[list[str]]:
    """Names of the files that this thread opens to write."""
    names = _watched[get_ident()] = []
    try:
        yield names
    finally:
        del _watched[get_ident()]


def orders() -> bytes:
    lines = (f"order-{number},2026-11-01 10:00:00,buyer{number}@example.com" for number in range(ROWS))
    return "\n".join(("id,create_date_time,emails", *lines)).encode()


def contacts() -> bytes:
    rows = [{"uniq_id": f"customer-{number}", "emails": [f"buyer{number}@example.com"]} for number in range(ROWS)]
    return json.dumps({"contacts": rows}).encode()


UPLOADS: dict[str, tuple[Callable[[], bytes], dict[str, str]]] = {
    "upload_simple_orders": (orders, {}),
    "upload_contacts": (contacts, {"upload_format": "json"}),
}


@pytest.mark.parametrize("upload", UPLOADS)
def test_parts_are_streamed(metrica: SandboxServer, monkeypatch: pytest.MonkeyPatch, upload: str) -> None:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    make, arguments = UPLOADS[upload]
    content = make()
    path = ObjectStoragePath(f"{memory_bucket()}/part-00001")
    path.write_bytes(content)
    assert len(content) > BLOCK
    reads: list[int] = []
    read = MemoryFile.read

    def counted(self: Any, size: int = -1) -> bytes:
        reads.append(size)
        return bytes(read(self, size))

    monkeypatch.setattr(MemoryFile, "read", counted)
    with written_here() as names:
        uploading = getattr(MetricaHook(), upload)(None, str(path), **arguments)
    assert names == []
    assert reads
    assert 0 < min(reads) <= max(reads) < BLOCK
    assert uploading["elements_count"] == ROWS


def test_a_file_that_is_written_is_seen(tmp_path: Any) -> None:
    with written_here() as names:
        (tmp_path / "copy").write_bytes(b"x")
    assert names == [str(tmp_path / "copy")]
