# SPDX-License-Identifier: Apache-2.0
"""Processes of a real Airflow that die at moments nobody chose: nothing is lost, nothing arrives twice."""

from __future__ import annotations

import json
import random
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.operators.market import MarketFetchOrderStatsOperator
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.live.live_support import ALTCRAFT_ORDERS, TOKEN
from tests.market.market_support import connect_market, contents
from tests.support.connections import connect
from tests.support.live_airflow import LiveAirflow
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.live

SEED = 20261126
CALLS = {
    "conversions": "offline_conversions/upload",
    "orders": "simple_orders",
    "altcraft": "orders/import",
    "market": "stats/orders",
}
"""What each task asks again and again."""
SALES = 1200
ALTCRAFT_BATCH = 50
DEATHS = 5
"""Of each task."""
WAITS = 20


@dataclass(frozen=True)
class Kill:
    """One death.

    :param after: seconds after the try began.
    :param of: ``task``, or its ``supervisor``, without which the task goes on unseen; or ``both``.
    """

    after: float
    by: signal.Signals
    of: str


def kills(chosen: random.Random, last: str) -> list[Kill]:
    """The deaths of one task; that of its supervisor is the last, as Airflow hears of it by its silence alone."""
    signals = [chosen.choice((signal.SIGKILL, signal.SIGTERM)) for _ in range(DEATHS)]
    return [
        Kill(chosen.uniform(0, 10), by, "task" if number < DEATHS - 1 else last) for number, by in enumerate(signals)
    ]


def carry_out(airflow: LiveAirflow, dag_id: str, run_id: str, plan: dict[str, list[Kill]], timeout: float) -> None:
    """Kill each task's tries, one after the other."""
    due: dict[tuple[str, int], float] = {}
    deadline = time.monotonic() + timeout
    while any(plan.values()):
        assert time.monotonic() < deadline, (plan, airflow.task_states(dag_id, run_id), airflow.report())
        for task, instance in airflow.task_instances(dag_id, run_id).items():
            if not plan.get(task) or instance["state"] != "running" or not instance["pid"]:
                continue
            attempt = task, instance["try_number"]
            if due.setdefault(attempt, time.monotonic() + plan[task][0].after) > time.monotonic():
                continue
            try:
                own = psutil.Process(instance["pid"])
                supervisor = own.parent()
                if supervisor is None or supervisor.pid == 1:  # Airflow's is dead already
                    continue
                for victim in {"task": [own], "supervisor": [supervisor], "both": [supervisor, own]}[plan[task][0].of]:
                    victim.send_signal(plan[task][0].by)
            except psutil.NoSuchProcess:
                continue
            del plan[task][0]
            due[attempt] = time.monotonic() + 10  # a task outlives a SIGTERM that its supervisor has not sent
        time.sleep(0.2)


def left_alone(airflow: LiveAirflow) -> None:
    """No process goes on for itself, and nothing of a dead one lies in the workers' temporary folder."""
    airflow.until(lambda: not airflow.orphans(), 90, lambda: f"orphans end: {airflow.orphans()}")
    assert [path.name for path in Path(airflow.environment["TMPDIR"]).glob("yandex-orders-*")] == []


def journal_says(journal: PostgresServer, sql: str) -> list[tuple[Any, ...]]:
    """Ask the journal's views, as people do."""
    import psycopg2

    connection = psycopg2.connect(journal.uri, options="-c search_path=yandex_orders")
    with connection, connection.cursor() as cursor:
        cursor.execute(sql)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    connection.close()
    return found


def agrees(journal: PostgresServer, run_id: str, **rows: int) -> None:
    """The journal has each task's delivery as complete, with every row of its source in parts that were accepted."""
    of_run = f"WHERE run_id = '{run_id}'"
    told = journal_says(journal, f"SELECT task_id, rows_sent FROM deliveries {of_run} AND completed_at IS NOT NULL")
    assert dict(told) == rows
    had = journal_says(
        journal,
        f"SELECT task_id, count(DISTINCT key_sum) FROM sent_rows {of_run} AND state IN ('accepted', 'good') GROUP BY 1",
    )
    assert dict(had) == rows


