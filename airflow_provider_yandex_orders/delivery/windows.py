# SPDX-License-Identifier: Apache-2.0
"""How old a row may be: to find a visit, and to be changed. What is too old is known once the journal has spoken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_provider_yandex_orders.journal.records import Verdict
from airflow_provider_yandex_orders.rows import types
from airflow_provider_yandex_orders.rows.faults import Fault
from airflow_provider_yandex_orders.rows.formats import cell
from airflow_provider_yandex_orders.rows.kind import RowKind

if TYPE_CHECKING:
    from airflow_provider_yandex_orders.delivery.prepare import Plan

WAYS = ("send", "hold", "reject")
"""What may become of rows that are too old."""
FUTURE, YOUNG, OLD, ANCIENT = -1, 0, 1, 2
"""Ages: made in the future, in both windows, before the days of linking, before those of changing."""


@dataclass(frozen=True, slots=True)
class Windows:
    """How long after it was made a row is of use.

    :param link_days: the days in which a row that is new to the service finds a visit.
    :param change_days: the days in which the service takes changes of a row it has.
    :param too_old: what becomes of others, one of :data:`WAYS`: they are sent, wait with the deferred rows, or are
        rejected.
    """

    link_days: int
    change_days: int
    too_old: str = WAYS[0]

    def fault(self, age: int, verdict: str, column: str) -> Fault | None:
        """Why a row is of no use any more.

        :param verdict: what the journal says of it.
        :param column: the column of the moment it was made.
        """
        fix = 'send rows sooner; too_old="send" sends such as well'
        if age >= OLD and verdict == Verdict.NEW.value:
            reason = f"was made more than {self.link_days} days ago and is new to the service: it will find no visit"
            return Fault(column, "too_old", reason, fix)
        if age == ANCIENT and verdict in (Verdict.CHANGED.value, Verdict.UNCLEAR.value):
            reason = f"was made more than {self.change_days} days ago: the service takes no changes of it any more"
            return Fault(column, "too_late", reason, fix)
        return None


class Note(msgspec.Struct, array_like=True):
    """What is kept beside a row until it is known which rows are sent.

    :param age: of the row.
    :param label: what names it to people.
    :param cells: the row as a source would give it, where it may have to wait.
    :param currency: of its amounts.
    :param amounts: by field, where they are to be told.
    """

    age: int
    label: str | None
    cells: dict[str, str | int]
    currency: str
    amounts: dict[str, Decimal]


class Notes:
    """Makes the notes of rows.

    :param plan: what the rows are to become.
    :param kind: what they are.
    :param now: seconds since 1970.
    """

    def __init__(self, plan: Plan, kind: RowKind, now: float) -> None:
        self._windows, self._zone, self._now = plan.limits.windows, plan.options.counter_zone, now
        days = (self._windows.change_days, self._windows.link_days) if self._windows else ()
        self._starts = [now - each * 24 * 60 * 60 for each in days]
        self._texts: list[str] = []
        self._holds = self._windows is not None and self._windows.too_old == "hold"
        self._label = kind.label
        self._amounts = [] if plan.sends else [each.name for each in kind.sent_fields if each.type.adds]
        self._currency = next((each.name for each in kind.fields if each.type in types.CURRENCIES), "")

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

    def of(self, values: Mapping[str, Any], age: int) -> bytes | None:
        """What there is to note of a row; for most there is nothing."""
        if age < OLD and not self._amounts:
            return None
        cells = values.items() if self._holds and age >= OLD else ()
        note = Note(
            age,
            label=values.get(self._label),
            cells={name: each if isinstance(each, int) else cell(each) for name, each in cells},
            currency=values.get(self._currency) or "",
            amounts={name: values[name] for name in self._amounts if name in values},
        )
        return msgspec.json.encode(note)
