# SPDX-License-Identifier: Apache-2.0
"""Airflow on two Celery workers that share nothing but servers: Redis, PostgreSQL, an S3 store, the sandbox."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from airflow_provider_yandex_orders.demo import crm
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings
from tests.support.cluster import Cluster
from tests.support.object_store import ObjectStore
from tests.support.postgres import PostgresServer, PostgresUnavailable
from tests.support.redis import RedisServer, RedisUnavailable

TOKEN = "sandbox-token"


@dataclass
class Servers:
    """Everything that runs outside Airflow."""

    sandbox: SandboxServer
    store: ObjectStore
    database: PostgresServer
    broker: RedisServer

    def uri(self, database: str) -> str:
        """Address of one of the server's databases."""
        return self.database.uri.rpartition("/")[0] + f"/{database}"


@pytest.fixture(scope="package")
def servers() -> Iterator[Servers]:
    import psycopg2

    settings = SandboxSettings(processing_seconds=0, market_orders_per_day=40, metrica_parallel_requests=3)
    with ExitStack() as stack:
        try:
            database = stack.enter_context(PostgresServer())
            broker = stack.enter_context(RedisServer())
        except (PostgresUnavailable, RedisUnavailable) as reason:
            pytest.skip(str(reason))
        store = stack.enter_context(ObjectStore("orders"))
        running = Servers(stack.enter_context(SandboxServer(settings)), store, database, broker)
        connection = psycopg2.connect(database.uri)
        connection.autocommit = True
        for name in ("airflow", "crm", "journal"):
            connection.cursor().execute(f"CREATE DATABASE {name}")
        connection.close()
        with psycopg2.connect(running.uri("crm")) as connection:
            crm.create(connection, today=date.today())
        connection.close()
        yield running


@pytest.fixture
def sandbox(servers: Servers) -> SandboxServer:
    """The sandbox, emptied; the journal knows none of what it had."""
    import psycopg2

    servers.sandbox.client.reset()
    with psycopg2.connect(servers.uri("journal")) as connection:
        connection.cursor().execute("DROP SCHEMA IF EXISTS yandex_orders CASCADE")
    connection.close()
    return servers.sandbox


@pytest.fixture(scope="package")
def running(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    def connection_of(conn_type: str, **extra: int) -> str:
        return json.dumps({"conn_type": conn_type, "host": servers.sandbox.url, "password": TOKEN, "extra": extra})

    s3 = {"endpoint_url": servers.store.url, "region_name": "us-east-1"}
    environment = {
        "AIRFLOW__YANDEX_ORDERS__JOURNAL_CONN_ID": "journal",
        "AIRFLOW__YANDEX_ORDERS__STAGING_PATH": "s3://store@orders/staging",
        "AIRFLOW_CONN_CRM": servers.uri("crm"),
        "AIRFLOW_CONN_JOURNAL": servers.uri("journal"),
        "AIRFLOW_CONN_STORE": json.dumps({"conn_type": "aws", "login": "key", "password": "secret", "extra": s3}),
        "AIRFLOW_CONN_YANDEX_METRICA_DEFAULT": connection_of("yandex_metrica", counter_id=101),
        "AIRFLOW_CONN_YANDEX_MARKET_DEFAULT": connection_of("yandex_market", campaign_id=1001),
    }
    home = tmp_path_factory.mktemp("cluster")
    with Cluster(
        home, Path(__file__).parent / "dags", servers.uri("airflow"), servers.broker.url, environment
    ) as started:
        # The limit of the token, kept where Airflow keeps limits.
        started.api("POST", "pools", json={"name": "metrica", "slots": 3})
        yield started


@pytest.fixture
def cluster(running: Cluster) -> Cluster:
    """Both workers at work."""
    running.start_workers()
    return running
