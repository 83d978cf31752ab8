# SPDX-License-Identifier: Apache-2.0
"""Everything before the first upload: read, map, check, keep the newest, write parts."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_yandex_orders.delivery.columns import check_mapping, watched
from airflow_provider_yandex_orders.delivery.parts import Part, remove_stale, write_parts
from airflow_provider_yandex_orders.delivery.rejects import FaultFile, LinesFile
from airflow_provider_yandex_orders.delivery.spool import Spool
from airflow_provider_yandex_orders.exceptions import RejectedRowsError
from airflow_provider_yandex_orders.rows.check import row_checker
from airflow_provider_yandex_orders.rows.dates import DOUBLED, SKIPPED
from airflow_provider_yandex_orders.rows.faults import Fault
from airflow_provider_yandex_orders.rows.formats import FileFormat
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.rows.options import CheckOptions
from airflow_provider_yandex_orders.sources.base import RowStream, Source, UnreadableRow
from airflow_provider_yandex_orders.sources.columns import labels

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How large things may get.

    :param max_rejected: rejected rows that are put up with: a number, or a share below 1.
    :param max_part_rows: rows of one file.
    :param max_part_bytes: bytes of one file.
    :param window_days: rows made longer ago are counted in a warning.
    """

    max_rejected: float = 0
    max_part_rows: int = 50_000
    max_part_bytes: int = 100_000_000
    window_days: int | None = None

    def allows(self, rejected: int, read: int) -> bool:
        """Whether so many rejects are put up with."""
        if 0 < self.max_rejected < 1 and read:
            return rejected / read <= self.max_rejected  # 0.29 * 100 is less than 29
        return rejected <= self.max_rejected


@dataclass(frozen=True, slots=True)
class Plan:
    """What rows are to become.

    :param kind: what they are.
    :param options: how this run checks them.
    :param limits: sizes and tolerance.
    :param folder: where parts and rejects go.
    :param files: names of the upload's files and how each is written: one, or one an identifier.
    :param counted: told how many rows there are of which sort, before anything can fail for it.
    :param mapped_only: rows change some fields of what the service has: nothing is written that the source does not
        have, and no default stands for it.
    """

    kind: RowKind
    options: CheckOptions
    limits: Limits
    folder: ObjectStoragePath
    files: Mapping[str, FileFormat]
    counted: Callable[[Prepared], None] = lambda _prepared: None
    mapped_only: bool = False


@dataclass(slots=True)
class Prepared:
    """What is ready to be sent, and what is not.

    :param parts: the files, in the order they are sent.
    :param has_keyless: some rows have no key and would double if sent again.
    """

    parts: list[Part] = field(default_factory=list)
    rows_read: int = 0
    rows_rejected: int = 0
    rows_duplicate: int = 0
    rows_deferred: int = 0
    values_dropped: int = 0
    rejected_path: str | None = None
    dropped_path: str | None = None
    deferred_path: str | None = None
    has_keyless: bool = False


