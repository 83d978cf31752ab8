# SPDX-License-Identifier: Apache-2.0
"""Hooks for the tests of hooks."""

from __future__ import annotations

import json
from typing import Any

from airflow.providers.common.compat.sdk import Connection

from airflow_provider_yandex_orders.hooks.metrica import MetricaHook

TOKEN = "y0_AgAAAASecretToken"
COUNTER = {"id": 24, "name": "Shop", "permission": "edit", "time_zone_name": "Europe/Moscow"}


def hook_of(extra: dict[str, Any] | None = None, **fields: Any) -> MetricaHook:
    """A hook with a connection of these fields."""
    given = {"conn_id": "m", "conn_type": "yandex_metrica", "password": TOKEN, **fields}
    return MetricaHook("m", connection=Connection(**given, extra=json.dumps(extra or {})))
