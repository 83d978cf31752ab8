# SPDX-License-Identifier: Apache-2.0
"""Everything before the first upload: read, map, check, keep the newest, write parts."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from airflow_provider_yandex_orders.delivery.columns import check_mapping, watched
from airflow_provider_yandex_orders.exceptions import RejectedRowsError
from airflow_provider_yandex_orders.parts.files import Part, write_parts
from airflow_provider_yandex_orders.parts.rejects import FaultFile
from airflow_provider_yandex_orders.parts.spool import Spool
from airflow_provider_yandex_orders.rows import csv_file
from airflow_provider_yandex_orders.rows.check import Fault, row_checker
from airflow_provider_yandex_orders.rows.convert import Rules
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.sources.base import Source, UnreadableRow

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
    values_dropped: int = 0
    rejected_path: str | None = None
    has_keyless: bool = False


def prepare(source: Source, kind: RowKind, rules: Rules, limits: Limits, folder: ObjectStoragePath) -> Prepared:
    """Read the source once and write the parts of an upload.

    :param source: where rows come from.
    :param kind: what they are.
    :param rules: how this run checks them.
    :param limits: sizes and tolerance.
    :param folder: where parts and rejects go.
    :raises SourceError: the source cannot be read, or its columns do not fit.
    :raises RejectedRowsError: more bad rows than ``max_rejected``.
    """
    check_mapping(source.columns, kind)
    check, encode = row_checker(kind, rules, source.columns), csv_file.line_encoder(kind)
    window_start = _window_start(limits)
    version, created = kind.version or "", kind.created or ""
    notes: Counter[str] = Counter()
    number = 0
    with (
        Spool() as spool,
        FaultFile(folder / "rejected.jsonl") as rejected,
        FaultFile(folder / "dropped.jsonl") as dropped,
    ):
        with source.open() as stream:
            for number, row in enumerate(watched(source, kind, stream, require_key=rules.require_key), start=1):
                if isinstance(row, UnreadableRow):
                    rejected.add(number, None, [Fault("", "unreadable", row.reason, row.fix)])
                    continue
                checked = check(row)
                if checked.faults:
                    rejected.add(number, checked.key, [*checked.faults, *checked.dropped])
                    continue
                for fault in checked.dropped:
                    dropped.add(number, checked.key, [fault])
                notes.update(checked.notes)
                if checked.values.get(created, "9") < window_start:
                    notes["older_than_window"] += 1
                spool.add(checked.key, checked.values.get(version, ""), encode(checked.values))
        prepared = Prepared(
            rows_read=number,
            rows_rejected=rejected.entries,
            rows_duplicate=spool.added - spool.kept(),
            values_dropped=dropped.entries,
            rejected_path=rejected.path,
            has_keyless=spool.keyless() > 0,
        )
        _log_rows(prepared, rejected, dropped, notes, limits)
        if not limits.allows(prepared.rows_rejected, prepared.rows_read):
            raise RejectedRowsError(
                f"Check rows of {source!r}: {rejected.entries} of {number} rows cannot be sent ({rejected.by_code()}) "
                f"and max_rejected is {limits.max_rejected:g}. Nothing was sent. Each row, its fault and the fix: "
                f"{rejected.path}. Correct the rows and run the task again, or raise max_rejected."
            )
        prepared.parts = write_parts(
            spool.lines(),
            folder,
            header=csv_file.header(kind),
            max_rows=limits.max_part_rows,
            max_bytes=limits.max_part_bytes,
        )
    return prepared


def _window_start(limits: Limits) -> str:
    """Beginning of the linking window as text: converted dates compare with it as texts do."""
    if limits.window_days is None:
        return ""
    return (datetime.now(UTC) - timedelta(days=limits.window_days)).date().isoformat()


def _log_rows(
    prepared: Prepared, rejected: FaultFile, dropped: FaultFile, notes: Mapping[str, int], limits: Limits
) -> None:
    log.info(
        "Rows read: %d, rejected: %d, older versions of the same key: %d.",
        prepared.rows_read,
        prepared.rows_rejected,
        prepared.rows_duplicate,
    )
    if rejected.entries:
        log.warning("Rejected rows (%s): %s", rejected.by_code(), rejected.path)
        for line in rejected.first:
            log.warning("  %s", line)
    if dropped.entries:
        log.warning("Values left out of rows that are sent (%s): %s", dropped.by_code(), dropped.path)
    for note, count in notes.items():
        if note == "older_than_window":
            log.warning(
                "%d rows were made more than %s days ago: orders the service does not know yet will find no visit.",
                count,
                limits.window_days,
            )
        else:
            log.warning("%d rows had no %s: the service's default is sent.", count, note.removeprefix("default_"))
