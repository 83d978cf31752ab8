# SPDX-License-Identifier: Apache-2.0
"""The demo's folder: what lies in it, and how it is made fresh without touching anything else."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from airflow_provider_yandex_orders.demo.errors import DemoError

MARKER = ".yandex-orders-demo"


@dataclass(frozen=True)
class Folder:
    """Paths of everything a run leaves behind."""

    path: Path

    @property
    def crm(self) -> Path:
        """The CRM's database."""
        return self.path / "crm.db"

    @property
    def airflow_home(self) -> Path:
        """Home of the private Airflow: its database, its logs, the staged parts."""
        return self.path / "airflow"

    @property
    def sandbox_log(self) -> Path:
        """What the sandbox printed."""
        return self.path / "sandbox.log"

    @property
    def dag_log(self) -> Path:
        """What Airflow printed while it ran the DAGs."""
        return self.path / "airflow.log"

    @property
    def ui_log(self) -> Path:
        """What Airflow's services printed that show its pages."""
        return self.path / "airflow-ui.log"

    @property
    def warehouse(self) -> Path:
        """The database that Market's orders are loaded into."""
        return self.path / "warehouse.db"

    @property
    def page(self) -> Path:
        """The sandbox's page as it was at the end."""
        return self.path / "sandbox.html"

    @property
    def own(self) -> tuple[Path, ...]:
        """All that a run makes, and so may remove."""
        files = (self.crm, self.warehouse, self.sandbox_log, self.dag_log, self.ui_log, self.page)
        return (self.airflow_home, *files, *self.path.glob("?-rejected.jsonl"))

    def link(self, name: str, location: str | None) -> None:
        """Give a file deep inside a short name, where there is such a file."""
        if location is not None:
            (self.path / name).symlink_to(local_path(location))


def short(path: Path) -> Path:
    """Return a path as a command names it that is run here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def local_path(location: str) -> Path:
    """Return the path that a delivery names as a path or as a `file://` URL."""
    parts = urlsplit(location)
    return Path(unquote(parts.path)) if parts.scheme == "file" else Path(location)


@contextmanager
def fresh(path: Path) -> Iterator[Folder]:
    """Make the folder, or empty it of an earlier run, and keep other runs out of it meanwhile."""
    folder = Folder(path.resolve())
    marker = folder.path / MARKER
    if set("%?") & set(str(folder.path)):
        raise DemoError(
            f"Airflow cannot keep its database under {folder.path}: the path has a % or ? in it. "
            "Choose another folder with --folder."
        )
    if folder.path.exists() and not folder.path.is_dir():
        raise DemoError(f"{folder.path} is not a folder. Choose another one with --folder.")
    if folder.path.is_dir() and not marker.is_file() and any(folder.path.iterdir()):
        raise DemoError(
            f"{folder.path} holds files that are not the demo's, and the demo empties its folder. "
            "Choose another one with --folder."
        )
    folder.path.mkdir(parents=True, exist_ok=True)
    with marker.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(
                f"Another demo runs in {folder.path}. End it, or choose another folder with --folder."
            ) from None
        for leftover in folder.own:
            _remove(leftover)
        yield folder


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
