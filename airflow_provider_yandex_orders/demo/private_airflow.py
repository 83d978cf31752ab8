# SPDX-License-Identifier: Apache-2.0
"""An Airflow of the demo's own: its environment, its commands and what its tasks returned."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from airflow_provider_yandex_orders.demo.errors import DemoError
from airflow_provider_yandex_orders.demo.folder import Folder

DAG_ID = "crm_to_metrica_daily"
UPLOAD_TASK = "upload_orders"
COUNTER_ID = 101
TOKEN = "sandbox-token"  # noqa: S105 - the sandbox takes any
PACKAGE = Path(__file__).resolve().parents[1]


def installed_version() -> str:
    """Return the version of the Airflow that is installed, with all the demo needs beside it."""
    for distribution in ("apache-airflow-core", "apache-airflow-providers-sqlite"):
        try:
            version(distribution)
        except PackageNotFoundError:
            raise DemoError(
                f'The demo needs {distribution}: pip install "airflow-provider-yandex-orders[demo]"'
            ) from None
    return version("apache-airflow-core")


def dags_folder() -> Path:
    """Return the folder of the example DAGs: inside the installed package, or at the top of a checkout."""
    places = (PACKAGE / "example_dags", PACKAGE.parent / "example_dags")
    for place in places:
        if (place / f"{DAG_ID}.py").is_file():
            return place
    raise DemoError(f"The example DAG {DAG_ID}.py is in none of: {', '.join(map(str, places))}")


def child_environment() -> dict[str, str]:
    """Return the environment for every child: the user's own, less all that is about another Airflow."""
    # A setting of the user's Airflow left in place could send the demo into a real database.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    if (PACKAGE.parent / "pyproject.toml").is_file():  # a checkout, which may not be installed
        search_path = filter(None, [str(PACKAGE.parent), environment.get("PYTHONPATH")])
        environment["PYTHONPATH"] = os.pathsep.join(search_path)
    environment["PYTHONUNBUFFERED"] = "1"  # the logs are read while they grow
    environment["NO_COLOR"] = "1"
    for name in ("NO_PROXY", "no_proxy"):  # the sandbox is on this machine, whatever the proxy
        environment[name] = ",".join(filter(None, [environment.get(name), "127.0.0.1", "localhost"]))
    return environment


def environment(folder: Folder, *, dags: Path, sandbox_url: str) -> dict[str, str]:
    """Return the environment of the private Airflow, with its two connections."""
    # The hook reads the host as part of a URL: quoted, any folder name works.
    crm = {"conn_type": "sqlite", "host": quote(str(folder.crm))}
    metrica = {
        "conn_type": "yandex_metrica",
        "host": sandbox_url,
        "password": TOKEN,
        "extra": {"counter_id": COUNTER_ID},
    }
    return child_environment() | {
        "AIRFLOW_HOME": str(folder.airflow_home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{database(folder)}",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW_CONN_CRM": json.dumps(crm),
        "AIRFLOW_CONN_YANDEX_METRICA_DEFAULT": json.dumps(metrica),
    }


def database(folder: Folder) -> Path:
    """Return the file of the private Airflow's database."""
    return folder.airflow_home / "airflow.db"


def returned_by(folder: Folder, task_id: str) -> Any:
    """Return what the task returned in the only run of the DAG, or None.

    Airflow keeps it as JSON in its database; reading it there spares a whole start of Airflow.
    """
    query = "SELECT value FROM xcom WHERE dag_id = ? AND task_id = ? AND key = 'return_value'"
    with closing(sqlite3.connect(f"file:{quote(str(database(folder)))}?mode=ro", uri=True)) as connection:
        row = connection.execute(query, (DAG_ID, task_id)).fetchone()
    return json.loads(row[0]) if row else None
