# SPDX-License-Identifier: Apache-2.0
"""Other people's clients run in an environment of their own, without Airflow: ``make test-foreign``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import requests

from airflow_provider_yandex_orders.sandbox.server import SandboxServer

TOKEN = "sandbox-token"


@pytest.fixture
def upload(yandex_sandbox: SandboxServer) -> Callable[..., None]:
    """Sends a file as the documentation's curl does, for clients that cannot."""

    def send(path: str, rows: str) -> None:
        headers = {"Authorization": f"OAuth {TOKEN}"}
        url = yandex_sandbox.url + path
        requests.post(url, headers=headers, files={"file": ("a.csv", rows)}, timeout=30).raise_for_status()

    return send


@pytest.fixture
def run() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Runs a coroutine."""
    return asyncio.run
