# SPDX-License-Identifier: Apache-2.0
"""Find and end the processes of a private service, whoever their parent is by now."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import psutil

# setproctitle writes titles over the environment unless told not to, and `carrying` reads the environment.
KEEP_ENVIRONMENT = {"SPT_NOENV": "1"}
_KILL_PATIENCE = 10.0


def carrying(name: str, value: str) -> list[psutil.Process]:
    """Every living process started with this environment variable, orphans included."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(name) == value:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return living(found)


def descendants(pid: int) -> list[psutil.Process]:
    """All children of a process and theirs; empty when it is gone."""
    try:
        return list(psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def living(among: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Those that still run: a zombie only waits for its parent to read the exit code."""
    found = []
    for process in among:
        try:
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def is_connected(process: psutil.Process, port: int) -> bool:
    """Whether it holds an established TCP connection to this port, as the client."""
    try:
        connections = process.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return False
    return any(one.raddr and one.raddr.port == port for one in connections if one.status == "ESTABLISHED")


def stop(
    first: Iterable[psutil.Process],
    everyone: Callable[[], list[psutil.Process]],
    patience: float,
) -> None:
    """Ask the first to end, wait until `everyone()` is gone, then kill who is left."""
    for process in first:
        try:
            process.terminate()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(everyone(), timeout=patience)
    for _ in range(10):  # again, for children born between the look and the kill
        left = everyone()
        if not left:
            return
        for process in left:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(left, timeout=_KILL_PATIENCE)
    raise RuntimeError(f"processes outlive SIGKILL: {everyone()}")
