# SPDX-License-Identifier: Apache-2.0
"""Runs Airflow's commands and shows which task it is at, as its log tells."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from airflow_provider_yandex_orders.demo.children import Children
from airflow_provider_yandex_orders.demo.errors import DemoError

STARTED_TASK = re.compile(rb"\[DAG TEST\] starting task_id=(\S+) map_index=(-?\d+)")
# Against the sandbox nothing fails for a moment only, and the retry would come in minutes.
FAILED_TRY = re.compile(rb"\bup_for_retry\b", re.IGNORECASE)
LOOK_EVERY = 0.2  # seconds


def run_airflow(
    arguments: Sequence[str],
    *,
    children: Children,
    log: Path,
    environment: Mapping[str, str],
    timeout: float,
    on_task: Callable[[str], None] = lambda _name: None,
) -> None:
    """Run one `airflow` command to its end; a failure of it is a :class:`DemoError`.

    :param on_task: called with the name of each task as it starts
    """
    command = [sys.executable, "-m", "airflow", *arguments]
    name = f"airflow {' '.join(arguments[:2])}"
    process = children.start(command, log=log, environment=environment)
    deadline = time.monotonic() + timeout
    with log.open("rb") as output:
        unfinished = b""
        while True:
            ended = process.poll() is not None
            *lines, unfinished = (unfinished + output.read()).split(b"\n")
            for line in lines:
                if started := STARTED_TASK.search(line):
                    on_task(_task_name(started))
                if FAILED_TRY.search(line):
                    raise DemoError(f"A task of `{name}` failed.", log=log)
            if ended:
                break
            if time.monotonic() > deadline:
                raise DemoError(f"`{name}` did not end within {timeout:.0f} s.", log=log)
            time.sleep(LOOK_EVERY)
    if process.returncode:
        raise DemoError(f"`{name}` failed with code {process.returncode}.", log=log)


def _task_name(started: re.Match[bytes]) -> str:
    name, index = started[1].decode(errors="replace"), int(started[2])
    return name if index < 0 else f"{name}[{index}]"
