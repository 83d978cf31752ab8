# SPDX-License-Identifier: Apache-2.0
"""Prepared parts as a source: what comes out makes the same parts."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_yandex_orders.delivery.plan import Limits, Plan
from airflow_provider_yandex_orders.delivery.prepare import prepare
from airflow_provider_yandex_orders.exceptions import ConfigurationError, PassingError, SourceError
from airflow_provider_yandex_orders.metrica.kinds import CONTACTS, OFFLINE_CONVERSIONS, ORDERS, SIMPLE_ORDERS
from airflow_provider_yandex_orders.rows.formats import FileFormat, csv_format, json_format
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.sources import RowsSource, Source
from airflow_provider_yandex_orders.sources.parts import PartsSource
from airflow_provider_yandex_orders.storage import is_local
from tests.unit.unit_support import check_options, contact, conversion, full_order, order

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

NASTY = 'a;b "c"\r\nd\u2028Ж'
NASTY_ID = 'a;b "c"d\u2028Ж'
ORDER = full_order(goals="g:1,h", products={"pear": 10, NASTY[2:]: 1}, revenue=Decimal("1234567890123.89"))
CONTACT = contact(name=NASTY, phones="79990000000,79990000001", birth_date="1985-03-04", user_ids=["u", NASTY_ID])
CASES = [
    (ORDERS, json_format(ORDERS), ORDER),
    (ORDERS, csv_format(ORDERS, ";"), ORDER),
    (CONTACTS, json_format(CONTACTS), CONTACT),
    (CONTACTS.in_csv(), csv_format(CONTACTS.in_csv()), CONTACT),
    (SIMPLE_ORDERS, csv_format(SIMPLE_ORDERS), order(client_uniq_id=NASTY_ID, goals="g:1,h", revenue="0.10")),
    (OFFLINE_CONVERSIONS, csv_format(OFFLINE_CONVERSIONS), conversion(UserId=NASTY_ID, Price="0.10", Currency="EUR")),
]
KEYS = {"orders": "id", "simple_orders": "id", "contacts": "uniq_id", "offline_conversions": "PurchaseId"}


def delivery(kind: RowKind, paths: list[str]) -> dict[str, Any]:
    return {"entity": kind.name, "parts": [{"path": path} for path in paths]}


def parts_of(source: Source, kind: RowKind, form: FileFormat, folder: ObjectStoragePath) -> list[Any]:
    if is_local(folder):
        folder.mkdir(exist_ok=True)
    plan = Plan(kind=kind, options=check_options(), limits=Limits(max_part_rows=2), folder=folder, files={"part": form})
    return prepare(source, plan).parts


@pytest.mark.parametrize(("kind", "form", "row"), CASES, ids=lambda each: getattr(each, "name", ""))
def test_rows_come_back_as_they_were_sent(
    kind: RowKind, form: FileFormat, row: dict[str, Any], folder: ObjectStoragePath
) -> None:
    rows = [row | {KEYS[kind.name]: f"K-{number}"} for number in range(5)]
    first = parts_of(RowsSource(rows), kind, form, folder / "first")
    assert [part.rows for part in first] == [2, 2, 1]
    source = PartsSource(delivery(kind, [part.path for part in first]))
    for _ in range(2):
        with source.open() as stream:
            assert stream.columns is None
            assert [each[KEYS[kind.name]] for each in stream.rows] == [f"K-{number}" for number in range(5)]
    again = parts_of(source, kind, form, folder / "again")
    assert [(part.rows, part.bytes, part.sha256) for part in again] == [
        (part.rows, part.bytes, part.sha256) for part in first
    ]


def test_amounts_of_json_parts_are_exact(folder: ObjectStoragePath) -> None:
    (folder / "part-00001.json").write_bytes(b'{"orders":[{"id":"1","revenue":12345678901234567.89}]}')
    with PartsSource(delivery(ORDERS, [str(folder / "part-00001.json")])).open() as stream:
        assert list(stream.rows) == [{"id": "1", "revenue": Decimal("12345678901234567.89")}]


def test_a_delivery_without_parts() -> None:
    with PartsSource(delivery(ORDERS, [])).open() as stream:
        assert list(stream.rows) == []


@pytest.mark.parametrize("name", ["part-00001.json", "part-00001.csv"])
def test_a_part_that_is_gone(folder: ObjectStoragePath, name: str) -> None:
    source = PartsSource(delivery(ORDERS, [str(folder / name)]))
    with source.open() as stream, pytest.raises(PassingError, match=r"no such file here.*staging_path"):
        next(stream.rows)  # another worker may have it


@pytest.mark.parametrize(
    "content", [b"", b'{"orders":[{"id"', b"[]", b'{"contacts":[]}', b'{"orders":{}}', b'{"orders":[5]}', b"\xff"]
)
def test_a_part_that_is_damaged(folder: ObjectStoragePath, content: bytes) -> None:
    (folder / "part-00001.json").write_bytes(content)
    source = PartsSource(delivery(ORDERS, [str(folder / "part-00001.json")]))
    with source.open() as stream, pytest.raises(SourceError, match=r"part-00001\.json.*upload task"):
        list(stream.rows)


def test_several_deliveries_are_read_one_after_the_other(folder: ObjectStoragePath) -> None:
    for name in ("1", "2"):
        (folder / f"{name}.json").write_bytes(b'{"orders":[{"id":"%s"}]}' % name.encode())
    source = PartsSource(*(delivery(ORDERS, [str(folder / f"{name}.json")]) for name in ("1", "2")))
    assert source.serialize() == {"entity": "orders", "paths": [str(folder / "1.json"), str(folder / "2.json")]}
    with source.open() as stream:
        assert [row["id"] for row in stream.rows] == ["1", "2"]


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ({}, "sent already"),
        ({"rows_prepared": 1, "entity": "contacts"}, "entity is 'contacts'"),
        ({"rows_prepared": 1, "counter_id": 103}, "counter_id is 103, and that of this task is 101"),
        ({"rows_prepared": 1, "merge_mode": "SAVE"}, "merge_mode is 'SAVE', and that of this task is 'UPDATE'"),
    ],
)
def test_each_delivery_is_for_this_task(second: dict[str, Any], words: str) -> None:
    first = delivery(ORDERS, []) | {"rows_prepared": 0, "counter_id": 101, "merge_mode": "UPDATE"}
    wanted = {"entity": "orders", "counter_id": 101, "merge_mode": "UPDATE"}
    PartsSource(first, delivery(ORDERS, []) | {"rows_prepared": 0}).check_destination(**wanted)
    with pytest.raises(ConfigurationError, match=words):
        PartsSource(first, delivery(ORDERS, []) | second).check_destination(**wanted)


def test_no_rows_are_shown(folder: ObjectStoragePath) -> None:
    source = PartsSource(delivery(CONTACTS, ["a.json"]))
    assert repr(source) == "PartsSource(entity='contacts', paths=['a.json'])"
