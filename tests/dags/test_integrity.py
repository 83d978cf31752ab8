# SPDX-License-Identifier: Apache-2.0
"""Every example DAG can be parsed: quickly, alike each time, without network or database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.examples import EXAMPLES, has_approval

DAG_FILES = sorted(EXAMPLES.glob("*.py"))

# Run in a process of its own: parses files with sockets and databases closed and tells what each cost.
PARSE = """
import json, sys, time, traceback
try:
    import airflow.sdk
except ImportError:
    import airflow.models.dag
from airflow.providers.common.compat.sdk import DAG, BaseHook, BaseOperator, BaseSensorOperator, conf, task
from airflow.serialization.serialized_objects import {serialized}
import pendulum, requests
before = set(sys.modules)
heavy = {{"pandas", "pyarrow", "numpy", "fastapi", "uvicorn", "msgspec", "phonenumbers"}}

def refused(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "sqlite3.connect", "subprocess.Popen"):
        raise RuntimeError("top-level code of a DAG does " + event)
sys.addaudithook(refused)

import importlib.util
found = []
for number, path in enumerate(sys.argv[1:]):
    spec = importlib.util.spec_from_file_location(f"example_{{number}}", path)
    module = importlib.util.module_from_spec(spec)
    start, error = time.process_time(), ""
    try:
        spec.loader.exec_module(module)
    except Exception:
        error = traceback.format_exc()
    seconds = time.process_time() - start
    dags = [each for each in vars(module).values() if isinstance(each, DAG)]
    found.append({{
        "error": error,
        "seconds": seconds,
        "heavy": sorted(heavy & (set(sys.modules) - before)),
        "dags": {{dag.dag_id: {serialized}.to_dict(dag) for dag in dags}},
        "tags": {{dag.dag_id: sorted(dag.tags) for dag in dags}},
        "doc": {{dag.dag_id: dag.doc_md for dag in dags}},
    }})
print(json.dumps(found, default=str))
"""


def parse(paths: list[Path], hash_seed: int = 0) -> dict[Path, dict[str, Any]]:
    from airflow.serialization import serialized_objects

    serialized = "DagSerialization" if hasattr(serialized_objects, "DagSerialization") else "SerializedDAG"
    result = subprocess.run(
        [sys.executable, "-c", PARSE.format(serialized=serialized), *map(str, paths)],
        env=os.environ | {"PYTHONHASHSEED": str(hash_seed)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return dict(zip(paths, json.loads(result.stdout.splitlines()[-1]), strict=True))


@pytest.fixture(scope="module")
def twice() -> list[dict[Path, dict[str, Any]]]:
    """What came of every example, in two processes that hash differently."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda seed: parse(DAG_FILES, seed), (1, 2)))


def test_there_are_examples() -> None:
    assert DAG_FILES


@pytest.mark.parametrize("path", DAG_FILES, ids=lambda path: path.stem)
def test_parses_fast_and_alike(twice: list[dict[Path, dict[str, Any]]], path: Path) -> None:
    first, second = (parsed[path] for parsed in twice)
    assert first["error"] == ""
    if path.stem == "orders_with_approval" and not has_approval():
        assert not first["dags"]
        pytest.skip("this Airflow has no human-in-the-loop operators")
    assert first["dags"]
    assert first["dags"] == second["dags"]
    assert first["heavy"] == []
    assert all(first["tags"].values())
    assert all(first["doc"].values())
    # Next to Airflow's own import, which takes some seconds: generous, yet far below what a heavy import costs.
    assert first["seconds"] < 1.5


def test_the_check_itself_notices(tmp_path: Path) -> None:
    lines = {
        "connects": "import socket; socket.create_connection(('127.0.0.1', 9))",
        "reads": "import sqlite3; sqlite3.connect(':memory:')",
        "slow": "import time; end = time.process_time() + 2\nwhile time.process_time() < end: pass",
        "heavy": f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import pandas",
    }
    (tmp_path / "pandas.py").write_text("")
    paths = {name: tmp_path / f"{name}.py" for name in lines}
    for name, line in lines.items():
        paths[name].write_text(
            f"{line}\nfrom airflow.providers.common.compat.sdk import DAG\nwith DAG('bad') as dag: pass\n"
        )
    parsed = parse(list(paths.values()))
    assert "does socket" in parsed[paths["connects"]]["error"]
    assert "does sqlite3.connect" in parsed[paths["reads"]]["error"]
    assert parsed[paths["slow"]]["seconds"] >= 1.5
    assert [parsed[paths[name]]["heavy"] for name in ("slow", "heavy")] == [[], ["pandas"]]
    assert list(parsed[paths["heavy"]]["dags"]) == ["bad"]
