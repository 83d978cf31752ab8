# SPDX-License-Identifier: Apache-2.0
"""What would become of rows, known before the first is sent: those too old to be of use, the money, the plan."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from airflow_provider_yandex_orders.delivery.plan import FUTURE, OLD, YOUNG, Plan, Windows
from airflow_provider_yandex_orders.delivery.rejects import FaultFile, LinesFile
from airflow_provider_yandex_orders.journal.records import Verdict
from airflow_provider_yandex_orders.log_lines import say
from airflow_provider_yandex_orders.rows import types
from airflow_provider_yandex_orders.rows.formats import cell
from airflow_provider_yandex_orders.rows.kind import RowKind

log = logging.getLogger(__name__)

_TOLD = (Verdict.NEW, Verdict.CHANGED, Verdict.UNCHANGED, Verdict.OUTDATED, Verdict.UNCLEAR)


class Note(msgspec.Struct, array_like=True):
    """What is kept beside a row until it is known which rows are sent.

    :param label: what names it to people.
    :param cells: the row as a source would give it, where it may have to wait.
    """

    age: int
    label: str | None
    cells: dict[str, str | int]


_decode = msgspec.json.Decoder(Note).decode


class Notes:
    """Makes the notes of rows.

    :param now: seconds since 1970.
    """

    def __init__(self, plan: Plan, kind: RowKind, now: float) -> None:
        self._windows, self._zone, self._now = plan.limits.windows, plan.options.counter_zone, now
        days = (self._windows.change_days, self._windows.link_days) if self._windows else ()
        self._starts = [now - each * 24 * 60 * 60 for each in days]
        self._texts: list[str] = []
        self._holds = self._windows is not None and self._windows.too_old == "hold"
        self._label = kind.label
        self._in_seconds = any(each.name == kind.created and each.type is types.UNIX_TIME for each in kind.fields)

    def age(self, created: object) -> int:
        """The age of a row by the moment it was made: seconds, or the service's text."""
        if created is None or not self._starts:
            return YOUNG
        if isinstance(created, int):
            return sum(created < start for start in self._starts)
        if not self._texts:
            moments = (datetime.fromtimestamp(each, self._zone()) for each in (*self._starts, self._now))
            self._texts = [each.isoformat(" ", "seconds")[:19] for each in moments]
        *starts, now = self._texts
        return FUTURE if str(created) > now else sum(str(created) < start[:10] for start in starts)

    @property
    def quick_age(self) -> Callable[[object], int] | None:
        """The age of rows of which nothing else is noted; ``None`` where their cells are, as they may have to wait."""
        return None if self._holds else self.age

    def young(self) -> tuple[Any, Any] | None:
        """Between what the moment lies of rows of which there is nothing to note; ``None`` where none is asked for."""
        if not self._starts:
            return None
        if self._in_seconds:
            return max(self._starts), 1e11
        self.age("")
        *starts, now = self._texts
        return max(starts)[:10], now

    def of(self, values: Mapping[str, Any], age: int) -> bytes | None:
        """What there is to note of a row; for most there is nothing."""
        if age < OLD:
            return None
        cells = values.items() if self._holds else ()
        kept = {name: each if isinstance(each, int) else cell(each) for name, each in cells}
        return msgspec.json.encode((age, values.get(self._label), kept))


class Outlook:
    """Looks at the rows that are to be sent.

    :param windows: how old they may be; ``None`` for any age.
    :param column: the column of the moment they were made.
    """

    def __init__(self, windows: Windows | None, column: str, rejected: FaultFile, deferred: LinesFile) -> None:
        self.codes: Counter[str] = Counter()
        """Rows that are too old, by the code of that fault, whatever becomes of them."""
        self._windows, self._column, self._rejected, self._deferred = windows, column, rejected, deferred
        self._way = windows.too_old if windows else "send"
        self._reasons: dict[str, str] = {}

    def leaves_out(self, number: int, verdict: str, line: bytes) -> bool:
        """Whether a row is not sent as it is too old."""
        note = _decode(line)
        fault = self._windows and self._windows.fault(note.age, verdict, self._column)
        if fault:
            self.codes[fault.code] += 1
            self._reasons[fault.code] = fault.reason
        if not fault or self._way == "send":
            return False
        if self._way == "hold":
            self._deferred.write(note.cells)
        else:
            self._rejected.add(number, note.label, [fault])
        return True

    def tell(self) -> None:
        """Say in the log what is too old."""
        ends = {"hold": f"They wait in {self._deferred.path}.", "reject": f"All in: {self._rejected.path}"}
        for code, reason in self._reasons.items():
            end = ends.get(self._way, "Sent all the same.")
            say(logging.WARNING, f"{self.codes[code]} rows are {code}: each {reason}. {end}")

    def plan(self, verdicts: Mapping[Verdict, int], rejected: Mapping[str, int], as_of: int) -> dict[str, Any]:
        """What would become of the rows.

        :param as_of: the journal's turn it is made as of.
        """
        counts = {verdict.value: verdicts.get(verdict, 0) for verdict in _TOLD}
        counts |= {"too_old_to_link": self.codes["too_old"], "too_late_to_change": self.codes["too_late"]}
        return {**counts, "rejected": dict(rejected), "money": {}, "as_of": as_of}


def tell_plan(plan: Mapping[str, Any]) -> None:
    """The plan goes to the log as a table."""
    counts = {name: count for name, count in plan.items() if isinstance(count, int) and name != "as_of"}
    counts |= {f"rejected: {code}": rows for code, rows in plan["rejected"].items()}
    sums = [
        (f"{name}, {code}", Decimal(total)) for name, totals in plan["money"].items() for code, total in totals.items()
    ]
    lines = [f"  {name:<32}{rows:>20,}" for name, rows in counts.items()]
    lines += [f"  {name:<32}{total:>20,f}" for name, total in sums]
    for line in ("Plan:", *lines):
        log.info("%s", line)
