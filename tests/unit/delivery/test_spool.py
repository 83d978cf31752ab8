# SPDX-License-Identifier: Apache-2.0
"""The newest row of each key, in an order that does not depend on how they came."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_yandex_orders.delivery import spool as spool_module
from airflow_provider_yandex_orders.delivery.spool import Spool

Row = tuple[str | None, str, bytes]
KEYS = st.none() | st.sampled_from(["1", "2", "10", "a", "A", "Ж", "a\0b", ""])
VERSIONS = st.sampled_from(["", "2025-01-01", "2025-01-01 00:00:00", "2025-01-02"])


def spooled(rows: list[Row]) -> tuple[list[bytes], int, int, int]:
    with Spool() as spool:
        for row in rows:
            spool.add(*row)
        kept, keyless = spool.kept(), spool.keyless()
        lines = list(spool.lines())
        assert lines == list(spool.lines())
        return lines, spool.added, kept, keyless


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ([], []),
        ([("1", "", b"a"), ("1", "", b"b")], [b"b"]),  # of equal ones the later
        ([("1", "2", b"a"), ("1", "1", b"b")], [b"a"]),
        ([("1", "1", b"a"), ("1", "2", b"b")], [b"b"]),
        ([("1", "1", b"a"), ("1", "", b"b")], [b"a"]),  # a version beats none
        ([("1", "1", b"a"), ("1", "2", b"b"), ("1", "1", b"c"), ("1", "2", b"d")], [b"d"]),
        ([("b", "", b"2"), ("a", "", b"1"), (None, "", b"0")], [b"0", b"1", b"2"]),
        ([(None, "", b"same"), (None, "", b"same")], [b"same", b"same"]),
    ],
)
def test_the_newest_stays(rows: list[Row], lines: list[bytes]) -> None:
    told = spooled(rows)
    assert told[:3] == (lines, len(rows), len(lines))
    assert told[3] == len([key for key, _, _ in rows if key is None])


@given(st.data())
def test_the_order_of_arrival_does_not_matter(data: st.DataObject) -> None:
    # One version of a key comes once: of equal versions the later one stays, which is a matter of order.
    named = data.draw(st.dictionaries(st.tuples(KEYS.filter(bool), VERSIONS), st.binary(max_size=5), max_size=20))
    nameless = data.draw(st.lists(st.binary(max_size=5), max_size=5))
    rows: list[Row] = [(key, version, line) for (key, version), line in named.items()]
    rows += [(None, "", line) for line in nameless]
    assert spooled(data.draw(st.permutations(rows))) == spooled(rows)


@given(st.lists(st.tuples(KEYS, VERSIONS, st.binary(max_size=3)), max_size=30), st.sampled_from([1, 2, 7, 2000]))
def test_as_a_simple_model_says(rows: list[Row], batch: int) -> None:
    newest: dict[str, tuple[str, bytes]] = {}
    for key, version, line in rows:
        if key is not None and (key not in newest or version >= newest[key][0]):
            newest[key] = (version, line)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool_module, "BATCH", batch)
        lines, added, kept, keyless = spooled(rows)
    nameless = sorted(line for key, _, line in rows if key is None)
    by_key = [newest[key][1] for key in sorted(newest, key=lambda each: each.encode())]
    assert lines == nameless + by_key
    assert (added, kept, keyless) == (len(rows), len(lines), len(nameless))


def test_files_are_kept_apart_and_a_key_is_in_one_of_them() -> None:
    with Spool() as spool:
        spool.add("2", "", b"b", file="ClientId")
        spool.add("1", "", b"a", file="UserId")
        spool.add("3", "", b"c", file="ClientId")
        spool.add("2", "", b"d", file="UserId")  # the newer row goes elsewhere
        assert list(spool.lines("ClientId")) == [b"c"]
        assert list(spool.lines("UserId")) == [b"a", b"d"]
        assert list(spool.lines()) == list(spool.lines("none")) == []
        assert (spool.added, spool.kept()) == (4, 3)


def test_owners_are_counted_by_the_rows_that_stay() -> None:
    with Spool() as spool:
        for key, version, owner in [
            ("1", "1", "A"),
            ("2", "1", "A"),
            ("3", "1", "B"),
            ("3", "2", "A"),  # the order moved to another customer
            ("4", "2", "B"),
            ("4", "1", "C"),  # an older row
            (None, "", "B"),
            ("5", "1", None),
        ]:
            spool.add(key, version, b"x", owner=owner)
        assert dict(spool.owners()) == {"A": 3, "B": 2}


def test_nothing_is_left_on_disk(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SQLITE_TMPDIR", "TMPDIR"):
        monkeypatch.setenv(name, str(tmp_path))
    with Spool() as spool:
        for number in range(100_000):
            spool.add(str(number), "", b"x" * 300)
        assert spool.kept() == 100_000
        assert list(tmp_path.iterdir()) == []
