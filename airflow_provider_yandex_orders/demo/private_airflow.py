# SPDX-License-Identifier: Apache-2.0
"""An Airflow of the demo's own: its environment, and its pages."""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from airflow_provider_yandex_orders.demo.children import PACKAGE, Children, child_environment
from airflow_provider_yandex_orders.demo.errors import DemoError
from airflow_provider_yandex_orders.demo.folder import Folder
from airflow_provider_yandex_orders.demo.local_sandbox import Control

DAG_ID = "crm_to_metrica_daily"
COUNTER_ID = 101
CAMPAIGN_ID = 1001
UI_TIMEOUT = 600.0
DELIVERIES = PACKAGE / "ui" / "plugin.py"
DELIVERY_PAGE = "/yandex-orders/"
GRID = f"/dags/{DAG_ID}"
TOKEN = "sandbox-token"  # noqa: S105 - the sandbox takes any


def installed_version() -> str:
    """Return the version of the Airflow that is installed, with all the demo needs beside it."""
    for distribution in ("apache-airflow-core", "apache-airflow-providers-sqlite"):
        try:
            version(distribution)
        except PackageNotFoundError:
            raise DemoError(f'The demo needs {distribution}: pip install ".[demo]" in a clone') from None
    return version("apache-airflow-core")


def dags_folder() -> Path:
    """Return the folder of the example DAGs: inside the installed package, or at the top of a checkout."""
    places = (PACKAGE / "example_dags", PACKAGE.parent / "example_dags")
    for place in places:
        if (place / f"{DAG_ID}.py").is_file():
            return place
    raise DemoError(f"The example DAG {DAG_ID}.py is in none of: {', '.join(map(str, places))}")


def environment(folder: Folder, *, dags: Path, sandbox_url: str) -> dict[str, str]:
    """Return the environment of the private Airflow, with the connections of its examples."""

    def service(conn_type: str, **extra: int) -> dict[str, Any]:
        return {"conn_type": conn_type, "host": sandbox_url, "password": TOKEN, "extra": extra}

    # The hook reads the host as part of a URL: quoted, any folder name works.
    crm, warehouse = ({"conn_type": "sqlite", "host": quote(str(path))} for path in (folder.crm, folder.warehouse))
    connections = {
        "CRM": crm,
        "WAREHOUSE": warehouse,
        "YANDEX_METRICA_DEFAULT": service("yandex_metrica", counter_id=COUNTER_ID),
        "YANDEX_MARKET_DEFAULT": service("yandex_market", campaign_id=CAMPAIGN_ID),
        "ALTCRAFT_DEFAULT": service("altcraft"),
    }
    return child_environment() | {
        "AIRFLOW_HOME": str(folder.airflow_home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder.airflow_home / 'airflow.db'}?timeout=60",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        **{f"AIRFLOW_CONN_{name}": json.dumps(connection) for name, connection in connections.items()},
    }


def show_pages(folder: Folder, known: Mapping[str, str], children: Children) -> str:
    """Start Airflow's services on the private database, and return the address of the page to open.

    Whoever opens it is signed in: the services listen on this machine only.
    """
    ports = [free_port() for _ in range(3)]
    url = f"http://127.0.0.1:{ports[0]}"
    settings = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{known.get('PATH', '')}",  # it starts `airflow` by its name
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(ports[0]),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(64),
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(ports[1]),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(ports[2]),
    }
    command = [sys.executable, "-m", "airflow", "standalone"]
    services = children.start(command, log=folder.ui_log, environment={**known, **settings})
    control, deadline = Control(url), time.monotonic() + UI_TIMEOUT
    while time.monotonic() < deadline:
        with suppress(DemoError):
            control.get("/api/v2/monitor/health")
            return url + (DELIVERY_PAGE if DELIVERIES.is_file() else GRID)
        if services.poll() is not None:
            break
        time.sleep(1)
    raise DemoError("Airflow's pages did not come up.", log=folder.ui_log)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
