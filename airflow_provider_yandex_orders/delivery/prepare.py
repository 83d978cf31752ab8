# SPDX-License-Identifier: Apache-2.0
"""Everything before the first upload: read, map, check, keep the newest, write parts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from airflow_provider_yandex_orders.delivery.columns import check_mapping, watched
from airflow_provider_yandex_orders.delivery.memory import Memory
from airflow_provider_yandex_orders.delivery.parts import Part, remove_stale, write_parts
from airflow_provider_yandex_orders.delivery.plan import Outlook
from airflow_provider_yandex_orders.delivery.rejects import LinesFile
from airflow_provider_yandex_orders.delivery.same_key import SameKey
from airflow_provider_yandex_orders.delivery.sorter import IN_FUTURE, Sorter
from airflow_provider_yandex_orders.delivery.spool import Spool
from airflow_provider_yandex_orders.delivery.windows import Windows
from airflow_provider_yandex_orders.exceptions import ConfigurationError, RejectedRowsError
from airflow_provider_yandex_orders.journal.records import Verdict
from airflow_provider_yandex_orders.rows.check import RowChecker
from airflow_provider_yandex_orders.rows.formats import FileFormat
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.rows.options import CheckOptions
from airflow_provider_yandex_orders.sources.base import RowStream, Source
from airflow_provider_yandex_orders.sources.columns import labels

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

log = logging.getLogger(__name__)

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

    :param kind: what they are.
    :param options: how this run checks them.
    :param limits: sizes and tolerance.
    :param folder: where parts and rejects go.
    :param files: names of the upload's files and how each is written: one, or one an identifier.
    :param counted: told how many rows there are of which sort, before anything can fail for it.
    :param memory: what the journal knows: without it all rows are sent.
    :param merge_mode: what the service does with fields that a row does not have.
    :param same_key: what becomes of rows of one key that differ.
    :param sends: whether they are sent; else it is told what would become of them.
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

    @property
    def mapped_only(self) -> bool:
        """Whether rows change some fields of what the service has: nothing is written that the source does not have,
        and no default stands for it."""
        return self.merge_mode != "SAVE"


@dataclass(slots=True)
class Prepared:
    """What is ready to be sent, and what is not.

    :param parts: the files, in the order they are sent.
    :param rows_delivered: rows an earlier try of this task brought through.
    :param rejected_codes: rejected rows by the code of their fault.
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
    rows_delivered: int = 0
    rows_old: int = 0
    rows_late: int = 0
    rows_future: int = 0
    values_dropped: int = 0
    rejected_path: str | None = None
    dropped_path: str | None = None
    deferred_path: str | None = None
    rejected_codes: Mapping[str, int] = field(default_factory=dict)
    has_keyless: bool = False
    plan: dict[str, Any] = field(default_factory=dict)


