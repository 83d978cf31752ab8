# SPDX-License-Identifier: Apache-2.0
"""From a source to parts: every row is accounted for."""

from __future__ import annotations

import csv
import io
import json
import logging
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_yandex_orders.delivery.prepare import Limits, Prepared, prepare
from airflow_provider_yandex_orders.exceptions import RejectedRowsError, SourceError
from airflow_provider_yandex_orders.kinds.simple_orders import SIMPLE_ORDERS
from airflow_provider_yandex_orders.rows.csv_file import header
from airflow_provider_yandex_orders.sources import FileSource, RowsSource, Source, SqlSource
from tests.unit.unit_support import order, rules, set_connection

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

ANY_NUMBER = Limits(max_rejected=10**9)


def run(source: Source, folder: ObjectStoragePath, limits: Limits = ANY_NUMBER, **changes: Any) -> Prepared:
    return prepare(source, SIMPLE_ORDERS, rules(**changes), limits, folder)


def sent(prepared: Prepared) -> list[dict[str, str]]:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    rows: list[dict[str, str]] = []
    for part in prepared.parts:
        found = list(csv.DictReader(io.StringIO(ObjectStoragePath(part.path).read_bytes().decode())))
        assert len(found) == part.rows
        rows += found
    return rows


def entries(folder: ObjectStoragePath, name: str) -> list[dict[str, Any]]:
    path = folder / name
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def accounted(prepared: Prepared) -> bool:
    return prepared.rows_read == sum(part.rows for part in prepared.parts) + (
        prepared.rows_rejected + prepared.rows_duplicate
    )


def test_a_list(folder: ObjectStoragePath) -> None:
    rows = [
        order(id="2", revenue="5"),
        order(id="1", create_date_time="soon"),
        order(id="3", emails="a@example.com,nonsense"),
        order(id="2", revenue="6"),
        order(id="", emails=""),
        order(id="4", emails="nonsense"),
    ]
    prepared = run(RowsSource(rows), folder)
    assert [(row["id"], row["revenue"]) for row in sent(prepared)] == [("2", "6"), ("3", "")]
    assert accounted(prepared)
    assert (prepared.rows_read, prepared.rows_rejected, prepared.rows_duplicate, prepared.values_dropped) == (
        6,
        3,
        1,
        1,
    )
    rejected = entries(folder, "rejected.jsonl")
    assert [(entry["row"], entry["key"], entry["code"]) for entry in rejected] == [
        (2, "1", "bad_date"),
        (5, None, "missing"),
        (6, "4", "bad_email"),
    ]
    assert prepared.rejected_path == str(folder / "rejected.jsonl")
    assert [(entry["row"], entry["column"]) for entry in entries(folder, "dropped.jsonl")] == [(3, "emails")]
    assert not prepared.has_keyless


