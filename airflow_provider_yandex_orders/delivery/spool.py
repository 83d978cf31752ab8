# SPDX-License-Identifier: Apache-2.0
"""All good rows of an upload, one of each key."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, count, groupby, islice
from operator import itemgetter
from typing import cast

from airflow_provider_yandex_orders.delivery.ordered import Ordered, Row
from airflow_provider_yandex_orders.journal.records import Entry, PlacedEntry, shortened

NEW = "new"
"""The verdict on a row that nobody judged."""
NOT_SENT = ""
"""The verdict on a row that is not written."""
_SOME = 500
"""Rows that are kept at once."""
_KEY, _NUMBER, _VERSION, _LINE, _MARK, _FILE, _OWNER, _ENTRY, _NOTE = range(9)
_shown = itemgetter(_LINE, _MARK)

Placed = tuple[int, Row]
"""A row and its place among all, those without a key first."""


class Spool:
    """Takes encoded rows in any order and gives back one of each key, ordered by key, those without a key first.

    The order makes parts the same bytes on every try, whatever order the database gave. Of all rows at once only a byte
    each is in memory, five where the journal is told of them, and of the rows of one key only their numbers.
    """

    def __init__(self) -> None:
        self._keyless, self._keyed, self._owners = Ordered(), Ordered(), Ordered()
        self._entries, self._notes = Ordered(), Ordered()
        self._keyless_rows = self._kept = 0
        self._fates = bytearray()
        """What becomes of each row, in their order: an index of what follows."""
        self._ends: list[tuple[str | None, str]] = [(None, NOT_SENT), (None, NEW)]
        """File, where it is not the row's own, and verdict; the first is for rows that are not written."""
        self._given = array("I")
        """Places of rows that were given, and are not known to be in a part."""
        self._part = 1
        self._parts = array("I")
        """The part each row is in, from 1, where entries are made."""
        self._journaled = self.has_versions = False

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_error: object) -> None:
        for each in (self._keyless, self._keyed, self._owners, self._entries, self._notes):
            each.close()

    def add(
        self,
        number: int,
        key: str | None,
        version: str,
        line: bytes,
        mark: str = "",
        file: str = "part",
        owner: str | None = None,
        entry: Entry | None = None,
        note: bytes | None = None,
    ) -> None:
        """Take one row.

        :param number: its number in the source, from 1: each is given once.
        :param key: what identifies it; a row without a key is kept beside all others.
        :param version: of two rows with one key the greater stays; nothing is neither greater nor less.
        :param line: the row as it will be written.
        :param mark: what tells it from others of its key besides the line.
        :param file: which of the upload's files it goes to.
        :param owner: the customer it belongs to, where customers are counted.
        :param entry: the journal's entry of it, where there is a journal.
        :param note: what :meth:`leave_out` shows of it, if it is to be written.
        """
        self.extend([(key, number, version, line, mark, file, owner, entry, note)])

    def extend(self, rows: Sequence[Row]) -> None:
        """Take rows, each with all that :meth:`add` takes: its key first, then its number, and so on."""
        if keyless := [(row[_LINE], *row[1:]) for row in rows if row[_KEY] is None]:
            self._keyless.extend(keyless, sum(len(row[_LINE]) for row in keyless))
            rows = [row for row in rows if row[_KEY] is not None]
        self._keyed.extend(rows, sum(map(len, map(itemgetter(_LINE), rows))))

    def refuse(self, number: int, key: str, version: str) -> None:
        """Take note of a row that cannot be sent, and so takes the place of none."""
        self._keyed.add((key, -number, version))  # before the good ones of its key, the last first

    def by_key(self, replaced: Callable[[int, str], None], *, last: bool = False) -> Iterator[tuple[str, bytes]]:
        """Key and line of every row with a key that no refused one may have replaced, key by key.

        :param replaced: told number and key of the others.
        :param last: of those that are equally new, the one that came last replaces the others.
        """
        return ((row[_KEY], row[_LINE]) for _place, row in _standing(enumerate(self._keyed), replaced, last))

    def settle(
        self,
        replaced: Callable[[int, str], None],
        differing: Callable[[list[int], str], None],
        *,
        last: bool = False,
    ) -> None:
        """When all are in: keep the newest of each key, and one of equal ones.

        :param replaced: told number and key of each row that a refused one may have replaced.
        :param differing: told the numbers of rows of one key that are equally new and differ: none of them is kept.
        :param last: of those the one that came last is kept, and it replaces those that are equally new.
        """
        place, waiting = 0, iter(self._keyless)
        while some := list(islice(waiting, _SOME)):
            place = self._keep(place, some)
        self._keyless_rows = place
        for key, rows in groupby(self._keyed, itemgetter(_KEY)):
            first, second = next(rows), next(rows, None)  # noqa: B031 - two of one group
            if second is None and first[_NUMBER] > 0:  # as for most
                some.append(first)
                if len(some) < _SOME:
                    continue
            place = self._keep(place, some)
            some.clear()
            if second is not None or first[_NUMBER] < 0:
                places = count(place)
                several = chain(filter(None, (first, second)), rows)  # noqa: B031 - the rest of one group
                placed = ((at, row) for row, at in zip(several, places, strict=False))
                kept, numbers = _newest(_standing(placed, replaced, last), last)
                place = next(places)
                if numbers:
                    differing(numbers, key)
                elif kept:
                    self._keep(kept[0], [kept[1]])
        self._keep(place, some)
        self._parts = array("I", [0]) * (len(self._fates) if self._journaled else 0)

    def _keep(self, place: int, rows: Sequence[Row]) -> int:
        """Keep rows that follow each other.

        :return: the place of what follows them.
        """
        fates = self._fates
        fates += bytes(place - len(fates))
        fates += b"\1" * len(rows)
        self._kept += len(rows)
        self.has_versions = self.has_versions or any(row[_VERSION] for row in rows)
        if owners := [(row[_OWNER],) for row in rows if row[_OWNER] is not None]:
            self._owners.extend(owners)
        if entries := [(*row[_ENTRY], at) for at, row in enumerate(rows, place) if row[_ENTRY] is not None]:
            self._entries.extend(entries)
            self._journaled = True
        for at, row in enumerate(rows, place):
            if row[_NOTE] is not None:
                self._notes.add((row[_NUMBER], at, row[_NOTE]), len(row[_NOTE]))
        return place + len(rows)

    def kept(self) -> tuple[int, int]:
        """How many rows are settled, and how many of them have no key."""
        return self._kept, self._keyless_rows

    def owners(self) -> Iterator[tuple[str, int]]:
        """Each customer with the number of its rows."""
        return ((owner, sum(1 for _row in rows)) for owner, rows in groupby(self._owners, itemgetter(0)))

    def entries(self) -> Iterator[PlacedEntry]:
        """The entry of each row and its place, in the order of the key sums."""
        return cast("Iterator[PlacedEntry]", iter(self._entries))

    def choose(self, chosen: Iterable[tuple[int, str | None, str]]) -> None:
        """Let :meth:`lines` give some rows in other ways; the rest is :data:`NEW`.

        :param chosen: the place :meth:`entries` gives of each row, the file it goes to where that is another than its
            own, and the verdict on it, :data:`NOT_SENT` among them.
        """
        codes = {end: code for code, end in enumerate(self._ends)}
        for place, to_file, verdict in chosen:
            self._fates[place] = codes.setdefault((to_file, verdict), len(codes))
        self._ends = list(codes)

    def leave_out(self, left_out: Callable[[int, str, bytes], bool]) -> None:
        """Let :meth:`lines` not give some of the rows that have a note, looked at in the order they came.

        :param left_out: says of number, verdict and note of each of them whether it is one.
        """
        for number, place, note in self._notes:
            fate = self._fates[place]
            if fate and left_out(number, self._ends[fate][1], note):
                self._fates[place] = 0

    def lines(self, file: str = "part", told: Callable[[str], object] | None = None) -> Iterator[bytes]:
        """The rows of one file, those without a key first.

        :param told: told the version of each row, where the journal's entries are made.
        """
        rows, to_file = chain(self._keyless, self._keyed), [end[0] for end in self._ends]
        self._given = array("I")
        given, journaled = self._given.append, self._journaled
        for place, (fate, row) in enumerate(zip(self._fates, rows, strict=False)):
            if fate and (to_file[fate] or row[_FILE]) == file:
                if journaled:
                    given(place)
                    if told is not None:
                        told(shortened(row[_VERSION]) if place >= self._keyless_rows else "")
                yield row[_LINE]

    def end_part(self, rows: int) -> None:
        """The next so many of the rows that :meth:`lines` gave are a part."""
        for place in self._given[:rows]:
            self._parts[place] = self._part
        del self._given[:rows]
        self._part += 1

    def given(self) -> Iterator[PlacedEntry]:
        """The entry of each row that :meth:`lines` gave, and its part, from 0, in the order of the key sums."""
        parts = self._parts
        return ((key, content, version, parts[at] - 1) for key, content, version, at in self.entries() if parts[at])


