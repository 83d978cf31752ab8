# SPDX-License-Identifier: Apache-2.0
"""Every process of Airflow imports the plugin: it costs nothing, and can be switched off."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from airflow.plugins_manager import AirflowPlugin

ROOT = Path(__file__).parents[3]
PLUGIN = "airflow_provider_yandex_orders.ui.plugin"
LOOK = f"""
import json, sys
import airflow.plugins_manager
from airflow.providers.common.compat.sdk import conf
before = set(sys.modules)
from {PLUGIN} import YandexOrdersPlugin as plugin
views = getattr(plugin, "external_views", [])
print(json.dumps({{"modules": sorted(set(sys.modules) - before), "views": views, "apps": len(plugin.fastapi_apps)}}))
"""


def look(**environment: str) -> Any:
    run = subprocess.run(
        [sys.executable, "-c", LOOK], env=os.environ | environment, capture_output=True, text=True, check=True
    )
    return json.loads(run.stdout.splitlines()[-1])


def test_it_is_registered_under_the_name_of_its_class() -> None:
    entry_points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["airflow.plugins"]
    module, _, name = entry_points["yandex_orders"].partition(":")
    assert issubclass(getattr(import_module(module), name), AirflowPlugin)


def test_importing_it_loads_nothing_else() -> None:
    package = PLUGIN.partition(".")[0]
    assert set(look()["modules"]) <= {package, f"{package}.ui", PLUGIN}


def test_the_page_is_where_airflow_takes_such_pages() -> None:
    found = look(AIRFLOW__API__BASE_URL="https://airflow.example/team")
    if not hasattr(AirflowPlugin, "fastapi_apps"):
        assert (found["apps"], found["views"]) == (0, [])
        pytest.skip("this Airflow has no such pages")
    assert found["apps"] == 1
    assert [view["href"] for view in found["views"]] == ["/team/yandex-orders/"]


def test_it_is_switched_off() -> None:
    found = look(AIRFLOW__YANDEX_ORDERS__DELIVERY_PAGE="False")
    assert (found["apps"], found["views"]) == (0, [])
