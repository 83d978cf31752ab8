# SPDX-License-Identifier: Apache-2.0
"""Connections by environment variable."""

from __future__ import annotations

import json

import pytest


def connect_altcraft(
    monkeypatch: pytest.MonkeyPatch, url: str, *, token: str = "sandbox-token", auth_type: str | None = None
) -> None:
    """Point the default connection of the Altcraft Platform somewhere."""
    extra = {} if auth_type is None else {"auth_type": auth_type}
    monkeypatch.setenv(
        "AIRFLOW_CONN_ALTCRAFT_DEFAULT",
        json.dumps({"conn_type": "altcraft", "host": url, "password": token, "extra": extra}),
    )


def connect(
    monkeypatch: pytest.MonkeyPatch, url: str, *, token: str = "sandbox-token", counter_id: int | None = 101
) -> None:
    """Point the default connection of Metrica somewhere."""
    extra = {} if counter_id is None else {"counter_id": counter_id}
    monkeypatch.setenv(
        "AIRFLOW_CONN_YANDEX_METRICA_DEFAULT",
        json.dumps({"conn_type": "yandex_metrica", "host": url, "password": token, "extra": extra}),
    )