def test_no_personal_data_in_log_and_files(folder: ObjectStoragePath, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    private = "ivan@exämple.com"
    rows = [order(id=str(n), **{name: private}) for n, name in enumerate(SIMPLE_ORDERS.field_names) if name != "id"]
    rows += [order(id=private), order(id=5.5, emails=private)]
    prepared = run(RowsSource(rows), folder)
    assert accounted(prepared)
    written = (folder / "rejected.jsonl").read_text() + (folder / "dropped.jsonl").read_text()
    assert "bad_email" in written
    assert private not in written + caplog.text


def test_empty(folder: ObjectStoragePath) -> None:
    prepared = run(RowsSource([]), folder, Limits())
    assert prepared == Prepared()


def test_too_many_rejects(folder: ObjectStoragePath) -> None:
    rows = [order(id="1"), order(id="2", create_date_time="x"), order(id="3", revenue="1,5"), order(id=None)]
    with pytest.raises(RejectedRowsError) as caught:
        run(RowsSource(rows), folder, Limits(max_rejected=2))
    message = str(caught.value)
    assert "3 of 4 rows" in message
    assert "1 bad_date" in message
    assert "max_rejected is 2" in message
    assert str(folder / "rejected.jsonl") in message
    assert len(entries(folder, "rejected.jsonl")) == 3
    assert list(folder.glob("part-*")) == []
    assert run(RowsSource(rows), folder, Limits(max_rejected=3)).rows_rejected == 3


@pytest.mark.parametrize(
    ("allowed", "rejected", "read", "verdict"),
    [
        (0, 0, 0, True),
        (0, 0, 5, True),
        (0, 1, 5, False),
        (1, 1, 1, True),
        (1, 2, 100, False),
        (1.0, 1, 100, True),  # a share is below 1
        (0.5, 0, 0, True),
        (0.5, 1, 1, False),
        (0.5, 1, 2, True),
        (0.05, 5, 100, True),
        (0.05, 6, 100, False),
    ],
)
def test_allows(allowed: float, rejected: int, read: int, verdict: bool) -> None:
    assert Limits(max_rejected=allowed).allows(rejected, read) is verdict


@given(st.integers(1, 99), st.integers(1, 1000))
def test_a_share_is_exact(percent: int, hundreds: int) -> None:
    limits = Limits(max_rejected=percent / 100)
    assert limits.allows(percent * hundreds, 100 * hundreds)
    assert not limits.allows(percent * hundreds + 1, 100 * hundreds)


def test_parts_of_the_same_rows_are_the_same_bytes(folder: ObjectStoragePath) -> None:
    rows = [order(id=str(n), client_uniq_id=f"C{n % 7}") for n in range(50)]
    limits = Limits(max_part_rows=20)
    first = run(RowsSource(rows), folder, limits).parts
    assert [part.rows for part in first] == [20, 20, 10]
    assert run(RowsSource(rows[::-1]), folder, limits).parts == first


def test_rows_without_id(folder: ObjectStoragePath) -> None:
    rows = [order(id=None), order(id=None), order(id="1")]
    prepared = run(RowsSource(rows), folder, require_key=False)
    assert [row["id"] for row in sent(prepared)] == ["", "", "1"]
    assert prepared.has_keyless
    assert prepared.rows_duplicate == 0


def test_old_orders_are_counted(folder: ObjectStoragePath, caplog: pytest.LogCaptureFixture) -> None:
    now = datetime.now(UTC)
    rows = [order(id=str(days), create_date_time=now - timedelta(days=days)) for days in (0, 5, 19, 30, 400)]
    prepared = run(RowsSource(rows), folder, Limits(window_days=21))
    assert len(sent(prepared)) == 5
    assert "2 rows were made more than 21 days ago" in caplog.text


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.sampled_from(["1", "2", "3", 3, " 3 ", None, "", 1.5]),
            "create_date_time": st.sampled_from(["2025-03-04", "04.03.2025 15:20", "soon", None]),
            "emails": st.sampled_from(["a@example.com", "b@example.com,nonsense", "nonsense", None]),
            "update_date_time": st.sampled_from([None, "2025-03-04", "2025-03-05 10:00", "05.03.2025 09:00", "now"]),
        }
    ),
    max_size=40,
)


