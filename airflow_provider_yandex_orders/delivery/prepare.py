# SPDX-License-Identifier: Apache-2.0
"""Everything before the first upload: read, map, check, keep the newest, write parts."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

from airflow_provider_yandex_orders.delivery.columns import check_mapping, check_read, watched
from airflow_provider_yandex_orders.delivery.memory import Memory
from airflow_provider_yandex_orders.delivery.outlook import Outlook, tell_plan
from airflow_provider_yandex_orders.delivery.parts import Amounts, remove_stale, write_parts
from airflow_provider_yandex_orders.delivery.plan import Plan, Prepared
from airflow_provider_yandex_orders.delivery.rejects import LinesFile
from airflow_provider_yandex_orders.delivery.shared import take_shared
from airflow_provider_yandex_orders.delivery.sorter import IN_FUTURE, Sorter
from airflow_provider_yandex_orders.delivery.spool import Spool
from airflow_provider_yandex_orders.exceptions import ConfigurationError, RejectedRowsError
from airflow_provider_yandex_orders.journal.records import Verdict
from airflow_provider_yandex_orders.log_lines import Pace, folded
from airflow_provider_yandex_orders.rows.check import RowChecker
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.rows.options import CheckOptions
from airflow_provider_yandex_orders.sources.base import RowStream, Source
from airflow_provider_yandex_orders.sources.columns import labels


def prepare(source: Source, plan: Plan) -> Prepared:
    """Read the source once and write the parts of an upload.

    :raises SourceError: the source cannot be read, or its columns do not fit.
    :raises RejectedRowsError: more bad rows than ``max_rejected``.
    """
    check_mapping(source.columns, plan.kind)
    with ExitStack() as opened:
        with folded("Read and check rows"), source.open() as stream:
            sorter = sorter_of(source, plan, stream, opened)
            number = take_shared(sorter, stream.rows, plan.workers) if plan.workers > 1 else sorter.take(stream.rows)
            check_read(source, sorter.kind, stream, sorter.pick)
        sorter.settle()
        kind, checker = sorter.kind, sorter.checker
        rejected, spool = sorter.rejected, sorter.spool
        kept, keyless = spool.kept()
        prepared = Prepared(
            rows_read=number,
            rows_rejected=rejected.entries,
            rows_duplicate=number - rejected.entries - sorter.deferred.entries - kept,
            rows_deferred=sorter.deferred.entries,
            rows_future=sorter.notes[IN_FUTURE],
            values_dropped=sorter.dropped.entries,
            rejected_path=rejected.path,
            dropped_path=sorter.dropped.path,
            deferred_path=sorter.deferred.path,
            rejected=rejected.told,
            dropped=sorter.dropped.told,
            has_keyless=keyless > 0,
        )
        plan.counted(prepared)
        _check_owners(plan, spool)
        sorter.tell()
        sorter.check_rejected(source, number)
        sorter.check_dropped(source)
        memory = plan.memory
        if memory is not None:
            _subtract(memory, spool, prepared)
        column = checker.column_of(kind.created) if kind.created else ""
        outlook = Outlook(plan.limits.windows, column, rejected, sorter.deferred)
        spool.leave_out(outlook.leaves_out)
        outlook.tell()
        if memory is not None and memory.as_of is not None:
            prepared.plan = outlook.plan(memory.verdicts, rejected.codes, memory.as_of)
        if outlook.codes:
            prepared.rows_old, prepared.rows_late = outlook.codes["too_old"], outlook.codes["too_late"]
            prepared.rows_rejected, prepared.rejected_path = rejected.entries, rejected.path
            prepared.rejected = rejected.told
            prepared.rows_deferred, prepared.deferred_path = sorter.deferred.entries, sorter.deferred.path
            plan.counted(prepared)
            sorter.check_rejected(source, number)
        with folded("Write parts"):
            _write(plan, kind, sorter, prepared, opened)
        if prepared.plan:
            tell_plan(prepared.plan)
    return prepared


def sorter_of(source: Source, plan: Plan, stream: RowStream, opened: ExitStack) -> Sorter:
    """What sorts the rows of an open source.

    :raises SourceError: the source's columns do not fit.
    """
    kind = plan.kind.for_changes() if plan.mapped_only else plan.kind
    checker = RowChecker(kind, _as_read(plan.options, stream), labels(source.columns))
    maps = bool(plan.options.status_map) and "" not in plan.options.status_map
    pick = watched(source, kind, stream, require_key=plan.options.require_key, maps=maps)
    return Sorter(plan, kind, checker, pick, opened)


def _write(plan: Plan, kind: RowKind, sorter: Sorter, prepared: Prepared, opened: ExitStack) -> None:
    """Write the parts, and remove those of an earlier try that are of no use any more."""
    memory, spool = plan.memory, sorter.spool
    earlier = memory.earlier if memory else []
    amounts = Amounts(kind)
    keeps = bool(prepared.plan) and any(each.name == kind.version and not each.sent for each in kind.fields)
    versions = opened.enter_context(LinesFile(plan.folder / "versions.jsonl")) if keeps else None

    def told(version: str) -> None:  # the parts do not hold what tells which of two rows is newer
        if versions is not None:
            versions.write({kind.version: f"{version}+00:00" if version else None})

    pace, written = Pace("rows written", spool.kept()[0]), 0
    for name, form in plan.files.items():
        lines = spool.lines(name, told)
        if plan.mapped_only and form.narrow:
            form, cut = form.narrow(sorter.filled)
            lines = map(cut, lines)
        for part in write_parts(
            lines,
            plan.folder,
            form,
            name=name,
            max_rows=plan.limits.max_part_rows,
            max_bytes=plan.limits.max_part_bytes,
            first=max((part.number for part in earlier), default=0) + 1,
            amounts=amounts,
        ):
            prepared.parts.append(part)
            spool.end_part(part.rows)
            written += part.rows
            pace.reached(written)
    if memory is not None:
        prepared.parts = memory.plan(prepared.parts, spool.given())
    if prepared.plan:
        prepared.plan["money"] = amounts.totals
    if versions is not None:
        prepared.plan["versions_path"] = versions.path
    remove_stale(plan.folder, [*(part.path for part in earlier), *(part.path for part in prepared.parts)])


def _subtract(memory: Memory, spool: Spool, prepared: Prepared) -> None:
    """Keep of the rows those that the destination does not have."""
    memory.subtract(spool)
    prepared.rows_unchanged = memory.unchanged
    prepared.rows_sent = memory.verdicts[Verdict.DELIVERED]
    if not memory.repeats.resend:
        prepared.rows_outdated = memory.verdicts[Verdict.OUTDATED]


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
    """Make sure that no customer has more rows than the service takes."""
    limit = plan.kind.owner_limit
    for _owner, rows in spool.owners():
        if limit and rows > limit:
            raise RejectedRowsError(
                f"Check rows: one value of {plan.kind.owner} stands in {rows:,} rows, and the service takes {limit:,} "
                "of one customer. Nothing was sent. A value that stands for all guests is no customer: send such "
                "orders as simplified orders, with their own e-mail or phone."
            )
