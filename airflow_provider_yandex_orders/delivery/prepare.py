# SPDX-License-Identifier: Apache-2.0
"""Everything before the first upload: read, map, check, keep the newest, write parts."""

from __future__ import annotations

import logging
import pickle
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

from airflow_provider_yandex_orders.delivery.columns import check_mapping, watched
from airflow_provider_yandex_orders.delivery.memory import REPEAT, Memory
from airflow_provider_yandex_orders.delivery.parts import Part, remove_stale, write_parts
from airflow_provider_yandex_orders.delivery.rejects import FaultFile, LinesFile
from airflow_provider_yandex_orders.delivery.same_key import SameKey
from airflow_provider_yandex_orders.delivery.spool import Spool
from airflow_provider_yandex_orders.exceptions import RejectedRowsError
from airflow_provider_yandex_orders.journal.records import Verdict
from airflow_provider_yandex_orders.privacy import shown_key
from airflow_provider_yandex_orders.rows.check import RowChecker
from airflow_provider_yandex_orders.rows.dates import DOUBLED, SKIPPED
from airflow_provider_yandex_orders.rows.faults import Checked, Fault
from airflow_provider_yandex_orders.rows.formats import FileFormat
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.rows.options import CheckOptions
from airflow_provider_yandex_orders.sources.base import Row, RowStream, Source, UnreadableRow
from airflow_provider_yandex_orders.sources.columns import labels

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

log = logging.getLogger(__name__)