def prepare(source: Source, plan: Plan) -> Prepared:
    """Read the source once and write the parts of an upload.

    :param source: where rows come from.
    :param plan: what they are to become.
    :raises SourceError: the source cannot be read, or its columns do not fit.
    :raises RejectedRowsError: more bad rows than ``max_rejected``.
    """
    kind, limits, folder = plan.kind.for_changes() if plan.mapped_only else plan.kind, plan.limits, plan.folder
    check_mapping(source.columns, kind)
    number = 0
    with ExitStack() as opened:
        with source.open() as stream:
            checker = RowChecker(kind, _as_read(plan.options, stream), labels(source.columns))
            sorter = Sorter(plan, kind, checker, opened)
            for number, row in enumerate(watched(source, kind, stream, require_key=plan.options.require_key), start=1):
                sorter.take(number, row)
        sorter.settle()
        rejected, spool = sorter.rejected, sorter.spool
        prepared = Prepared(
            rows_read=number,
            rows_rejected=rejected.entries,
            rows_duplicate=number - rejected.entries - sorter.deferred.entries - spool.kept(),
            rows_deferred=sorter.deferred.entries,
            rows_future=sorter.notes[IN_FUTURE],
            values_dropped=sorter.dropped.entries,
            rejected_path=rejected.path,
            dropped_path=sorter.dropped.path,
            deferred_path=sorter.deferred.path,
            rejected_codes=rejected.codes,
            has_keyless=spool.keyless() > 0,
        )
        plan.counted(prepared)
        _check_owners(plan, spool)
        sorter.tell(prepared)
        sorter.check_rejected(source, number)
        sorter.check_dropped(source)
        memory, written = plan.memory, 0
        if memory is not None:
            _subtract(memory, spool, prepared)
        column = checker.column_of(kind.created) if kind.created else ""
        outlook = Outlook(limits.windows, column, rejected, sorter.deferred)
        spool.leave_out(outlook.left_out(spool.noted()))
        outlook.tell()
        prepared.rows_old, prepared.rows_late = outlook.codes["too_old"], outlook.codes["too_late"]
        prepared.rows_rejected, prepared.rejected_path = rejected.entries, rejected.path
        prepared.rows_deferred, prepared.deferred_path = sorter.deferred.entries, sorter.deferred.path
        if memory is not None and memory.as_of is not None:
            prepared.plan = outlook.plan(memory.verdicts, rejected.codes, memory.as_of)
        if outlook.codes:
            plan.counted(prepared)
            sorter.check_rejected(source, number)
        earlier = memory.earlier if memory else []
        keeps = bool(prepared.plan) and any(each.name == kind.version and not each.sent for each in kind.fields)
        versions = opened.enter_context(LinesFile(folder / "versions.jsonl")) if keeps else None
        for name, form in plan.files.items():
            lines = spool.lines(name)
            if plan.mapped_only and form.narrow:
                head, cut = form.narrow(sorter.filled)
                form, lines = replace(form, head=head), map(cut, lines)
            for part in write_parts(
                lines,
                folder,
                form,
                name=name,
                max_rows=limits.max_part_rows,
                max_bytes=limits.max_part_bytes,
                first=max((part.number for part in earlier), default=0) + 1,
            ):
                if memory is not None:
                    first, last = written + 1, written + part.rows
                    part = memory.plan(part, spool.written(first, last))
                    if versions is not None:  # the parts do not hold what tells which of two rows is newer
                        for moment in spool.versions(first, last):
                            versions.write({kind.version: f"{moment}+00:00" if moment else None})
                prepared.parts.append(part)
                written += part.rows
    if versions is not None:
        prepared.plan["versions_path"] = versions.path
    remove_stale(folder, [*(part.path for part in earlier), *(part.path for part in prepared.parts)])
    return prepared


def _subtract(memory: Memory, spool: Spool, prepared: Prepared) -> None:
    """Keep of the rows those that the destination does not have."""
    memory.subtract(spool)
    prepared.rows_unchanged = memory.unchanged
    prepared.rows_delivered = memory.verdicts[Verdict.DELIVERED]
    if not memory.repeats.resend:
        prepared.rows_outdated = memory.verdicts[Verdict.OUTDATED]
    if prepared.rows_unchanged or prepared.rows_outdated or prepared.rows_delivered:
        log.info(
            "Not sent: %d rows the destination has, %d older than what it has, %d sent by an earlier try.",
            prepared.rows_unchanged,
            prepared.rows_outdated,
            prepared.rows_delivered,
        )


def _as_read(options: CheckOptions, stream: RowStream) -> CheckOptions:
    """The options, with how this source writes its values."""
    is_null = stream.reading.is_null()
    nulls = {word for word in map(str, options.status_map) if word and is_null(word)}
    if nulls:
        raise ConfigurationError(
            f"status_map cannot map {', '.join(sorted(nulls))}: the source reads such words as nothing. Map the empty "
            "text instead, or give the source other null_values=."
        )
    of_rows = replace(options.of_rows or options, reading=stream.reading_of_rows or stream.reading)
    return replace(options, reading=stream.reading, of_rows=of_rows)


def _check_owners(plan: Plan, spool: Spool) -> None:
    """Make sure that no customer has more rows than the service takes.

    :raises RejectedRowsError: one has.
    """
    limit = plan.kind.owner_limit
    for _owner, rows in spool.owners():
        if limit and rows > limit:
            raise RejectedRowsError(
                f"Check rows: one value of {plan.kind.owner} stands in {rows:,} rows, and the service takes {limit:,} "
                "of one customer. Nothing was sent. A value that stands for all guests is no customer: send such "
                "orders as simplified orders, with their own e-mail or phone."
            )
