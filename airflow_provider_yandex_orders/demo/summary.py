# SPDX-License-Identifier: Apache-2.0
"""The end of the demo in words: what was read, sent and refused, what the service holds, where to look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from textwrap import wrap
from typing import Any

from airflow_provider_yandex_orders.demo.findings import findings, local_path
from airflow_provider_yandex_orders.demo.folder import Folder

WIDTH = 100
DROPPED = "dropped.jsonl"
"""Lies beside the file of rejected rows."""


def lines(delivery: Mapping[str, Any], held: Mapping[str, Any], folder: Folder) -> Iterator[str]:
    """Yield the lines of the summary.

    :param delivery: what the upload task returned
    :param held: what the sandbox says it holds
    :param folder: where the rest lies
    """
    rejected = local_path(delivery["rejected_path"]) if delivery.get("rejected_path") else None
    yield ""
    yield "What was sent"
    yield _count(delivery["rows_read"], "orders read from the CRM")
    yield _count(delivery["rows_sent"], f"sent, in {_plural(len(delivery['parts']), 'file')}")
    for key, meaning in (("rows_duplicate", "left out as duplicates"), ("rows_deferred", "kept for later")):
        if delivery.get(key):
            yield _count(delivery[key], meaning)
    yield _count(delivery["rows_rejected"], "rejected")
    if rejected:
        yield from _found(rejected)
    yield _count(delivery["values_dropped"], "bad values left out of orders that were sent")
    if rejected:
        yield from _found(rejected.with_name(DROPPED))
    yield ""
    yield "What the service holds now"
    yield from _held(held)
    yield ""
    yield "Where to look"
    yield from _places(delivery, rejected, folder)


def _found(file: Path) -> Iterator[str]:
    for finding in findings(file):
        column = f" ({finding.column})" if finding.column else ""
        yield f"{finding.count:>12,}  {finding.code}{column}"
        yield from (f"{'':14}{part}" for part in wrap(finding.fix, WIDTH - 14))


def _held(held: Mapping[str, Any]) -> Iterator[str]:
    yield _count(held["orders"], f"orders of {held['customers']:,} customers:")
    for status, count in sorted(held["by_status"].items(), key=lambda item: -item[1]):
        yield f"{count:>12,}  {status}"
    yield _count(held["orders_received_more_than_once"], "of them received more than once")
    for meaning, by_day in (("revenue", "revenue_by_day"), ("of it paid", "paid_revenue_by_day")):
        for currency, total in sorted(_total(held[by_day]).items()):
            yield f"{total:>12,.2f} {currency}  {meaning}"


def _total(by_day: Mapping[str, Mapping[str, str]]) -> dict[str, Decimal]:
    totals: dict[str, Decimal] = {}
    for by_currency in by_day.values():
        for currency, revenue in by_currency.items():
            totals[currency] = totals.get(currency, Decimal(0)) + Decimal(revenue)
    return totals


def _places(delivery: Mapping[str, Any], rejected: Path | None, folder: Folder) -> Iterator[str]:
    parts = [local_path(part["path"]) for part in delivery["parts"]]
    places = {
        "rejected rows": rejected,
        "files sent": parts[0].parent if parts else None,
        "DAG log": folder.dag_log,
        "service's page": folder.page,
    }
    for name, place in places.items():
        if place is not None:
            yield f"  {name:<15} {_short(place)}"


def _short(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _count(number: int, meaning: str) -> str:
    return f"{number:>8,}  {meaning}"


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
