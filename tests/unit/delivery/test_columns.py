# SPDX-License-Identifier: Apache-2.0
"""Columns of a source are judged before its rows are."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.delivery.columns import check_mapping, check_read, watched
from airflow_provider_yandex_orders.exceptions import SourceError
from airflow_provider_yandex_orders.metrica.kinds import CONTACTS, OFFLINE_CONVERSIONS, SIMPLE_ORDERS, row_kind
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.sources import FileSource, RowsSource, Source
from airflow_provider_yandex_orders.sources.base import RowStream, UnreadableRow


def rows_of(source: Source, kind: RowKind, stream: RowStream, **asks: bool) -> list[Any]:
    pick = watched(source, kind, stream, **{"require_key": True, **asks})
    rows = [row if isinstance(row, UnreadableRow) else pick(row) for row in stream.rows]
    check_read(source, kind, stream, pick)
    return rows


def seen(source: Source, **asks: bool) -> list[Any]:
    check_mapping(source.columns, SIMPLE_ORDERS)
    with source.open() as stream:
        return rows_of(source, SIMPLE_ORDERS, stream, **asks)


def csv_source(tmp_path: Path, head: str, columns: Any = None) -> FileSource:
    path = tmp_path / "a.csv"
    path.write_text(f"{head}\n{','.join('x' for _ in head.split(','))}\n")
    return FileSource(str(path), columns=columns)


@pytest.mark.parametrize(
    ("head", "columns"),
    [
        ("id,create_date_time,emails", None),
        ("id,create_date_time,phones_md5,more", None),
        ("no,made,mail", {"id": "no", "create_date_time": "made", "emails": "mail"}),
        ("no,made", {"id": "no", "create_date_time": "made", "client_ids": "no"}),
        ("ID, Create_Date_Time ,EMAILS", None),
        ("\u200bid,create_date_time,emails\ufeff", None),
        ("id,create_date_time,emails,x,x,X,,", None),
        ("NO,Made On,mail", {"id": "no", "create_date_time": " made  on", "emails": "Mail"}),
        ("id,create_date_time,work,home", {"emails": ["work", "home"]}),
    ],
)
def test_good_columns(tmp_path: Path, head: str, columns: dict[str, str] | None) -> None:
    assert len(seen(csv_source(tmp_path, head, columns))) == 1


@pytest.mark.parametrize(
    ("head", "columns", "said"),
    [
        ("id,emails", None, ["no column 'create_date_time'", 'columns={"create_date_time": "source column"}']),
        ("create_date_time,emails", None, ["no column 'id'"]),
        ("id,create_datetime,emails", None, ["'create_date_time'", "Did you mean 'create_datetime'?"]),
        ("id,create_date_time,Emails,EMAILS", None, ["'Emails' and 'EMAILS' fit 'emails' equally"]),
        ("ID,create_date_time,emails", {"client_uniq_id": "ID"}, ["no column 'id'"]),
        ("id,create_date_time,emails", {"phones": ["id", "phnoe"]}, ["'phones'", "'phnoe'"]),
        ("id,create_date_time,emails", {"phones": "billing.phone"}, ["'phones'", "'billing.phone'"]),
        ("id,create_date_time,emails", {"phones": []}, ["'phones' is mapped to list"]),
        ("id,create_date_time,emails", {"phones": {"a": 1}}, ["'phones' is mapped to dict"]),
        ("id,create_date_time", {"emails": "x"}, ["It was read as utf-8 with ',' between its cells"]),
        ("id,create_date_time,mail", None, ["no customer identifier", "client_ids, emails", "It has: id"]),
        ("id,create_date_time,emails,id", None, ["several columns are named id"]),
        ("id,create_date_time,emails", {"phones": "phnoe"}, ["'phones'", "'phnoe'"]),
        ("id,create_date_time,emails,phone", {"phones": "phnoe"}, ["Did you mean 'phone'?"]),
        ("id,create_date_time,emails", {"email": "emails"}, ["no field 'email'", "Did you mean 'emails'?"]),
        ("id,create_date_time,emails", {"emails": "id", "x": "id"}, ["no field 'x'"]),
    ],
)
def test_bad_columns(tmp_path: Path, head: str, columns: Any, said: list[str]) -> None:
    with pytest.raises(SourceError) as caught:
        seen(csv_source(tmp_path, head, columns))
    for part in said:
        assert part in str(caught.value)


def test_no_id_column_when_ids_are_not_required(tmp_path: Path) -> None:
    assert len(seen(csv_source(tmp_path, "create_date_time,emails"), require_key=False)) == 1


def picked(rows: list[dict[str, Any]], columns: Any = None) -> list[Any]:
    source = RowsSource(rows)
    source.columns = columns
    return seen(source)


def test_names_may_differ_in_what_people_do_not_see(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\ufeffID; Revenue ;CREATE_date_time;emails;REVENUE_2\n7;5;2026-01-01;a@b.ru;9\n", encoding="utf-8")
    good = {"id": "7", "revenue": "5", "create_date_time": "2026-01-01", "emails": "a@b.ru"}
    assert seen(FileSource(str(path))) == [good]
    rows = [{"ID": "7", "Revenue ": 5}, {"id": "8", "REVENUE": 6, "x": 1}, {"id": "9", "revenue": 7, "Revenue": 0}]
    assert picked(rows) == [{"id": "7", "revenue": 5}, {"id": "8", "revenue": 6}, {"id": "9", "revenue": 7}]
    with pytest.raises(SourceError, match="'Cost' and 'COST' fit 'cost' equally"):
        picked([{"id": "1", "Cost": 1, "COST": 2}])


@pytest.mark.parametrize("word", ["NULL", "null", r"\N", "None", "nan", "NaN", "<NA>", "#N/A", "", " NULL "])
def test_words_for_nothing(word: str) -> None:
    assert picked([{"id": word, "revenue": word, "emails": "-"}]) == [{"id": None, "revenue": None, "emails": "-"}]


def test_words_for_nothing_may_be_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,create_date_time,emails,order_status\n-,n/a,None,NULL\n")
    source = FileSource(str(path), null_values=("-", "n/a"))
    assert seen(source) == [{"id": None, "create_date_time": None, "emails": "None", "order_status": "NULL"}]


@pytest.mark.parametrize(
    "zero",
    [
        "0001-01-01T00:00:00",
        "0000-00-00 00:00:00",
        "0000-00-00",
        "01.01.0001 0:00:00",
        "1899-12-30T00:00:00Z",
        "01/01/0001 12:00:00 AM",
        datetime(1, 1, 1),
        date(1, 1, 1),
        datetime(1, 1, 1, tzinfo=UTC),
    ],
)
def test_dates_that_stand_for_no_date(zero: Any) -> None:
    assert picked([{"id": "1", "create_date_time": zero}]) == [{"id": "1", "create_date_time": None}]


@pytest.mark.parametrize("field", ["id", "order_status", "revenue", "goals", "emails"])
@pytest.mark.parametrize("zero", ["1900-01-01", date(1900, 1, 1), datetime(1900, 1, 1, 12)])
def test_a_number_in_a_column_of_dates_is_not_nothing(field: str, zero: Any) -> None:
    assert picked([{"id": "1", field: zero}]) == [{"id": "1", field: zero}]


def test_a_zero_day_does_not_hide_the_next_column() -> None:
    row = {"id": "1", "paid_at": "0001-01-01", "closed_at": "2026-11-20"}
    assert picked([row], {"create_date_time": ["paid_at", "closed_at"]})[0]["paid_at, closed_at"] == "2026-11-20"


def test_a_second_file_is_told_as_it_was_read_itself(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("id,create_date_time,emails\n1,2026-11-20,a@b.ru\n")
    (tmp_path / "2.csv").write_text("id;create_date_time\n2;2026-11-20\n")
    with pytest.raises(SourceError, match=r"no customer identifier.*with ';' between"):
        seen(FileSource([str(tmp_path / name) for name in ("1.csv", "2.csv")]))


def test_what_only_looks_like_such_a_date() -> None:
    row = {"id": "0000-00-00", "create_date_time": "0001-01-01 10:00:00", "client_uniq_id": "0001-01-01-7"}
    assert picked([row]) == [row]


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ('="0045"', "0045"),
        ('="say ""yes"""', 'say "yes"'),
        ('=""', None),
        ("'+79990000000", "+79990000000"),
        ("'0045", "0045"),
        ("'=1+1", "=1+1"),
        ("'t Hooft", "'t Hooft"),
        ("'0045'", "'0045'"),
        ("=0045", "=0045"),
        ("'", "'"),
    ],
)
def test_text_that_a_spreadsheet_protects(cell: str, meant: str | None) -> None:
    assert picked([{"id": cell}]) == [{"id": meant}]


