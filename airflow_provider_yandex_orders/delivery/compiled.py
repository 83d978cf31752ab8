# SPDX-License-Identifier: Apache-2.0
"""The quick pass over rows: a function made for one run and one set of columns, which takes rows that are plainly good.

It has no authority: of a row that is not plainly good it says nothing, and the full checkers judge it. So it can only
be wrong by being narrow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from airflow_provider_yandex_orders.delivery.pass_text import NotPlain, PassText, Run
from airflow_provider_yandex_orders.journal.records import Entry
from airflow_provider_yandex_orders.sources.base import Row

Found = tuple[str | None, int, str, bytes, str, str, str | None, Entry | None, bytes | None]
"""What the spool takes of a row: key, number, version, line, mark, file, owner, entry, note."""
Quick = Callable[[Iterable[tuple[Any, ...]], int, Callable[[Found], object], Callable[[int, Row], object]], int]
"""Goes over the cells of rows with these columns. It is given the number of the row before them, what takes rows that
are plainly good, and what takes others; it gives the number of the last."""


class Compiler:
    """Makes quick passes.

    :param run: what they are made for.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._counted: list[Callable[[], object]] = []

    def make(self, keys: tuple[Any, ...]) -> Quick | None:
        """The pass over rows with these columns; ``None`` where all of them need the full checkers."""
        try:
            text, names, counted = PassText(self._run).of(keys)
        except NotPlain:
            return None
        self._counted += counted
        exec(compile(text, "<quick pass>", "exec"), names)  # noqa: S102 - made of the kind's declaration
        quick: Quick = names["quick"]
        return quick

    def source(self, keys: tuple[Any, ...]) -> str:
        """The source text of the pass, for people; empty where there is none."""
        try:
            return PassText(self._run).of(keys)[0]
        except NotPlain:
            return ""

    def count(self) -> None:
        """Add what the passes have counted to where the full checkers count."""
        for add in self._counted:
            add()