def test_twenty_kills_lose_nothing_and_double_nothing(
    airflow: LiveAirflow,
    sandbox: SandboxServer,
    journal: PostgresServer,
    altcraft_rows: list[dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    context: Any,
) -> None:
    for path in CALLS.values():  # quick at first, and then so slow that no task is done before its last kill
        sandbox.client.add_fault(method="POST", path=path, skip=15, action="delay", seconds=5, times=None)
    chosen = random.Random(SEED)
    # Of those whose turn ends only with their process, the process dies too: the next try need not wait for it.
    plan = {task: kills(chosen, "supervisor" if task in ("orders", "market") else "both") for task in CALLS}
    run_id = airflow.trigger("killed")
    carry_out(airflow, "killed", run_id, plan, timeout=300)
    sandbox.client.clear_faults()
    assert airflow.wait("killed", run_id, timeout=240) == "success"

    conversions = sandbox.client.summary(101)["kinds"]["conversions"]
    assert (conversions["conversions"], conversions["conversions_received_more_than_once"]) == (SALES, 0)
    orders = {order["id"] for order in sandbox.client.orders(101, limit=2 * ALTCRAFT_ORDERS)}
    assert orders == {row["id"] for row in altcraft_rows}
    assert sandbox.client.summary(101)["orders"] == ALTCRAFT_ORDERS
    imported = sandbox.client.altcraft_orders(limit=2 * ALTCRAFT_ORDERS)
    started = {order["external_id"]: order["triggers_started"] for order in imported}
    assert started.keys() == orders
    assert max(started.values()) == 1
    # One batch at most is under way at a death. It goes again without effects: if it had not arrived, none start.
    imports = [each["said"] for each in sandbox.client.requests() if each["path"].endswith(CALLS["altcraft"])]
    quiet = [said for said in imports if said.endswith("triggers left out")]
    assert len(quiet) <= DEATHS
    assert list(started.values()).count(0) <= len(quiet) * ALTCRAFT_BATCH
    agrees(journal, run_id, conversions=SALES, orders=ALTCRAFT_ORDERS, altcraft=ALTCRAFT_ORDERS)

    fetched = Path(airflow.xcom("killed", run_id, "market")["paths"][0]).parent
    connect_market(monkeypatch, sandbox.url, token=TOKEN)
    MarketFetchOrderStatsOperator(
        task_id="market",
        path=str(tmp_path / "undisturbed"),
        staging_path=str(tmp_path / "staging"),
        update_from="2026-06-01",
        update_to="2026-06-01",
        page_size=4,
    ).execute(context())
    assert contents(fetched) == contents(tmp_path / "undisturbed")
    left_alone(airflow)


def test_a_journal_that_is_restarted_in_the_middle(
    airflow: LiveAirflow, sandbox: SandboxServer, journal: PostgresServer
) -> None:
    sandbox.client.add_fault(path=CALLS["conversions"], skip=3, action="delay", moment="after", seconds=3)
    run_id = airflow.trigger("journal_restarted")
    airflow.until(lambda: sandbox.client.faults()[0]["hits"] == 1, timeout=180, what="the fourth part under way")
    journal.restart()
    assert airflow.wait("journal_restarted", run_id, timeout=240) == "success"
    conversions = sandbox.client.summary(101)["kinds"]["conversions"]
    assert (conversions["conversions"], conversions["conversions_received_more_than_once"]) == (200, 0)
    agrees(journal, run_id, conversions=200)
    left_alone(airflow)


def test_a_triggerer_that_dies_under_twenty_waits(
    airflow: LiveAirflow, sandbox: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch, sandbox.url, token=TOKEN)
    sandbox.client.change_settings(processing_seconds=3600, uploads_judged_at_once=False)
    orders = tmp_path / "orders.csv"
    orders.write_text(
        "id,create_date_time,emails,order_status,revenue\n1,2026-03-01 10:00:00,buyer@example.com,PAID,10\n"
    )
    uploads = [MetricaHook().upload_simple_orders(101, str(orders))["uploading_id"] for _ in range(WAITS)]
    (airflow.home / "uploads.json").write_text(json.dumps(uploads))
    everyone = {f"wait_{number}" for number in range(WAITS)}
    airflow.until(
        lambda: len(airflow.api("GET", "dags/waits_that_end/tasks")["tasks"]) == WAITS, 120, "the waits are parsed"
    )
    run_id = airflow.trigger("waits_that_end")
    deferred = dict.fromkeys(everyone, "deferred")
    airflow.until(lambda: airflow.task_states("waits_that_end", run_id) == deferred, 120, "all are deferred")
    airflow.restart_triggerer(signal.SIGKILL)
    assert airflow.task_states("waits_that_end", run_id) == deferred
    sandbox.client.change_settings(processing_seconds=0)
    assert airflow.wait("waits_that_end", run_id, timeout=240) == "success"
    assert {task["try_number"] for task in airflow.task_instances("waits_that_end", run_id).values()} <= {0, 1}
    left_alone(airflow)
