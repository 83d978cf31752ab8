# SPDX-License-Identifier: Apache-2.0
"""The example with an approval, run by Airflow in this process: a second person looks at the plan and answers."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import suppress
from datetime import date
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from airflow_provider_yandex_orders.demo import crm
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.support.examples import has_approval, returned, run_example

pytestmark = pytest.mark.skipif(not has_approval(), reason="this Airflow has no human-in-the-loop operators")
ORDERS = 40


class Person(Thread):
    """Answers a request as the page of required actions does, once there is one."""

    def __init__(self, option: str) -> None:
        super().__init__(daemon=True)
        self.option = option
        self.read = ""

    def run(self) -> None:
        """Wait for the request, read it, answer."""
        from airflow.models.hitl import HITLDetail
        from airflow.models.trigger import handle_event_submit
        from airflow.triggers.base import TriggerEvent
        from airflow.utils.session import create_session
        from airflow.utils.state import TaskInstanceState
        from sqlalchemy.exc import OperationalError

        while not self.read:  # the run waits as long, and a busy machine takes its time
            time.sleep(0.2)
            with suppress(OperationalError), create_session() as session:  # the run writes to the database as well
                for request in session.query(HITLDetail).filter(HITLDetail.responded_at.is_(None)):
                    if request.task_instance.state == TaskInstanceState.AWAITING_INPUT:
                        request.responded_at = request.created_at
                        request.responded_by = {"id": "1", "name": "a person"}
                        request.chosen_options, request.params_input = [self.option], {}
                        event = TriggerEvent(request.as_resume_event_payload())
                        handle_event_submit(event, task_instance=request.task_instance, session=session)
                        self.read = request.body or ""


@pytest.mark.parametrize("option", ["Approve", "Reject"])
def test_exactly_the_approved_parts_are_sent(
    airflow_db: None, metrica: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    path = tmp_path / "crm.db"
    with sqlite3.connect(path) as connection:
        crm.create(connection, today=date.today(), limit=ORDERS)
        connection.execute("UPDATE orders SET created_at = date('now', '-2 days')")
        connection.execute("UPDATE orders SET created_at = '2026-01-01' WHERE id = (SELECT min(id) FROM orders)")
    monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    person = Person(option)
    person.start()
    run = run_example("orders_with_approval", None)
    person.join(10)
    states: dict[str, Any] = {ti.task_id: str(ti.state) for ti in run.get_task_instances()}
    plan = returned(run, "prepare_orders")
    assert plan["rows_deferred"] == plan["plan"]["too_old_to_link"] == 1
    assert f"to be sent: {plan['rows_prepared']}\n" in person.read
    for line in ("| too_old_to_link | 1 |", f"- revenue: {plan['plan']['money']['revenue']['USD']} USD"):
        assert line in person.read
    sent = metrica.client.summary(101)["orders"]
    if option == "Approve":
        assert set(states.values()) == {"success"}
        uploaded = returned(run, "upload_orders")["parts"]
        assert [part["sha256"] for part in uploaded] == [part["sha256"] for part in plan["parts"]]
        assert returned(run, "upload_orders")["rows_sent"] == sent == plan["rows_prepared"] > 0
    else:
        assert (states["approve"], states["upload_orders"], sent) == ("success", "skipped", 0)
