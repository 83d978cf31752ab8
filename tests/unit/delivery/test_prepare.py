# SPDX-License-Identifier: Apache-2.0
"""From a source to parts: every row is accounted for."""

from __future__ import annotations

import csv
import io
import json
import logging
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_yandex_orders.delivery.plan import Limits, Plan, Prepared, Windows
from airflow_provider_yandex_orders.delivery.prepare import prepare
from airflow_provider_yandex_orders.exceptions import RejectedRowsError, SourceError
from airflow_provider_yandex_orders.metrica.kinds import CONTACTS, OFFLINE_CONVERSIONS, ORDERS, SIMPLE_ORDERS
from airflow_provider_yandex_orders.rows.formats import FileFormat, csv_format, json_format
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.sources import FileSource, RowsSource, Source, SqlSource
from tests.unit.unit_support import check_options, contact, conversion, full_order, order, set_connection

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

ANY_NUMBER = Limits(max_rejected=10**9)


def run(
    source: Source,
    folder: ObjectStoragePath,
    limits: Limits = ANY_NUMBER,
    *,
    kind: RowKind = SIMPLE_ORDERS,
    files: Mapping[str, FileFormat] | None = None,
    **changes: Any,
) -> Prepared:
    files = files or {"part": csv_format(kind)}
    return prepare(source, Plan(kind, check_options(**changes), limits, folder, files))


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
        prepared.rows_rejected + prepared.rows_duplicate + prepared.rows_deferred
    )


