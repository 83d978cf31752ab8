# SPDX-License-Identifier: Apache-2.0
"""The commands ``journal ...``: what was sent, by the journal's own views, and what people tell it."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import timedelta
from functools import wraps
from typing import Any

from airflow_provider_yandex_orders.exceptions import PassingError, PermanentError

_DONE, _NOTHING, _FAILED = 0, 1, 2
_COUNTS = ("rows_read", "rows_sent", "rows_unchanged", "rows_rejected")
_PART = ("number", "state", "rows", "rows_accepted", "upload_id", "status", "sent_at")


def _on_journal(command: Callable[[Namespace, Any], int]) -> Callable[[Namespace], int]:
    """Opens the journal for a command, and says what keeps it from being opened."""

    @wraps(command)
    def run(options: Namespace) -> int:
        # Outside of a task Airflow 3 finds what its own database stores only where it is told that this is no task.
        os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
        from airflow_provider_yandex_orders.journal.database import open_database

        try:
            with closing(open_database(options.journal_conn_id)) as database:
                return command(options, database)
        except (PermanentError, PassingError) as error:
            print(error, file=sys.stderr)
            return _FAILED

    return run


@_on_journal
def deliveries(options: Namespace, database: Any) -> int:
    """Print the last deliveries, the newest first."""
    from airflow_provider_yandex_orders.journal.database import now
    from airflow_provider_yandex_orders.journal.look import view

    where, values = "started_at >= :since", {"since": now() - timedelta(days=options.days), "most": options.limit}
    if options.dag_id:
        where, values = f"{where} AND dag_id = :dag", {**values, "dag": options.dag_id}
    found = view(database, "deliveries", f"WHERE {where} ORDER BY delivery_id DESC LIMIT :most", **values)
    if not found:
        print(f"No delivery in {options.days} days is in the journal, {database.named}.")
        return _DONE
    lines = [
        (each["delivery_id"], _moment(each["started_at"]), _place(each), _task(each), _state(each), *_counts(each))
        for each in found
    ]
    heads = ("id", "started (UTC)", "to", "by", "state", *(name.removeprefix("rows_") for name in _COUNTS))
    _print_table(heads, lines)
    return _DONE


@_on_journal
def show(options: Namespace, database: Any) -> int:
    """Print one delivery: its counts, what was rejected, its parts."""
    from airflow_provider_yandex_orders.journal.look import view

    one = "WHERE delivery_id = :id"
    found = view(database, "deliveries", one, id=options.delivery)
    if not found:
        return _unknown(options.delivery)
    delivery = found[0]
    print(f"Delivery {options.delivery} to {_place(delivery)}, by {_task(delivery)}: {_state(delivery)}")
    for name, value in delivery.items():
        if value is not None and (name.endswith("_at") or name.startswith(("rows_", "values_"))):
            print(f"  {name}: {_moment(value) if name.endswith('_at') else f'{value:,}'}")
    for each in view(database, "rejected_by_reason", f"{one} ORDER BY rows DESC", id=options.delivery):
        print(f"  rejected, {each['code']}: {each['rows']:,}")
    parts = view(database, "parts", f"{one} ORDER BY part_id", id=options.delivery)
    if parts:
        print()
        _print_table(
            _PART, [[_moment(each[name]) if name == "sent_at" else each[name] for name in _PART] for each in parts]
        )
    if any(each["state"] == "sending" for each in parts):
        print("\nNobody knows whether parts in the state sending arrived. Look at the service, then:")
        print(f"  they are there:      journal arrived {options.delivery}")
        print("  they are not there:  clear the task that sent them")
    return _DONE


@_on_journal
def forget(options: Namespace, database: Any) -> int:
    """Let nothing of a delivery count as had: its rows are sent again by whoever reads them next."""
    from airflow_provider_yandex_orders.journal.look import COUNTED, tell, view

    parts = view(database, "parts", "WHERE delivery_id = :id", id=options.delivery)
    counted = [each for each in parts if each["state"] in COUNTED]
    if not parts and not view(database, "deliveries", "WHERE delivery_id = :id", id=options.delivery):
        return _unknown(options.delivery)
    rows = sum(each["rows"] for each in counted)
    if not options.yes:
        print(
            f"Delivery {options.delivery} has {rows:,} rows in {len(counted)} part(s) that count as sent. Once it "
            "is forgotten, the next task that reads them sends them again: conversions count twice, orders without "
            "id double, Altcraft's triggers start again. Add --yes to forget it."
        )
        return _NOTHING
    print(f"Forgotten: {rows:,} rows in {tell(database, options.delivery, arrived=False)} part(s).")
    return _DONE


@_on_journal
def arrived(options: Namespace, database: Any) -> int:
    """Let parts without an answer count as had: people saw them at the service."""
    from airflow_provider_yandex_orders.journal.look import tell

    count = tell(database, options.delivery, arrived=True)
    print(f"Count as arrived: {count} part(s) of delivery {options.delivery}. Clear its task to send the rest.")
    return _DONE if count else _NOTHING


@_on_journal
def purge(options: Namespace, database: Any) -> int:
    """Forget what is older than so many days, now."""
    from airflow_provider_yandex_orders.journal import retention

    days = retention.days_of(options.days)
    print(f"Forgotten: {retention.purge(database, days, always=True):,} part(s) older than {days} days.")
    return _DONE


def _unknown(delivery: int) -> int:
    print(f"There is no delivery {delivery} in the journal: `journal list` shows their ids.", file=sys.stderr)
    return _FAILED


def _place(row: dict[str, Any]) -> str:
    return f"{row['entity']} at {row['host']}{row['counter'] and ', counter '}{row['counter']}"


def _task(row: dict[str, Any]) -> str:
    index = f"[{row['map_index']}]" if row["map_index"] >= 0 else ""
    return f"{row['dag_id']}.{row['task_id']}{index} {row['run_id']}"


def _state(row: dict[str, Any]) -> str:
    return "done" if row["completed_at"] else "sent" if row["sent_at"] else "open"


def _counts(row: dict[str, Any]) -> list[str]:
    return ["" if row[name] is None else f"{row[name]:,}" for name in _COUNTS]


def _moment(value: object) -> str:
    return "" if value is None else str(value)[:19]


def _print_table(heads: Sequence[str], lines: Sequence[Sequence[Any]]) -> None:
    rows = [[*heads], *([("" if cell is None else str(cell)) for cell in line] for line in lines)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
