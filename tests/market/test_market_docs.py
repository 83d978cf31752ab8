# SPDX-License-Identifier: Apache-2.0
"""The guide against the code: its field tables are those of the declarations."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from airflow_provider_yandex_orders.market.tables.declare import Table
from airflow_provider_yandex_orders.market.tables.order_stats import TABLES
from airflow_provider_yandex_orders.operators.market import MarketFetchOrderStatsOperator
from airflow_provider_yandex_orders.sandbox.market.errors import PRESETS
from airflow_provider_yandex_orders.sandbox.settings import RUNTIME_SETTINGS, SandboxSettings

GUIDE = Path(__file__).parents[2] / "docs" / "market.md"
BEGIN, END = "<!-- tables: begin -->\n", "<!-- tables: end -->\n"


def described(table: Table) -> str:
    """One table as the guide shows it."""
    rows = [
        f"| `{column.name}` | {column.type.value} | {f'`{column.source}`' if column.source else ''} | {column.note} |"
        for column in table.columns
    ]
    key = ", ".join(f"`{part}`" for part in table.key)
    head = [f"### `{table.name}`", "", f"{table.note} Key: {key}.", "", "| column | type | service's name | meaning |"]
    return "\n".join([*head, "|---|---|---|---|", *rows, ""])


def test_the_field_tables_are_those_of_the_code() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    shown = text[text.index(BEGIN) + len(BEGIN) : text.index(END)]
    assert shown == "\n".join(map(described, TABLES))


def test_every_setting_of_the_sandbox_is_named_with_its_default() -> None:
    text = GUIDE.read_text(encoding="utf-8").partition("## Without an account")[2]
    settings = SandboxSettings()
    for name in RUNTIME_SETTINGS:
        if name.startswith("market_"):
            assert f"`{name}` ({getattr(settings, name):g})" in text
    assert set(re.findall(r"`(market_[a-z_]+)`", text)) <= RUNTIME_SETTINGS | set(PRESETS)


def test_every_argument_is_described() -> None:
    documented = set(re.findall(r":param (\w+):", MarketFetchOrderStatsOperator.__doc__ or ""))
    taken = set(inspect.signature(MarketFetchOrderStatsOperator.__init__).parameters) - {"self", "kwargs"}
    assert documented == taken
