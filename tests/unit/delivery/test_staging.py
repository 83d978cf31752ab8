# SPDX-License-Identifier: Apache-2.0
"""Where an upload's files lie."""

from __future__ import annotations

import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_yandex_orders.storage import staging_folder, staging_root

RUN = "scheduled__2025-01-01T00:00:00+00:00"


def context(map_index: int = -1) -> dict[str, Any]:
    return {"ti": SimpleNamespace(dag_id="dag.a", run_id=RUN, task_id="group.task", map_index=map_index)}


@pytest.mark.parametrize(("map_index", "more"), [(-1, ""), (0, "/0"), (12, "/12")])
def test_local(tmp_path: Path, map_index: int, more: str) -> None:
    folder = staging_folder(str(tmp_path), context(map_index))
    assert str(folder) == f"{tmp_path}/dag.a/{RUN}/group.task{more}"
    assert Path(str(folder)).is_dir()
    assert staging_folder(str(tmp_path), context(map_index)) == folder


def shown(path: object) -> str:
    """The address, with as many slashes as newer versions of Airflow write."""
    return str(path).replace("memory:///", "memory://")


def test_object_storage(memory_url: str) -> None:
    folder = staging_folder(memory_url, context())
    assert shown(folder) == f"{memory_url}/dag.a/{RUN}/group.task"
    (folder / "a.csv").write_bytes(b"x")
    assert (folder / "a.csv").read_bytes() == b"x"


def test_the_configuration_then_airflow_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AIRFLOW__YANDEX_ORDERS__STAGING_PATH", "")
    default = staging_folder(None, context())
    assert str(default).startswith(f"{tmp_path}/home/yandex_orders/dag.a/")
    mode = stat.S_IMODE((tmp_path / "home" / "yandex_orders").stat().st_mode)
    assert mode == 0o700  # parts hold personal data
    monkeypatch.setenv("AIRFLOW__YANDEX_ORDERS__STAGING_PATH", str(tmp_path / "configured"))
    assert str(staging_folder(None, context())).startswith(f"{tmp_path}/configured/dag.a/")
    assert str(staging_folder(str(tmp_path / "given"), context())).startswith(f"{tmp_path}/given/dag.a/")


def test_the_root_of_all_folders(tmp_path: Path, memory_url: str) -> None:
    assert str(staging_root(str(tmp_path))) == str(tmp_path)
    assert shown(staging_root(memory_url)).rstrip("/") == memory_url
    assert str(staging_folder(memory_url, context())).startswith(str(staging_root(memory_url)))
