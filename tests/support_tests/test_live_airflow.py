# SPDX-License-Identifier: Apache-2.0
"""The private Airflow really runs, reads back, breaks and ends."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from tests.support.live_airflow import LiveAirflow, LiveAirflowError
from tests.support.ports import free_port

pytestmark = pytest.mark.live

PATIENCE = 300.0
SECRET = "planted-c0ffee-4711"

DAGS = """
import logging, os, socket, time
from datetime import timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.sensors.time_delta import TimeDeltaSensor
from airflow.sdk import dag, get_current_context, task


@dag(schedule=None)
def plain():
    @task
    def sleeps():
        time.sleep(1)
        logging.getLogger(__name__).info("slept, and saw %s", os.environ["PLANTED"])
        return {"conf": get_current_context()["dag_run"].conf, "numbers": [1, 2]}

    @task
    def doubles(number):
        return number * 2

    sleeps() >> BashOperator(task_id="says", bash_command="echo {{ dag_run.conf['word'] }}")
    doubles.expand(number=[10, 20])


@dag(schedule=None)
def waits():
    TimeDeltaSensor(task_id="sensor", delta=timedelta(seconds=40), deferrable=True, retries=1,
                    retry_delay=timedelta(seconds=1))


@dag(schedule=None)
def killed():
    @task(retries=1, retry_delay=timedelta(seconds=1))
    def talks():
        with socket.create_connection(("127.0.0.1", int(os.environ["TALK_PORT"]))) as line:
            return line.recv(100).decode()

    talks()


plain(), waits(), killed()
"""


class Listener:
    """Leaves the first caller without an answer and answers all later ones."""

    def __init__(self) -> None:
        self.port = free_port()
        self.calls = 0
        self._kept: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", self.port))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._server.accept()
            except OSError:
                return
            self.calls += 1
            if self.calls == 1:
                self._kept.append(line)
            else:
                with line:
                    line.sendall(b"answered")

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        for line in (self._server, *self._kept):
            line.close()


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    server = Listener()
    yield server
    server.close()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, listener: Listener) -> Iterator[LiveAirflow]:
    base = tmp_path_factory.mktemp("live")
    (base / "dags").mkdir()
    (base / "dags" / "toys.py").write_text(DAGS)
    env = {"TALK_PORT": str(listener.port), "PLANTED": SECRET}
    with LiveAirflow(base / "home", base / "dags", env) as airflow:
        yield airflow


def _under(home: Path) -> list[int]:
    """Processes whose environment names this home."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("AIRFLOW_HOME") == str(home):
                found.append(process.pid)
        except (psutil.Error, OSError):
            continue
    return found


def test_nothing_survives_and_failures_explain_themselves(tmp_path: Path) -> None:
    """A DAG that does not import stops the start with its traceback, and no process stays."""
    home, dags = tmp_path / "home", tmp_path / "dags"
    dags.mkdir()
    (dags / "broken.py").write_text("from airflow.sdk import dag\nraise RuntimeError('this dag is broken')\n")
    seen: list[int] = []
    airflow = LiveAirflow(home, dags)
    watcher = threading.Timer(5.0, lambda: seen.extend(_under(home)))
    watcher.start()
    with pytest.raises(LiveAirflowError, match="this dag is broken"), airflow:
        pytest.fail("started with a broken DAG")
    watcher.join()
    assert seen, "the check for leftovers sees nothing even while Airflow runs"
    assert _under(home) == []


def test_dead_service_stops_the_start(tmp_path: Path) -> None:
    """A service that cannot start ends the wait at once, with its own words."""
    (tmp_path / "dags").mkdir()
    home = tmp_path / "home"
    words = r"scheduler ended with 1\n==> scheduler.log\n(?s:.*)NoSuchExecutor"
    with pytest.raises(LiveAirflowError, match=words):
        LiveAirflow(home, tmp_path / "dags", {"AIRFLOW__CORE__EXECUTOR": "no.such.NoSuchExecutor"}).start()
    assert _under(home) == []


def test_run_and_read_back(live: LiveAirflow) -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    run_id = live.trigger("plain", logical_date=moment, conf={"word": "hello"}, run_id="by_hand:1+2")
    assert run_id == "by_hand:1+2"
    assert live.wait("plain", run_id, PATIENCE) == "success"
    instances = live.task_instances("plain", run_id)
    assert {task: one["state"] for task, one in instances.items()} == {
        "sleeps": "success",
        "says": "success",
        "doubles[0]": "success",
        "doubles[1]": "success",
    }
    assert live.xcom("plain", run_id, "sleeps") == {"conf": {"word": "hello"}, "numbers": [1, 2]}
    assert [live.xcom("plain", run_id, "doubles", map_index=index) for index in (0, 1)] == [20, 40]
    assert live.rendered_fields("plain", run_id, "says")["bash_command"] == "echo hello"
    assert live.rendered_fields("plain", run_id, "doubles", map_index=1)["op_kwargs"] == {"number": 20}
    log = live.task_log("plain", run_id, "sleeps", 1)
    assert f"slept, and saw {SECRET}" in log
    assert "Done. Returned value" in live.task_log("plain", run_id, "doubles", 1, map_index=1)
    assert SECRET in live.all_logs()
    with pytest.raises(LiveAirflowError, match=r"says is failed \(tasks: .*'says': 'success'"):
        live.wait_for_task("plain", run_id, "says", "failed", timeout=1)
    with pytest.raises(LiveAirflowError, match="404"):
        live.xcom("plain", run_id, "sleeps", key="never pushed")


def test_killed_task_is_tried_again(live: LiveAirflow, listener: Listener) -> None:
    run_id = live.trigger("killed")
    victim = live.kill_task(connected_to_port=listener.port)
    assert live.wait("killed", run_id, PATIENCE) == "success"
    assert not psutil.pid_exists(victim)
    assert [one["state"] for one in live.tries("killed", run_id, "talks")] == ["failed", "success"]
    assert live.task_instances("killed", run_id)["talks"]["try_number"] == 2
    assert live.xcom("killed", run_id, "talks") == "answered"
    assert listener.calls == 2


@pytest.mark.parametrize("stop_signal", [signal.SIGTERM, signal.SIGKILL])
def test_deferred_task_outlives_the_triggerer(live: LiveAirflow, stop_signal: signal.Signals) -> None:
    run_id = live.trigger("waits")
    live.wait_for_task("waits", run_id, "sensor", "deferred", PATIENCE)
    before = live.pid("triggerer")
    live.restart_triggerer(stop_signal)
    assert live.pid("triggerer") != before
    assert not psutil.pid_exists(before)
    assert live.wait("waits", run_id, PATIENCE) == "success"
    last_try = live.task_instances("waits", run_id)["sensor"]["try_number"]
    assert "Trigger fired event" in live.task_log("waits", run_id, "sensor", last_try)