NESTED: dict[str, Any] = {
    "id": 5,
    "billing": {"email": "a@b.ru", "phone": None, "json": '{"x": {"y": "deep"}}'},
    "PHONE": [{"VALUE": "+79990000001"}, {"VALUE": "+79990000002"}, {"TYPE": "x"}],
    "lines": [{"sku": "a"}, {"sku": "b"}],
    "a.b": "dotted",
}


@pytest.mark.parametrize(
    ("columns", "meant"),
    [
        ({"emails": "billing.email"}, {"emails": "a@b.ru"}),
        ({"emails": "Billing.email"}, {"emails": "a@b.ru"}),
        ({"phones": "PHONE.VALUE"}, {"phones": ["+79990000001", "+79990000002"]}),
        ({"client_uniq_id": "lines.1.sku"}, {"client_uniq_id": "b"}),
        ({"client_uniq_id": "a.b"}, {"client_uniq_id": "dotted"}),
        ({"client_uniq_id": "billing.json.x.y"}, {"client_uniq_id": "deep"}),
        ({"emails": ["billing.phone", "billing.email", "a.b"]}, {"emails": "a@b.ru,dotted"}),
        ({"phones": ["billing.email", "PHONE.VALUE"]}, {"phones": ["a@b.ru", "+79990000001", "+79990000002"]}),
        ({"client_uniq_id": ["billing.phone", "none", "billing.email", "a.b"]}, {"client_uniq_id": "a@b.ru"}),
    ],
)
def test_nested_and_several_columns(columns: Any, meant: dict[str, Any]) -> None:
    (row,) = picked([NESTED], columns)
    assert row.pop("id") == 5
    assert list(row.values()) == list(meant.values())


