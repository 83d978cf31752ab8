# SPDX-License-Identifier: Apache-2.0
"""Puts each row of a source where it belongs: to those that are sent, rejected, or deferred."""

from __future__ import annotations

import logging
import marshal
import pickle
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from itertools import chain, groupby, islice
from operator import itemgetter, methodcaller
from typing import Any

from airflow_provider_yandex_orders.delivery.compiled import Compiler, Found, Quick
from airflow_provider_yandex_orders.delivery.memory import REPEAT
from airflow_provider_yandex_orders.delivery.outlook import Notes
from airflow_provider_yandex_orders.delivery.pass_text import Bounds, Run
from airflow_provider_yandex_orders.delivery.plan import FUTURE, Plan
from airflow_provider_yandex_orders.delivery.rejects import FaultFile, LinesFile
from airflow_provider_yandex_orders.delivery.same_key import FIRST
from airflow_provider_yandex_orders.delivery.spool import Spool
from airflow_provider_yandex_orders.delivery.told import Call, Kept, Told
from airflow_provider_yandex_orders.exceptions import RejectedRowsError
from airflow_provider_yandex_orders.log_lines import Pace, say
from airflow_provider_yandex_orders.privacy import is_name, scrub, shown_key
from airflow_provider_yandex_orders.rows.check import RowChecker
from airflow_provider_yandex_orders.rows.dates import DOUBLED, SKIPPED
from airflow_provider_yandex_orders.rows.faults import BadValue, Checked, Fault
from airflow_provider_yandex_orders.rows.formats import meaning
from airflow_provider_yandex_orders.rows.identifiers import COMPLETED
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.sources.base import Row, Source, TableRows, UnreadableRow
from airflow_provider_yandex_orders.sources.columns import Picker

log = logging.getLogger(__name__)

_values = methodcaller("values")
UNIT = "\x1f"
SHOWN_WORDS = 20
STRETCH = 250
"""Rows that go the quick way at once."""
QUICK_WAYS = 100
"""Sets of columns for which a quick pass is made: JSON objects may have any."""
SHOWN_KEYS = 3
"""How many keys a message names."""
IN_FUTURE = "made_in_the_future"
WORD_LENGTH = 40
_NOTES = {
    IN_FUTURE: "are dated in the future: sent as given. Correct the date or the time zone at the source.",
    COMPLETED: "have phones without a country code: that of phone_region was put before them.",
    "total_differs": "have a total that is not the sum of what is in them: sent as given.",
    SKIPPED: "have a time that its zone never had, as the clocks were put forward over it: taken by the clocks before "
    "that. Correct it at its source, or give times with their offset.",
    DOUBLED: "have a time that its zone had twice, as the clocks were put back over it: taken as the first of the two. "
    "Give times with their offset.",
}
"""What the log says of rows that are sent with a note."""


