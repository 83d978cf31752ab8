# SPDX-License-Identifier: Apache-2.0
"""The guide against the code: settings of the sandbox and arguments."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from airflow_provider_yandex_orders.operators.market import MarketFetchOrderStatsOperator, MarketLoadOrderStatsOperator
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


@pytest.mark.parametrize("operator", [MarketFetchOrderStatsOperator, MarketLoadOrderStatsOperator])
def test_every_argument_is_described(operator: type) -> None:
    documented = set(re.findall(r":param (\w+):", operator.__doc__ or ""))
    taken = set(inspect.signature(operator).parameters) - {"self", "kwargs"}
    assert documented == taken


def test_the_table_of_a_load_has_its_arguments_with_their_defaults() -> None:
    section = GUIDE.read_text(encoding="utf-8").partition("## Into a warehouse")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)(?:=([^`]+))?` \|", section.partition("| connection's type")[0], re.MULTILINE)
    own = inspect.signature(MarketLoadOrderStatsOperator).parameters.items()
    expected = [(name, "" if one.default is one.empty else repr(one.default)) for name, one in own if name != "kwargs"]
    assert [(name, default.replace('"', "'")) for name, default in rows] == expected
