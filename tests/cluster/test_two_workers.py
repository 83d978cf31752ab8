# SPDX-License-Identifier: Apache-2.0
"""What must hold where workers are machines: one dies, days run side by side, the store is away for half a minute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

import pytest

from airflow_provider_yandex_orders.demo import crm
from airflow_provider_yandex_orders.demo.broken import REJECTED
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.cluster.conftest import Servers
from tests.support.cluster import Cluster

for needed in ("airflow.providers.celery", "airflow.providers.amazon", "moto", "s3fs"):
    if find_spec(needed) is None:
        pytest.skip(f"{needed} is not installed: pip install -c constraints.txt '.[cluster]'", allow_module_level=True)

pytestmark = pytest.mark.cluster

SENT = crm.ORDERS - REJECTED
AWAY = 30.0
COUNTERS = (101, 103)
VERSIONS = 150
"""Orders of the CRM that change from day to day."""


def rows_of(servers: Servers, database: str, query: str, values: Iterable[tuple[Any, ...]] | None = None) -> Any:
    """Ask a database, or give it rows."""
    import psycopg2

    connection = psycopg2.connect(servers.uri(database))
    with connection, connection.cursor() as cursor:
        if values is None:
            cursor.execute(query)
        else:
            cursor.executemany(query, list(values))
        found = cursor.fetchall() if cursor.description else []
    connection.close()
    return found


def homes_are_empty(cluster: Cluster) -> bool:
    """Whether no worker kept anything of a delivery for itself."""
    return not [path for name in cluster.workers for path in cluster.worker_home(name).glob("yandex_orders/**/*")]


def most_at_once(requests: Iterable[Mapping[str, Any]]) -> int:
    """How many calls were under way together, by the sandbox's own log."""
    edges = []
    for request in requests:
        begun = datetime.fromisoformat(request["time"]).timestamp()
        edges += [(begun, 1), (begun + request["seconds"], -1)]
    most = now = 0
    for _moment, change in sorted(edges):
        now += change
        most = max(most, now)
    return most


@pytest.mark.parametrize(
    ("dag_id", "path", "moment"),
    [
        # A part that never arrived, and one that did but whose answer nobody heard.
        ("orders", "simple_orders", "before"),
        pytest.param("conversions", "offline_conversions/upload", "after", marks=pytest.mark.slow),
    ],
)
def test_another_worker_finishes_what_a_dead_one_began(
    cluster: Cluster, sandbox: SandboxServer, servers: Servers, dag_id: str, path: str, moment: str
) -> None:
    sandbox.client.add_fault(method="POST", path=path, skip=2, action="delay", moment=moment, seconds=1200)
    run_id = cluster.trigger(dag_id)
    cluster.until(lambda: sandbox.client.faults()[0]["hits"] == 1, 240, "the third part is under way")
    port = urlsplit(sandbox.url).port
    assert port is not None
    dead = cluster.kill_worker(port)
    assert cluster.wait(dag_id, run_id, timeout=900) == "success"

    (other,) = set(cluster.workers) - {dead}
    assert any('"Sent ' in log for log in cluster.worker_logs(other, dag_id, run_id))
    delivery = cluster.xcom(dag_id, run_id, "upload")
    if dag_id == "orders":
        held, expected = sandbox.client.summary(101), SENT
        assert (held["orders"], held["orders_received_more_than_once"]) == (expected, 0)
    else:
        known = "SELECT DISTINCT metrica_client_id, sold_at FROM shop_sales WHERE metrica_client_id IS NOT NULL"
        held, expected = sandbox.client.summary(101)["kinds"]["conversions"], len(rows_of(servers, "crm", known))
        assert (held["conversions"], held["conversions_received_more_than_once"]) == (expected, 0)
    assert held["rows_received"] == delivery["rows_sent"] == expected
    assert homes_are_empty(cluster)