def test_a_list(folder: ObjectStoragePath) -> None:
    rows = [
        order(id="2", revenue="6"),
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
    prepared = run(RowsSource(rows), folder, Limits(windows=Windows(21, 111)))
    assert len(sent(prepared)) == 5
    assert "2 rows are too_old: each was made more than 21 days ago" in caplog.text


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
    same: dict[object, list[tuple[str, int]]] = {}
    refused: dict[object, list[str]] = {}
    good = 0
    for number, row in enumerate(rows):
        key = str(row["id"]).strip() if row["id"] else None
        bad = row["create_date_time"] in ("soon", None) or row["emails"] in ("nonsense", None)
        if bad or row["id"] == 1.5 or row["update_date_time"] == "now" or (keyed and key is None):
            refused.setdefault(key, []).append(versions.get(row["update_date_time"], ""))
            continue
        good += 1
        same.setdefault(key if key is not None else number, []).append((versions[row["update_date_time"]], number))
    sent = []
    for name, members in same.items():
        bad_versions = refused.get(name, [])
        sure = all(bad_versions)
        group = [each for each in members if not bad_versions or (sure and each[0] > max(bad_versions))]
        good -= len(members) - len(group)
        if not group:
            continue
        newest = max(version for version, _ in group)
        left = [number for version, number in group if version in ("", newest)]
        if len(left) == 1:  # all rows differ
            sent += left
        else:
            good -= len(left)
    return sorted(sent), good


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(rows=ROWS, keyed=st.booleans(), part_rows=st.integers(1, 5))
def test_accounting(folder: ObjectStoragePath, rows: list[dict[str, Any]], keyed: bool, part_rows: int) -> None:
    marked = [{**row, "client_uniq_id": str(number)} for number, row in enumerate(rows)]
    limits = Limits(max_rejected=10**9, max_dropped=10**9, max_part_rows=part_rows)
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
    again = run(source, folder, Limits(max_rejected=0.01, max_part_rows=4000))
    assert replace(again, rejected={}) == replace(prepared, rejected={})  # the first of them may be another one


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
    assert ObjectStoragePath(part.path).read_bytes().startswith(csv_format(SIMPLE_ORDERS).head)


def test_the_newest_by_moment_stays(folder: ObjectStoragePath) -> None:
    rows = [
        order(id="1", revenue=1, update_date_time="2025-03-04T10:00:00+03:00"),
        order(id="1", revenue=2, update_date_time="2025-03-04T10:00:00+05:00"),  # two hours older
        order(id="2", revenue=1, update_date_time=datetime(2025, 3, 4, 10, 0, 0, 2)),
        order(id="2", revenue=2, update_date_time=datetime(2025, 3, 4, 10, 0, 0, 1)),
        order(id="3", revenue=1, update_date_time="1900-01-01"),
        order(id="3", revenue=2),  # of no version at all nobody knows
        order(id="4", revenue=1, update_date_time="1900-01-01"),
        order(id="4", revenue=2, update_date_time="1900-01-01"),  # nor of equal ones that differ
    ]
    for source in (rows, rows[::-1]):
        prepared = run(RowsSource(source), folder)
        assert [(row["id"], row["revenue"]) for row in sent(prepared)] == [("1", "1"), ("2", "1")]
        assert accounted(prepared)
        rejected = entries(folder, "rejected.jsonl")
        assert [(each["key"], each["code"]) for each in rejected] == [(key, "rows_differ") for key in "3344"]


# --- documents -----------------------------------------------------------------------------------------------------


def documents(prepared: Prepared) -> list[list[dict[str, Any]]]:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    found = []
    for part in prepared.parts:
        ((_, rows),) = json.loads(ObjectStoragePath(part.path).read_bytes()).items()
        assert len(rows) == part.rows
        found.append(rows)
    return found


def test_json_parts(folder: ObjectStoragePath) -> None:
    rows = [contact(uniq_id=str(number), emails="nonsense" if number == 3 else "a@example.com") for number in range(5)]
    rows += [contact(uniq_id=None), contact(uniq_id="1", update_date_time="2026-01-01 10:00", name="Newer")]
    rows[1]["update_date_time"] = "2025-01-01 10:00"
    prepared = run(
        RowsSource(rows),
        folder,
        replace(ANY_NUMBER, max_part_rows=2),
        kind=CONTACTS,
        files={"part": json_format(CONTACTS)},
    )
    assert accounted(prepared)
    assert (prepared.rows_rejected, prepared.rows_duplicate, prepared.values_dropped) == (1, 1, 1)
    assert [[row["uniq_id"] for row in rows] for rows in documents(prepared)] == [["0", "1"], ["2", "3"], ["4"]]
    assert documents(prepared)[0][1]["name"] == "Newer"
    assert "emails" not in documents(prepared)[1][1]
    assert sorted(path.name for path in folder.glob("part-*")) == [f"part-0000{n}.json" for n in (1, 2, 3)]


def test_parts_of_another_format_are_removed(folder: ObjectStoragePath) -> None:
    source = RowsSource([full_order(id=str(number)) for number in range(5)])
    limits = Limits(max_part_rows=2)
    run(source, folder, limits, kind=ORDERS, files={"part": json_format(ORDERS)})
    (folder / "progress.json").write_bytes(b"{}")
    prepared = run(source, folder, limits, kind=ORDERS)
    assert {path.name for path in folder.glob("*")} == {"progress.json", *(f"part-0000{n}.csv" for n in (1, 2, 3))}
    assert len(prepared.parts) == 3


def test_parts_stay_when_the_next_try_finds_too_many_rejects(folder: ObjectStoragePath) -> None:
    run(RowsSource([order()]), folder)
    with pytest.raises(RejectedRowsError):
        run(RowsSource([order(id=None)]), folder, Limits())
    assert [path.name for path in folder.glob("part-*")] == ["part-00001.csv"]


# --- what a file says ----------------------------------------------------------------------------------------------

TEXTS = st.text("aЖ9,;|\t\r\n\"' ", max_size=12).map(lambda inner: f"a{inner}z")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    cells=st.lists(st.tuples(TEXTS, TEXTS, st.text("aЖ,;|\t\r\n\"' ", max_size=12)), max_size=8),
    columns=st.permutations(["uniq_id", "name", "user_comment", "not sent"]),
    delimiter=st.sampled_from(",;|\t~"),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1251"]),
    form=st.sampled_from([csv_format, json_format]),
)
def test_what_is_sent_is_what_a_writer_wrote(
    folder: ObjectStoragePath,
    tmp_path: Path,
    cells: list[tuple[str, str, str]],
    columns: list[str],
    delimiter: str,
    quoting: Any,
    encoding: str,
    form: Any,
) -> None:
    kind = CONTACTS if form is json_format else CONTACTS.in_csv()
    rows = [
        {"uniq_id": f"C{n:03}", "name": name, "user_comment": comment, "not sent": other}
        for n, (name, comment, other) in enumerate(cells)
    ]
    with (tmp_path / "a.csv").open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, columns, delimiter=delimiter, quoting=quoting)
        writer.writeheader()
        writer.writerows(rows)
    source = FileSource(str(tmp_path / "a.csv"), encoding=encoding, delimiter=delimiter, multiline=True)
    prepared = run(source, folder, Limits(), kind=kind, files={"part": form(kind)})
    assert (prepared.rows_read, prepared.rows_rejected, prepared.values_dropped) == (len(rows), 0, 0)
    found = [row for part in documents(prepared) for row in part] if form is json_format else sent(prepared)
    told = ["uniq_id", "name", *(["user_comment"] if form is json_format else [])]
    assert [{name: row[name] for name in told} for row in found] == [{name: row[name] for name in told} for row in rows]


