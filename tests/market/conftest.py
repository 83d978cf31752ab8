# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the Market tests: the sandbox behind the default connection, an operator, and the official schema."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.http import paced
from airflow_provider_yandex_orders.operators.market import MarketFetchOrderStatsOperator
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.market.market_support import WINDOW, connect_market
from tests.support.market_official import OfficialCheck, official

__all__ = ["official"]


@pytest.fixture(autouse=True)
def _checked(official: OfficialCheck) -> OfficialCheck:
    return official


@pytest.fixture(autouse=True)
def _no_memory_of_other_sandboxes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paced, "_lanes", {})


@pytest.fixture
def market(yandex_sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> SandboxServer:
    """The sandbox, with the default connection pointing at it; few orders, so that tests are quick."""
    connect_market(monkeypatch, yandex_sandbox.url)
    yandex_sandbox.client.change_settings(market_orders_per_day=40)
    return yandex_sandbox


@pytest.fixture
def operator(tmp_path: Path) -> Callable[..., MarketFetchOrderStatsOperator]:
    """Makes an operator over a window that is long over."""

    def make(**arguments: Any) -> MarketFetchOrderStatsOperator:
        if not {"date_from", "update_from", "order_ids"} & set(arguments):
            arguments |= WINDOW
        arguments.setdefault("path", str(tmp_path / "files"))
        arguments.setdefault("staging_path", str(tmp_path / "staging"))
        arguments.setdefault("page_size", 20)
        paced._lanes.clear()  # each try of a task is a process of its own
        return MarketFetchOrderStatsOperator(task_id="fetch", **arguments)

    return make
