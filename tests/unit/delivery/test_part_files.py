# SPDX-License-Identifier: Apache-2.0
"""Part files: limits, sums, and what an earlier try left."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_yandex_orders.delivery.parts import Amounts, Part, remove_stale, write_parts
from airflow_provider_yandex_orders.metrica.kinds import SIMPLE_ORDERS
from airflow_provider_yandex_orders.rows.formats import FileFormat, csv_format, json_format

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath


def _not_asked(values: object) -> bytes:
    raise AssertionError("rows come encoded")


CSV = FileFormat(".csv", b"head\n", b"", b"", _not_asked)
JSON = FileFormat(".json", b'{"rows":[', b",\n", b"]}", _not_asked)
FORMS = pytest.mark.parametrize("form", [CSV, JSON], ids=["csv", "json"])


def content(part: Part, form: FileFormat = CSV) -> bytes:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    read: bytes = ObjectStoragePath(part.path).read_bytes()
    assert len(read) == part.bytes
    assert hashlib.sha256(read).hexdigest() == part.sha256
    assert read.startswith(form.head)
    assert read.endswith(form.tail)
    return read.removeprefix(form.head).removesuffix(form.tail)


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
    parts = list(write_parts(iter(source), folder, CSV, max_rows=max_rows, max_bytes=max_bytes))
    assert [part.rows for part in parts] == rows
    assert b"".join(map(content, parts)) == b"".join(source)
    assert names(folder) == [f"part-{number:05d}.csv" for number in range(1, len(rows) + 1)]
    assert all(part.bytes <= max_bytes or part.rows == 1 for part in parts)


@pytest.mark.parametrize(
    ("max_rows", "max_bytes", "rows"),
    [
        (100, 1000, [5]),
        (2, 1000, [2, 2, 1]),
        (100, 9 + 3 + 2 + 3 + 2, [2, 2, 1]),  # head, row, comma and line end, row, tail
        (100, 9 + 3 + 2 + 3 + 2 - 1, [1] * 5),
        (100, 9 + 3 + (2 + 3) * 4 + 2, [5]),
        (100, 9 + 3 + (2 + 3) * 4 + 2 - 1, [4, 1]),
    ],
)
def test_limits_of_documents(folder: ObjectStoragePath, max_rows: int, max_bytes: int, rows: list[int]) -> None:
    rows_of = [b"%03d" % number for number in range(101, 106)]
    parts = list(write_parts(rows_of, folder, JSON, max_rows=max_rows, max_bytes=max_bytes))
    assert [part.rows for part in parts] == rows
    found = [json.loads(JSON.head + content(part, JSON) + JSON.tail)["rows"] for part in parts]
    assert [row for each in found for row in each] == [101, 102, 103, 104, 105]
    assert [len(each) for each in found] == rows
    assert all(part.bytes <= max_bytes or part.rows == 1 for part in parts)
    assert names(folder) == [f"part-{number:05d}.json" for number in range(1, len(rows) + 1)]


@FORMS
def test_what_each_part_is_worth(folder: ObjectStoragePath, form: FileFormat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airflow_provider_yandex_orders.delivery.parts.BLOCK", 2)
    of_kind = csv_format(SIMPLE_ORDERS) if form is CSV else json_format(SIMPLE_ORDERS)
    huge, tiny = Decimal(90071992547409931234567890), Decimal("0.00000001")  # no float holds their sum
    worth = [(huge, "RUB"), (tiny, "RUB"), (Decimal("1.50"), "USD"), (None, "USD"), (Decimal(-2), None), (tiny, "RUB")]
    rows = [
        {"id": f"{n}", "emails": ["a@b.c", "d@e.f"][:many], "revenue": amount, "currency": code, "cost": 1}
        for n, (many, (amount, code)) in enumerate(zip((1, 2, 1, 1, 1, 1), worth, strict=True))  # several are quoted
    ]
    lines = [of_kind.encode({name: each for name, each in row.items() if each is not None}) for row in rows]
    amounts = Amounts(SIMPLE_ORDERS)
    parts = list(write_parts(lines, folder, of_kind, max_rows=4, max_bytes=10_000, amounts=amounts))
    exact = "90071992547409931234567890.00000001"
    assert [part.money for part in parts] == [{"RUB": exact, "USD": "1.50"}, {"RUB": f"{tiny:f}", "no currency": "-2"}]
    everything = {"RUB": exact[:-1] + "2", "USD": "1.50", "no currency": "-2"}
    assert amounts.totals == {"revenue": everything, "cost": {"RUB": "3", "USD": "2", "no currency": "1"}}


def test_files_are_named_as_told(folder: ObjectStoragePath) -> None:
    parts = list(write_parts([b"1", b"2"], folder, JSON, name="ClientId", max_rows=1, max_bytes=1000))
    assert [part.path for part in parts] == [str(folder / f"ClientId-0000{number}.json") for number in (1, 2)]


def test_parts_of_an_earlier_try_are_removed(folder: ObjectStoragePath) -> None:
    others = ["deferred.jsonl", "progress.json", "rejected.jsonl"]
    for name in others:
        (folder / name).write_bytes(b"x")
    many = [b"%d\n" % number for number in range(9)]
    first = list(write_parts(many, folder, CSV, max_rows=2, max_bytes=1000))
    first += write_parts(many, folder, JSON, name="UserId", max_rows=5, max_bytes=1000)
    remove_stale(folder, [part.path for part in first])
    assert len(names(folder)) == 5 + 2 + 3

    (part,) = write_parts([b"new\n"], folder, CSV, max_rows=2, max_bytes=1000)
    remove_stale(folder, [part.path])
    assert names(folder) == [*others[:1], "part-00001.csv", *others[1:]]
    assert content(part) == b"new\n"

    remove_stale(folder, [])
    assert names(folder) == others


def test_nothing_to_remove(folder: ObjectStoragePath) -> None:
    remove_stale(folder, [])
    assert names(folder) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@FORMS
@given(
    lines=st.lists(st.binary(min_size=1, max_size=8), max_size=25),
    max_rows=st.integers(1, 10),
    max_bytes=st.integers(1, 40),
)
def test_nothing_is_lost(
    folder: ObjectStoragePath, form: FileFormat, lines: list[bytes], max_rows: int, max_bytes: int
) -> None:
    parts = list(write_parts(lines, folder, form, max_rows=max_rows, max_bytes=max_bytes))
    left = iter(lines)
    for part in parts:
        assert content(part, form) == form.between.join(next(left) for _ in range(part.rows))
        assert 1 <= part.rows <= max_rows
        assert part.bytes <= max_bytes or part.rows == 1
    assert next(left, None) is None
    assert list(write_parts(lines, folder, form, max_rows=max_rows, max_bytes=max_bytes)) == parts