@pytest.mark.parametrize(
    ("days", "newest_first"), [(3, True), pytest.param(30, False, marks=pytest.mark.slow)], ids=["short", "30"]
)
def test_a_backfill_over_both_workers_keeps_versions_limits_and_counts(
    cluster: Cluster, sandbox: SandboxServer, servers: Servers, days: int, newest_first: bool
) -> None:
    last = date.today() - timedelta(days=2)
    first = last - timedelta(days=days - 1)
    # Two of three orders change on a day; what each was worth tells the day of the version.
    versions = [
        (day, f"o{n}", first, day, f"o{n}@example.com", "paid" if passed % 2 else "new", 1000 * n + passed)
        for passed, day in enumerate(first + timedelta(days=passed) for passed in range(days))
        for n in range(VERSIONS)
        if (n + passed) % 3
    ]
    rows_of(servers, "crm", "DROP TABLE IF EXISTS versions")
    rows_of(
        servers,
        "crm",
        "CREATE TABLE versions (day DATE, id TEXT, created_at TIMESTAMP, updated_at TIMESTAMP, customer_id TEXT,"
        " metrica_client_id TEXT, email TEXT, phone TEXT, status TEXT, total NUMERIC, currency TEXT)",
    )
    rows_of(
        servers,
        "crm",
        "INSERT INTO versions (day, id, created_at, updated_at, email, status, total)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        versions,
    )
    # Uploads take so long that they meet.
    sandbox.client.add_fault(method="POST", path="simple_orders", action="delay", seconds=1, times=None)
    cluster.wait_for_dag("days")
    cluster.api("PATCH", "dags/days", json={"is_paused": False})
    wanted = {"dag_id": "days", "from_date": f"{first}T00:00:00Z", "to_date": f"{last}T00:00:00Z"}
    made = cluster.api("POST", "backfills", json=wanted | {"max_active_runs": 6, "run_backwards": newest_first})

    def runs() -> list[dict[str, Any]]:
        found = cluster.api("GET", "dags/days/dagRuns", params={"limit": 100, "run_type": "backfill"})["dag_runs"]
        return [run for run in found if first <= date.fromisoformat(run["logical_date"][:10]) <= last]

    def ended() -> bool:
        return cluster.api("GET", f"backfills/{made['id']}")["completed_at"] is not None

    cluster.until(ended, 120 + 40 * days, lambda: f"the backfill ends: {Counter(run['state'] for run in runs())}")
    assert Counter(run["state"] for run in runs()) == {"success": days}

    deliveries = [
        (counter, cluster.xcom("days", run["dag_run_id"], "upload", map_index=index))
        for run in runs()
        for index, counter in enumerate(COUNTERS)
    ]
    newest = {order: (word, total) for _, order, _, _, _, word, total in versions}
    status = {"paid": "PAID", "new": "IN_PROGRESS"}
    for counter in COUNTERS:
        of_counter = [delivery for each, delivery in deliveries if each == counter]
        assert sum(delivery["rows_read"] for delivery in of_counter) == len(versions)
        told = Counter({name: sum(d[name] for d in of_counter) for name in ("rows_sent", "rows_outdated")})
        assert told.total() == len(versions)
        assert sandbox.client.summary(counter)["rows_received"] == told["rows_sent"]
        held = {
            order["id"]: (order["order_status"], Decimal(order["revenue"]))
            for order in sandbox.client.orders(counter, limit=VERSIONS + 1)
        }
        assert held == {order: (status[word], Decimal(total)) for order, (word, total) in newest.items()}
    asked = sandbox.client.requests()
    assert [request for request in asked if request["status"] != 200] == []
    assert 2 <= most_at_once(asked) <= 3
    assert all(cluster.worker_logs(name, "days") for name in cluster.workers)
    assert homes_are_empty(cluster)


@pytest.mark.slow
@pytest.mark.parametrize(("method", "key"), [("PUT", "part-00002"), ("GET", "part-00003")], ids=["write", "read"])
def test_orders_survive_a_store_that_is_away(
    cluster: Cluster, sandbox: SandboxServer, servers: Servers, method: str, key: str
) -> None:
    servers.store.goes_down(method, key, AWAY)
    run_id = cluster.trigger("orders")
    assert cluster.wait("orders", run_id, timeout=900) == "success"
    assert servers.store.went_down
    assert "connection 'store'" in first_failure(cluster, "orders", run_id)
    summary = sandbox.client.summary(101)
    assert (summary["orders"], summary["orders_received_more_than_once"]) == (SENT, 0)
    delivery = cluster.xcom("orders", run_id, "upload")
    assert (delivery["rows_sent"], len(delivery["parts"])) == (SENT, 7)
    stored = servers.store.files(f"staging/orders/{run_id}/upload/")
    assert sum(len(stored[f"part-{number:05}.csv"].splitlines()) - 1 for number in range(1, 8)) == SENT


@pytest.mark.slow
def test_market_survives_a_store_that_is_away(cluster: Cluster, sandbox: SandboxServer, servers: Servers) -> None:
    def fetched(away_at: str | None = None) -> dict[str, bytes]:
        if away_at:
            servers.store.goes_down("PUT", away_at, AWAY)
        run_id = cluster.trigger("market")
        assert cluster.wait("market", run_id, timeout=900) == "success"
        if away_at:
            assert "connection 'store'" in first_failure(cluster, "market", run_id)
        return servers.store.files(f"market/{run_id}/")

    undisturbed = fetched()
    assert undisturbed
    assert fetched(away_at="staging/market") == undisturbed
    assert fetched(away_at="orders/market/") == undisturbed


def first_failure(cluster: Cluster, dag_id: str, run_id: str) -> str:
    """What the try said that met the trouble."""
    logs = [log for name in cluster.workers for log in cluster.worker_logs(name, dag_id, run_id)]
    assert len(logs) > 1
    return next(log for log in logs if "The storage cannot be used now; the next try may pass." in log)