# --- rows of the future --------------------------------------------------------------------------------------------


def moments(*hours: float) -> list[dict[str, Any]]:
    now = datetime.now(UTC)
    return [
        conversion(id=f"L-{number}", DateTime=now + timedelta(hours=each), Price="1500.50", UserId=f"u{number}")
        for number, each in enumerate(hours)
    ]


def test_rows_of_the_future_wait(folder: ObjectStoragePath) -> None:
    prepared = run(RowsSource(moments(-2, 24, -0.01, 0.05)), folder, Limits(), kind=OFFLINE_CONVERSIONS)
    assert accounted(prepared)
    assert {row["UserId"] for row in sent(prepared)} == {"u0", "u2"}
    assert (prepared.rows_deferred, prepared.rows_rejected) == (2, 0)
    assert prepared.deferred_path == str(folder / "deferred.jsonl")
    assert [entry["id"] for entry in entries(folder, "deferred.jsonl")] == ["L-1", "L-3"]


def test_rows_that_waited_are_a_source(folder: ObjectStoragePath, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(RowsSource(moments(24, 48)), folder, kind=OFFLINE_CONVERSIONS)
    assert first.parts == []
    waited = FileSource(str(first.deferred_path))
    later = datetime.now(UTC) + timedelta(hours=30)
    monkeypatch.setattr("airflow_provider_yandex_orders.delivery.sorter.time.time", later.timestamp)
    with_others = folder / "next"
    if with_others.protocol in ("", "file"):
        with_others.mkdir()
    prepared = run(waited, with_others, Limits(), kind=OFFLINE_CONVERSIONS)
    assert [(row["UserId"], row["Price"]) for row in sent(prepared)] == [("u0", "1500.50")]
    assert prepared.rows_deferred == 1
    assert [entry["id"] for entry in entries(with_others, "deferred.jsonl")] == ["L-1"]


def test_a_bad_row_of_the_future_is_rejected_and_no_file_is_left_of_an_earlier_try(folder: ObjectStoragePath) -> None:
    run(RowsSource(moments(24)), folder, kind=OFFLINE_CONVERSIONS)
    assert (folder / "deferred.jsonl").exists()
    bad = moments(24)[0] | {"Target": "not an identifier"}
    prepared = run(RowsSource([bad]), folder, kind=OFFLINE_CONVERSIONS)
    assert (prepared.rows_rejected, prepared.rows_deferred, prepared.deferred_path) == (1, 0, None)
    assert not (folder / "deferred.jsonl").exists()
    assert entries(folder, "rejected.jsonl")[0]["key"] == "L-0"


def test_orders_of_the_future_are_sent(folder: ObjectStoragePath) -> None:
    prepared = run(RowsSource([order(create_date_time=datetime.now(UTC) + timedelta(days=2))]), folder)
    assert (len(sent(prepared)), prepared.rows_deferred) == (1, 0)


# --- conversions ---------------------------------------------------------------------------------------------------


def test_the_same_conversion_is_sent_once(folder: ObjectStoragePath) -> None:
    rows = [
        conversion(Price=1),
        conversion(Price=1, DateTime="2025-03-04T12:00:00Z"),
        conversion(Price=3, Target="other"),
        conversion(Price=4, UserId="u"),
    ]
    prepared = run(RowsSource(rows), folder, kind=OFFLINE_CONVERSIONS)
    assert sorted(row["Price"] for row in sent(prepared)) == ["1", "3", "4"]
    assert prepared.rows_duplicate == 1
    assert not prepared.has_keyless


def test_a_file_for_each_identifier(folder: ObjectStoragePath) -> None:
    files = {name: csv_format(OFFLINE_CONVERSIONS.with_identifier(name)) for name in OFFLINE_CONVERSIONS.identifiers}
    nobody = {"ClientId": None}
    rows = [
        conversion(),
        conversion(UserId="u"),  # goes by the first identifier it has
        conversion(**nobody, UserId="u1"),
        conversion(**nobody, UserId="u2", PurchaseId="p"),
        conversion(**nobody, UserId="u3"),
        conversion(**nobody, PurchaseId="p2"),
        conversion(**nobody),
    ]
    limits = replace(ANY_NUMBER, max_part_rows=2)
    prepared = run(RowsSource(rows), folder, limits, kind=OFFLINE_CONVERSIONS, files=files)
    assert accounted(prepared)
    assert prepared.rows_rejected == 1
    assert [(part.path.rpartition("/")[2], part.rows) for part in prepared.parts] == [
        ("ClientId-00001.csv", 2),
        ("UserId-00001.csv", 2),
        ("UserId-00002.csv", 1),
        ("PurchaseId-00001.csv", 1),
    ]
    by_file = [set(row) & set(OFFLINE_CONVERSIONS.identifiers) for row in sent(prepared)]
    assert by_file == [{"ClientId"}] * 2 + [{"UserId"}] * 3 + [{"PurchaseId"}]

    only = run(RowsSource(rows[-2:-1]), folder, limits, kind=OFFLINE_CONVERSIONS, files=files)
    assert len(only.parts) == 1
    assert [path.name for path in folder.glob("*.csv")] == ["PurchaseId-00001.csv"]


# --- customers of orders -------------------------------------------------------------------------------------------

FEW = replace(ORDERS, owner_limit=3)


def test_too_many_orders_of_one_customer(folder: ObjectStoragePath) -> None:
    rows = [full_order(id=str(number), client_uniq_id="no-17") for number in range(4)]
    with pytest.raises(RejectedRowsError) as caught:
        run(RowsSource([full_order(id="x"), *rows]), folder, kind=FEW)
    for part in ("client_uniq_id", "4 rows", "takes 3", "Nothing was sent", "simplified orders"):
        assert part in str(caught.value)
    assert "no-17" not in str(caught.value)
    assert list(folder.glob("part-*")) == []


def test_as_many_orders_of_one_customer_as_may_be(folder: ObjectStoragePath) -> None:
    rows = [full_order(id=str(number % 3), client_uniq_id="guest") for number in range(30)]
    rows += [full_order(id=f"b{number}", client_uniq_id="other") for number in range(3)]
    assert len(sent(run(RowsSource(rows), folder, kind=FEW))) == 6


def test_defaults_worth_a_word(folder: ObjectStoragePath, caplog: pytest.LogCaptureFixture) -> None:
    run(RowsSource([order(), order(id="2"), order(id="3", order_status="PAID")]), folder)
    assert "2 rows had no order_status" in caplog.text
    caplog.clear()
    run(RowsSource([full_order()]), folder, kind=ORDERS)
    assert "had no" not in caplog.text  # client_type has but one value
