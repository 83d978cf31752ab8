# SPDX-License-Identifier: Apache-2.0
"""What is released: the same bytes from the same files, whenever and wherever they are packed, and all a user needs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("airflow_provider_yandex_orders", "benchmarks", "docs", "example_dags", "tests")
LOOK = """
import sys
from pathlib import Path
from airflow.providers_manager import ProvidersManager
import airflow_provider_yandex_orders as package
try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:  # Airflow 2.11
    from airflow.models.dagbag import DagBag

folder = Path(package.__file__).parent
provider = ProvidersManager().providers["airflow-provider-yandex-orders"]
bag, ours = DagBag(str(folder / "example_dags")), DagBag(sys.argv[1])
found = folder, provider.version, provider.data["package-name"], len(bag.dags), len(ours.dags), bag.import_errors
print(*found, sep="|")
"""


def pack(source: Path, kind: str) -> Path:
    """Build a wheel or an sdist of some files."""
    out = source.parent / f"{source.name}-{kind}"
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(out)], cwd=source, check=True)
    (made,) = out.iterdir()
    return made


def copy(folder: Path, moment: int) -> Path:
    """A copy of the project whose files are of another time."""
    folder.mkdir()
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in ROOT.iterdir():
        if path.suffix in (".toml", ".md", ".txt") or path.name in ("LICENSE", "Makefile", ".gitignore"):
            shutil.copy(path, folder)
    for path in folder.rglob("*"):
        os.utime(path, (moment, moment))
    return folder


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy(tmp_path_factory.mktemp("release") / "here", 1_000_000_000)


@pytest.fixture(scope="module")
def wheel(here: Path) -> Path:
    return pack(here, "wheel")


def test_two_builds_are_the_same_bytes_also_by_way_of_the_source_archive(
    here: Path, wheel: Path, tmp_path: Path
) -> None:
    archive, other = pack(here, "sdist"), pack(copy(tmp_path / "there", 1_700_000_000), "sdist")
    assert archive.read_bytes() == other.read_bytes()
    with tarfile.open(other) as packed:
        packed.extractall(tmp_path, filter="data")
    (source,) = tmp_path.glob("airflow_provider_yandex_orders-*")
    assert pack(source, "wheel").read_bytes() == wheel.read_bytes()
    # Its tests can be run, with the versions that are pinned.
    assert {"tests", "Makefile", "constraints.txt", "constraints-2.11.txt"} <= {path.name for path in source.iterdir()}


def test_the_wheel_has_the_package_alone(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "airflow_provider_yandex_orders/example_dags/crm_to_metrica_daily.py" in names
    assert "airflow_provider_yandex_orders/ui/static/uPlot.LICENSE.txt" in names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"airflow_provider_yandex_orders"}


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_airflow_finds_the_provider_and_its_examples_where_pip_installed_it(
    here: Path, wheel: Path, tmp_path: Path, kind: str
) -> None:
    """Nothing of the project's folder is at hand, and no index is asked."""
    packed, site = wheel if kind == "wheel" else pack(here, kind), tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", str(site), str(packed)], check=True)
    ran = subprocess.run(
        [sys.executable, "-c", LOOK, str(ROOT / "example_dags")],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site), "AIRFLOW_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=True,
    )
    folder, version, name, dags, examples, errors = ran.stdout.splitlines()[-1].split("|")
    assert Path(folder) == site / "airflow_provider_yandex_orders"
    assert f"-{version}" in packed.name
    assert (name, errors) == ("airflow-provider-yandex-orders", "{}")
    assert int(dags) == int(examples) > 6
