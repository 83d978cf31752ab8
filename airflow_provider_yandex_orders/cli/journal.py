# SPDX-License-Identifier: Apache-2.0
"""The commands ``journal ...``: what was sent, by the journal's own views, and what people tell it."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import wraps
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from airflow_provider_yandex_orders.exceptions import PassingError, PermanentError
from airflow_provider_yandex_orders.journal.records import repeated

if TYPE_CHECKING:
    from airflow_provider_yandex_orders.journal.store import Journal
    from airflow_provider_yandex_orders.ui.questions import Delivery

_DONE, _NOTHING, _FAILED = 0, 1, 2
_THIS = "delivery_id = :id"
_COUNTS = ("rows_read", "rows_sent", "rows_unchanged", "rows_rejected")
_PART = ("number", "state", "rows", "rows_accepted", "upload_id", "status", "sent_at")


def _on_journal(command: Callable[[Namespace, Journal], int]) -> Callable[[Namespace], int]:
    """Opens the journal for a command, and says what keeps it from being opened, and which delivery is not in it."""

    @wraps(command)
    def run(options: Namespace) -> int:
        # Outside of a task Airflow 3 finds what its own database stores only where it is told that this is no task.
        os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
        from airflow_provider_yandex_orders.journal.store import open_journal

        try:
            with open_journal(options.journal_conn_id) as journal:
                if "delivery" not in options or _deliveries(journal, _THIS, id=options.delivery):
                    return command(options, journal)
                print(
                    f"There is no delivery {options.delivery} in the journal: `journal list` shows their ids.",
                    file=sys.stderr,
                )
                return _FAILED
        except (PermanentError, PassingError) as error:
            print(error, file=sys.stderr)
            return _FAILED

    return run


@_on_journal
def deliveries(options: Namespace, journal: Journal) -> int:
    """Print the last deliveries, the newest first."""
    from airflow_provider_yandex_orders.journal.database import now

    where, values = "started_at >= :since", {"since": now() - timedelta(days=options.days), "most": options.limit}
    if options.dag_id:
        where, values = f"{where} AND dag_id = :dag", {**values, "dag": options.dag_id}
    found = _deliveries(journal, f"{where} ORDER BY delivery_id DESC LIMIT :most", **values)
    if not found:
        print(f"No delivery in {options.days} days is in the journal, {journal.named}.")
        return _DONE
    lines = [
        (each.delivery_id, _moment(each.started_at), _place(each), _task(each), each.state[0], *_counts(each))
        for each in found
    ]
    heads = ("id", "started (UTC)", "to", "by", "state", *(name.removeprefix("rows_") for name in _COUNTS))
    _print_table(heads, lines)
    return _DONE


@_on_journal
def show(options: Namespace, journal: Journal) -> int:
    """Print one delivery: its counts, what was rejected, its parts."""
    from airflow_provider_yandex_orders.ui.questions import rejected

    (delivery,) = _deliveries(journal, _THIS, id=options.delivery)
    print(f"Delivery {options.delivery} to {_place(delivery)}, by {_task(delivery)}: {delivery.state[0]}")
    for name, value in delivery.row.items():
        if value is not None and (name.endswith("_at") or name.startswith(("rows_", "values_"))):
            print(f"  {name}: {_moment(value) if name.endswith('_at') else f'{value:,}'}")
    for code, rows in rejected(journal, options.delivery):
        print(f"  rejected, {code}: {rows:,}")
    parts = _parts(journal, options.delivery)
    if parts:
        print()
        _print_table(
            _PART, [[_moment(each[name]) if name == "sent_at" else each[name] for name in _PART] for each in parts]
        )
    if delivery.parts.get("sending"):
        print("\nNobody knows whether parts in the state sending arrived. Look at the service, then:")
        print(f"  they are there:      journal arrived {options.delivery}")
        print("  they are not there:  clear the task that sent them")
    return _DONE


@_on_journal
def forget(options: Namespace, journal: Journal) -> int:
    """Let nothing of a delivery count as had: its rows are sent again by whoever reads them next."""
    from airflow_provider_yandex_orders.journal.life import COUNTED

    counted = [each for each in _parts(journal, options.delivery) if each["state"] in COUNTED]
    rows = sum(each["rows"] for each in counted)
    if not options.yes:
        print(
            f"Delivery {options.delivery} has {rows:,} rows in {len(counted)} part(s) that count as sent, those "
            "that the service accepted among them. Once it is forgotten, the next task that reads them sends them "
            "again: conversions count twice, orders without id double, Altcraft's triggers start again. Add --yes to "
            "forget it."
        )
        return _NOTHING
    print(f"Forgotten: {rows:,} rows in {journal.tell(options.delivery, arrived=False)} part(s).")
    return _DONE


@_on_journal
def arrived(options: Namespace, journal: Journal) -> int:
    """Let parts without an answer count as had: people saw them at the service."""
    unanswered = [each for each in _parts(journal, options.delivery) if each["state"] == "sending"]
    other = [each["path"] for each in unanswered if _is_other(each)]
    if other and not options.yes:
        print(
            f"Another try has written {other[0]} anew: the rows in it are not those that went out in delivery "
            f"{options.delivery}. What had not arrived would count as had, and be lost. Where you know from elsewhere, "
            "such as the service's own page, that they arrived, add --yes."
        )
        return _NOTHING
    count = journal.tell(options.delivery, arrived=True)
    if not count:
        print(f"Every part of delivery {options.delivery} that went out was answered: nothing is changed.")
        return _NOTHING
    print(f"Count as arrived: {count} part(s) of delivery {options.delivery}. Clear its task to send the rest.")
    return _DONE


@_on_journal
def purge(options: Namespace, journal: Journal) -> int:
    """Forget what is older than so many days, now."""
    from airflow_provider_yandex_orders.journal import retention

    days = retention.days_of(options.days)
    print(f"Forgotten: {journal.purge(days, always=True):,} part(s) older than {days} days.")
    return _DONE


def _deliveries(journal: Journal, which: str, **given: Any) -> list[Delivery]:
    from airflow_provider_yandex_orders.ui.questions import Delivery, with_parts

    found = journal.ask(f"SELECT * FROM deliveries WHERE {which}", **given)  # noqa: S608 - this module's own words
    return with_parts(journal, [Delivery(dict(row._mapping)) for row in found])


def _parts(journal: Journal, delivery_id: int) -> list[Any]:
    found = journal.ask("SELECT * FROM parts WHERE delivery_id = :id ORDER BY part_id", id=delivery_id)
    return [row._mapping for row in found]


def _is_other(part: Any) -> bool:
    """Whether a part's file is there, and has other rows by now than those that went out."""
    from airflow_provider_yandex_orders.storage import opened_path, read_whole
    from airflow_provider_yandex_orders.storage_faults import STAGING_CURE

    with suppress(FileNotFoundError, PermanentError, PassingError):  # the machine of this command may not see it
        found = sha256(read_whole(opened_path(part["path"], "Read", STAGING_CURE))).hexdigest()
        return part["sha256"] not in (found, repeated(found, part["delivery_id"]))
    return False


def _place(one: Delivery) -> str:
    return f"{one.entity} at {one.host}{one.counter and ', counter '}{one.counter}"


def _task(one: Delivery) -> str:
    index = f"[{one.map_index}]" if one.map_index >= 0 else ""
    return f"{one.dag_id}.{one.task_id}{index} {one.run_id}"


def _counts(one: Delivery) -> list[str]:
    return ["" if one.row[name] is None else f"{one.row[name]:,}" for name in _COUNTS]


def _moment(value: object) -> str:
    return "" if value is None else str(value)[:19]


def _print_table(heads: Sequence[str], lines: Sequence[Sequence[Any]]) -> None:
    rows = [[*heads], *([("" if cell is None else str(cell)) for cell in line] for line in lines)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
