# SPDX-License-Identifier: Apache-2.0
"""What the command ``check`` prints of an upload. No values of rows are shown: a terminal's text travels."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.sources.parts import PartsSource, parts_in

_SHOWN_WORDS = 20


def print_parts(delivery: Mapping[str, Any], kind: RowKind) -> None:
    """What the files that would be sent hold, read again."""
    parts = parts_in(delivery)
    size = sum(part["bytes"] for part in parts)
    print(f"\nWould be sent: {delivery['rows_prepared']:,} rows in {len(parts):,} file(s) of {size:,} bytes")
    name, words = kind.status or "Target", Counter[str]()
    first, last = "", ""
    with PartsSource(delivery).open() as stream:
        for row in stream.rows:
            words[str(row.get(name) or "")] += 1
            made = str(row.get(kind.created or "") or "")
            first, last = min(first or made, made or first), max(last, made)
    common = words.most_common(_SHOWN_WORDS)
    if any(word for word, _ in common):
        more = f", and {len(words) - len(common):,} other words" if len(words) > len(common) else ""
        told = ", ".join(f"{word or '(empty)'} {count:,}" for word, count in common)
        print(f"  {name}: {told}{more}")
    for amount, by_currency in delivery["plan"]["money"].items():
        told = ", ".join(f"{Decimal(total):,f} {code}" for code, total in by_currency.items())
        print(f"  {amount}: {told}")
    if first:
        print(f"  {kind.created}: {first} to {last}")


def print_faults(title: str, path: str | None, examples: int, *, kept: bool) -> None:
    """The faults of a file of faults: of each code how many, and the first; where it lies, if it is kept."""
    if path is None:
        return
    counts: Counter[str] = Counter()
    shown: dict[str, list[str]] = defaultdict(list)
    with Path(path).open("rb") as file:
        for fault in map(msgspec.json.decode, file):
            counts[fault["code"]] += 1
            if len(shown[fault["code"]]) < examples:
                key = f" ({fault['key']})" if fault["key"] else ""
                column = f", column {fault['column']}" if fault["column"] else ""
                also = f"; also {', '.join(each['code'] for each in fault['also'])}" if "also" in fault else ""
                shown[fault["code"]].append(f"row {fault['row']}{key}{column}: {fault['reason']}; {fault['fix']}{also}")
    print(f"\n{title}: {sum(counts.values()):,}")
    for code, count in counts.most_common():
        print(f"  {code}: {count:,}")
        for told in shown[code]:
            print(f"    {told}")
    if kept:
        print(f"  All of them: {path}")
