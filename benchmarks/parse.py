# SPDX-License-Identifier: Apache-2.0
"""What a DAG file pays for this package: importing every operator module on top of Airflow's own import."""

from __future__ import annotations

import compileall
import pkgutil
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from statistics import median

from benchmarks.pairs import Line, line

_CODE = """
import sys, time
started = time.process_time()
import {airflow}
own = time.process_time() - started
known = {{name.partition(".")[0] for name in sys.modules}}
started = time.process_time()
import {modules}
print(own, time.process_time() - started, *sorted({{name.partition(".")[0] for name in sys.modules}} - known))
"""
_PACKAGE = "airflow_provider_yandex_orders"


def operator_modules() -> list[str]:
    """Every module that users import operators from."""
    import airflow_provider_yandex_orders.operators as operators

    folders = pkgutil.iter_modules(operators.__path__, f"{operators.__name__}.")
    return [each.name for each in folders if each.ispkg]


def measure(rounds: int = 7) -> list[Line]:
    """Imports, each round in a process of its own.

    :param rounds: how often.
    """
    (folder,) = import_module(_PACKAGE).__path__
    compileall.compile_dir(folder, quiet=1)  # as whatever installs it does; some environments keep nothing compiled
    airflow = "airflow.sdk" if find_spec("airflow.sdk") else "airflow.models"
    code = _CODE.format(airflow=airflow, modules=", ".join(operator_modules()))
    taken, brought = [], set()
    for _ in range(rounds):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        own, ours, *names = done.stdout.splitlines()[-1].split()
        taken.append((float(own), float(own) + float(ours)))
        brought |= {name for name in names if name not in sys.stdlib_module_names and name[0] != "_"} - {_PACKAGE}
    peer, both = (median(each) for each in zip(*taken, strict=True))
    on_top = median(after - before for before, after in taken) * 1000
    note = f"{on_top:.0f} ms on top, goal <= 20; brings in {', '.join(sorted(brought)) or 'nothing'}"
    work = f"import of {airflow} and every operator module: CPU time to that of {airflow} alone"
    return [line(work, f"{both * 1000:.0f} ms", f"{peer * 1000:.0f} ms", both / peer, note)]
