# SPDX-License-Identifier: Apache-2.0
"""The newest row of each key, in an order that does not depend on how they came."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_yandex_orders.parts import spool as spool_module
from airflow_provider_yandex_orders.parts.spool import Spool

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


def test_nothing_is_left_on_disk(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SQLITE_TMPDIR", "TMPDIR"):
        monkeypatch.setenv(name, str(tmp_path))
    with Spool() as spool:
        for number in range(100_000):
            spool.add(str(number), "", b"x" * 300)
        assert spool.kept() == 100_000
        assert list(tmp_path.iterdir()) == []
