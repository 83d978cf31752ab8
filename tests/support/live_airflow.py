# SPDX-License-Identifier: Apache-2.0
"""Drive a private, real Airflow: start runs, read what the tasks left behind, break things."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import psutil
import requests

from tests.support import processes
from tests.support.airflow_services import AirflowServices, LiveAirflowError

__all__ = ["LiveAirflow", "LiveAirflowError"]

_FINAL_STATES = ("success", "failed")


class LiveAirflow(AirflowServices):
    """Context manager: api-server, scheduler, dag-processor and triggerer on SQLite with LocalExecutor.

    :param home: folder for configuration, database and logs; made when missing
    :param dags_folder: folder with at least one DAG file
    :param env: more environment for every service: connections (`AIRFLOW_CONN_*`), options (`AIRFLOW__*`)
    """

    def __init__(self, home: Path, dags_folder: Path, env: Mapping[str, str] | None = None) -> None:
        super().__init__(home, dags_folder, env or {})
        self.startup_seconds = 0.0

    def __enter__(self) -> Self:
        began = time.monotonic()
        self.start()
        self.startup_seconds = time.monotonic() - began
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # Runs

    def trigger(
        self,
        dag_id: str,
        logical_date: datetime | None = None,
        conf: Mapping[str, Any] | None = None,
        run_id: str | None = None,
    ) -> str:
        """Wait until the DAG is parsed, unpause it and start a run; its run id."""
        self.wait_for_dag(dag_id)
        self.api("PATCH", f"dags/{_quoted(dag_id)}", json={"is_paused": False})
        body = {
            "dag_run_id": run_id,
            "logical_date": logical_date.isoformat() if logical_date else None,
            "conf": dict(conf or {}),
        }
        return str(self.api("POST", f"dags/{_quoted(dag_id)}/dagRuns", json=body)["dag_run_id"])

    def wait_for_dag(self, dag_id: str, timeout: float = 180) -> None:
        """Return when the DAG is parsed; a DAG file that does not import fails at once."""

        def parsed() -> bool:
            self.fail_on_import_errors()
            found = self.api("GET", "dags", params={"dag_id_pattern": dag_id, "limit": 1000})["dags"]
            return any(dag["dag_id"] == dag_id for dag in found)

        self.until(parsed, timeout, f"DAG {dag_id} is parsed")

    def wait(self, dag_id: str, run_id: str, timeout: float) -> str:
        """Wait for the end of a run; its state, `success` or `failed`."""

        def ended() -> bool:
            return self.run_state(dag_id, run_id) in _FINAL_STATES

        self.until(ended, timeout, lambda: f"run {run_id} ends{self._tasks(dag_id, run_id)}")
        return self.run_state(dag_id, run_id)

    def wait_for_task(self, dag_id: str, run_id: str, task: str, state: str, timeout: float) -> None:
        """Wait until a task instance (`task_id`, mapped `task_id[map_index]`) is in this state."""

        def reached() -> bool:
            return self.task_states(dag_id, run_id).get(task) == state

        self.until(reached, timeout, lambda: f"{task} is {state}{self._tasks(dag_id, run_id)}")

    def run_state(self, dag_id: str, run_id: str) -> str:
        return str(self.api("GET", _run(dag_id, run_id))["state"])

    def task_states(self, dag_id: str, run_id: str) -> dict[str, str | None]:
        return {task: instance["state"] for task, instance in self.task_instances(dag_id, run_id).items()}

    def _tasks(self, dag_id: str, run_id: str) -> str:
        try:
            return f" (tasks: {self.task_states(dag_id, run_id)})"
        except requests.RequestException:
            return ""

    # What tasks left behind

    def task_instances(self, dag_id: str, run_id: str) -> dict[str, dict[str, Any]]:
        """Task instances by `task_id`, mapped ones by `task_id[map_index]`."""
        found: dict[str, dict[str, Any]] = {}
        while True:
            page = {"limit": 100, "offset": len(found), "order_by": "id"}
            answer = self.api("GET", f"{_run(dag_id, run_id)}/taskInstances", params=page)
            for instance in answer["task_instances"]:
                index = instance["map_index"]
                found[instance["task_id"] + (f"[{index}]" if index >= 0 else "")] = instance
            if not answer["task_instances"] or len(found) >= answer["total_entries"]:
                return found

    def tries(self, dag_id: str, run_id: str, task_id: str, map_index: int = -1) -> list[dict[str, Any]]:
        """Every try of one task instance, the first first."""
        path = f"{_task(dag_id, run_id, task_id)}/{map_index}/tries"
        return sorted(self.api("GET", path)["task_instances"], key=lambda one: int(one["try_number"]))

    def xcom(
        self,
        dag_id: str,
        run_id: str,
        task_id: str,
        key: str = "return_value",
        map_index: int = -1,
    ) -> Any:
        """The value a task pushed."""
        path = f"{_task(dag_id, run_id, task_id)}/xcomEntries/{_quoted(key)}"
        return self.api("GET", path, params={"map_index": map_index})["value"]

    def rendered_fields(self, dag_id: str, run_id: str, task_id: str, map_index: int = -1) -> dict[str, Any]:
        """The template fields of the last try as Airflow stores and shows them."""
        return dict(self.api("GET", f"{_task(dag_id, run_id, task_id)}/{map_index}")["rendered_fields"])

    def extra_links(self, dag_id: str, run_id: str, task_id: str) -> dict[str, str]:
        """Links on the page of a task, by name; empty where one leads nowhere."""
        found = self.api("GET", f"{_task(dag_id, run_id, task_id)}/links")["extra_links"]
        return {name: address or "" for name, address in found.items()}

    def task_log(self, dag_id: str, run_id: str, task_id: str, try_number: int, map_index: int = -1) -> str:
        """The log of one try as the UI reads it, trigger lines included: a JSON object a line."""
        answer = self.request(
            "GET",
            f"/api/v2/{_task(dag_id, run_id, task_id)}/logs/{try_number}",
            params={"map_index": map_index, "full_content": True},
            headers={"Accept": "application/x-ndjson"},
        )
        return answer.text

    def why(self, dag_id: str, run_ids: list[str]) -> str:
        """What the tasks of these runs that failed said last."""
        told = []
        for run_id in run_ids:
            for name, instance in self.task_instances(dag_id, run_id).items():
                if instance["state"] in ("failed", "up_for_retry"):
                    log = self.task_log(
                        dag_id, run_id, instance["task_id"], instance["try_number"], instance["map_index"]
                    )
                    told.append(f"{run_id} {name}, try {instance['try_number']}:\n{log[-4000:]}")
        return "\n".join(told)

    def all_logs(self) -> str:
        """Every log file under the home: tasks, triggers, DAG processing, the services' own output."""
        files = [path for path in sorted(self.home.rglob("*")) if path.is_file()]
        logs = [path for path in files if ".log" in path.name or self.home / "logs" in path.parents]
        return "\n".join(f"==> {path}\n{path.read_text(errors='replace')}" for path in logs)

    # Faults

    def task_process(self, predicate: Callable[[psutil.Process], bool]) -> psutil.Process | None:
        """The first process below the scheduler that fits."""
        for process in processes.descendants(self.pid("scheduler")):
            try:
                if predicate(process):
                    return process
            except psutil.NoSuchProcess:
                continue
        return None

    def kill_task(self, connected_to_port: int, timeout: float = 120) -> int:
        """SIGKILL the task connected to this local port, as soon as there is one; its process id."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            victim = self.task_process(lambda one: processes.is_connected(one, connected_to_port))
            if victim is not None:
                victim.kill()
                return int(victim.pid)
            time.sleep(0.05)
        raise LiveAirflowError(f"no task is connected to port {connected_to_port} after {timeout:.0f} s")


def _quoted(part: str) -> str:
    return quote(part, safe="")


def _run(dag_id: str, run_id: str) -> str:
    return f"dags/{_quoted(dag_id)}/dagRuns/{_quoted(run_id)}"


def _task(dag_id: str, run_id: str, task_id: str) -> str:
    return f"{_run(dag_id, run_id)}/taskInstances/{_quoted(task_id)}"
