# SPDX-License-Identifier: Apache-2.0
"""Rows as files: whatever goes in comes out of an independent reader."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_yandex_orders.metrica.kinds import SIMPLE_ORDERS
from airflow_provider_yandex_orders.rows import types
from airflow_provider_yandex_orders.rows.check import RowChecker
from airflow_provider_yandex_orders.rows.formats import cell, csv_format, json_format
from airflow_provider_yandex_orders.rows.kind import Field, RowKind
from tests.unit.unit_support import check_options

# The column list of https://yandex.ru/dev/metrika/ru/management/openapi/schema/uploadSimpleOrders
DOCUMENTED = {
    "create_date_time",
    "id",
    "client_ids",
    "emails",
    "phones",
    "emails_md5",
    "phones_md5",
    "client_uniq_id",
    "order_status",
    "revenue",
    "cost",
    "goals",
    "currency",
}
# The header line of the vendor's sample, and its rows.
SAMPLE = """\
id,create_date_time,client_uniq_id,client_ids,emails,phones,order_status,revenue,cost,goals,currency
s_ord1,10.01.2024 11:56,s_user1,,"mail@example.com,mail2@example.com",,PAID,200,150,"oplata_cash:200,filial_1",
s_ord2,20.01.2024 11:59,,1700000000123456789,mail3@example.com,,,200,150,,EUR
,12.02.2024,,1700000000123456788,,79876543210,SPAM,,,plohoy_lead,
"""
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
NASTY = st.text('",;\t\r\n\\ a\u2028\u00a0\ufeff', max_size=12)


def read_back(content: bytes, delimiter: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline=""), delimiter=delimiter, strict=True))


def test_header_has_the_documented_columns_in_the_samples_order() -> None:
    columns = csv_format(SIMPLE_ORDERS).head.decode().rstrip("\n").split(",")
    assert set(columns) == DOCUMENTED
    assert len(columns) == len(DOCUMENTED)
    sample = SAMPLE.splitlines()[0].split(",")
    assert [name for name in columns if name in sample] == sample
    assert csv_format(SIMPLE_ORDERS, ";").head.decode() == ";".join(columns) + "\n"


@pytest.mark.parametrize("delimiter", [",", ";"])
@given(texts=st.lists(TEXTS | NASTY, min_size=13, max_size=13))
@example(texts=["a\rb"] * 13)
@example(texts=['"'] * 13)
@example(texts=[""] * 13)
def test_any_text_survives(delimiter: str, texts: list[str]) -> None:
    names = [declared.name for declared in SIMPLE_ORDERS.sent_fields]
    form = csv_format(SIMPLE_ORDERS, delimiter)
    line = form.encode(dict(zip(names, texts, strict=True)))
    assert line.endswith(b"\n")
    assert not line.endswith(b"\r\n") or texts[-1].endswith("\r")
    assert read_back(form.head + line + form.between + line + form.tail, delimiter) == [names, texts, texts]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (None, ""),
        ("", ""),
        ("a,b", "a,b"),
        (Decimal("1500.50"), "1500.50"),
        (Decimal("1E+3"), "1000"),
        (["a", "b"], "a,b"),
        ([], ""),
        ([("g", None), ("h", Decimal("1E+1"))], "g,h:10"),
        (0, "0"),
        (1741089600, "1741089600"),
        (Decimal(0), "0"),
        ({"pear": 10, "apple": 0}, "pear:10,apple:0"),
        ({}, ""),
    ],
)
def test_cell(value: Any, wanted: str) -> None:
    assert cell(value) == wanted


def test_the_vendors_sample_rows() -> None:
    check, encode = RowChecker(SIMPLE_ORDERS, check_options(require_key=False)), csv_format(SIMPLE_ORDERS).encode
    lines = []
    for row in csv.DictReader(io.StringIO(SAMPLE)):
        checked = check(row)
        assert not checked.faults + checked.dropped
        lines.append(encode(checked.values).decode())
    assert lines == [
        's_ord1,2024-01-10 11:56:00,s_user1,,"mail@example.com,mail2@example.com",,,,PAID,200,150,'
        '"oplata_cash:200,filial_1",\n',
        "s_ord2,2024-01-20 11:59:00,,1700000000123456789,mail3@example.com,,,,PAID,200,150,,EUR\n",
        ",2024-02-12,,1700000000123456788,,79876543210,,,SPAM,,,plohoy_lead,\n",
    ]


@given(
    rows=st.lists(st.tuples(TEXTS | NASTY, NASTY, NASTY), min_size=1, max_size=5),
    fields=st.sets(st.sampled_from(["id", "client_uniq_id", "order_status", "id_of_nothing"])).map(
        lambda each: each | {"id"}
    ),
    delimiter=st.sampled_from(",;"),
)
def test_a_narrow_file_has_the_same_cells(rows: list[tuple[str, ...]], fields: set[str], delimiter: str) -> None:
    form, names = csv_format(SIMPLE_ORDERS, delimiter), ("id", "client_uniq_id", "order_status")
    assert form.encode_cells
    assert form.narrow
    narrowed, cut = form.narrow(fields)
    given_rows = [dict(zip(names, row, strict=True)) for row in rows]
    lines = [cut(form.encode_cells(row)) for row in given_rows]
    kept = [name for name in names if name in fields]
    written = csv.DictReader(io.StringIO((narrowed.head + b"".join(lines)).decode(), newline=""), delimiter=delimiter)
    assert written.fieldnames == kept
    if len(kept) > 1:  # a single empty cell is a blank line, which the reader leaves out
        assert list(written) == [{name: row[name] for name in kept} for row in given_rows]
    assert narrowed.picker
    picked = narrowed.picker(names)(lines)
    assert picked == [[row[name] if name in fields else "" for row in given_rows] for name in names]


# --- JSON ----------------------------------------------------------------------------------------------------------

KIND = RowKind(
    name="things",
    page="",
    key=("id",),
    label="id",
    fields=(
        Field("id", types.TEXT, ""),
        Field("many", types.TEXT, "", many=True),
        Field("goals", types.GOALS, "", many=True),
        Field("sum", types.MONEY, ""),
        Field("products", types.PRODUCTS, ""),
        Field("inner", types.TEXT, "", sent=False),
    ),
)


def document(*rows: dict[str, Any]) -> str:
    form = json_format(KIND)
    return (form.head + form.between.join(map(form.encode, rows)) + form.tail).decode()


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({"id": "1"}, '{"id":"1"}'),
        ({"id": "1", "inner": "x"}, '{"id":"1"}'),
        ({"id": "1", "other": "x"}, '{"id":"1"}'),
        ({"id": "1", "many": []}, '{"id":"1"}'),
        ({"id": "1", "many": ["a", "b"]}, '{"id":"1","many":["a","b"]}'),
        ({"id": 'Ж\n"'}, '{"id":"Ж\\n\\""}'),
        ({"sum": Decimal("1500.50")}, '{"sum":1500.50}'),
        ({"sum": Decimal("123456789012345678901.23")}, '{"sum":123456789012345678901.23}'),
        ({"sum": Decimal(0)}, '{"sum":0}'),
        (
            {"goals": [("a", None), ("b", Decimal("0.10"))]},
            '{"goals":[{"goal_action_id":"a"},{"goal_action_id":"b","price":0.10}]}',
        ),
        ({"products": {"pear": 10, "apple": 30}}, '{"products":{"pear":10,"apple":30}}'),
    ],
)
def test_json_row(values: dict[str, Any], wanted: str) -> None:
    assert json_format(KIND).encode(values).decode() == wanted


def test_json_document() -> None:
    assert json_format(KIND).suffix == ".json"
    assert document() == '{"things":[]}'
    assert document({"id": "1"}) == '{"things":[{"id":"1"}]}'
    assert json.loads(document({"id": "1"}, {"id": "2"}, {})) == {"things": [{"id": "1"}, {"id": "2"}, {}]}


@given(
    st.lists(st.fixed_dictionaries({"id": TEXTS | NASTY, "many": st.lists(TEXTS, min_size=1, max_size=3)}), max_size=4)
)
def test_any_text_survives_json(rows: list[dict[str, Any]]) -> None:
    assert json.loads(document(*rows)) == {"things": rows}


@given(st.decimals(0, 10**12, places=2))
def test_amounts_are_exact_json_numbers(amount: Decimal) -> None:
    (row,) = json.loads(document({"sum": amount}), parse_float=Decimal, parse_int=Decimal)["things"]
    assert row["sum"] == amount


def test_csv_has_nothing_between_and_after_its_lines() -> None:
    form = csv_format(KIND)
    assert (form.suffix, form.head, form.between, form.tail) == (".csv", b"id,many,goals,sum,products\n", b"", b"")
    row = {"id": "1", "goals": [("a", None), ("b", Decimal(5))], "products": {"p": 1, "q": 2}, "inner": "x"}
    assert form.encode(row) == b'1,,"a,b:5",,"p:1,q:2"\n'
    assert csv_format(KIND, ";").encode(row) == b"1;;a,b:5;;p:1,q:2\n"
