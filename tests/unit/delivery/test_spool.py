# SPDX-License-Identifier: Apache-2.0
"""The newest row of each key, in an order that does not depend on how they came."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_yandex_orders.delivery import spool as spool_module
from airflow_provider_yandex_orders.delivery.spool import Spool

Row = tuple[str | None, str, bytes, str]
KEYS = st.none() | st.sampled_from(["1", "2", "10", "a", "A", "Ж", "a\0b", ""])
VERSIONS = st.sampled_from(["", "2025-01-01", "2025-01-01 00:00:00", "2025-01-02"])
ROWS = st.lists(st.tuples(KEYS, VERSIONS, st.binary(max_size=2), st.sampled_from(["", "m"])), max_size=30)


def filled(spool: Spool, rows: list[Row]) -> None:
    for number, (key, version, line, mark) in enumerate(rows, 1):
        spool.add(number, key, version, line, mark=mark)


def modelled(rows: list[Row], last: bool) -> tuple[list[bytes], list[tuple[int, str, bytes]]]:
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
            differing += [(number, key, each[2]) for number, each in same]
    return stay, differing


@given(ROWS, st.sampled_from([1, 2, 7, 2000]), st.booleans())
def test_as_a_simple_model_says(rows: list[Row], batch: int, last: bool) -> None:
    with pytest.MonkeyPatch.context() as patch, Spool() as spool:
        patch.setattr(spool_module, "BATCH", batch)
        filled(spool, rows)
        spool.settle(last=last)
        differing = list(spool.differing())
        lines = list(spool.lines())
        assert (lines, differing) == modelled(rows, last)
        assert lines == list(spool.lines())
        assert spool.kept() == (len(lines), len([row for row in rows if row[0] is None]))


@given(ROWS, st.sets(st.integers(1, 30)), st.booleans())
def test_what_a_refused_row_may_have_replaced_is_gone(rows: list[Row], bad: set[int], last: bool) -> None:
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
    with Spool() as spool:
        for number, (key, version, line, mark) in good:
            spool.add(number, key, version, line, mark=mark)
        for number, (key, version, *_) in refused:
            spool.refuse(number, str(key), version)
        gone = set(spool.replaced(last=last))
        assert spool.kept()[0] == len(good) - len(gone)
        spool.settle(last=last)
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
            spool.settle()
            differing = sorted((key, line) for _, key, line in spool.differing())
            ends.append((differing, list(spool.lines())))
    assert ends[0] == ends[1]


def test_files_are_kept_apart_and_a_key_is_in_one_of_them() -> None:
    with Spool() as spool:
        spool.add(1, "2", "1", b"b", file="ClientId")
        spool.add(2, "1", "", b"a", file="UserId")
        spool.add(3, "3", "", b"c", file="ClientId")
        spool.add(4, "2", "2", b"d", file="UserId")  # the newer row goes elsewhere
        spool.settle()
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
            ]
        ):
            spool.add(number, key, version, b"x", owner=owner)
        spool.settle()
        assert dict(spool.owners()) == {"A": 3, "B": 2}


def test_nothing_is_left_on_disk(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SQLITE_TMPDIR", "TMPDIR"):
        monkeypatch.setenv(name, str(tmp_path))
    with Spool() as spool:
        for number in range(100_000):
            spool.add(number, str(number), "", b"x" * 300)
        assert spool.kept() == (100_000, 0)
        assert list(tmp_path.iterdir()) == []
