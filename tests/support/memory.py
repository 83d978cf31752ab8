# SPDX-License-Identifier: Apache-2.0
"""How much memory a piece of Python needs at its peak, measured in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

# Runs in the child. The result travels through a pipe of its own: stdout belongs to the measured code.
_METER = r"""
import builtins, gc, os, sys, threading, time

result, code = int(sys.argv[1]), sys.argv[2]
sys.argv = ["-c", *sys.argv[3:]]
baseline = None
sampled = None  # peak seen by the thread, where the kernel's own peak cannot be reset


def status(field):
    with open("/proc/self/status") as lines:
        for line in lines:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    raise OSError(field)


def resident():
    try:
        return status("VmRSS")
    except OSError:
        import psutil

        return psutil.Process().memory_info().rss


def sample():
    global sampled
    while True:
        sampled = max(sampled, resident())
        time.sleep(0.002)


def mark_memory():
    global baseline, sampled
    if baseline is not None:
        raise RuntimeError("mark_memory() was called twice")
    gc.collect()
    try:
        with open("/proc/self/clear_refs", "w") as reset:
            reset.write("5")  # 5 resets the peak of resident memory
        status("VmHWM")
        baseline = resident()
    except OSError:
        baseline = sampled = resident()
        threading.Thread(target=sample, daemon=True).start()


builtins.mark_memory = mark_memory
exec(compile(code, "<measured>", "exec"), {"__name__": "__main__"})
if baseline is None:
    raise SystemExit("the measured code never called mark_memory()")
peak = status("VmHWM") if sampled is None else max(sampled, resident())
os.write(result, str(peak - baseline).encode())
"""


def peak_growth_mb(
    code: str,
    argv: Sequence[str] = (),
    *,
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    timeout: float = 600,
) -> float:
    """Run `code` in a new interpreter; megabytes (2**20) its peak lies above the call of `mark_memory()`.

    The code must call the built-in `mark_memory()` once, after its imports and preparations. A module is
    measured by `import it; mark_memory(); it.main()`. Child processes of the code are not counted.
    `argv` becomes `sys.argv[1:]`; `env` is added to the environment.
    """
    reader, writer = os.pipe()
    try:
        done = subprocess.run(
            [sys.executable, "-c", _METER, str(writer), code, *argv],
            capture_output=True,
            text=True,
            pass_fds=(writer,),
            env={**os.environ, **(env or {})},
            cwd=cwd,
            timeout=timeout,
        )
        os.close(writer)
        writer = -1
        with os.fdopen(reader, "rb") as answer:
            reader = -1
            grown = answer.read()
    finally:
        for end in (reader, writer):
            if end >= 0:
                os.close(end)
    if done.returncode or not grown:
        raise RuntimeError(f"the measured code failed:\n{done.stdout}\n{done.stderr}")
    return int(grown) / 2**20
