# SPDX-License-Identifier: Apache-2.0
"""A disk that is really full, under each of the places a task writes to: told, and gone on from once there is room."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.exceptions import PassingError
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sources import CallableSource


def orders(count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        yield {
            "id": f"order-{number}",
            "create_date_time": "2026-11-01 10:00:00",
            "emails": f"buyer{number}@example.com",
            "order_status": "PAID",
            "revenue": "10.50",
        }


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system in memory that has next to no room."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", place], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


# The temporary folder is for what sorting does not hold in memory: it takes more rows.
@pytest.mark.parametrize(("full", "count"), [("staging", 5000), ("temporary", 40_000), ("journal", 5000)])
def test_a_full_disk_is_told_and_gone_on_from(
    full: str,
    count: int,
    disk: Path,
    tmp_path: Path,
    metrica: SandboxServer,
    upload: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    places = {name: tmp_path / name for name in ("staging", "temporary", "journal")} | {full: disk}
    for place in places.values():
        place.mkdir(exist_ok=True)
    monkeypatch.setenv("AIRFLOW_HOME", str(places["journal"]))
    monkeypatch.setattr(tempfile, "tempdir", str(places["temporary"]))
    given: dict[str, Any] = {"staging_path": str(places["staging"]), "source_timezone": "UTC", "max_part_rows": 2500}
    with pytest.raises(PassingError) as caught:
        upload(CallableSource(orders, [count]), **given)
    assert "next try" in str(caught.value)
    subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
    upload(CallableSource(orders, [count]), **given)
    held = metrica.client.summary(101)
    assert (held["orders"], held["orders_received_more_than_once"]) == (count, 0)
    assert list(places["temporary"].iterdir()) == []