@pytest.mark.parametrize("columns", [{"emails": "billing.emial"}, {"emails": "id.x"}, {"emails": ["x", "billing.y"]}])
def test_a_path_that_leads_nowhere(columns: Any) -> None:
    with pytest.raises(SourceError, match="no row of"):
        picked([NESTED, {"id": 6}], columns)


def test_a_path_that_some_rows_have() -> None:
    assert picked([{"id": 6}, NESTED], {"emails": "billing.email"})[0] == {"id": 6}


def test_several_columns_of_a_table(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id,create_date_time,work,home\n1,d,a@b.ru,NULL\n2,d,,\n3,d,"[""x@b.ru""]","c@b.ru; d@b.ru"\n')
    rows = seen(FileSource(str(path), columns={"emails": ["work", "home"]}))
    assert [row["work, home"] for row in rows] == ["a@b.ru", None, ["x@b.ru", "c@b.ru; d@b.ru"]]


@pytest.mark.parametrize("name", ["revenue_", "revnue", "Order-Status", "Costs", "order_statuss"])
@pytest.mark.parametrize("from_file", [True, False])
def test_a_name_that_nearly_fits_is_warned_of(
    tmp_path: Path, name: str, from_file: bool, caplog: pytest.LogCaptureFixture
) -> None:
    if from_file:
        seen(csv_source(tmp_path, f"id,create_date_time,emails,{name},other"))
    else:
        picked([{"id": "1"}, {"id": "2", name: "x", "other": 1}])
    (warning,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert repr(name) in warning
    assert "columns={'" in warning


def test_keys_that_are_not_sent_are_named_for_every_source(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    picked([{"id": "1", "colour": "red"}, {"id": "2", "size": 5, "ivan@example.com": 1}], {"emails": ["id", "mail"]})
    assert "not sent: colour, size, <e-mail>" in caplog.text


@pytest.mark.parametrize(
    "head",
    [
        "A-1,ivan@example.com,+7 (999) 555-11-11,79995551111",
        "A-1,Иванов Иван,ivanov,PAID",
        "Иванов,Ivan Petrov",
        "id,create_date_time,ivan@example.com,ivan@example.com",
        "id,create_date_time,Иванов Иван,Иванов Иван",
        "2025-03-04,petrov,Ivan",
    ],
)
def test_a_file_without_header_tells_no_values(tmp_path: Path, head: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(SourceError) as caught:
        seen(csv_source(tmp_path, head))
    for private in ("ivan", "иван", "petrov", "555-11-11", "79995551111"):
        assert private not in (str(caught.value) + caplog.text).lower()
    if "id" not in head:
        assert "is the first line a header? Take out what stands above it." in str(caught.value)


def test_a_query_has_no_first_line() -> None:
    with pytest.raises(SourceError, match="there is no column 'id'") as caught:
        rows_of(RowsSource([]), SIMPLE_ORDERS, RowStream(["max(id)", "min(created_at)"], iter(())))
    assert "first line" not in str(caught.value)


def test_columns_that_are_not_sent_are_logged_without_values(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    seen(csv_source(tmp_path, "id,create_date_time,emails,colour,ivan@example.com"))
    assert "not sent: colour, <e-mail>" in caplog.text


def test_mapped_columns_that_no_row_has() -> None:
    source = RowsSource([{"id": "1"}, {"id": "2", "mail": "a@b.ru"}])
    source.columns = {"emails": "mail"}
    assert len(seen(source)) == 2
    source.columns = {"emails": "mial", "phones": "mail"}
    with pytest.raises(SourceError, match=r"no row of .* has 'mial'"):
        seen(source)
    empty = RowsSource([])
    empty.columns = {"emails": "mial"}
    assert seen(empty) == []


def test_columns_of_other_kinds(tmp_path: Path) -> None:
    source = csv_source(tmp_path, "uniq_id,name")
    with source.open() as stream:
        assert len(rows_of(source, CONTACTS, stream)) == 1
    source = csv_source(tmp_path, "Target,DateTime")
    with source.open() as stream, pytest.raises(SourceError, match=r'ClientId, UserId, Yclid.*columns=\{"ClientId":'):
        rows_of(source, OFFLINE_CONVERSIONS, stream)
    for head in ("UserId,DateTime", "UserId,Target"):
        source = csv_source(tmp_path, head)
        with source.open() as stream, pytest.raises(SourceError, match=r"no column '(Target|DateTime)'"):
            rows_of(source, OFFLINE_CONVERSIONS, stream)


def test_attributes_are_mapped_like_fields(tmp_path: Path) -> None:
    kind = row_kind("csv", {"level": "level"}, CONTACTS)
    check_mapping({"level": "grade"}, kind)
    with pytest.raises(SourceError, match="no field 'level'"):
        check_mapping({"level": "grade"}, CONTACTS)
    with pytest.raises(SourceError, match="no field 'birth_date'"):  # JSON only
        check_mapping({"birth_date": "born"}, kind)


def test_statuses_that_are_mapped_have_a_column(tmp_path: Path) -> None:
    head = "id,create_date_time,emails,status"
    with pytest.raises(SourceError, match=r"no column 'order_status'.*status_map has nothing to map.*sent as PAID"):
        seen(csv_source(tmp_path, head), maps=True)
    assert len(seen(csv_source(tmp_path, head, {"order_status": "status"}), maps=True)) == 1
