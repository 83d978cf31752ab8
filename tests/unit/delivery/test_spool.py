# SPDX-License-Identifier: Apache-2.0
"""The newest row of each key, in an order that does not depend on how they came."""

from __future__ import annotations

import resource
import tempfile
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_yandex_orders.delivery import ordered
from airflow_provider_yandex_orders.delivery.spool import NOT_SENT, Spool
from airflow_provider_yandex_orders.exceptions import PassingError

Row = tuple[str | None, str, bytes, str]
KEYS = st.none() | st.sampled_from(["1", "2", "10", "a", "A", "Ж", "a\0b", ""])
VERSIONS = st.sampled_from(["", "2025-01-01", "2025-01-01 00:00:00", "2025-01-02"])
ROWS = st.lists(st.tuples(KEYS, VERSIONS, st.binary(max_size=2), st.sampled_from(["", "m"])), max_size=30)


@contextmanager
def memory(size: int) -> Iterator[None]:
    """Room for few rows only, so that there are runs on disk, merged several times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ordered, "MEMORY", size)
        patch.setattr(ordered, "BLOCK", size // 4)
        patch.setattr(ordered, "RUNS", 2 if size < 2000 else 128)
        yield


SIZES = st.sampled_from([100, 1000, 3000, ordered.MEMORY])


def filled(spool: Spool, rows: list[Row]) -> None:
    for number, (key, version, line, mark) in enumerate(rows, 1):
        spool.add(number, key, version, line, mark=mark)


def modelled(rows: list[Row], last: bool) -> tuple[list[bytes], list[tuple[str, list[int]]]]:
    """The lines that stay and the rows that differ; told anew, in memory."""
    stay = sorted(line for key, _, line, _ in rows if key is None)
    differing = []
    for key in sorted({key for key, *_ in rows if key is not None}, key=str.encode):
        same = [(number, each) for number, each in enumerate(rows, 1) if each[0] == key]
        newest = max(each[1] for _, each in same)
        same = [(number, each) for number, each in same if each[1] in ("", newest)]
        if last or len({each[2:] for _, each in same}) == 1:
            stay.append(same[-1][1][2])
        else:
            differing.append((key, [number for number, _ in same]))
    return stay, differing


def settled(spool: Spool, last: bool = False) -> tuple[list[tuple[int, str]], list[tuple[str, list[int]]]]:
    """Settle, and what was told of the rows that do not stay: those replaced, and those that differ."""
    replaced: list[tuple[int, str]] = []
    differing: list[tuple[str, list[int]]] = []
    spool.settle(
        lambda number, key: replaced.append((number, key)),
        lambda numbers, key: differing.append((key, numbers)),
        last=last,
    )
    return replaced, differing


@given(ROWS, SIZES, st.booleans())
def test_as_a_simple_model_says(rows: list[Row], size: int, last: bool) -> None:
    with memory(size), Spool() as spool:
        filled(spool, rows)
        replaced, differing = settled(spool, last)
        lines = list(spool.lines())
        assert (lines, differing) == modelled(rows, last)
        assert replaced == []
        assert lines == list(spool.lines())
        assert spool.kept() == (len(lines), len([row for row in rows if row[0] is None]))


@given(ROWS, st.sets(st.integers(1, 30)), SIZES, st.booleans())
def test_what_a_refused_row_may_have_replaced_is_gone(rows: list[Row], bad: set[int], size: int, last: bool) -> None:
    def may_replace(one: tuple[int, Row], other: tuple[int, Row]) -> bool:
        (number, (_, version, *_)), (older, (_, other_version, *_)) = one, other
        told = version and other_version and version != other_version
        return version > other_version if told else number > older or not last

    refused = [(number, row) for number, row in enumerate(rows, 1) if number in bad and row[0] is not None]
    good = [(number, row) for number, row in enumerate(rows, 1) if number not in bad]
    must = {
        (number, row[0])
        for number, row in good
        if any(bad_row[0] == row[0] and may_replace((at, bad_row), (number, row)) for at, bad_row in refused)
    }
    with memory(size), Spool() as spool, Spool() as apart:
        for number, (key, version, line, mark) in good:
            spool.add(number, key, version, line, mark=mark)
            apart.add(number, key, version, b"%d" % number)
        for each in (spool, apart):
            for number, (key, version, *_) in refused:
                each.refuse(number, str(key), version)
        gone = set(settled(spool, last)[0])
        gone_apart: set[tuple[int, str]] = set()
        left = [(key, int(line)) for key, line in apart.by_key(lambda *row: gone_apart.add(row), last=last)]
    assert gone == gone_apart
    keyed = [(row[0], number) for number, row in good if row[0] is not None and (number, row[0]) not in gone]
    assert left == sorted(keyed, key=lambda each: (str(each[0]).encode(), each[1]))
    assert gone >= must
    if not last or not any(row[1] for row in rows):
        assert gone == must


@given(st.data())
def test_the_order_of_arrival_does_not_matter(data: st.DataObject) -> None:
    rows = data.draw(ROWS)
    ends = []
    for each in (rows, data.draw(st.permutations(rows))):
        with Spool() as spool:
            filled(spool, each)
            _, differing = settled(spool)
            alike = [(key, sorted(each[number - 1][2] for number in numbers)) for key, numbers in differing]
            ends.append((alike, list(spool.lines())))
    assert ends[0] == ends[1]


def test_files_are_kept_apart_and_a_key_is_in_one_of_them() -> None:
    with Spool() as spool:
        spool.add(1, "2", "1", b"b", file="ClientId")
        spool.add(2, "1", "", b"a", file="UserId")
        spool.add(3, "3", "", b"c", file="ClientId")
        spool.add(4, "2", "2", b"d", file="UserId")  # the newer row goes elsewhere
        settled(spool)
        assert list(spool.lines("ClientId")) == [b"c"]
        assert list(spool.lines("UserId")) == [b"a", b"d"]
        assert list(spool.lines()) == list(spool.lines("none")) == []
        assert spool.kept() == (3, 0)


def test_owners_are_counted_by_the_rows_that_stay() -> None:
    with Spool() as spool:
        for number, (key, version, owner) in enumerate(
            [
                ("1", "1", "A"),
                ("2", "1", "A"),
                ("3", "1", "B"),
                ("3", "2", "A"),  # the order moved to another customer
                ("4", "2", "B"),
                ("4", "1", "C"),  # an older row
                (None, "", "B"),
                ("5", "1", None),
            ],
            1,
        ):
            spool.add(number, key, version, b"x", owner=owner)
        settled(spool)
        assert dict(spool.owners()) == {"A": 3, "B": 2}


@given(st.lists(st.tuples(st.none() | st.text(max_size=2), st.booleans()), max_size=30), SIZES, st.data())
def test_the_journal_gets_the_entries_of_what_is_written(
    rows: list[tuple[str | None, bool]], size: int, data: st.DataObject
) -> None:
    def entry_of(key: str | None, content: bytes, version: str) -> tuple[bytes, bytes, str]:
        return (content[::-1], b"", "") if key is None else (key.encode()[::-1], content, version)

    with memory(size), Spool() as spool:
        for number, (key, noted) in enumerate(rows, 1):
            line = b"%03d" % number
            version = f"v{number:03d}"
            entry = entry_of(key, b"of " + line, version)
            spool.add(number, key, version, line, entry=entry, note=b"n" + line if noted else None)
        assert settled(spool) == ([], [])
        every = list(spool.lines())
        spool.end_part(len(every))
        by_sum = list(spool.given())
        newest = {key: number for number, (key, _) in enumerate(rows, 1) if key is not None}
        stay = sorted([*newest.values(), *(number for number, (key, _) in enumerate(rows, 1) if key is None)])
        assert sorted(every) == [b"%03d" % number for number in stay]
        entries = [entry_of(rows[number - 1][0], b"of %03d" % number, f"v{number:03d}") for number in map(int, every)]
        assert by_sum == [(*entry, 0) for entry in sorted(entries)]
        assert spool.has_versions is bool(rows)
        ordered_entries = list(spool.entries())
        assert [tuple(entry) for *entry, _place in ordered_entries] == sorted(entries)
        places = sorted(place for *_entry, place in ordered_entries)  # rows that are not kept have places too
        assert [every[places.index(place)] for *_entry, place in ordered_entries] == [
            line for _entry, line in sorted(zip(entries, every, strict=True))
        ]

        ends = st.sampled_from([None, (None, "new"), (None, "changed"), ("repeat", "unclear")])
        fates = [data.draw(ends) for _line in every]
        chosen = ((place, *(end or (None, NOT_SENT))) for place, end in zip(places, fates, strict=True))
        spool.choose(each for each in chosen if each[1:] != (None, "new"))
        asked = []

        def left_out(number: int, verdict: str, note: bytes) -> bool:
            asked.append((every.index(b"%03d" % number), verdict))
            assert note == b"n%03d" % number
            return number % 2 == 0

        spool.leave_out(left_out)
        noted_lines = {b"%03d" % number for number, (_key, noted) in enumerate(rows, 1) if noted}
        assert asked == [
            (place, end[1])
            for line in sorted(noted_lines & set(every))
            if (end := fates[place := every.index(line)]) is not None
        ]
        in_parts = []
        for number, (file, own) in enumerate((("part", None), ("repeat", "repeat"))):
            expected = [
                place
                for place, line in enumerate(every)
                if (end := fates[place]) is not None
                and end[0] == own
                and not (line in noted_lines and int(line) % 2 == 0)
            ]
            versions: list[str] = []
            lines, half = spool.lines(file, versions.append), len(expected) // 2
            first, ahead = list(islice(lines, half)), list(islice(lines, 1))
            spool.end_part(half)  # when the first row of the next one is known
            assert [*first, *ahead, *lines] == [every[place] for place in expected]
            spool.end_part(len(expected) - half)
            assert versions == [entries[place][2] for place in expected]
            in_parts += [(*entries[place], 2 * number + 1 + (at >= half)) for at, place in enumerate(expected)]
        assert sorted(each for each in spool.given() if each[3]) == sorted(in_parts)


def test_rows_that_come_in_order_are_one_run() -> None:
    with memory(3000):
        rows = ordered.Ordered()
        for number in range(1000):
            rows.add((number,))
        assert list(rows) == list(rows) == [(number,) for number in range(1000)]
        assert len(rows._runs) == 1
        rows.close()


def test_many_rows_of_one_key_are_not_held() -> None:
    with memory(100_000), Spool() as spool:
        tracemalloc.start()
        for number in range(1, 20_001):
            spool.add(number, "0", "", b"%01000d" % number)
        _, ((key, numbers),) = settled(spool)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000  # of 20 MB
        tracemalloc.stop()
    assert (key, numbers) == ("0", list(range(1, 20_001)))


def test_nothing_is_left_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with memory(100_000), Spool() as spool:
        for number in range(1, 2001):
            spool.add(number, str(number), "", b"x" * 300)
        settled(spool)
        assert spool.kept() == (2000, 0)
        assert list(tmp_path.iterdir()) == []


def test_a_temporary_folder_that_is_full_is_told() -> None:
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(spool: Spool) -> None:
        for number in range(1, 200):
            spool.add(number, str(-number), "", b"x" * 300)

    with memory(1000), Spool() as spool:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limit[1]))
        try:
            with pytest.raises(PassingError, match=r"Sort rows in the temporary folder .*File too large") as caught:
                fill(spool)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert tempfile.gettempdir() in str(caught.value)
