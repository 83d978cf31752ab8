# SPDX-License-Identifier: Apache-2.0
"""What values of one field come to by the full checker, kept in mind for words that come again."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from airflow_provider_yandex_orders.rows.cells import is_missing, meant
from airflow_provider_yandex_orders.rows.check import RowChecker
from airflow_provider_yandex_orders.rows.formats import FileFormat, cell, meaning
from airflow_provider_yandex_orders.rows.identifiers import hash_of
from airflow_provider_yandex_orders.rows.kind import Field
from airflow_provider_yandex_orders.sources.columns import Step

Seen = tuple[str, str, str, int, str]
"""What a value comes to: a cell of CSV; a member of a JSON object, with a comma, as the journal knows it and as a file
has it; how many values are counted; and what it tells as a version. An empty one is empty in all."""

_NOTHING: Seen = ("", "", "", 0, "")
_KEPT = 1000
"""Words of one column that are kept in mind, and the greatest length of one."""
_LONGEST = 100


class Known(dict[str, "Seen | None"]):
    """What words come to, asked of the checker when they are first met."""

    def __init__(self, look: Callable[[Any], Seen | None]) -> None:
        super().__init__()
        self._look = look

    def __missing__(self, word: str) -> Seen | None:
        found = self._look(word)
        if len(self) < _KEPT and len(word) <= _LONGEST:
            self[word] = found
        return found


def asker(
    check: RowChecker, declared: Field, column: str, step: Step, target: str | None, json: FileFormat | None
) -> Callable[[Any], Seen | None]:
    """A function that asks the checker what one value comes to; ``None`` where the row must be judged as a whole."""

    def look(value: Any) -> Seen | None:
        known = meant(value, step.is_null, dated=step.dated)
        if known is None or is_missing(known):
            return None if isinstance(value, str) and value.lstrip()[:1] == "#" else _NOTHING
        if declared.type.adds and isinstance(known, str):
            return None  # its word for a currency is compared with the row's
        before = check.values[column]
        found = check.convert({column: known})
        count = check.values[column] - before
        if count:
            check.values[column] = before
        if found.faults or found.dropped or found.notes:
            return None
        if not declared.sent and declared.name == check.kind.version:
            return "", "", "", 0, found.version
        item = found.values[declared.name]
        if target:
            item = list(dict.fromkeys(map(hash_of, item)))
        return seen_as(declared, target or declared.name, item, json, count, found.version)

    return look


def seen_as(declared: Field, name: str, item: Any, json: FileFormat | None, count: int, version: str) -> Seen | None:
    """What a converted value comes to; ``None`` for one that is not plain."""
    text = cell(item)
    if not text or not text.isprintable():
        return None
    if declared.most and (item if isinstance(item, Decimal) else len(item)) > declared.most:
        return None
    member = json.encode({name: item})[1:-1].decode() if json and name in json.names else ""
    return text, meaning({name: item}, (name,))[1:-1].decode() + ",", f"{member},", count, version
