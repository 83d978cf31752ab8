# SPDX-License-Identifier: Apache-2.0
"""One private Airflow with the DAGs of all live tests, since its start takes longer than most of them."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.demo import crm
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings
from tests.live.live_support import ALTCRAFT_ORDERS, TODAY, TOKEN
from tests.support import altcraft_crm
from tests.support.examples import EXAMPLES
from tests.support.live_airflow import LiveAirflow
from tests.support.postgres import PostgresServer, PostgresUnavailable

LINEAGE = "lineage.jsonl"


@pytest.fixture(scope="package")
def server() -> Iterator[SandboxServer]:
    with SandboxServer(SandboxSettings(processing_seconds=0, write_tokens=(TOKEN,), market_orders_per_day=40)) as one:
        yield one


@pytest.fixture
def sandbox(server: SandboxServer) -> SandboxServer:
    """The sandbox, emptied; at one address always, which the services of Airflow know."""
    server.client.reset()
    return server


@pytest.fixture(scope="package")
def live_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("live")


@pytest.fixture(scope="package")
def altcraft_rows(live_folder: Path) -> list[dict[str, Any]]:
    """The orders of the shop that the Altcraft Platform gets."""
    return altcraft_crm.create(live_folder / "shop.db", today=TODAY, orders=ALTCRAFT_ORDERS)


@pytest.fixture(scope="package")
def journal() -> Iterator[PostgresServer]:
    """A journal on a server, where one can be started; some of the DAGs use it."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(PostgresServer())
        except PostgresUnavailable as reason:
            pytest.skip(f"no PostgreSQL server can be started here: {reason}")
        yield server


@pytest.fixture(scope="package")
def airflow(
    server: SandboxServer, live_folder: Path, altcraft_rows: list[dict[str, Any]], journal: PostgresServer
) -> Iterator[LiveAirflow]:
    dags = live_folder / "dags"
    dags.mkdir()
    examples = ("crm_to_metrica_daily.py", "orders_delivered.py", "market_backfill.py")
    for path in (*(EXAMPLES / name for name in examples), *Path(__file__).parent.glob("dags/*.py")):
        shutil.copy(path, dags)
    with sqlite3.connect(live_folder / "crm.db") as connection:
        crm.create(connection, today=TODAY)

    def connection_of(conn_type: str, **extra: int) -> str:
        return json.dumps({"conn_type": conn_type, "host": server.url, "password": TOKEN, "extra": extra})

    (live_folder / "tmp").mkdir()
    environment = {
        "TMPDIR": str(live_folder / "tmp"),
        "AIRFLOW_CONN_JOURNAL": journal.uri,
        "AIRFLOW_CONN_WAREHOUSE": journal.uri,
        "AIRFLOW_CONN_CRM": json.dumps({"conn_type": "sqlite", "host": str(live_folder / "crm.db")}),
        "AIRFLOW_CONN_SHOP": json.dumps({"conn_type": "sqlite", "host": str(live_folder / "shop.db")}),
        "AIRFLOW_CONN_YANDEX_METRICA_DEFAULT": connection_of("yandex_metrica", counter_id=101),
        "AIRFLOW_CONN_YANDEX_MARKET_DEFAULT": connection_of("yandex_market", campaign_id=1001),
        "AIRFLOW_CONN_ALTCRAFT_DEFAULT": connection_of("altcraft"),
        # Where its provider is installed, and only for the DAGs that say so.
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(
            {"type": "file", "log_file_path": str(live_folder / LINEAGE), "append": True}
        ),
        "AIRFLOW__OPENLINEAGE__SELECTIVE_ENABLE": "True",
        "PYTHONPATH": os.pathsep.join(
            [str(dags), str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        ),  # a deadline's callback is found by its module
    }
    with LiveAirflow(live_folder / "home", dags, environment) as running:
        yield running
