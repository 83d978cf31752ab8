# SPDX-License-Identifier: Apache-2.0
"""The example DAGs, and how Airflow runs one in this process."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from airflow_provider_yandex_orders.sandbox.pytest_plugin import run_dag

EXAMPLES = Path(__file__).parents[2] / "example_dags"


def has_approval() -> bool:
    """Whether this Airflow has human-in-the-loop operators."""
    try:
        from airflow.providers.standard.operators import hitl  # noqa: F401
    except Exception:  # noqa: BLE001 - an Airflow without them says so in its own way
        return False
    return True


def run_example(dag_id: str, logical_date: datetime | None) -> Any:
    """Run an example by Airflow's own test run.

    :return: the DAG run.
    """
    return run_dag(EXAMPLES / f"{dag_id}.py", dag_id, logical_date)  # each example is named as its file


def returned(run: Any, task_id: str) -> Any:
    """What a task of a DAG run returned."""
    return run.get_task_instance(task_id).xcom_pull(task_ids=task_id)
