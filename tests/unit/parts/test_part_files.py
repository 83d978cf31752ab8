# SPDX-License-Identifier: Apache-2.0
"""Part files: limits, sums, and what an earlier try left."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_yandex_orders.parts.files import Part, write_parts

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

HEADER = b"head\n"


def content(part: Part) -> bytes:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    read: bytes = ObjectStoragePath(part.path).read_bytes()
    assert len(read) == part.bytes
    assert hashlib.sha256(read).hexdigest() == part.sha256
    assert read.startswith(HEADER)
    return read.removeprefix(HEADER)


def names(folder: ObjectStoragePath) -> list[str]:
    return sorted(path.name for path in folder.glob("*"))


@pytest.mark.parametrize(
    ("lines", "max_rows", "max_bytes", "rows"),
    [
        (0, 5, 1000, []),
        (5, 5, 1000, [5]),
        (6, 5, 1000, [5, 1]),
        (3, 1, 1000, [1, 1, 1]),
        (5, 100, 15, [2, 2, 1]),  # 5 of the header and 5 of each line
        (5, 100, 14, [1, 1, 1, 1, 1]),
        (2, 100, 1, [1, 1]),  # a single line may be longer than a part
    ],
)
def test_limits(folder: ObjectStoragePath, lines: int, max_rows: int, max_bytes: int, rows: list[int]) -> None:
    source = [b"%04d\n" % number for number in range(lines)]
    parts = write_parts(iter(source), folder, header=HEADER, max_rows=max_rows, max_bytes=max_bytes)
    assert [part.rows for part in parts] == rows
    assert b"".join(map(content, parts)) == b"".join(source)
    assert names(folder) == [f"part-{number:05d}.csv" for number in range(1, len(rows) + 1)]
    assert all(part.bytes <= max_bytes or part.rows == 1 for part in parts)


def test_parts_of_an_earlier_try_are_removed(folder: ObjectStoragePath) -> None:
    (folder / "rejected.jsonl").write_bytes(b"x")
    write_parts([b"%d\n" % number for number in range(9)], folder, header=HEADER, max_rows=2, max_bytes=1000)
    assert len(names(folder)) == 6
    (part,) = write_parts([b"new\n"], folder, header=HEADER, max_rows=2, max_bytes=1000)
    assert names(folder) == ["part-00001.csv", "rejected.jsonl"]
    assert content(part) == b"new\n"
    assert write_parts([], folder, header=HEADER, max_rows=2, max_bytes=1000) == []
    assert names(folder) == ["rejected.jsonl"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    lines=st.lists(st.binary(min_size=1, max_size=8), max_size=25),
    max_rows=st.integers(1, 10),
    max_bytes=st.integers(1, 40),
)
def test_nothing_is_lost(folder: ObjectStoragePath, lines: list[bytes], max_rows: int, max_bytes: int) -> None:
    parts = write_parts(lines, folder, header=HEADER, max_rows=max_rows, max_bytes=max_bytes)
    assert b"".join(map(content, parts)) == b"".join(lines)
    assert sum(part.rows for part in parts) == len(lines)
    assert all(1 <= part.rows <= max_rows for part in parts)
    again = write_parts(lines, folder, header=HEADER, max_rows=max_rows, max_bytes=max_bytes)
    assert again == parts
