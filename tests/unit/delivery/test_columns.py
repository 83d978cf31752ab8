# SPDX-License-Identifier: Apache-2.0
"""Columns of a source are judged before its rows are."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.delivery.columns import check_mapping, watched
from airflow_provider_yandex_orders.exceptions import SourceError
from airflow_provider_yandex_orders.metrica.kinds import CONTACTS, OFFLINE_CONVERSIONS, SIMPLE_ORDERS
from airflow_provider_yandex_orders.sources import FileSource, RowsSource, Source


def seen(source: Source, require_key: bool = True) -> list[Any]:
    check_mapping(source.columns, SIMPLE_ORDERS)
    with source.open() as stream:
        return list(watched(source, SIMPLE_ORDERS, stream, require_key=require_key))


def csv_source(tmp_path: Path, head: str, columns: dict[str, str] | None = None) -> FileSource:
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
        ("ID,CREATE_DATE_TIME,EMAILS", None, ["'id'", "Did you mean 'ID'?"]),
        ("id,create_date_time,mail", None, ["no customer identifier", "client_ids, emails", "It has: id"]),
        ("id,create_date_time,emails,id", None, ["several columns are named id"]),
        ("id,create_date_time,emails", {"phones": "phnoe"}, ["'phones'", "'phnoe'"]),
        ("id,create_date_time,emails,phone", {"phones": "phnoe"}, ["Did you mean 'phone'?"]),
        ("id,create_date_time,emails", {"email": "emails"}, ["no field 'email'", "Did you mean 'emails'?"]),
        ("id,create_date_time,emails", {"emails": "id", "x": "id"}, ["no field 'x'"]),
    ],
)
def test_bad_columns(tmp_path: Path, head: str, columns: dict[str, str] | None, said: list[str]) -> None:
    with pytest.raises(SourceError) as caught:
        seen(csv_source(tmp_path, head, columns))
    for part in said:
        assert part in str(caught.value)


def test_no_id_column_when_ids_are_not_required(tmp_path: Path) -> None:
    assert len(seen(csv_source(tmp_path, "create_date_time,emails"), require_key=False)) == 1


def test_an_empty_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("")
    with pytest.raises(SourceError, match="no columns"):
        seen(FileSource(str(tmp_path / "a.csv")))


@pytest.mark.parametrize(
    "head",
    [
        "A-1,ivan@example.com,+7 (999) 555-11-11,79995551111",
        "A-1,Иванов Иван,ivanov,PAID",
        "Иванов,Ivan Petrov",
        "id,create_date_time,ivan@example.com,ivan@example.com",
        "id,create_date_time,emails,Иванов Иван,Иванов Иван",
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
        assert "is the first line a header?" in str(caught.value)


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
        assert len(list(watched(source, CONTACTS, stream, require_key=True))) == 1
    source = csv_source(tmp_path, "Target,DateTime")
    with source.open() as stream, pytest.raises(SourceError, match=r'ClientId, UserId, Yclid.*columns=\{"ClientId":'):
        list(watched(source, OFFLINE_CONVERSIONS, stream, require_key=True))
    for head in ("UserId,DateTime", "UserId,Target"):
        source = csv_source(tmp_path, head)
        with source.open() as stream, pytest.raises(SourceError, match=r"no column '(Target|DateTime)'"):
            list(watched(source, OFFLINE_CONVERSIONS, stream, require_key=True))


def test_attributes_are_mapped_like_fields(tmp_path: Path) -> None:
    kind = CONTACTS.in_csv(("level",))
    check_mapping({"level": "grade"}, kind)
    with pytest.raises(SourceError, match="no field 'level'"):
        check_mapping({"level": "grade"}, CONTACTS)
    with pytest.raises(SourceError, match="no field 'birth_date'"):  # JSON only
        check_mapping({"birth_date": "born"}, kind)