def prepare(source: Source, plan: Plan) -> Prepared:
    """Read the source once and write the parts of an upload.

    :param source: where rows come from.
    :param plan: what they are to become.
    :raises SourceError: the source cannot be read, or its columns do not fit.
    :raises RejectedRowsError: more bad rows than ``max_rejected``.
    """
    kind, limits, folder = plan.kind.for_changes() if plan.mapped_only else plan.kind, plan.limits, plan.folder
    check_mapping(source.columns, kind)
    file_of = _file_chooser(plan)
    window_start, now = _window_start(limits), time.time()
    created, owner = kind.created or "", kind.owner or ""
    notes: Counter[str] = Counter()
    filled: set[str] = set()
    encoders = {
        name: form.encode_cells if plan.mapped_only and form.encode_cells else form.encode
        for name, form in plan.files.items()
    }
    number = 0
    with (
        Spool() as spool,
        FaultFile(folder / "rejected.jsonl") as rejected,
        FaultFile(folder / "dropped.jsonl") as dropped,
        LinesFile(folder / "deferred.jsonl") as deferred,
    ):
        with source.open() as stream:
            check = row_checker(kind, _as_read(plan.options, stream), labels(source.columns))
            for number, row in enumerate(watched(source, kind, stream, require_key=plan.options.require_key), start=1):
                if isinstance(row, UnreadableRow):
                    rejected.add(number, None, [Fault("", "unreadable", row.reason, row.fix)])
                    continue
                checked = check(row)
                if checked.faults:
                    rejected.add(number, checked.label, [*checked.faults, *checked.dropped])
                    continue
                for fault in checked.dropped:
                    dropped.add(number, checked.label, [fault])
                values = checked.values
                if kind.not_future and values[kind.not_future] > now:
                    deferred.write(values)
                    continue
                notes.update(dict.fromkeys(checked.notes, 1))
                if values.get(created, "9") < window_start:
                    notes["older_than_window"] += 1
                if plan.mapped_only:
                    filled.update(name for name, value in values.items() if value != [])
                file = file_of(values)
                line = encoders[file](values)
                spool.add(checked.key, checked.version, line, file=file, owner=values.get(owner))
        prepared = Prepared(
            rows_read=number,
            rows_rejected=rejected.entries,
            rows_duplicate=spool.added - spool.kept(),
            rows_deferred=deferred.entries,
            values_dropped=dropped.entries,
            rejected_path=rejected.path,
            dropped_path=dropped.path,
            deferred_path=deferred.path,
            has_keyless=spool.keyless() > 0,
        )
        plan.counted(prepared)
        _check_owners(plan, spool)
        _log_rows(prepared, rejected, dropped, notes, limits)
        if not limits.allows(prepared.rows_rejected, prepared.rows_read):
            raise RejectedRowsError(
                f"Check rows of {source!r}: {rejected.entries} of {number} rows cannot be sent ({rejected.by_code()}) "
                f"and max_rejected is {limits.max_rejected:g}. Nothing was sent. Each row, its fault and the fix: "
                f"{rejected.path}. Correct the rows and run the task again, or raise max_rejected."
            )
        for name, form in plan.files.items():
            lines = spool.lines(name)
            if plan.mapped_only and form.narrow:
                head, cut = form.narrow(filled)
                form, lines = replace(form, head=head), map(cut, lines)
            prepared.parts += write_parts(
                lines,
                folder,
                form,
                name=name,
                max_rows=limits.max_part_rows,
                max_bytes=limits.max_part_bytes,
            )
    remove_stale(folder, prepared.parts)
    return prepared


def _as_read(options: CheckOptions, stream: RowStream) -> CheckOptions:
    """The options, with how this source writes its values."""
    of_rows = replace(options.of_rows or options, reading=stream.reading_of_rows or stream.reading)
    return replace(options, reading=stream.reading, of_rows=of_rows)


def _file_chooser(plan: Plan) -> Callable[[Mapping[str, Any]], str]:
    """The file a row goes to: the only one, or that of the first identifier the row has."""
    first, *others = plan.files
    if not others:
        return lambda _values: first
    return lambda values: next(name for name in plan.files if values.get(name))


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


def _window_start(limits: Limits) -> str:
    """Beginning of the linking window as text: converted dates compare with it as texts do."""
    if limits.window_days is None:
        return ""
    return (datetime.now(UTC) - timedelta(days=limits.window_days)).date().isoformat()


_NOTES = {
    "total_differs": "have a total that is not the sum of what is in them: sent as given.",
    SKIPPED: "have a time that its zone never had, as the clocks were put forward over it: taken by the clocks before "
    "that. Correct it at its source, or give times with their offset.",
    DOUBLED: "have a time that its zone had twice, as the clocks were put back over it: taken as the first of the two. "
    "Give times with their offset.",
}
"""What the log says of rows that are sent with a note."""


def _log_rows(
    prepared: Prepared, rejected: FaultFile, dropped: FaultFile, notes: Mapping[str, int], limits: Limits
) -> None:
    log.info(
        "Rows read: %d, rejected: %d, older versions of the same key: %d, still in the future: %d.",
        prepared.rows_read,
        prepared.rows_rejected,
        prepared.rows_duplicate,
        prepared.rows_deferred,
    )
    if prepared.rows_deferred:
        log.warning("Rows whose time has not come wait for a later run in %s.", prepared.deferred_path)
    if rejected.entries:
        log.warning("Rejected rows (%s): %s", rejected.by_code(), rejected.path)
        for line in rejected.first:
            log.warning("  %s", line)
    if dropped.entries:
        log.warning("Values left out of rows that are sent (%s): %s", dropped.by_code(), dropped.path)
    for note, count in notes.items():
        if not count:
            continue
        if note == "older_than_window":
            log.warning(
                "%d rows were made more than %s days ago: orders the service does not know yet will find no visit.",
                count,
                limits.window_days,
            )
        elif note in _NOTES:
            log.warning(f"%d rows {_NOTES[note]}", count)
        else:
            log.warning("%d rows had no %s: the service's default is sent.", count, note.removeprefix("default_"))
