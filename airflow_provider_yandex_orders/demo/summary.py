# SPDX-License-Identifier: Apache-2.0
"""What a day came to, in a few lines: from what its task returned and the files it left."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from textwrap import shorten
from typing import Any

from airflow_provider_yandex_orders.demo.folder import local_path

WIDTH = 96
SORTS = {
    "rows_unchanged": "unchanged and left out",
    "rows_outdated": "older than what is there",
    "rows_duplicate": "left out as duplicates",
    "rows_deferred": "kept for later",
    "rows_rejected": "rejected",
    "values_dropped": "sent without a bad value",
}


def delivery_lines(delivery: Mapping[str, Any]) -> Iterator[str]:
    """Yield what became of the rows of an upload, and why some were not sent.

    :param delivery: what the upload's task returned
    """
    yield from count_lines(delivery)
    if delivery.get("rejected_path"):
        yield from reasons(local_path(delivery["rejected_path"]))


def count_lines(delivery: Mapping[str, Any]) -> Iterator[str]:
    """Yield how many rows of an upload there were of which sort, and their money.

    :param delivery: what the upload's task returned
    """
    sorts = (f"{delivery[key]:,} {meaning}" for key, meaning in SORTS.items() if delivery.get(key))
    yield ", ".join((f"{delivery['rows_read']:,} rows read: {delivery['rows_sent']:,} sent", *sorts))
    if delivery.get("money"):
        yield "money sent: " + ", ".join(f"{Decimal(total):,} {code}" for code, total in delivery["money"].items())


def reasons(file: Path) -> Iterator[str]:
    """Yield each reason of a file of faults with its count and what to do, the most frequent first."""
    counts: Counter[tuple[str, str, str]] = Counter()
    with file.open(encoding="utf-8") as lines:
        for fault in map(json.loads, lines):
            counts[fault["code"], fault.get("column") or "", fault.get("fix") or ""] += 1
    for (code, column, fix), count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        yield shorten(f"{count:,} {code}{f' ({column})' if column else ''}: {fix}", WIDTH, placeholder=" ...")


def fetch_lines(stats: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was fetched.

    :param stats: what the fetch's task returned
    """
    yield f"{stats['orders']:,} orders in {stats['pages']:,} pages"
    yield "tables: " + ", ".join(f"{count:,} {name}" for name, count in stats["rows"].items())
