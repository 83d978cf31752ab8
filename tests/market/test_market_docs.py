# SPDX-License-Identifier: Apache-2.0
"""The guide against the code: settings of the sandbox and arguments."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from airflow_provider_yandex_orders.operators.market import MarketFetchOrderStatsOperator
from airflow_provider_yandex_orders.sandbox.market.errors import PRESETS
from airflow_provider_yandex_orders.sandbox.settings import RUNTIME_SETTINGS, SandboxSettings

GUIDE = Path(__file__).parents[2] / "docs" / "market.md"


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
