# SPDX-License-Identifier: Apache-2.0
"""A private Airflow for the suite: its settings must stand before anything imports Airflow."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from tests.support import leaks
from tests.support.connections import connect, connect_altcraft
from tests.support.examples import EXAMPLES
from tests.support.postgres import PostgresServer, PostgresUnavailable

# Journals are written through to the disk, and tests write thousands: no test looks at what a loss of power leaves, so
# where the machine has an empty disk in memory they lie there.
MEMORY, ROOM = Path("/dev/shm"), 4 * 2**30
if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

HOME = Path(tempfile.mkdtemp(prefix="airflow-home-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")))
for name in [name for name in os.environ if name.startswith("AIRFLOW_")]:
    del os.environ[name]
os.environ |= {
    "AIRFLOW_HOME": str(HOME),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__DAGS_FOLDER": str(EXAMPLES),
    "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
}

# How long an example takes says how busy the machine is, not whether the code is right.
# The examples are the same each time: a change fails for what it changed, and not by chance.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
# Others each time, and many: who looks for faults takes it by --hypothesis-profile wide.
settings.register_profile("wide", settings.get_profile("suite"), derandomize=False, max_examples=2000)
# What is read, checked and written does not depend on the environment: others than the first look at it again in short.
settings.register_profile("short", settings.get_profile("suite"), max_examples=20)
settings.load_profile("suite")

if TYPE_CHECKING:
    from airflow_provider_yandex_orders.sandbox.server import SandboxServer


# Tests that start whole services, those that measure, and those that share what one of them made: each lot stays in one
# process, one after the other. The groups of pytest-xdist 3.8 do the same by marks, but are lost with pytest 9.2.
LOTS = {
    "services": ("tests/live/", "tests/browser/", "tests/cluster/", "tests/support_tests/", "tests/demo/"),
    "volumes": ("tests/slow/", "tests/unit/journal/test_journal_volume.py"),
    "examples": ("tests/dags/test_integrity.py",),
}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out test by test, and the lots whole."""
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

    class Lots(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return next((lot for lot, paths in LOTS.items() if nodeid.startswith(paths)), nodeid)

    return Lots(config, log)


def pytest_unconfigure() -> None:
    """Leave nothing, neither of the processes that test nor of the one that hands the tests out."""
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of its own, where one can be started."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(PostgresServer())
        except PostgresUnavailable as reason:
            pytest.skip(f"no PostgreSQL server can be started here: {reason}")
        yield server


@pytest.fixture(autouse=True)
def _own_journal() -> None:
    """No test knows what another one sent."""
    (HOME / "yandex_orders" / "journal.db").unlink(missing_ok=True)


@pytest.fixture(autouse=True)
def _nothing_leaks(request: pytest.FixtureRequest) -> Iterator[None]:
    """No output of a test tells the token of its connections, or the customers of its rows."""
    folder = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    with leaks.watched(request.node, HOME, folder):
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep what a test printed for the search that follows it."""
    report = yield
    item.stash[leaks.PRINTED] = report.capstdout + report.capstderr
    return report


@pytest.fixture(scope="session")
def airflow_db() -> None:
    """A migrated metadata database."""
    from airflow.utils.db import initdb

    initdb()


@pytest.fixture
def context(yandex_context: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Makes the context of a task instance, as far as the operators read it."""

    def make(*arguments: Any, **named: Any) -> dict[str, Any]:
        made = yandex_context(*arguments, **named)
        push, pushed = made["ti"].xcom_push, made["ti"].pushed

        def noted(key: str, value: Any) -> None:
            push(key, value)
            leaks.note("XCom", pushed[key])

        made["ti"].xcom_push = noted
        return made

    return make


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """All that was logged so far; Airflow 3 writes the lines of a task to stdout."""
    for logger in (None, "airflow.task"):
        caplog.set_level("INFO", logger)
    return lambda: caplog.text + "".join(capfd.readouterr())


@pytest.fixture
def metrica(yandex_sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> SandboxServer:
    """The sandbox, with the default connection pointing at it."""
    connect(monkeypatch, yandex_sandbox.url)
    return yandex_sandbox


@pytest.fixture
def altcraft(yandex_sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> SandboxServer:
    """The sandbox, with the default connection of the Altcraft Platform pointing at it."""
    connect_altcraft(monkeypatch, yandex_sandbox.url)
    return yandex_sandbox


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses between attempts at one request: written down, not waited."""
    import tenacity.nap

    taken: list[float] = []
    monkeypatch.setattr(tenacity.nap, "time", SimpleNamespace(sleep=taken.append))
    return taken
