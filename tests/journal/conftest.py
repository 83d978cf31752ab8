# SPDX-License-Identifier: Apache-2.0
"""Uploads of a few rows, each with a journal of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_yandex_orders.operators.metrica import MetricaUploadSimpleOrdersOperator
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.journal.uploads import CONVERSIONS


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metrica: SandboxServer, naps: list[float]) -> Path:
    """The journal of this test lies here."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    metrica.client.change_settings(linked_share=1)
    CONVERSIONS.set_up()
    return tmp_path / "yandex_orders" / "journal.db"


@pytest.fixture
def upload(home: Path, context: Callable[..., dict[str, Any]]) -> Callable[..., Any]:
    """Executes one try: ``tries`` is its number and the last Airflow goes to by itself, which a clear raises."""

    def execute(
        source: Any, operator: Any = MetricaUploadSimpleOrdersOperator, *, store: Any = None, **arguments: Any
    ) -> Any:
        given = context(run_id=arguments.pop("run_id", "run-1"))
        ti = given["ti"]
        ti.try_number, ti.max_tries = arguments.pop("tries", (0, 0))
        given["dag_run"] = SimpleNamespace(start_date=arguments.pop("began", datetime(2026, 1, 1, tzinfo=UTC)))
        execute.pushed = ti.pushed  # type: ignore[attr-defined]
        if store is not None:
            given["task_state_store"] = store
        return operator(task_id="upload", source=source, **arguments).execute(given)

    return execute
