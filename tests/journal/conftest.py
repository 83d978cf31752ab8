# SPDX-License-Identifier: Apache-2.0
"""Tries of a task, and a look into the journal they leave."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from airflow_provider_yandex_orders.operators.metrica import MetricaUploadSimpleOrdersOperator
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.journal.uploads import CONVERSIONS
from tests.support.connections import connect_altcraft

Answered = Callable[[Callable[[], Any]], None]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metrica: SandboxServer, naps: list[float]) -> Path:
    """The journal of this test lies here."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    connect_altcraft(monkeypatch, metrica.url)
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


@pytest.fixture
def ask(home: Path) -> Callable[[str], list[Any]]:
    """Asks the journal's views, as people do; one column comes as a plain list."""

    def answer(sql: str) -> list[Any]:
        with closing(sqlite3.connect(home)) as connection:
            rows = connection.execute(sql).fetchall()
        return [row[0] if len(row) == 1 else row for row in rows]

    return answer


@pytest.fixture
def on_upload(monkeypatch: pytest.MonkeyPatch) -> Answered:
    """Has something done while the first upload from now on is on its way: the service has answered, nobody heard."""

    def hear(work: Callable[[], Any]) -> None:
        transmit = requests.Session.send

        def send(session: requests.Session, request: Any, **more: Any) -> requests.Response:
            answer = transmit(session, request, **more)
            if request.method == "POST":
                monkeypatch.setattr(requests.Session, "send", transmit)
                work()
            return answer

        monkeypatch.setattr(requests.Session, "send", send)

    return hear
