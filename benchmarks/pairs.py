# SPDX-License-Identifier: Apache-2.0
"""Measures pieces of work side by side: each round in a process of its own, one after the other, in turn."""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

from tests.support.memory import peak_growth_mb

Line = dict[str, object]
"""A line of the table: work, ours, peer, ratio, note."""
SCALE = float(os.environ.get("BENCH_SCALE", "1"))
"""How large the work is: 1 is what the goals are said for, less is for a look."""
_CHILD = "from benchmarks.pairs import measure_here; measure_here()"
_PATIENCE = 1800.0


@dataclass(frozen=True, slots=True)
class Side:
    """One piece of work.

    :param work: ``module:function``; the function makes all ready and gives back what is measured, to be called once.
    :param arguments: what the function takes, as JSON has it.
    :param environment: more of the environment.
    """

    work: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Measured:
    """What one piece of work took: the medians of its rounds.

    :param cpu: seconds of the processor, of the process and those it started.
    :param wall: seconds.
    :param growth: megabytes that memory grew at its peak, of the process alone.
    :param result: what the work gave back in the last round.
    """

    cpu: float
    wall: float
    growth: float
    result: Any


def in_turn(*sides: Side, rounds: int = 3) -> list[Measured]:
    """Measure each piece of work as often as there are rounds: every round has all of them, one after the other."""
    taken: list[list[Measured]] = [[] for _ in sides]
    for _ in range(rounds):
        for side, found in zip(sides, taken, strict=True):
            found.append(_measured(side))
    return [
        Measured(
            cpu=median(each.cpu for each in found),
            wall=median(each.wall for each in found),
            growth=median(each.growth for each in found),
            result=found[-1].result,
        )
        for found in taken
    ]


def line(work: str, ours: str, peer: str, ratio: float, *notes: str) -> Line:
    """A line of the table."""
    return {"work": work, "ours": ours, "peer": peer, "ratio": round(ratio, 2), "note": "; ".join(filter(None, notes))}


def skipped(work: str, reason: str) -> Line:
    """A line for what cannot be measured here."""
    return {"work": work, "ours": "-", "peer": "-", "ratio": None, "note": f"skipped: {reason}"}


def _measured(side: Side) -> Measured:
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        told = Path(folder, "told.json")
        argv = (str(told), side.work, json.dumps(dict(side.arguments)))
        grown = peak_growth_mb(_CHILD, argv, env={**side.environment, "TMPDIR": folder}, timeout=_PATIENCE)
        return Measured(growth=grown, **json.loads(told.read_text()))


def measure_here() -> None:
    """What a process of its own runs: the work named on its command line."""
    told, work, arguments = sys.argv[1:]
    made = prepared(Side(work, json.loads(arguments)))
    mark_memory()  # type: ignore[name-defined]  # noqa: F821 - the meter of memory gives it
    Path(told).write_text(json.dumps(timed(made)))


def prepared(side: Side) -> Callable[[], Any]:
    """The work, made ready."""
    module, _, function = side.work.partition(":")
    made: Callable[[], Any] = getattr(import_module(module), function)(**side.arguments)
    return made


def timed(work: Callable[[], Any]) -> dict[str, Any]:
    """What the work took in time, and its result."""
    cpu, wall = _cpu(), time.perf_counter()
    result = work()
    return {"cpu": _cpu() - cpu, "wall": time.perf_counter() - wall, "result": result}


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
