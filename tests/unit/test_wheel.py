"""The wheel: the same bytes from the same files, whenever and wherever it is built, and only the package in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
NEEDED = ("airflow_provider_yandex_orders", "example_dags", "pyproject.toml", "README.md", "LICENSE")


def build(folder: Path, moment: int) -> Path:
    """A wheel of a copy whose files are of another time."""
    folder.mkdir()
    for name in NEEDED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    for path in folder.rglob("*"):
        os.utime(path, (moment, moment))
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "out"], cwd=folder, check=True)
    (wheel,) = (folder / "out").iterdir()
    return wheel


def test_two_builds_are_the_same_bytes(tmp_path: Path) -> None:
    first, second = build(tmp_path / "here", 1_000_000_000), build(tmp_path / "there", 1_700_000_000)
    assert first.read_bytes() == second.read_bytes()
    names = zipfile.ZipFile(first).namelist()
    assert "airflow_provider_yandex_orders/example_dags/crm_to_metrica_daily.py" in names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"airflow_provider_yandex_orders"}
