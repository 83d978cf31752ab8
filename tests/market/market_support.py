# SPDX-License-Identifier: Apache-2.0
"""Small things several Market tests need."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

WINDOW: dict[str, Any] = {"update_from": "2026-06-01", "update_to": "2026-06-01"}
"""Days on which nothing changes any more."""

TOKEN = "sandbox-token"
CONNECTION = "AIRFLOW_CONN_YANDEX_MARKET_DEFAULT"


def connect_market(
    monkeypatch: pytest.MonkeyPatch, url: str, *, token: str = TOKEN, campaign_id: int | None = 1001, **extra: str
) -> None:
    """Point the default connection of Market somewhere."""
    named = {} if campaign_id is None else {"campaign_id": campaign_id}
    monkeypatch.setenv(
        CONNECTION,
        json.dumps({"conn_type": "yandex_market", "host": url, "password": token, "extra": named | extra}),
    )


def lines_of(path: str) -> list[bytes]:
    """Lines of a JSON Lines file."""
    data = Path(path).read_bytes()
    return (gzip.decompress(data) if path.endswith(".gz") else data).splitlines()


def rows_of(path: str) -> list[dict[str, Any]]:
    """Rows of a table, whatever its format, as Python values: amounts as decimals in both."""
    if path.endswith(".parquet"):
        import pyarrow.parquet as pq

        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
        return rows
    return [msgspec.json.decode(line) for line in lines_of(path)]


def raw_orders(path: str) -> dict[int, dict[str, Any]]:
    """Orders of a raw file by id, decoded without floats."""
    decode = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode
    orders = [decode(line) for line in lines_of(path)]
    by_id = {order["id"]: order for order in orders}
    assert len(by_id) == len(orders)
    return by_id


def contents(folder: str | Path) -> dict[str, bytes]:
    """Every file of a folder, hidden ones too."""
    return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}
