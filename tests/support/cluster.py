# SPDX-License-Identifier: Apache-2.0
"""A private Airflow whose tasks run on Celery workers, each as on a machine of its own."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from tests.support import processes
from tests.support.airflow_services import LiveAirflowError
from tests.support.live_airflow import LiveAirflow
from tests.support.ports import free_port

_WORKER_TIMEOUT = 300.0


class Cluster(LiveAirflow):
    """Context manager: Airflow on PostgreSQL, with Celery workers that share no folder with anything.

    :param home: folder for configuration and logs of the services, and below it the home of each worker
    :param dags_folder: folder of DAG files; each worker gets a copy
    :param database: URI of Airflow's database, a PostgreSQL
    :param broker: URL of the Redis server
    :param env: more environment, as for `LiveAirflow`
    :param workers: names of the workers
    """

    def __init__(
        self,
        home: Path,
        dags_folder: Path,
        database: str,
        broker: str,
        env: Mapping[str, str],
        workers: Sequence[str] = ("worker-1", "worker-2"),
    ) -> None:
        settings = {
            "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
            "AIRFLOW__CORE__PARALLELISM": "16",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database.replace("postgresql:", "postgresql+psycopg2:"),
            "AIRFLOW__CELERY__BROKER_URL": broker,
            "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{database}",
            "AIRFLOW__CELERY__WORKER_CONCURRENCY": "3",
        }
        super().__init__(home, dags_folder, {**settings, **env})
        self._dags = dags_folder
        self.workers = tuple(workers)

    def start(self) -> None:
        super().start()
        try:
            self.start_workers()
        except BaseException:
            self.stop()
            raise

    def worker_home(self, name: str) -> Path:
        """The only folder a worker knows."""
        return self.home / name

    def start_workers(self) -> None:
        """Start every worker that does not run, and wait until they take tasks."""
        missing = [name for name in self.workers if name not in self._services]
        for name in missing:
            self._start_worker(name)
        self.until(lambda: all(self._takes_tasks(name) for name in missing), _WORKER_TIMEOUT, "the workers are ready")

    def kill_worker(self, connected_to_port: int, timeout: float = 120) -> str:
        """SIGKILL the worker whose task is connected to this port, with all its processes; its name."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for name in self.workers:
                if name in self._services and self._is_connected(name, connected_to_port):
                    worker = psutil.Process(self.pid(name))
                    del self._services[name]
                    for process in (worker, *processes.descendants(worker.pid)):
                        process.kill()
                    worker.wait(timeout)
                    return name
            time.sleep(0.05)
        raise LiveAirflowError(f"no worker is connected to port {connected_to_port} after {timeout:.0f} s")

    def worker_logs(self, name: str, dag_id: str, run_id: str = "*") -> list[str]:
        """What the tasks of a DAG wrote on one worker, a text for each try."""
        folder = self.worker_home(name) / "logs"
        return [path.read_text(errors="replace") for path in folder.glob(f"dag_id={dag_id}/run_id={run_id}/**/*.log")]

    def _start_worker(self, name: str) -> None:
        home = self.worker_home(name)
        shutil.copytree(self._dags, home / "dags", dirs_exist_ok=True)
        (home / "tmp").mkdir(exist_ok=True)
        (self.service_logs / f"{name}.log").unlink(missing_ok=True)
        own = {
            "AIRFLOW_HOME": str(home),
            "TMPDIR": str(home / "tmp"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
        }
        self._spawn(name, ("celery", "worker", "--celery-hostname", f"{name}@%h"), home, own)

    def _takes_tasks(self, name: str) -> bool:
        return " ready." in (self.service_logs / f"{name}.log").read_text(errors="replace")

    def _is_connected(self, name: str, port: int) -> bool:
        return any(processes.is_connected(each, port) for each in processes.descendants(self.pid(name)))