def _standing(placed: Iterable[Placed], replaced: Callable[[int, str], None], last: bool) -> Iterator[Placed]:
    """Rows that no refused one may have replaced, key by key and in the order they came."""
    bad, low, high, latest = None, "", "", 0
    for place, row in placed:
        key, number, version = row[:3]
        if number < 0:
            if key != bad:
                bad, low, high, latest = key, version, version, -number
            low, high = min(low, version), max(high, version)
        elif key == bad and not (low and high < version) and (number < latest or not last or "" < version < high):
            replaced(number, key)
        else:
            yield place, row


def _newest(rows: Iterable[Placed], last: bool) -> tuple[Placed | None, list[int]]:
    """Of rows of one key the one that is kept, and the numbers of those that differ where nothing tells which."""
    newest = ""
    found: dict[str, tuple[list[int], Placed, bool]] = {}  # by version: those without one are as new as the newest
    for placed in rows:
        row = placed[1]
        version = row[_VERSION]
        if version > newest:
            if newest:
                del found[newest]
            newest = version
        if version in ("", newest):
            numbers, other, alike = found.get(version, ([], placed, True))
            numbers.append(row[_NUMBER])
            found[version] = numbers, placed, alike and _shown(row) == _shown(other[1])
    if not found:
        return None, []
    kept = max((placed for _numbers, placed, _alike in found.values()), key=lambda placed: placed[1][_NUMBER])
    if last or all(alike and _shown(each[1]) == _shown(kept[1]) for _numbers, each, alike in found.values()):
        return kept, []
    return kept, sorted(chain.from_iterable(numbers for numbers, *_ in found.values()))