UNIT = "\x1f"
SHOWN_KEYS = 3
"""How many keys a message names."""


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
    :param memory: what the journal knows: without it all rows are sent.
    :param mapped_only: rows change some fields of what the service has: nothing is written that the source does not
        have, and no default stands for it.
    :param same_key: what becomes of rows of one key that differ.
    """

    kind: RowKind
    options: CheckOptions
    limits: Limits
    folder: ObjectStoragePath
    files: Mapping[str, FileFormat]
    counted: Callable[[Prepared], object] = lambda _prepared: None
    mapped_only: bool = False
    memory: Memory | None = None
    same_key: SameKey = field(default_factory=SameKey)


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
            sorter = _Sorter(plan, kind, checker, opened)
            for number, row in enumerate(watched(source, kind, stream, require_key=plan.options.require_key), start=1):
                sorter.take(number, row)
        sorter.settle()
        rejected, spool = sorter.rejected, sorter.spool
        prepared = Prepared(
            rows_read=number,
            rows_rejected=rejected.entries,
            rows_duplicate=number - rejected.entries - sorter.deferred.entries - spool.kept(),
            rows_deferred=sorter.deferred.entries,
            values_dropped=sorter.dropped.entries,
            rejected_path=rejected.path,
            dropped_path=sorter.dropped.path,
            deferred_path=sorter.deferred.path,
            rejected_codes=rejected.codes,
            has_keyless=spool.keyless() > 0,
        )
        plan.counted(prepared)
        _check_owners(plan, spool)
        _log_rows(prepared, rejected, sorter.dropped, sorter.notes, limits)
        if not limits.allows(prepared.rows_rejected, prepared.rows_read):
            raise RejectedRowsError(
                f"Check rows of {source!r}: {rejected.entries} of {number} rows cannot be sent ({rejected.by_code()}) "
                f"and max_rejected is {limits.max_rejected:g}. Nothing was sent. {sorter.differing()}Each row, its "
                f"fault and the fix: {rejected.path}. Correct the rows and run the task again, or raise max_rejected."
            )
        memory, written = plan.memory, 0
        if memory is not None:
            _subtract(memory, spool, prepared)
            if memory.as_of is not None:
                prepared.plan = _plan(memory, prepared, sorter.notes["older_than_window"])
        earlier = memory.earlier if memory else []
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
                    part = memory.plan(part, spool.written(written + 1, written + part.rows))
                prepared.parts.append(part)
                written += part.rows
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


def _plan(memory: Memory, prepared: Prepared, too_old: int) -> dict[str, Any]:
    """What would become of the rows, told as a table too."""
    told = ("new", "changed", "unchanged", "outdated", "unclear")
    counts: dict[str, Any] = {name: memory.verdicts[Verdict(name)] for name in told}
    counts["too_old_to_link"] = too_old
    rejected = dict(prepared.rejected_codes)
    table = [*counts.items(), *((f"rejected: {code}", rows) for code, rows in rejected.items())]
    log.info("Plan:\n%s", "\n".join(f"  {name:<32}{rows:>12,}" for name, rows in table))
    return {**counts, "rejected": rejected, "as_of": memory.as_of}


def _as_read(options: CheckOptions, stream: RowStream) -> CheckOptions:
    """The options, with how this source writes its values."""
    of_rows = replace(options.of_rows or options, reading=stream.reading_of_rows or stream.reading)
    return replace(options, reading=stream.reading, of_rows=of_rows)


class _Sorter:
    """Puts each row where it belongs: to those that are sent, rejected, or deferred.

    :param plan: what the rows are to become.
    :param kind: what they are.
    :param checker: checks them.
    :param opened: closes what is opened.
    """

    def __init__(self, plan: Plan, kind: RowKind, checker: RowChecker, opened: ExitStack) -> None:
        self._plan, self._kind, self._check = plan, kind, checker
        self.spool = opened.enter_context(Spool())
        self._apart = opened.enter_context(Spool()) if plan.same_key.merges else None
        self.rejected = opened.enter_context(FaultFile(plan.folder / "rejected.jsonl"))
        self.dropped = opened.enter_context(FaultFile(plan.folder / "dropped.jsonl"))
        self.deferred = opened.enter_context(LinesFile(plan.folder / "deferred.jsonl"))
        self.notes: Counter[str] = Counter()
        self.filled: set[str] = set()
        self._file_of = _file_chooser(plan)
        self._window_start, self._now = _window_start(plan.limits), time.time()
        self._encoders = {
            name: form.encode_cells if plan.mapped_only and form.encode_cells else form.encode
            for name, form in plan.files.items()
        }
        self._unsent = [each.name for each in kind.fields if not each.sent and each.name != kind.version]
        self._differing_keys: list[str] = []
        self._differing = 0

    def take(self, number: int, row: Row) -> None:
        """Take one row of the source."""
        if isinstance(row, UnreadableRow):
            self.rejected.add(number, None, [Fault("", "unreadable", row.reason, row.fix)])
            return
        found = self._check.convert(row)
        if self._apart is None or found.key is None or found.faults:
            self._complete([number], found)
        else:
            self._apart.add(number, found.key, found.version, pickle.dumps(found))

    def settle(self) -> None:
        """When all rows are in: leave one of each key."""
        if self._apart is not None:
            self._apart.settle(copies=True)
            for _key, members in groupby(self._apart.by_key(), key=lambda each: each[1]):
                self._merge(members)
        self.spool.settle(last=self._plan.same_key.last)
        for key, members in groupby(self.spool.differing(), key=lambda each: each[1]):
            self._refuse([number for number, *_ in members], key)

    def _merge(self, members: Iterator[tuple[int, str, bytes]]) -> None:
        first: Checked | None = None
        numbers: list[int] = []

        def values() -> Iterator[dict[str, Any]]:
            nonlocal first
            for number, _key, line in members:
                numbers.append(number)
                found: Checked = pickle.loads(line)  # noqa: S301 - written by this process into a file of its own
                if first is None:
                    first = found
                else:
                    first.dropped += found.dropped
                    first.notes += found.notes
                yield found.values

        merged = self._plan.same_key.merged(values())
        if first is not None:
            first.values = merged
            self._complete(numbers, first)

    def _complete(self, numbers: Sequence[int], found: Checked) -> None:
        """Look at a whole row, or at what several rows make together."""
        checked = self._check.complete(found)
        if checked.faults:
            for number in numbers:
                self.rejected.add(number, checked.label, [*checked.faults, *checked.dropped])
            return
        for fault in checked.dropped:
            self.dropped.add(numbers[0], checked.label, [fault])
        values, kind = checked.values, self._kind
        if kind.not_future and values[kind.not_future] > self._now:
            self.deferred.write(values)
            return
        self.notes.update(dict.fromkeys(checked.notes, 1))
        if values.get(kind.created or "", "9") < self._window_start:
            self.notes["older_than_window"] += 1
        if self._plan.mapped_only:
            self.filled.update(name for name, value in values.items() if value != [])
        file = self._file_of(values)
        self.spool.add(
            numbers[0],
            checked.key,
            checked.version,
            self._encoders[file](values),
            mark=UNIT.join(str(values.get(name, "")) for name in self._unsent),
            file=file,
            owner=values.get(kind.owner or ""),
        )

    def _refuse(self, numbers: Sequence[int], key: str) -> None:
        label = key if self._kind.key == (self._kind.label,) else None
        fault = Fault(
            ", ".join(self._kind.key),
            "rows_differ",
            f"{len(numbers)} rows have this key and differ, and nothing tells which is the newest",
            self._ways(),
        )
        for number in numbers:
            self.rejected.add(number, label, [fault])
        self._differing += 1
        if len(self._differing_keys) < SHOWN_KEYS:
            self._differing_keys.append(shown_key(label) if label else f"that of row {numbers[0]}")

    def _ways(self) -> str:
        version = f"map {self._kind.version}, which tells the newest; or " if self._kind.version else ""
        money = next((each.name for each in self._kind.sent_fields if each.type.adds), None)
        sums = f' or {{"{money}": "sum"}}' if money else ""
        return f'{version}same_key="last" sends the last; or same_key="merge"{sums} makes one row of them'

    def differing(self) -> str:
        """A sentence about keys whose rows differ, where there are any."""
        if not self._differing:
            return ""
        shown = ", ".join(self._differing_keys)
        more = ", ..." if self._differing > len(self._differing_keys) else ""
        return f"{self._differing} keys have rows that differ ({shown}{more}): {self._ways()}. "


def _file_chooser(plan: Plan) -> Callable[[Mapping[str, Any]], str]:
    """The file a row goes to: the only one, or that of the first identifier the row has."""
    first, *others = (name for name in plan.files if name != REPEAT)
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
