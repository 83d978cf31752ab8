# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the Market tests: the sandbox behind the default connection, an operator, and the official schema."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.operators.market import MarketFetchOrderStatsOperator
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings
from tests.market.market_support import CONNECTION, TOKEN, WINDOW, connect_market
from tests.support.market_official import OfficialCheck, official

__all__ = ["official"]


@pytest.fixture(autouse=True)
def _checked(official: OfficialCheck) -> OfficialCheck:
    return official


KEYS = (TOKEN, *(f"{TOKEN}-{number}" for number in range(50)))


@pytest.fixture(scope="session")
def _server() -> Iterator[SandboxServer]:
    with SandboxServer(SandboxSettings(processing_seconds=0, write_tokens=KEYS)) as server:
        yield server


@pytest.fixture
def yandex_sandbox(_server: SandboxServer) -> SandboxServer:
    """A sandbox of many keys: what a process remembers of a service, it remembers by key."""
    _server.renew()
    return _server


@pytest.fixture
def market(yandex_sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> SandboxServer:
    """The sandbox, with the default connection pointing at it; few orders, so that tests are quick."""
    connect_market(monkeypatch, yandex_sandbox.url)
    yandex_sandbox.client.change_settings(market_orders_per_day=40)
    return yandex_sandbox


@pytest.fixture
def operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., MarketFetchOrderStatsOperator]:
    """Makes an operator over a window that is long over.

    Each try of a task is a process of its own, that knows nothing of what the service told the one before: here each
    has a key of its own.
    """
    keys = iter(KEYS)

    def make(**arguments: Any) -> MarketFetchOrderStatsOperator:
        if not {"date_from", "update_from", "order_ids"} & set(arguments):
            arguments |= WINDOW
        arguments.setdefault("path", str(tmp_path / "files"))
        arguments.setdefault("staging_path", str(tmp_path / "staging"))
        arguments.setdefault("page_size", 20)
        connection = json.loads(os.environ[CONNECTION])
        if connection["password"] in KEYS:
            monkeypatch.setenv(CONNECTION, json.dumps(connection | {"password": next(keys)}))
        return MarketFetchOrderStatsOperator(task_id="fetch", **arguments)

    return make
