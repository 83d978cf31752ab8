# SPDX-License-Identifier: Apache-2.0
"""What the tests of Metrica's operators share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.sandbox.server import SandboxServer


@pytest.fixture
def run(metrica: SandboxServer, tmp_path: Path, context: Callable[..., Any]) -> Callable[..., Any]:
    """Makes a task of an operator class and executes it, with a staging folder of its own."""

    def execute(operator: type, *, task_id: str = "task", run_id: str = "manual__1", **arguments: Any) -> Any:
        if "source" in arguments:
            arguments.setdefault("staging_path", str(tmp_path / "staging"))
        return operator(task_id=task_id, **arguments).execute(context(task_id, run_id))

    return execute


@pytest.fixture
def goals(metrica: SandboxServer) -> Callable[..., None]:
    """Makes goals of the counter, by their identifiers."""

    def make(*identifiers: str) -> None:
        for identifier in identifiers:
            MetricaHook().create_goal(101, identifier, identifier.title())

    return make
