# SPDX-License-Identifier: Apache-2.0
"""All good rows of an upload, one of each key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, groupby
from operator import itemgetter
from typing import Any, cast

from airflow_provider_yandex_orders.delivery.ordered import Ordered, Row

NEW = "new"
"""The verdict on a row that nobody judged."""
_KEY, _NUMBER, _VERSION, _LINE, _MARK = range(5)
_shown = itemgetter(_LINE, _MARK)


class Spool:
    """Takes encoded rows in any order and gives back one of each key, ordered by key, those without a key first.

    The order makes parts the same bytes on every try, whatever order the database gave. Of all rows at once only a byte
    each is in memory, and of the rows of one key only their numbers.
    """

    def __init__(self) -> None:
        self._keyless, self._keyed, self._owners = Ordered(), Ordered(), Ordered()
        self._settled, self._entries, self._notes = Ordered(), Ordered(), Ordered()
        self._keyless_rows = 0
        self._fates = bytearray()
        """What becomes of each settled row: an index of what follows."""
        self._ends: list[tuple[str | None, str]] = [(None, ""), (None, NEW)]
        """File, where it is not the row's own, and verdict; the first is for rows that are not written."""
        self._given = Ordered()
        self.has_versions = False

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_error: object) -> None:
        for each in (self._keyless, self._keyed, self._owners, self._settled, self._entries, self._notes, self._given):
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
        content: bytes | None = None,
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
        :param content: what it means, however it is written; ``None`` where that is the line.
        :param note: what :meth:`leave_out` shows of it, if it is to be written.
        """
        rows, first = (self._keyless, line) if key is None else (self._keyed, key)
        rows.add((first, number, version, line, mark, file, owner, content, note), len(line) + len(note or b""))

    def refuse(self, number: int, key: str, version: str) -> None:
        """Take note of a row that cannot be sent, and so takes the place of none."""
        self._keyed.add((key, -number, version))  # before the good ones of its key, the last first

    def by_key(self, replaced: Callable[[int, str], None], *, last: bool = False) -> Iterator[tuple[str, bytes]]:
        """Key and line of every row with a key that no refused one may have replaced, key by key.

        :param replaced: told number and key of the others.
        :param last: of those that are equally new, the one that came last replaces the others.
        """
        return ((row[_KEY], row[_LINE]) for row in self._standing(replaced, last))

    def settle(
        self,
        replaced: Callable[[int, str], None],
        differing: Callable[[list[int], str], None],
        *,
        last: bool = False,
        entry_of: Callable[[str | None, str, bytes], tuple[bytes, bytes, str]] | None = None,
    ) -> None:
        """When all are in: keep the newest of each key, and one of equal ones.

        :param replaced: told number and key of each row that a refused one may have replaced.
        :param differing: told the numbers of rows of one key that are equally new and differ: none of them is kept.
        :param last: of those the one that came last is kept, and it replaces those that are equally new.
        :param entry_of: makes the journal's entry of key, version and content.
        """
        for row in self._keyless:
            self._keep(None, row, entry_of)
        self._keyless_rows = len(self._fates)
        self._keyless.close()
        for key, rows in groupby(self._standing(replaced, last), itemgetter(_KEY)):
            row, numbers = _newest(rows, last)
            if numbers:
                differing(numbers, key)
            else:
                self._keep(key, row, entry_of)
        self._keyed.close()

    def _standing(self, replaced: Callable[[int, str], None], last: bool) -> Iterator[Row]:
        """Rows with a key that no refused one may have replaced, key by key and in the order they came."""
        bad, low, high, latest = None, "", "", 0
        for row in self._keyed:
            key, number, version = row[:3]
            if number < 0:
                if key != bad:
                    bad, low, high, latest = key, version, version, -number
                low, high = min(low, version), max(high, version)
            elif key == bad and not (low and high < version) and (number < latest or not last or "" < version < high):
                replaced(number, key)
            else:
                yield row

    def _keep(self, key: str | None, row: Row, entry_of: Callable[..., tuple[bytes, bytes, str]] | None) -> None:
        _first, number, version, line, _mark, file, owner, content, note = row
        place = len(self._fates)
        self._fates.append(1)
        self.has_versions = self.has_versions or version != ""
        if owner is not None:
            self._owners.add((owner,))
        entry: tuple[Any, ...] = ()
        if entry_of is not None:
            entry = entry_of(key, version, line if content is None else content)
            self._entries.add((*entry, place))
        if note is not None:
            self._notes.add((number, place, note), len(note))
        self._settled.add((place, line, file, *entry), len(line))

    def kept(self) -> tuple[int, int]:
        """How many rows are settled, and how many of them have no key."""
        return len(self._fates), self._keyless_rows

    def owners(self) -> Iterator[tuple[str, int]]:
        """Each customer with the number of its rows."""
        return ((owner, sum(1 for _row in rows)) for owner, rows in groupby(self._owners, itemgetter(0)))

    def entries(self) -> Iterator[tuple[bytes, bytes, str, int]]:
        """The entry of each row and its place, in the order of the key sums."""
        return cast("Iterator[tuple[bytes, bytes, str, int]]", iter(self._entries))

    def choose(self, chosen: Iterable[tuple[int, str | None, str]]) -> None:
        """Let :meth:`lines` give only some rows.

        :param chosen: the place :meth:`entries` gives of each row, the file it goes to where that is another than its
            own, and the verdict on it.
        """
        self._fates = fates = bytearray(len(self._fates))
        codes = {end: code for code, end in enumerate(self._ends)}
        for place, to_file, verdict in chosen:
            fates[place] = codes.setdefault((to_file, verdict), len(codes))
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

        :param told: told the version of each row, where the journal's entries are made, once the next one is asked for.
        """
        self._given = Ordered()
        for place, line, own, *entry in self._settled:
            fate = self._fates[place]
            if fate and (self._ends[fate][0] or own) == file:
                yield line
                if entry:
                    self._given.add(tuple(entry))
                    if told is not None:
                        told(entry[2])

    @contextmanager
    def written(self) -> Iterator[Iterable[Row]]:
        """The entries of the rows that :meth:`lines` gave since they were asked for before, in the order of the key
        sums; that of the last one only once the next one was asked for."""
        given, self._given = self._given, Ordered()
        yield given
        given.close()


def _newest(rows: Iterator[Row], last: bool) -> tuple[Row, list[int]]:
    """Of rows of one key the one that is kept, and the numbers of those that differ where nothing tells which."""
    first, second = next(rows), next(rows, None)
    if second is None:  # as for most
        return first, []
    newest = ""
    found: dict[str, tuple[list[int], Row, bool]] = {}  # by version: those without one are as new as the newest
    for row in chain((first, second), rows):
        version = row[_VERSION]
        if version > newest:
            if newest:
                del found[newest]
            newest = version
        if version in ("", newest):
            numbers, other, alike = found.get(version, ([], row, True))
            numbers.append(row[_NUMBER])
            found[version] = numbers, row, alike and _shown(row) == _shown(other)
    kept = max((row for _numbers, row, _alike in found.values()), key=itemgetter(_NUMBER))
    if last or all(alike and _shown(row) == _shown(kept) for _numbers, row, alike in found.values()):
        return kept, []
    return kept, sorted(chain.from_iterable(numbers for numbers, *_ in found.values()))
