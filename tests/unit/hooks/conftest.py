# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the hooks' tests."""

from __future__ import annotations

import pytest

from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from tests.unit.hooks.metrica_support import hook_of
from tests.unit.http.scripted_server import ScriptedServer


@pytest.fixture
def hook(server: ScriptedServer, naps: list[float]) -> MetricaHook:
    """A hook whose service is the scripted server, with counter 24 in its connection."""
    return hook_of({"counter_id": "24"}, host=server.url)
