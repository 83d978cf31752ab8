# SPDX-License-Identifier: Apache-2.0
"""Fixtures for tests of operators and DAGs: a sandbox that is fresh for each test, connections to it, a context, a run.

Loaded into every pytest run of whoever has the package installed, so the sandbox and Airflow are imported by the
fixtures only.
"""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from inspect import signature
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from airflow_provider_yandex_orders.sandbox.server import SandboxServer


@pytest.fixture(scope="session")
def _yandex_sandbox_server() -> "Iterator[SandboxServer]":
    """The one server behind ``yandex_sandbox``: starting it takes a hundred times as long as emptying it."""
    from airflow_provider_yandex_orders.sandbox.server import SandboxServer
    from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings

    with SandboxServer(SandboxSettings(processing_seconds=0)) as server:
        yield server


@pytest.fixture
def yandex_sandbox(_yandex_sandbox_server: "SandboxServer") -> "SandboxServer":
    """A running sandbox: point connections at ``.url``, look and interfere through ``.client``.

    Each test finds it empty, with the settings of its start and at another address than the test before. Uploads are
    listed at once; ``client.change_settings(processing_seconds=...)`` makes a test wait for them.
    """
    _yandex_sandbox_server.renew()
    return _yandex_sandbox_server


@pytest.fixture
def yandex_connections(yandex_sandbox: "SandboxServer", monkeypatch: pytest.MonkeyPatch) -> "SandboxServer":
    """The sandbox, with the default connections of all services pointing at it: counter 101, store 1001."""
    for conn_id, login in (("yandex_metrica", "101"), ("yandex_market", "1001"), ("altcraft", "")):
        fields = {"conn_type": conn_id, "host": yandex_sandbox.url, "password": "sandbox-token", "login": login}
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}_DEFAULT", json.dumps(fields))
    return yandex_sandbox


@pytest.fixture
def yandex_context() -> Callable[..., dict[str, Any]]:
    """Makes the context of a task instance, for ``operator.execute(yandex_context())``.

    It takes ``task_id``, ``run_id``, ``map_index``, and the run's period as ``start`` and ``end`` for what reads it.
    What the task pushes to XCom lies in ``context["ti"].pushed``.
    """

    def make(
        task_id: str = "upload",
        run_id: str = "manual__1",
        map_index: int = -1,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> dict[str, Any]:
        pushed: dict[str, Any] = {}

        def push(key: str, value: Any) -> None:
            pushed[key] = json.loads(json.dumps(value))  # as Airflow keeps it

        ti = SimpleNamespace(
            dag_id="a_dag", run_id=run_id, task_id=task_id, map_index=map_index, xcom_push=push, pushed=pushed
        )
        run = SimpleNamespace(data_interval_start=start, data_interval_end=end, run_after=end)
        return {"ti": ti, "task_instance": ti, **({"dag_run": run} if end else {})}

    return make


@pytest.fixture(scope="session")
def _airflow_database() -> None:
    """The database of the Airflow that the environment names, made where it is not there."""
    from airflow.utils.db import initdb

    initdb()


@pytest.fixture
def yandex_dag_run(_airflow_database: None) -> Callable[..., Any]:
    """:func:`run_dag`, with a database."""
    return run_dag


def run_dag(path: str | Path, dag_id: str | None = None, logical_date: datetime | None = None) -> Any:
    """Run a DAG of a file in Airflow's DAG folder as ``airflow dags test`` does.

    :param path: the file.
    :param dag_id: the DAG; by default the one named as the file.
    :param logical_date: the run's; ``None`` for a run without, which Airflow 3 has.
    :return: the DAG run.
    """
    from airflow.models import DagBag

    bag = DagBag(str(path))
    if bag.import_errors:
        pytest.fail(f"the file is no DAG: {bag.import_errors}")
    test: Any = bag.dags[dag_id or Path(path).stem].test
    name = "logical_date" if "logical_date" in signature(test).parameters else "execution_date"  # 2.11
    return test(**{name: logical_date})