class Sorter:
    """Puts each row where it belongs: to those that are sent, rejected, or deferred."""

    def __init__(self, plan: Plan, kind: RowKind, checker: RowChecker, pick: Picker, opened: ExitStack) -> None:
        self._plan, self.kind, self.checker, self.pick = plan, kind, checker, pick
        self.spool = opened.enter_context(Spool())
        apart = plan.same_key.merges or (plan.mapped_only and kind.version)
        self._apart = opened.enter_context(Spool()) if apart else None
        self._may_be_quick = not apart and not plan.mapped_only
        self.rejected = opened.enter_context(FaultFile(plan.folder / "rejected.jsonl"))
        self.dropped = opened.enter_context(FaultFile(plan.folder / "dropped.jsonl"))
        self.deferred = opened.enter_context(LinesFile(plan.folder / "deferred.jsonl"))
        self.pace = Pace("rows read")
        self.notes: Counter[str] = Counter()
        self.filled: set[str] = set()
        self._file_of, self._entry_of = _file_chooser(plan), plan.entry_of
        self._now = time.time()
        self._noted = Notes(plan, kind, self._now)
        self._status = checker.column_of(kind.status) if kind.status and plan.options.status_map else None
        self._words: Counter[str] = Counter()
        self._quick: dict[tuple[Any, ...], Quick | None] = {}
        self._compiler = Compiler(
            Run(
                checker,
                pick,
                {name: form for name, form in plan.files.items() if name != REPEAT},
                Bounds(self._noted.young, self._noted.quick_age, self._now),
                self.notes,
                self._word if self._status else None,
                self._entry_of,
            )
        )
        self._encoders = {
            name: form.encode_cells if plan.mapped_only and form.encode_cells else form.encode
            for name, form in plan.files.items()
        }
        self._unsent = [each.name for each in kind.fields if not each.sent and each.name != kind.version]
        self._sent = [each.name for each in kind.sent_fields]
        self._differing_keys: list[str] = []
        self._differing = 0

    def take(self, rows: Iterable[Row], first: int = 1) -> int:
        """Take rows of the source; gives the number of the last."""
        number, found = first - 1, list[Found]()
        for names, is_cells, alike in _alike(rows):
            for row in alike:
                if quick := self._quick.get(names):
                    some = chain((row,), islice(alike, STRETCH))
                    cells = some if is_cells else map(tuple, map(_values, some))
                    number = quick(cells, number, found.append, self._take)
                    self.spool.extend(found)
                    found.clear()
                else:
                    number += 1
                    self._take(number, dict(zip(names, row, strict=True)) if is_cells else row)
                self.pace.reached(number)
        self._compiler.count()
        return number

    def _take(self, number: int, row: Row) -> None:
        if isinstance(row, UnreadableRow):
            self.rejected.add(number, None, [Fault("", "unreadable", row.reason, row.fix)])
            return
        picked = self.pick(row)
        if self.pick.near:
            self._quick.clear()  # every row is looked at for a column's name
        if self._status:
            self._word(picked.get(self._status))
        found = self.checker.convert(picked)
        merged = found.key is not None and (self._plan.same_key.merges or not found.faults)
        if self._apart is not None and merged:
            self._apart.add(number, found.key, found.version, pickle.dumps((number, found)))
        elif self._complete([number], found):
            self._hasten(tuple(row))

    def _hasten(self, keys: tuple[Any, ...]) -> None:
        """Let further rows with these columns go the quick way, where they can."""
        if keys not in self._quick and not self.pick.near and self._may_be_quick and len(self._quick) < QUICK_WAYS:
            self._quick[keys] = self._compiler.make(keys)

    def ask_all(self) -> None:
        """Ask the service now for all that rows may need to be asked for."""
        options = self._plan.options
        with suppress(BadValue):  # of services that have no zone
            options.counter_zone()
        for ask in (options.targets, options.statuses):
            if ask is not None:
                ask()

    def tells_only(self) -> Callable[[], Told]:
        """Keep from now on what would be written or counted; the function gives what was kept, and forgets it."""
        calls: list[Call] = []
        added: list[tuple[Any, ...]] = []
        for name in ("spool", "rejected", "dropped", "deferred", "_apart"):
            if getattr(self, name) is not None:
                setattr(self, name, Kept(name, calls))
        self.spool.extend = added.extend  # type: ignore[method-assign,assignment]  # many, and of plain values
        counters = (self.notes, self._words, self.checker.values)

        def tell() -> Told:
            self._compiler.count()  # what rows before an error came to is counted, and forgotten, with them
            rows, others, counts, seen = list(added), list(calls), [dict(each) for each in counters], self.pick.seen
            for each in (added, calls, *counters):
                each.clear()
            self.pick.not_found = 0
            return marshal.dumps(rows), others, counts, self.filled, seen

        tell()
        return tell

    def take_told(self, told: Told) -> None:
        """Do what another process has told."""
        added, calls, (notes, words, values), filled, seen = told
        self.spool.extend(marshal.loads(added))  # noqa: S302 - written by a copy of this process
        for name, method, arguments, named in calls:
            getattr(getattr(self, name), method)(*arguments, **named)
        self.notes.update(notes)
        self.checker.values.update(values)
        for word, rows in words.items():
            self._word(word, rows)
        self.filled |= filled
        self.pick.add_seen(seen)

    def explained(self, keys: tuple[Any, ...]) -> str:
        """The source text of the quick pass over rows with these columns; empty where there is none."""
        return self._compiler.source(keys) if self._may_be_quick else ""

    def _word(self, word: Any, rows: int = 1) -> None:
        if len(self._words) <= SHOWN_WORDS:
            self._words["" if word is None else str(word)[: WORD_LENGTH + 1]] += rows

    def settle(self) -> None:
        """When all rows are in: leave one of each key."""
        plan = self._plan
        last = plan.same_key.last
        if self._apart is not None:
            apart, self._apart = self._apart, None
            with apart:
                for _key, lines in groupby(apart.by_key(self._replaced, last=last), key=itemgetter(0)):
                    rows = [pickle.loads(line) for _key, line in lines]  # noqa: S301 - written by this process
                    for numbers, found in plan.same_key.put_together(rows, self.kind, plan.merge_mode):
                        self._complete(numbers, found)
        self.spool.settle(self._replaced, self._refuse, last=last)

    def _replaced(self, number: int, key: str) -> None:
        reason = "another row of this key is rejected, and nothing tells that this one is newer"
        fix = "correct that row: what it may have replaced is not sent in its place"
        fault = Fault(", ".join(self.kind.key), "newer_rejected", reason, fix)
        self.rejected.add(number, self._label(key), [fault])

    def _label(self, key: str) -> str | None:
        return key if self.kind.key == (self.kind.label,) else None

    def _complete(self, numbers: Sequence[int], found: Checked) -> bool:
        """Look at a whole row, or at what several rows make together; tells whether it is good."""
        checked = self.checker.complete(found)
        if checked.faults:
            for number in numbers:
                self.rejected.add(number, checked.label, [*checked.faults, *checked.dropped])
                if checked.key is not None:
                    (self._apart or self.spool).refuse(number, checked.key, checked.version)
            return False
        for fault in checked.dropped:
            self.dropped.add(numbers[0], checked.label, [fault])
        values, kind = checked.values, self.kind
        if kind.not_future and values[kind.not_future] > self._now:
            self.deferred.write(values)
            return False
        self.notes.update(dict.fromkeys(checked.notes, 1))
        age = self._noted.age(values.get(kind.created or ""))
        self.notes[IN_FUTURE] += age == FUTURE
        if self._plan.mapped_only:
            self.filled.update(name for name, value in values.items() if value != [])
        file, entry_of = self._file_of(values), self._entry_of
        self.spool.add(
            numbers[0],
            checked.key,
            checked.version,
            self._encoders[file](values),
            UNIT.join(str(values.get(name, "")) for name in self._unsent),
            file,
            values.get(kind.owner or ""),
            entry_of(checked.key, meaning(values, self._sent), checked.version) if entry_of else None,
            self._noted.of(values, age),
        )
        return True

    def _refuse(self, numbers: Sequence[int], key: str) -> None:
        label = self._label(key)
        fault = Fault(
            ", ".join(self.kind.key),
            "rows_differ",
            f"{len(numbers)} rows have this key and differ, and nothing tells which is the newest",
            self._ways(),
        )
        for number in numbers:
            self.rejected.add(number, label, [fault])
        self._differing += 1
        if len(self._differing_keys) < SHOWN_KEYS:
            self._differing_keys.append(shown_key(label) if label else f"that of row {numbers[0]}")

    def check_rejected(self, source: Source, read: int) -> None:
        """Make sure that no more rows are rejected than is put up with."""
        rejected, limits = self.rejected, self._plan.limits
        if not limits.allows(rejected.entries, read):
            raise RejectedRowsError(
                f"Check rows of {source!r}: {rejected.entries} of {read} rows cannot be sent ({rejected.by_code()}) "
                f"and max_rejected is {limits.max_rejected:g}. Nothing was sent. {self.differing()}Each row, its "
                f"fault and the fix: {rejected.path}. Correct the rows and run the task again, or raise max_rejected."
            )

    def check_dropped(self, source: Source) -> None:
        """Make sure that no column is mostly lost."""
        limits = self._plan.limits
        for column, lost in self.dropped.columns.most_common():
            values = self.checker.values.get(column)  # of other columns only what the service does not take is left out
            if values is not None and not limits.allows_dropped(lost, values):
                raise RejectedRowsError(
                    f"Check rows of {source!r}: {lost} of {values} values of column {column!r} cannot be used "
                    f"({self.dropped.by_code()}) and max_dropped is {limits.max_dropped:g}. Nothing was sent. Each "
                    f"value, its fault and the fix: {self.dropped.path}. Correct the column or map another, or raise "
                    "max_dropped to send the rows without these values."
                )

    def tell(self) -> None:
        """Say in the log what a summary of the result does not."""
        if self._words and len(self._words) <= SHOWN_WORDS and all(map(_is_plain, self._words)):
            by_count = sorted(self._words.items(), key=lambda each: (-each[1], each[0]))
            counted = ", ".join(f"{word!r} {count}" for word, count in by_count)
            say(logging.INFO, f"Statuses in the source: {counted}.")
        say(logging.WARNING, self.differing())
        for note, count in self.notes.items():
            told = f"had no {note.removeprefix('default_')}: the service's default is sent."
            if note.startswith(FIRST):
                told = (
                    f"are made of rows that differ in {note.removeprefix(FIRST)}: the first filled is sent. Where a "
                    'later row is a newer state and no further line, map the version, or say same_key="last".'
                )
            say(logging.WARNING, f"{count} rows {_NOTES.get(note, told)}" if count else "")

    def _ways(self) -> str:
        version = f"map {self.kind.version}, which tells the newest; or " if self.kind.version else ""
        sums = f' or {{"{self.kind.money}": "sum"}}' if self.kind.money else ""
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


def _alike(rows: Iterable[Row]) -> Iterator[tuple[tuple[Any, ...], bool, Iterator[Any]]]:
    """Rows that follow each other and have the same columns: these, whether there are only their cells, and they."""
    if not isinstance(rows, TableRows):
        for names, same in groupby(rows, tuple):
            yield names, False, same
        return
    cells: Iterator[Any] = rows.cells
    for kind, some in groupby(cells, type):
        if kind is tuple:
            yield rows.names, True, some
        else:
            yield from _alike(some)


def _is_plain(word: str) -> bool:
    """Whether a status may stand in a log: short, and neither an address, nor a number, nor a name."""
    has_name = any(map(is_name, word.split()))
    return len(word) <= WORD_LENGTH and scrub(word) == word and not re.search(r"\d{4}", word) and not has_name
