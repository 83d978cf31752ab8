# SPDX-License-Identifier: Apache-2.0
"""The demo, step by step."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

from airflow_provider_yandex_orders.demo import crm, private_airflow, summary
from airflow_provider_yandex_orders.demo.broken import BROKEN_ORDERS
from airflow_provider_yandex_orders.demo.children import Children
from airflow_provider_yandex_orders.demo.dag_run import run_airflow
from airflow_provider_yandex_orders.demo.errors import DemoError
from airflow_provider_yandex_orders.demo.folder import Folder, fresh
from airflow_provider_yandex_orders.demo.local_sandbox import PROCESSING_SECONDS, LocalSandbox

MIGRATE_TIMEOUT = 300.0
DAG_TIMEOUT = 600.0

Say = Callable[[str], None]


def run(path: Path, *, keep: bool, children: Children, say: Say) -> None:
    """Run the whole demo; what keeps it from its end is a :class:`DemoError`.

    :param path: the demo's folder
    :param keep: leave the sandbox up afterwards, until the user stops the demo
    :param say: takes the lines for the user
    """
    release = private_airflow.installed_version()
    dags = private_airflow.dags_folder()
    today = datetime.now(UTC).date()
    with fresh(path) as folder:
        say(f"Folder   {folder.path}")
        sandbox = LocalSandbox.start(children, folder)
        say(f"Sandbox  {sandbox.url} plays the services; a file takes it {PROCESSING_SECONDS} s to process")
        fill_crm(folder, today)
        say(
            f"CRM      {crm.ORDERS:,} real orders of {crm.CUSTOMERS:,} customers with made-up contacts; "
            f"{len(BROKEN_ORDERS)} orders are broken on purpose"
        )
        run_dag(folder, dags=dags, today=today, release=release, sandbox=sandbox, children=children, say=say)
        report(folder, sandbox, say)
        if keep:
            say(f"The sandbox stays up at {sandbox.url}. Ctrl-C ends it.")
            sandbox.wait()


def fill_crm(folder: Folder, today: date) -> None:
    """Make the CRM's database."""
    with closing(sqlite3.connect(folder.crm)) as connection:
        crm.create(connection, today=today)


def run_dag(
    folder: Folder,
    *,
    dags: Path,
    today: date,
    release: str,
    sandbox: LocalSandbox,
    children: Children,
    say: Say,
) -> None:
    """Make a private Airflow and have it run the DAG once."""
    environment = private_airflow.environment(folder, dags=dags, sandbox_url=sandbox.url)
    folder.airflow_home.mkdir()
    began = time.monotonic()
    run_airflow(
        ["db", "migrate"],
        children=children,
        log=folder.migrate_log,
        environment=environment,
        timeout=MIGRATE_TIMEOUT,
    )
    say(f"Airflow  {release}, with a database of its own, made in {time.monotonic() - began:.0f} s")
    began = time.monotonic()
    say(f"DAG      {private_airflow.DAG_ID}")
    run_airflow(
        ["dags", "test", private_airflow.DAG_ID, f"{today.isoformat()}T00:00:00+00:00"],
        children=children,
        log=folder.dag_log,
        environment=environment,
        timeout=DAG_TIMEOUT,
        on_task=lambda task: say(f"         - {task}"),
    )
    say(f"         done in {time.monotonic() - began:.0f} s")


def report(folder: Folder, sandbox: LocalSandbox, say: Say) -> None:
    """Tell what came of it."""
    delivery = private_airflow.returned_by(folder, private_airflow.UPLOAD_TASK)
    if not isinstance(delivery, dict):
        raise DemoError(f"The task {private_airflow.UPLOAD_TASK} returned no delivery.", log=folder.dag_log)
    held = sandbox.summary(private_airflow.COUNTER_ID)
    sandbox.save_page()
    for line in summary.lines(delivery, held, folder):
        say(line)
