# SPDX-License-Identifier: Apache-2.0
"""Small things several unit tests need."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import settings

from airflow_provider_yandex_orders.rows.check import RowChecker
from airflow_provider_yandex_orders.rows.faults import BadValue, Checked
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.rows.options import CheckOptions

MOSCOW = ZoneInfo("Europe/Moscow")
BERLIN = ZoneInfo("Europe/Berlin")
VLADIVOSTOK = ZoneInfo("Asia/Vladivostok")


def times(factor: float) -> settings:
    """So many times the examples that a property is tried with elsewhere."""
    return settings(max_examples=round(factor * settings().max_examples))


def check_options(**changes: Any) -> CheckOptions:
    """Options of a run whose counter is in Moscow."""
    return CheckOptions(**{"counter_zone": lambda: MOSCOW, **changes})


def refusal(convert: Callable[[object], Any], value: object) -> BadValue:
    """Why a converter refuses a value; fails when it does not."""
    with pytest.raises(BadValue) as caught:
        convert(value)
    assert caught.value.reason
    assert caught.value.fix
    return caught.value


def check_row(kind: RowKind, row: dict[str, Any], columns: dict[str, str] | None = None, **changes: Any) -> Checked:
    """A row of a kind, checked with :func:`check_options`."""
    return RowChecker(kind, check_options(**changes), columns)(row)


def faults_of(kind: RowKind, row: dict[str, Any], **changes: Any) -> list[tuple[str, str]]:
    """Columns and codes of what is wrong with a row."""
    return [(fault.column, fault.code) for fault in check_row(kind, row, **changes).faults]


def order(**changes: Any) -> dict[str, Any]:
    """A good simplified order."""
    return {"id": "A-1", "create_date_time": "2025-03-04 15:20:00", "emails": "a@example.com", **changes}


def full_order(**changes: Any) -> dict[str, Any]:
    """A good order of the full mode."""
    good = {"id": "A-1", "client_uniq_id": "C-1", "create_date_time": "2025-03-04 15:20:00", "order_status": "PAID"}
    return good | changes


def contact(**changes: Any) -> dict[str, Any]:
    """A good customer."""
    return {"uniq_id": "C-1", "name": "Anna Plantova", "emails": "a@example.com", **changes}


def conversion(**changes: Any) -> dict[str, Any]:
    """A good offline conversion."""
    return {"ClientId": "1700000000123456789", "Target": "order_paid", "DateTime": 1741089600, **changes}


def set_connection(monkeypatch: pytest.MonkeyPatch, conn_id: str, fields: Mapping[str, Any]) -> None:
    """Give Airflow a connection through the environment."""
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(fields))
    assert os.environ[f"AIRFLOW_CONN_{conn_id.upper()}"]
