# SPDX-License-Identifier: Apache-2.0
"""Parsing a DAG with this package loads nothing but Airflow: what only a task needs is imported by the task."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PACKAGE = "airflow_provider_yandex_orders"
ROOT = Path(__file__).parents[2]
PUBLIC = [
    *(
        f"{PACKAGE}.{name}"
        for name in ("assets", "exceptions", "period", "retry", "sources", "sources.market_to_altcraft")
    ),
    *(
        f"{PACKAGE}.{folder}.{path.stem}"
        for folder in ("hooks", "notifications", "operators", "sensors", "triggers")
        for path in sorted((ROOT / PACKAGE / folder).iterdir())
        if path.stem[0] not in "_." and path.stem not in ("base", "arguments", "steps")
    ),
]
WORKERS = ("altcraft", "cli", "delivery", "http", "journal", "market.api", "metrica.api", "privacy", "rows", "storage")
"""What only tasks need: each costs a parser milliseconds."""

IMPORT = """
import importlib, json, sys
try:
    import airflow.sdk
except ImportError:
    from airflow.models import DAG, BaseOperator
before = set(sys.modules)
for name in sys.argv[1:]:
    importlib.import_module(name)
top = {name.partition(".")[0] for name in before}
after = {name.partition(".")[0] for name in sys.modules}
print(json.dumps({"packages": sorted(after - top), "modules": sorted(set(sys.modules) - before)}))
"""


def loaded(*modules: str) -> tuple[set[str], set[str]]:
    """Top-level packages and modules that imports add to Airflow's own."""
    run = subprocess.run(
        [sys.executable, "-c", IMPORT, *modules], capture_output=True, text=True, check=True, timeout=300
    )
    found = json.loads(run.stdout.splitlines()[-1])
    return set(found["packages"]) - {PACKAGE}, set(found["modules"])


def test_public_modules_load_nothing_that_airflow_has_not() -> None:
    packages, modules = loaded(*PUBLIC)
    assert packages == set()
    assert set(PUBLIC) <= modules
    own = {name.removeprefix(f"{PACKAGE}.") for name in modules if name.startswith(PACKAGE)}
    assert {name for name in own for worker in WORKERS if f"{name}.".startswith(f"{worker}.")} == set()
    assert not {name for name in own if name.endswith(".steps")}


def test_the_check_itself_notices() -> None:
    packages, modules = loaded(f"{PACKAGE}.http.client", f"{PACKAGE}.rows.dates")
    assert packages & {"requests", "msgspec"}
    assert {f"{PACKAGE}.http.client", f"{PACKAGE}.rows.dates", f"{PACKAGE}.privacy"} <= modules
