# SPDX-License-Identifier: Apache-2.0
"""How old a row may be: to find a visit, and to be changed. What is too old is known once the journal has spoken."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_yandex_orders.journal.records import Verdict
from airflow_provider_yandex_orders.rows.faults import Fault

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
