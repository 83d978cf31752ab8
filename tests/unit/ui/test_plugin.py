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
from pydantic import create_model

from airflow_provider_yandex_orders.operators import altcraft, market, metrica
from airflow_provider_yandex_orders.ui.plugin import YandexOrdersPlugin

ROOT = Path(__file__).parents[3]
PLUGIN = "airflow_provider_yandex_orders.ui.plugin"
LOOK = f"""
import json, sys
import airflow.plugins_manager
from airflow.providers.common.compat.sdk import conf
before = set(sys.modules)
from {PLUGIN} import YandexOrdersPlugin as plugin
loaded = sorted(set(sys.modules) - before)
print(json.dumps({{"modules": loaded, "views": plugin().external_views, "apps": len(plugin.fastapi_apps)}}))
"""


# As the tests in the browser have it.
TASK = "dag_id={DAG_ID}&run_id={RUN_ID}&task_id={TASK_ID}&map_index={MAP_INDEX}"
DELIVERY, LINKS = "Delivery", "operator_extra_links"


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
    assert found["views"][0]["href"] == "/team/yandex-orders/"


def test_a_tab_of_a_delivery_stands_on_tasks_that_have_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """In an Airflow whose tabs name the operators they are for."""
    plugins: Any = pytest.importorskip("airflow.api_fastapi.core_api.datamodels.plugins")
    if not hasattr(plugins, "ExternalViewResponse"):
        pytest.skip("this Airflow has no such views")
    limit = create_model("Limit", operators=(list[str], ...))
    limited = create_model("View", __base__=plugins.ExternalViewResponse, applies_to=(limit, ...))
    monkeypatch.setattr(plugins, "ExternalViewResponse", limited)
    (tab,) = (view for view in YandexOrdersPlugin().external_views if view["destination"] == "task_instance")
    assert tab["href"] == f"/yandex-orders/delivery?{TASK}"
    public = {**vars(altcraft), **vars(market), **vars(metrica)}.items()
    sending = {name for name, one in public if DELIVERY in [link.name for link in getattr(one, LINKS, ())]}
    assert set(tab["applies_to"]["operators"]) == sending


def test_it_is_switched_off() -> None:
    found = look(AIRFLOW__YANDEX_ORDERS__DELIVERY_PAGE="False")
    assert (found["apps"], found["views"]) == (0, [])
