# SPDX-License-Identifier: Apache-2.0
"""Runs the example DAGs, a day after the other, in one process of a private Airflow: the demo's child.

``python -m airflow_provider_yandex_orders.demo.days FOLDER SANDBOX DAGS``. What is for the user is printed in lines
that begin with :data:`MARK`, everything else is Airflow's log.
"""

from __future__ import annotations

import json
import re
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow_provider_yandex_orders.demo import crm, summary
from airflow_provider_yandex_orders.demo.errors import MARK, DemoError
from airflow_provider_yandex_orders.demo.folder import Folder, short
from airflow_provider_yandex_orders.demo.local_sandbox import Control

# What real services need minutes for, the sandbox has done in seconds.
RETRY_DELAY = timedelta(seconds=1)
LOOK_EVERY = 3.0  # seconds
OUTAGE = {"path": "simple_orders", "preset": "backend_error", "times": 6, "headers": {"Retry-After": "1"}}
"""Longer than one try of a task asks again, so that Airflow has to try a second time."""
STARTED_TASK = re.compile(r"\[DAG TEST\] starting task_id=(\S+)")
LINE = re.compile(r"(\S+Z) \[(\w+) *\] (.*?)(?: +\[[\w.]+\](?: \w+=.*)?)?$", re.DOTALL)
FAILED_TRY = re.compile(r"\bup_for_retry\b", re.IGNORECASE)


@dataclass(frozen=True)
class Day:
    """One run of an example, and what the demo says about it."""

    title: str
    dag_id: str
    hours: int
    """When it runs, in hours from the midnight (UTC) that ends the CRM's first day."""
    look: str
    """One line of what to look at."""
    task: str = "upload_orders"
    """The task whose result is told."""
    before: Callable[[Folder, Control, date], None] = lambda _folder, _control, _day: None
    tell: Callable[[Any], Iterator[str]] = summary.delivery_lines


def bad_day(folder: Folder, control: Control, day: date) -> None:
    """Orders change, some are broken on the way, and Metrica is away for a while."""
    with closing(sqlite3.connect(folder.crm)) as connection:
        crm.next_day(connection, day)
    control.add_fault(OUTAGE)


DAYS = (
    Day(
        "The daily upload: every order of the CRM to Metrica",
        "crm_to_metrica_daily",
        0,
        "less {here}/1-rejected.jsonl    each row that was not sent: its column, the reason, what to do",
    ),
    Day(
        "The same orders once more: nothing has changed, nothing is sent",
        "crm_to_metrica_daily",
        12,
        "the journal knows what Metrica has; unchanged orders are left out, whichever run sent them",
        tell=summary.count_lines,
    ),
    Day(
        "A bad day: new faults in the CRM, and Metrica answers 503 for a while",
        "crm_to_metrica_daily",
        24,
        "grep -n 503 {here}/airflow.log    asked again, then tried again by Airflow; no order went twice",
        before=bad_day,
    ),
    Day(
        "Sales in shops to Metrica, as offline conversions",
        "offline_conversions",
        12,
        "the page: conversions beside the other uploads, and how many found a visitor",
        task="upload_conversions",
    ),
    Day(
        "Yandex Market: every order that changed, fetched and loaded",
        "market_order_stats_daily",
        24,
        "sqlite3 {here}/warehouse.db 'SELECT status, count(*) FROM market_orders GROUP BY 1'",
        task="fetch_order_stats",
        tell=summary.fetch_lines,
    ),
    Day(
        "Altcraft: the day's changed orders with their lines",
        "crm_orders_to_altcraft",
        24,
        "the page: each order once, its triggers started once",
        task="import_orders",
    ),
)


def run(folder: Folder, control: Control, dags: Path) -> None:
    """Run every day; what keeps one from its end is a :class:`DemoError`."""
    from airflow.models import DagBag
    from airflow.utils.db import initdb

    began = time.monotonic()
    initdb()
    say(f"Airflow  a database of its own, made in {time.monotonic() - began:.0f} s")
    first = datetime.now(UTC).date() - timedelta(days=1)
    midnight = datetime.combine(first, datetime.min.time(), UTC)
    for number, day in enumerate(DAYS, start=1):
        began = time.monotonic()
        say("")
        say(f"{number}. {day.title}")
        day.before(folder, control, first)
        dag = DagBag(str(dags / f"{day.dag_id}.py")).dags[day.dag_id]
        for task in dag.tasks:
            task.retry_delay = RETRY_DELAY
            if hasattr(task, "poke_interval"):
                task.poke_interval = LOOK_EVERY
        sys.stdout.flush()
        start = folder.dag_log.stat().st_size
        done: Any = dag.test(logical_date=midnight + timedelta(hours=day.hours))
        tries = keep_logs(folder, start, f"dag_id={day.dag_id}/run_id={done.run_id}")
        if done.state != "success":
            raise DemoError(f"A task of {day.dag_id} failed.")
        result = done.get_task_instance(day.task).xcom_pull(task_ids=day.task)
        folder.link(f"{number}-rejected.jsonl", (result or {}).get("rejected_path"))
        for line in day.tell(result):
            say(f"   {line}")
        again = f", {tries} tries" if tries > 1 else ""
        say(f"   done in {time.monotonic() - began:.0f} s{again}: {day.dag_id}")
        say(f"   look: {day.look.format(here=short(folder.path))}")


def keep_logs(folder: Folder, start: int, run: str) -> int:
    """Put each task's part of the log where Airflow's pages look for it.

    :param start: where the run's lines begin.
    :param run: the run's folder.
    :return: the most tries that a task took.
    """
    sys.stdout.flush()
    with folder.dag_log.open(encoding="utf-8", errors="replace") as log:
        log.seek(start)
        lines = log.read().splitlines()
    tries: Counter[str] = Counter()
    task, failed = "", set[str]()
    for line in lines:
        if found := STARTED_TASK.search(line):
            task = found[1]
            # A task that was put off and goes on is still at the same try.
            tries[task] += task in failed or not tries[task]
            failed.discard(task)
        if FAILED_TRY.search(line):
            failed.add(task)
        if task:
            place = folder.airflow_home / "logs" / run / f"task_id={task}" / f"attempt={tries[task]}.log"
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("a", encoding="utf-8") as kept:
                parts = LINE.fullmatch(line)
                told = dict(zip(("timestamp", "level", "event"), parts.groups(), strict=True)) if parts else None
                kept.write(f"{json.dumps(told) if told else line}\n")
    return max(tries.values(), default=1)


def say(line: str) -> None:
    """Tell the user, through the log."""
    print(f"{MARK}{line}", flush=True)


if __name__ == "__main__":
    try:
        run(Folder(Path(sys.argv[1])), Control(sys.argv[2]), Path(sys.argv[3]))
    except DemoError as error:
        sys.exit(str(error))
