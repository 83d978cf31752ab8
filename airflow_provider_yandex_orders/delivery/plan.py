# SPDX-License-Identifier: Apache-2.0
"""What rows are to become, and what has become of them before the first is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_yandex_orders.delivery.parts import Part
from airflow_provider_yandex_orders.delivery.same_key import SameKey
from airflow_provider_yandex_orders.journal.records import Verdict
from airflow_provider_yandex_orders.rows.faults import Fault
from airflow_provider_yandex_orders.rows.formats import FileFormat
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.rows.options import CheckOptions

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    from airflow_provider_yandex_orders.delivery.memory import Memory
    from airflow_provider_yandex_orders.journal.records import EntryOf

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
        """Why a row is of no use any more."""
        fix = 'send rows sooner; too_old="send" sends such as well'
        if age >= OLD and verdict == Verdict.NEW.value:
            reason = f"was made more than {self.link_days} days ago and is new to the service: it will find no visit"
            return Fault(column, "too_old", reason, fix)
        if age == ANCIENT and verdict in (Verdict.CHANGED.value, Verdict.UNCLEAR.value):
            reason = f"was made more than {self.change_days} days ago: the service takes no changes of it any more"
            return Fault(column, "too_late", reason, fix)
        return None


FEW = 5
"""Fewer values than these are never too many for a share: one typing error in three rows says nothing."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How large things may get.

    :param max_rejected: rejected rows that are put up with: a number, or a share below 1.
    :param max_dropped: values of one column that may be left out: a number, or a share of the column's values below 1.
    :param max_part_rows: rows of one file.
    :param max_part_bytes: bytes of one file.
    :param windows: how old rows may be; ``None`` for any age.
    """

    max_rejected: float = 0
    max_dropped: float = 0.2
    max_part_rows: int = 50_000
    max_part_bytes: int = 100_000_000
    windows: Windows | None = None

    def allows(self, rejected: int, read: int) -> bool:
        """Whether so many rejects are put up with."""
        return _within(self.max_rejected, rejected, read)

    def allows_dropped(self, dropped: int, values: int) -> bool:
        """Whether so many values of a column may be left out; a few are no share."""
        is_share = 0 < self.max_dropped < 1
        return (is_share and dropped < FEW) or _within(self.max_dropped, dropped, values)


def _within(most: float, bad: int, of_all: int) -> bool:
    if 0 < most < 1 and of_all:
        return bad / of_all <= most  # 0.29 * 100 is less than 29
    return bad <= most


@dataclass(frozen=True, slots=True)
class Plan:
    """What rows are to become.

    :param files: names of the upload's files and how each is written: one, or one an identifier.
    :param counted: told how many rows there are of which sort, before anything can fail for it.
    :param memory: what the journal knows: without it all rows are sent.
    :param merge_mode: what the service does with fields that a row does not have.
    :param sends: whether they are sent; else it is told what would become of them.
    :param workers: how many processes check rows.
    """

    kind: RowKind
    options: CheckOptions
    limits: Limits
    folder: ObjectStoragePath
    files: Mapping[str, FileFormat]
    counted: Callable[[Prepared], object] = lambda _prepared: None
    merge_mode: str = "SAVE"
    memory: Memory | None = None
    same_key: SameKey = field(default_factory=SameKey)
    sends: bool = True
    workers: int = 1

    @property
    def entry_of(self) -> EntryOf | None:
        """Makes the journal's entry of a row; ``None`` where there is no journal."""
        return self.memory.entry_of if self.memory else None

    @property
    def mapped_only(self) -> bool:
        """Whether rows change some fields of what the service has: nothing is written that the source does not have,
        and no default stands for it."""
        return self.merge_mode != "SAVE"


@dataclass(slots=True)
class Prepared:
    """What is ready to be sent, and what is not.

    :param parts: the files, in the order they are sent.
    :param rows_sent: rows an earlier try of this task brought through.
    :param rejected: rejected rows by the code of their fault: how many, and what the first is.
    :param dropped: values left out, likewise.
    :param has_keyless: some rows have no key and would double if sent again.
    :param plan: what the journal says of the rows, where they are not sent by this task.
    """

    parts: list[Part] = field(default_factory=list)
    rows_read: int = 0
    rows_rejected: int = 0
    rows_duplicate: int = 0
    rows_deferred: int = 0
    rows_unchanged: int = 0
    rows_outdated: int = 0
    rows_sent: int = 0
    rows_old: int = 0
    rows_late: int = 0
    rows_future: int = 0
    values_dropped: int = 0
    rejected_path: str | None = None
    dropped_path: str | None = None
    deferred_path: str | None = None
    rejected: dict[str, dict[str, Any]] = field(default_factory=dict)
    dropped: dict[str, dict[str, Any]] = field(default_factory=dict)
    has_keyless: bool = False
    plan: dict[str, Any] = field(default_factory=dict)
