# SPDX-License-Identifier: Apache-2.0
"""The past of all stores by a backfill of partitions under a real scheduler."""

from __future__ import annotations

from contextlib import closing
from datetime import date, timedelta
from typing import Any

import pytest

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.support.live_airflow import LiveAirflow
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.live

DAG_ID = "market_backfill"


@pytest.fixture(autouse=True)
def _partitions() -> None:
    pytest.importorskip("dlt", reason="extra warehouse")
    trigger = pytest.importorskip("airflow.timetables.trigger")
    if not hasattr(getattr(trigger, "CronPartitionTimetable", None), "iter_partition_dagrun_infos"):
        pytest.skip("this Airflow backfills no partitions")


def asked(first: date, days: int) -> dict[str, Any]:
    """What ``airflow backfill create`` asks for."""
    last = first + timedelta(days=days - 1)
    return {"dag_id": DAG_ID, "from_date": f"{first}T00:00:00Z", "to_date": f"{last}T00:00:00Z", "max_active_runs": 2}


def test_ninety_days_are_ninety_partitions(airflow: LiveAirflow) -> None:
    airflow.wait_for_dag(DAG_ID)
    first = date(2026, 8, 1)
    planned = airflow.api("POST", "backfills/dry_run", json=asked(first, 90))["backfills"]
    days = [f"{first + timedelta(days=each)}T00:00:00" for each in range(90)]
    assert [run["partition_key"] for run in planned] == days


def test_each_partition_brings_its_day_of_all_stores(
    airflow: LiveAirflow, sandbox: SandboxServer, journal: PostgresServer
) -> None:
    import psycopg2

    airflow.wait_for_dag(DAG_ID)
    airflow.api("PATCH", f"dags/{DAG_ID}", json={"is_paused": False})
    backfill = airflow.api("POST", "backfills", json=asked(date(2026, 6, 1), 3))["id"]
    airflow.until(
        lambda: airflow.api("GET", f"backfills/{backfill}")["completed_at"] is not None, 400, "the backfill ends"
    )
    runs = airflow.api("GET", f"dags/{DAG_ID}/dagRuns", params={"run_type": "backfill"})["dag_runs"]
    failed = [run["dag_run_id"] for run in runs if run["state"] != "success"]
    assert len(runs) == 3
    assert not failed, airflow.why(DAG_ID, failed)
    with closing(psycopg2.connect(journal.uri)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT campaign_id, creation_date::text, count(*) FROM market.orders"
            " WHERE creation_date < '2026-07-01' GROUP BY 1, 2 ORDER BY 1, 2"
        )
        days = ("2026-06-01", "2026-06-02", "2026-06-03")
        assert cursor.fetchall() == [(store, day, 40) for store in (1001, 1002) for day in days]
