# SPDX-License-Identifier: Apache-2.0
"""The demo, step by step."""

from __future__ import annotations

import os
import sqlite3
import sys
import time
import webbrowser
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from airflow_provider_yandex_orders.demo import crm, order_lines, private_airflow
from airflow_provider_yandex_orders.demo.broken import BROKEN_ORDERS
from airflow_provider_yandex_orders.demo.children import Children, Process
from airflow_provider_yandex_orders.demo.errors import MARK, DemoError
from airflow_provider_yandex_orders.demo.folder import Folder, fresh, short
from airflow_provider_yandex_orders.demo.local_sandbox import LocalSandbox

TIMEOUT = 900.0
LOOK_EVERY = 0.2  # seconds
DAYS = "airflow_provider_yandex_orders.demo.days"
BEGIN = """\
The demo: six days of a shop's orders, run by a real Airflow against a local sandbox, in one to three minutes. Nothing
leaves this machine; everything it makes lies in {here}
"""
END = """
Next: your own CRM
   {python} -m airflow_provider_yandex_orders check orders.csv
   says what would be sent of a file of yours, and why not the rest; docs/your_export.md has what each CRM needs.
   example_dags/crm_to_metrica_daily.py is the DAG of the first three days: four lines make it yours.
   docs/first_steps.md leads from here to an Airflow of yours."""

Say = Callable[[str], None]


def run(path: Path, *, keep: bool, children: Children, say: Say) -> None:
    """Run the whole demo; what keeps it from its end is a :class:`DemoError`.

    :param path: the demo's folder
    :param keep: leave the sandbox's page and Airflow's own up afterwards, until the user stops the demo
    :param say: takes the lines for the user
    """
    release = private_airflow.installed_version()
    dags = private_airflow.dags_folder()
    with fresh(path) as folder:
        say(BEGIN.format(here=short(folder.path)))
        sandbox = LocalSandbox.start(children, folder)
        say(f"Sandbox  {sandbox.control.url} plays Metrica, Market and Altcraft")
        fill_crm(folder, datetime.now(UTC).date() - timedelta(days=1))
        say(f"CRM      {crm.ORDERS:,} real orders with made-up contacts; {len(BROKEN_ORDERS)} broken on purpose")
        say(f"Airflow  {release}")
        environment = private_airflow.environment(folder, dags=dags, sandbox_url=sandbox.control.url)
        folder.airflow_home.mkdir()
        command = [sys.executable, "-m", DAYS, str(folder.path), sandbox.control.url, str(dags)]
        follow(children.start(command, log=folder.dag_log, environment=environment), folder.dag_log, say)
        sandbox.save_page()
        say("")
        if not keep:
            say(f"The sandbox's page as it was at the end: {short(folder.page)}")
            say("make demo KEEP=1 leaves it up, with faults to switch on, and Airflow's pages with every run")
        else:
            say(f"The sandbox's page: {sandbox.control.url}  with faults to switch on")
            say("Airflow's pages are starting ...")
            page = private_airflow.show_pages(folder, environment, children)
            say(f"Airflow's pages:    {page}  you are signed in; any DAG there can be run again")
            if sys.platform == "darwin" or {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
                webbrowser.open(page)
        say(END.format(python=short(Path(sys.executable))))
        if keep:
            say("\nCtrl-C ends it all.")
            sandbox.wait()


def fill_crm(folder: Folder, today: date) -> None:
    """Make the CRM's database."""
    with closing(sqlite3.connect(folder.crm)) as connection:
        crm.create(connection, today=today)
        order_lines.create(connection, today=today)


def follow(process: Process, log: Path, say: Say) -> None:
    """Say the lines of a log that are for the user, until the process ends; a failure of it is a :class:`DemoError`."""
    deadline = time.monotonic() + TIMEOUT
    with log.open("rb") as output:
        unfinished = b""
        while True:
            ended = process.poll() is not None
            *lines, unfinished = (unfinished + output.read()).split(b"\n")
            for line in lines:
                if line.startswith(MARK.encode()):
                    say(line.decode(errors="replace").removeprefix(MARK))
            if ended:
                break
            if time.monotonic() > deadline:
                raise DemoError(f"Airflow did not end within {TIMEOUT:.0f} s.", log=log)
            time.sleep(LOOK_EVERY)
    if process.returncode:
        raise DemoError(f"Airflow ended with code {process.returncode}.", log=log)
