# SPDX-License-Identifier: Apache-2.0
"""The four processes of a private Airflow: their environment, start, health and end."""

from __future__ import annotations

import base64
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import requests

from tests.support import processes
from tests.support.ports import free_port

SERVICES = ("api-server", "scheduler", "dag-processor", "triggerer")
_MARK = "LIVE_AIRFLOW_MARK"
_MIGRATE_TIMEOUT = 300.0
_START_TIMEOUT = 300.0
_STOP_PATIENCE = 5.0  # nothing here is worth the 11 s the triggerer takes, or the end of a long task
_RESTART_PATIENCE = 30.0
_REQUEST_TIMEOUT = 60.0
_TAIL_CHARACTERS = 4000
_SILENCE = 40  # seconds without a sign of a task until Airflow takes it for dead; Airflow's own default is 300


class LiveAirflowError(Exception):
    """The private Airflow did not do what was asked; the text carries what its logs say."""


class AirflowServices:
    """Airflow in a home of its own. `start()` either succeeds or leaves nothing running."""

    def __init__(self, home: Path, dags_folder: Path, env: Mapping[str, str]) -> None:
        self.home = home.resolve()
        self.service_logs = self.home / "service-logs"
        self.port = free_port()
        self.environment = {**_environment(self.home, dags_folder.resolve(), self.port), **env}
        self._services: dict[str, subprocess.Popen[bytes]] = {}
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy and no .netrc on the way to this machine

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def pid(self, service: str) -> int:
        return self._services[service].pid

    def start(self) -> None:
        """Migrate the database, start all services, wait until they are healthy and a DAG is parsed."""
        if self._services:
            raise RuntimeError("this Airflow runs already")
        try:
            self.service_logs.mkdir(parents=True, exist_ok=True)
            self._migrate()
            for name in SERVICES:
                self._spawn(name)
            self.until(self._healthy, _START_TIMEOUT, "all four services are healthy")
            self._session.headers["Authorization"] = f"Bearer {self.token()}"
            self.until(self._parsed, _START_TIMEOUT, "a DAG is parsed")
        except BaseException:
            self.stop()
            raise

    def token(self) -> str:
        """What a request carries: that of the first of the users, where there are any."""
        return str(self.request("GET", "/auth/token").json()["access_token"])

    def stop(self) -> None:
        """End every process of this Airflow, running tasks and orphans included."""
        services = [psutil.Process(one.pid) for one in self._services.values() if one.poll() is None]
        try:
            processes.stop(services, self._everyone, _STOP_PATIENCE)
        finally:
            for service in self._services.values():
                service.poll()
            self._services.clear()
            self._session.close()

    def restart_triggerer(self, stop_signal: signal.Signals = signal.SIGTERM) -> None:
        """End the triggerer (SIGKILL: a crash), start another and wait until it is at work."""
        service = self._services.pop("triggerer")
        # The process that runs the triggers is a child: it must not go on after a crash of its parent.
        family = [psutil.Process(service.pid), *processes.descendants(service.pid)]
        service.send_signal(stop_signal)
        patience = 0.0 if stop_signal == signal.SIGKILL else _RESTART_PATIENCE
        processes.stop([], lambda: processes.living(family), patience)
        service.wait(_RESTART_PATIENCE)
        since = datetime.now(UTC)
        self._spawn("triggerer")
        self.until(lambda: self._triggerer_beats_since(since), _START_TIMEOUT, "the new triggerer is at work")

    def until(self, condition: Callable[[], bool], timeout: float, what: str | Callable[[], str]) -> None:
        """Wait for the condition; a dead service or the end of the time raises with the logs' last lines."""
        deadline = time.monotonic() + timeout
        trouble = ""
        while True:
            for name, service in self._services.items():
                if service.poll() is not None:
                    raise LiveAirflowError(f"{name} ended with {service.returncode}\n{self.report(name)}")
            try:
                if condition():
                    return
            except requests.RequestException as error:
                trouble = f" (last trouble: {error})"  # the api-server is starting, or busy
            if time.monotonic() > deadline:
                awaited = what if isinstance(what, str) else what()
                raise LiveAirflowError(f"not within {timeout:.0f} s: {awaited}{trouble}\n{self.report()}")
            time.sleep(0.5)

    def request(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """One request to the api-server; an error status raises with the answer's text.

        Faults of the server are `requests.HTTPError`, which `until` sits out (SQLite may be busy).
        """
        answer = self._session.request(method, self.url + path, timeout=_REQUEST_TIMEOUT, **arguments)
        if not answer.ok:
            text = f"{method} {path}: {answer.status_code} {answer.text}"
            raise requests.HTTPError(text) if answer.status_code >= 500 else LiveAirflowError(text)
        return answer

    def api(self, method: str, path: str, **arguments: Any) -> Any:
        """One call of the public REST API; the path is relative to `/api/v2/`."""
        return self.request(method, f"/api/v2/{path}", **arguments).json()

    def fail_on_import_errors(self) -> None:
        errors = self.api("GET", "importErrors")["import_errors"]
        if errors:
            texts = [f"{error['filename']}:\n{error['stack_trace']}" for error in errors]
            raise LiveAirflowError("\n".join(["DAG files do not import", *texts, self.report()]))

    def report(self, first: str = "") -> str:
        """The last lines of every service's output."""
        texts = []
        for path in sorted(self.service_logs.glob("*.log"), key=lambda path: (path.stem != first, path)):
            texts.append(f"==> {path.name}\n{path.read_text(errors='replace')[-_TAIL_CHARACTERS:]}")
        return "\n".join(texts)

    def _migrate(self) -> None:
        with (self.service_logs / "migrate.log").open("wb") as log:
            try:
                done = subprocess.run(
                    [sys.executable, "-m", "airflow", "db", "migrate"],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=self.home,
                    env=self.environment,
                    timeout=_MIGRATE_TIMEOUT,
                )
            except subprocess.TimeoutExpired as error:
                raise LiveAirflowError(f"db migrate takes too long\n{self.report()}") from error
        if done.returncode:
            raise LiveAirflowError(f"db migrate ended with {done.returncode}\n{self.report()}")

    def _spawn(
        self,
        name: str,
        command: Sequence[str] = (),
        folder: Path | None = None,
        more_environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start a service; its command is its name where none is given."""
        with (self.service_logs / f"{name}.log").open("ab") as log:
            self._services[name] = subprocess.Popen(
                [sys.executable, "-m", "airflow", *(command or (name,))],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder or self.home,
                env={**self.environment, **(more_environment or {})},
                start_new_session=True,  # Ctrl-C in the terminal reaches pytest alone, which then stops us
            )

    def _everyone(self) -> list[psutil.Process]:
        return processes.carrying(_MARK, self.environment[_MARK])

    def orphans(self) -> list[psutil.Process]:
        """Processes of this Airflow that no service has under it any more: what is left of killed ones."""
        kept = {service.pid for service in self._services.values()}
        kept |= {each.pid for pid in tuple(kept) for each in processes.descendants(pid)}
        return [each for each in self._everyone() if each.pid not in kept]

    def _healthy(self) -> bool:
        health = self.api("GET", "monitor/health")
        parts = ("scheduler", "triggerer", "dag_processor")
        return all(health[part]["status"] == "healthy" for part in parts)

    def _triggerer_beats_since(self, moment: datetime) -> bool:
        triggerer = self.api("GET", "monitor/health")["triggerer"]
        beat = triggerer["latest_triggerer_heartbeat"]
        return triggerer["status"] == "healthy" and datetime.fromisoformat(beat) > moment

    def _parsed(self) -> bool:
        self.fail_on_import_errors()
        return bool(self.api("GET", "dags")["total_entries"] > 0)


def _environment(home: Path, dags_folder: Path, port: int) -> dict[str, str]:
    # What the caller's own Airflow is told (pytest's too) must not reach this one.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    url = f"http://127.0.0.1:{port}"
    return {
        **inherited,
        **processes.KEEP_ENVIRONMENT,
        _MARK: secrets.token_hex(16),
        "NO_PROXY": "localhost,127.0.0.1",
        "no_proxy": "localhost,127.0.0.1",
        "PYTHONUNBUFFERED": "1",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags_folder),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        # Six processes share one file: wait for each other longer than SQLite's five seconds.
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}?timeout=60",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(64),
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "5",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": str(_SILENCE),
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
    }