def _expected(rows: Iterable[dict[str, Any]], keyed: bool) -> tuple[list[int], int]:
    """Numbers of the rows that must be sent, and how many are good; told anew, without the code under test."""
    versions = {
        None: "",
        "2025-03-04": "2025-03-04",
        "2025-03-05 10:00": "2025-03-05 10",
        "05.03.2025 09:00": "2025-03-05 09",
    }
    newest: dict[object, tuple[str, int]] = {}
    good = 0
    for number, row in enumerate(rows):
        key = str(row["id"]).strip() if row["id"] else None
        bad = row["create_date_time"] in ("soon", None) or row["emails"] in ("nonsense", None)
        if bad or row["id"] == 1.5 or row["update_date_time"] == "now" or (keyed and key is None):
            continue
        good += 1
        version = versions[row["update_date_time"]]
        slot = key if key is not None else number
        if slot not in newest or version >= newest[slot][0]:
            newest[slot] = (version, number)
    return sorted(number for _, number in newest.values()), good


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(rows=ROWS, keyed=st.booleans(), part_rows=st.integers(1, 5))
def test_accounting(folder: ObjectStoragePath, rows: list[dict[str, Any]], keyed: bool, part_rows: int) -> None:
    marked = [{**row, "client_uniq_id": str(number)} for number, row in enumerate(rows)]
    limits = Limits(max_rejected=10**9, max_part_rows=part_rows)
    prepared = run(RowsSource(marked), folder, limits, require_key=keyed)
    numbers, good = _expected(rows, keyed)
    assert accounted(prepared)
    assert sorted(int(row["client_uniq_id"]) for row in sent(prepared)) == numbers
    assert prepared.rows_read == len(rows)
    assert prepared.rows_rejected == len(rows) - good == len(entries(folder, "rejected.jsonl"))
    assert prepared.values_dropped == len(entries(folder, "dropped.jsonl"))
    assert all(part.rows <= part_rows for part in prepared.parts)


def test_a_database(folder: ObjectStoragePath, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("airflow.providers.sqlite")
    path = tmp_path / "crm.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE orders (no INTEGER, made TEXT, mail TEXT, total REAL, changed TEXT)")
        database.executemany(
            "INSERT INTO orders VALUES (?, '2025-03-04 15:20:00', ?, 10.5, ?)",
            (
                (n % 9_000, f"c{n}@example.com" if n % 100 else "nonsense", f"2025-03-{10 + n // 9_000}")
                for n in range(10_000)
            ),
        )
    set_connection(monkeypatch, "crm", {"conn_type": "sqlite", "host": str(path)})
    columns = {
        "id": "no",
        "create_date_time": "made",
        "emails": "mail",
        "revenue": "total",
        "update_date_time": "changed",
    }
    source = SqlSource("crm", "SELECT * FROM orders ORDER BY random()", columns=columns)
    prepared = run(source, folder, Limits(max_rejected=0.01, max_part_rows=4000))
    assert accounted(prepared)
    assert (prepared.rows_read, prepared.rows_rejected) == (10_000, 100)
    assert prepared.rows_duplicate == 990
    rows = sent(prepared)
    newer = [row for row in rows if int(row["id"]) < 1000 and int(row["id"]) % 100]
    assert all(row["emails"] == f"c{int(row['id']) + 9000}@example.com" for row in newer)
    assert rows[0]["revenue"] == "10.5"
    assert run(source, folder, Limits(max_rejected=0.01, max_part_rows=4000)) == prepared


def test_unreadable_lines_are_rejected_rows(folder: ObjectStoragePath, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,create_date_time,emails\n1,2025-01-01,a@b.ru\n2,2025-01-01\n3,2025-01-01,c@d.ru\n")
    prepared = run(FileSource(str(path)), folder)
    assert accounted(prepared)
    assert [row["id"] for row in sent(prepared)] == ["1", "3"]
    assert [(each["row"], each["code"]) for each in entries(folder, "rejected.jsonl")] == [(2, "unreadable")]


def test_a_source_that_breaks_leaves_nothing_to_send(folder: ObjectStoragePath, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id,create_date_time,emails\n1,2025-01-01,a@b.ru\n2,2025-01-01,"a@b.ru\n')
    with pytest.raises(SourceError):
        run(FileSource(str(path)), folder)
    assert list(folder.glob("part-*")) == []


def test_header_of_a_part(folder: ObjectStoragePath) -> None:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    (part,) = run(RowsSource([order()]), folder).parts
    assert ObjectStoragePath(part.path).read_bytes().startswith(header(SIMPLE_ORDERS))
