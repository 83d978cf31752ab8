# SPDX-License-Identifier: Apache-2.0
"""Lines of a CSV file: whatever goes in comes out of an independent reader."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_yandex_orders.kinds.simple_orders import SIMPLE_ORDERS
from airflow_provider_yandex_orders.rows.check import row_checker
from airflow_provider_yandex_orders.rows.csv_file import cell, header, line_encoder
from tests.unit.unit_support import rules

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
s_ord2,20.01.2024 11:59,,12345,mail3@example.com,,,200,150,,EUR
,12.02.2024,,34456,,79876543210,SPAM,,,plohoy_lead,
"""
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
NASTY = st.text('",;\t\r\n\\ a\u2028\u00a0\ufeff', max_size=12)


def read_back(content: bytes, delimiter: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline=""), delimiter=delimiter, strict=True))


def test_header_has_the_documented_columns_in_the_samples_order() -> None:
    columns = header(SIMPLE_ORDERS).decode().rstrip("\n").split(",")
    assert set(columns) == DOCUMENTED
    assert len(columns) == len(DOCUMENTED)
    sample = SAMPLE.splitlines()[0].split(",")
    assert [name for name in columns if name in sample] == sample
    assert header(SIMPLE_ORDERS, ";").decode() == ";".join(columns) + "\n"


@pytest.mark.parametrize("delimiter", [",", ";"])
@given(texts=st.lists(TEXTS | NASTY, min_size=13, max_size=13))
@example(texts=["a\rb"] * 13)
@example(texts=['"'] * 13)
@example(texts=[""] * 13)
def test_any_text_survives(delimiter: str, texts: list[str]) -> None:
    names = [declared.name for declared in SIMPLE_ORDERS.sent_fields]
    encode = line_encoder(SIMPLE_ORDERS, delimiter)
    line = encode(dict(zip(names, texts, strict=True)))
    assert line.endswith(b"\n")
    assert not line.endswith(b"\r\n") or texts[-1].endswith("\r")
    assert read_back(header(SIMPLE_ORDERS, delimiter) + line + line, delimiter) == [names, texts, texts]


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
    ],
)
def test_cell(value: Any, wanted: str) -> None:
    assert cell(value) == wanted


def test_the_vendors_sample_rows() -> None:
    check, encode = row_checker(SIMPLE_ORDERS, rules(require_key=False)), line_encoder(SIMPLE_ORDERS)
    lines = []
    for row in csv.DictReader(io.StringIO(SAMPLE)):
        checked = check(row)
        assert not checked.faults + checked.dropped
        lines.append(encode(checked.values).decode())
    assert lines == [
        's_ord1,2024-01-10 11:56:00,s_user1,,"mail@example.com,mail2@example.com",,,,PAID,200,150,'
        '"oplata_cash:200,filial_1",\n',
        "s_ord2,2024-01-20 11:59:00,,12345,mail3@example.com,,,,PAID,200,150,,EUR\n",
        ",2024-02-12,,34456,,79876543210,,,SPAM,,,plohoy_lead,\n",
    ]
