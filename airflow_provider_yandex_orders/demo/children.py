# SPDX-License-Identifier: Apache-2.0
"""Child processes that never outlive the demo, whatever ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
Process = subprocess.Popen[bytes]

PACKAGE = Path(__file__).resolve().parents[1]
PATIENCE = 3.0
"""Seconds a child has to end by itself."""


def child_environment() -> dict[str, str]:
    """Return the environment for every child: the user's own, less all that is about another Airflow."""
    # A setting of the user's Airflow left in place could send the demo into a real database.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    if (PACKAGE.parent / "pyproject.toml").is_file():  # a checkout, which may not be installed
        search_path = filter(None, [str(PACKAGE.parent), environment.get("PYTHONPATH")])
        environment["PYTHONPATH"] = os.pathsep.join(search_path)
    environment["PYTHONUNBUFFERED"] = "1"  # the logs are read while they grow
    environment["NO_COLOR"] = "1"
    for name in ("NO_PROXY", "no_proxy"):  # the sandbox is on this machine, whatever the proxy
        environment[name] = ",".join(filter(None, [environment.get(name), "127.0.0.1", "localhost"]))
    return environment


class Interrupted(BaseException):
    """The user, or the system, asked the demo to stop."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


class Children:
    """Starts processes in groups of their own, so that Ctrl-C reaches only the demo, which ends them all."""

    def __init__(self) -> None:
        self._processes: list[Process] = []
        self._starting = False
        self._ending = False
        self._waiting_signal = 0

    def catch_signals(self) -> None:
        """From here on, a signal to stop is raised as :class:`Interrupted`, once."""
        for number in SIGNALS:
            if number == signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                continue  # under nohup
            signal.signal(number, self._on_signal)

    def start(self, command: Sequence[str], *, log: Path, environment: Mapping[str, str]) -> Process:
        """Start a process whose whole output goes into `log`."""
        # A signal between the start and the note of it would leave an orphan: it waits for a moment.
        self._starting = True
        try:
            with log.open("wb") as output:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=dict(environment),
                    start_new_session=True,
                )
            self._processes.append(process)
        finally:
            self._starting = False
        if self._waiting_signal:
            self._on_signal(self._waiting_signal, None)
        return process

    def stop(self) -> None:
        """End every process that still runs, and all that they started."""
        self._ending = True
        running = [process for process in self._processes if process.poll() is None]
        for process in running:
            _signal_group(process, signal.SIGINT)  # inside a task, Airflow does not heed SIGTERM
        deadline = time.monotonic() + PATIENCE
        for process in running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
        for process in running:
            _signal_group(process, signal.SIGKILL)
            process.wait()
        self._processes.clear()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._ending:
            return
        if self._starting:
            self._waiting_signal = number
            return
        self._ending = True
        raise Interrupted(number)


def _signal_group(process: Process, number: int) -> None:
    # The group may hold grandchildren after its leader is gone.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
