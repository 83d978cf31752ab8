# SPDX-License-Identifier: Apache-2.0
"""Every example DAG can be parsed: quickly, alike each time, without network or database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.examples import EXAMPLES

DAG_FILES = sorted(EXAMPLES.glob("*.py"))

# Run in a process of its own: parses one file with sockets and databases closed and tells what it cost.
PARSE = """
import json, sys, time
try:
    import airflow.sdk
except ImportError:
    import airflow.models.dag
from airflow.providers.common.compat.sdk import DAG, BaseHook, BaseOperator, BaseSensorOperator, conf, task
from airflow.serialization.serialized_objects import {serialized}
import pendulum, requests, tenacity, msgspec
before = set(sys.modules)

def refused(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "sqlite3.connect", "subprocess.Popen"):
        raise RuntimeError("top-level code of a DAG does " + event)
sys.addaudithook(refused)

import importlib.util
spec = importlib.util.spec_from_file_location("example", sys.argv[1])
module = importlib.util.module_from_spec(spec)
start = time.process_time()
spec.loader.exec_module(module)
seconds = time.process_time() - start
dags = [each for each in vars(module).values() if isinstance(each, DAG)]
print(json.dumps({{
    "seconds": seconds,
    "heavy": sorted({{"pandas", "pyarrow", "numpy", "fastapi", "uvicorn"}} & (set(sys.modules) - before)),
    "dags": {{dag.dag_id: {serialized}.to_dict(dag) for dag in dags}},
    "tags": {{dag.dag_id: sorted(dag.tags) for dag in dags}},
    "doc": {{dag.dag_id: dag.doc_md for dag in dags}},
}}, default=str))
"""


def parse(path: Path, hash_seed: int = 0) -> dict[str, object]:
    from airflow.serialization import serialized_objects

    serialized = "DagSerialization" if hasattr(serialized_objects, "DagSerialization") else "SerializedDAG"
    result = subprocess.run(
        [sys.executable, "-c", PARSE.format(serialized=serialized), str(path)],
        env=os.environ | {"PYTHONHASHSEED": str(hash_seed)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    parsed: dict[str, object] = json.loads(result.stdout.splitlines()[-1])
    return parsed


def test_there_are_examples() -> None:
    assert [path.stem for path in DAG_FILES]


@pytest.mark.parametrize("path", DAG_FILES, ids=lambda path: path.stem)
def test_parses_fast_and_alike(path: Path) -> None:
    if path.stem == "market_orders_to_altcraft":
        pytest.importorskip("airflow_provider_yandex_orders.operators.market", reason="its operator is not there yet")
    first, second = parse(path, 1), parse(path, 2)
    assert first["dags"]
    assert first["dags"] == second["dags"]
    assert first["heavy"] == []
    assert all(tags for tags in dict(first["tags"]).values())  # type: ignore[call-overload]
    assert all(doc for doc in dict(first["doc"]).values())  # type: ignore[call-overload]
    # Next to Airflow's own import, which takes some seconds: generous, yet far below what a heavy import costs.
    assert float(str(first["seconds"])) < 1.5


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("import socket; socket.create_connection(('127.0.0.1', 9))", "socket"),
        ("import sqlite3; sqlite3.connect(':memory:')", "sqlite3.connect"),
        ("import pandas", "heavy"),
        ("import time; end = time.process_time() + 2\nwhile time.process_time() < end: pass", "slow"),
    ],
)
def test_the_check_itself_notices(tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "bad_dag.py"
    if told == "heavy":
        (tmp_path / "pandas.py").write_text("")
        line = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {line}"
    path.write_text(f"{line}\nfrom airflow.providers.common.compat.sdk import DAG\nwith DAG('bad') as dag: pass\n")
    if told in ("socket", "sqlite3.connect"):
        with pytest.raises(AssertionError, match=told):
            parse(path)
    else:
        parsed = parse(path)
        assert parsed["heavy"] == ["pandas"] if told == "heavy" else float(str(parsed["seconds"])) >= 1.5
