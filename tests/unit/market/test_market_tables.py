# SPDX-License-Identifier: Apache-2.0
"""Orders as rows: what is known goes to its column, the rest is kept, and nothing fails a page."""

from __future__ import annotations

import json
import logging
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_yandex_orders.market.fetch import head_of
from airflow_provider_yandex_orders.market.pages import decode_page
from airflow_provider_yandex_orders.market.tables import rows as values
from airflow_provider_yandex_orders.market.tables.declare import UNKNOWN, Column, Table, Type
from airflow_provider_yandex_orders.market.tables.files import SCALE, ParquetTable
from airflow_provider_yandex_orders.market.tables.order_rows import DELIVERY, OrderRows, placed_items
from airflow_provider_yandex_orders.market.tables.order_stats import TABLES
from airflow_provider_yandex_orders.market.tables.rows import Strange, row_maker

BY_NAME = {table.name: table for table in TABLES}
decode = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode


def tables_of(order: dict[str, Any] | str) -> dict[str, list[dict[str, Any]]]:
    """The rows of one order, by table."""
    rows = OrderRows()
    rows.add(501, decode(order if isinstance(order, str) else json.dumps(order)))
    return {name: [dict(zip(BY_NAME[name].names, row, strict=True)) for row in found] for name, found in rows.fetch()}


def item(sku: str, count: int, **more: Any) -> dict[str, Any]:
    return {"offerName": f"Goods {sku}", "shopSku": sku, "count": count, **more}


def counts(order: dict[str, Any]) -> list[tuple[int, Any, Any, Any]]:
    rows = tables_of(order).get("items", [])
    return [(row["item_no"], row["shop_sku"], row["count"], row["initial_count"]) for row in rows]


class TestCounts:
    def test_an_order_in_which_nothing_changed(self) -> None:
        assert counts({"items": [item("A", 2), item("B", 1, initialCount=1)]}) == [(1, "A", 2, 2), (2, "B", 1, 1)]

    def test_fewer_units_are_left(self) -> None:
        order = {"items": [item("A", 1, initialCount=2)], "initialItems": [item("A", 2, initialCount=2)]}
        assert counts(order) == [(1, "A", 1, 2)]

    def test_an_item_is_gone_and_keeps_its_number(self) -> None:
        order = {"items": [item("B", 1)], "initialItems": [item("A", 3), {"shopSku": "B", "initialCount": 1}]}
        assert counts(order) == [(1, "A", 0, 3), (2, "B", 1, 1)]

    def test_the_numbers_of_the_others_stay(self) -> None:
        whole = {"items": [item("A", 1), item("B", 1), item("C", 1)]}
        later = {"items": [item("C", 1)], "initialItems": whole["items"]}
        assert [row[:2] for row in counts(later)] == [row[:2] for row in counts(whole)]

    def test_one_product_on_two_lines(self) -> None:
        twice = [item("A", 1), item("A", 2)]
        assert counts({"items": twice, "initialItems": twice}) == [(1, "A", 1, 1), (2, "A", 2, 2)]

    def test_an_item_that_was_not_in_the_order_as_placed(self) -> None:
        assert counts({"items": [item("A", 1), item("X", 1)], "initialItems": [item("A", 1)]}) == [
            (1, "A", 1, 1),
            (2, "X", 1, 1),
        ]

    def test_delivery_has_a_number_apart_and_is_never_gone(self) -> None:
        delivery = {"offerName": DELIVERY, "count": 1}
        order = {"items": [delivery, item("A", 1)], "initialItems": [item("A", 1), item("B", 1), delivery]}
        assert counts(order) == [(0, None, 1, 1), (1, "A", 1, 1), (2, "B", 0, 1)]

    @given(placed=st.lists(st.sampled_from("ABC"), max_size=6), kept=st.lists(st.booleans(), min_size=6, max_size=6))
    def test_every_item_has_one_row(self, placed: list[str], kept: list[bool]) -> None:
        initial = [item(sku, 1) for sku in placed]
        left = [each for each, stays in zip(initial, kept, strict=False) if stays]
        found = list(placed_items(left, initial))
        assert [each.number for each in found] == list(range(1, len(placed) + 1))
        assert sum(each.remains for each in found) == len(left)
        assert sum(each.item["count"] for each in found) == len(left)

    def test_without_a_sku_the_card_tells_then_the_name(self) -> None:
        cards: list[dict[str, Any]] = [
            {"marketSku": 1, "count": 1},
            {"marketSku": 2, "count": 1},
            {"offerName": "N", "count": 1},
        ]
        found = list(placed_items([cards[2], cards[1]], cards))
        assert [(each.number, each.item["count"]) for each in found] == [(1, 0), (2, 1), (3, 1)]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_columns_stand_in_the_order_rows_are_filled(table: Table) -> None:
    places = [0 if not column.source else 2 if "." in column.source else 1 for column in table.columns[:-1]]
    assert places == sorted(places)
    assert table.columns[-1] is UNKNOWN


class TestNothingIsLost:
    def test_unknown_words_are_kept(self) -> None:
        order = {"status": "NEW_WORD", "items": [], "commissions": [{"type": "NEW_FEE", "actual": 1}]}
        tables = tables_of(order)
        assert tables["orders"][0]["status"] == "NEW_WORD"
        assert tables["commissions"][0]["type"] == "NEW_FEE"

    def test_unknown_fields_are_kept_where_they_stood(self) -> None:
        order = {
            "tag": "x",
            "deliveryRegion": {"id": 1, "type": "CITY"},
            "items": [
                item("A", 1, weight=1.50, warehouse={"id": 2, "zone": "B"}, prices=[{"type": "BUYER", "vat": 20}])
            ],
            "payments": [{"id": "1", "paymentOrder": {"id": "2", "bank": "X"}}],
        }
        tables = tables_of(json.dumps(order).replace("1.5", "1.50"))
        unknown = {name: json.loads(rows[0]["unknown_fields"], parse_float=str) for name, rows in tables.items()}
        assert unknown == {
            "orders": {"tag": "x", "deliveryRegion": {"type": "CITY"}},
            "items": {"weight": "1.50", "warehouse": {"zone": "B"}},
            "prices": {"vat": 20},
            "payments": {"paymentOrder": {"bank": "X"}},
        }
        assert tables["orders"][0]["delivery_region_id"] == 1
        assert tables["items"][0]["warehouse_id"] == 2

    def test_values_of_another_type_are_kept_as_unknown(self) -> None:
        order = {
            "fake": "no",
            "creationDate": "01.06.2026",
            "deliveryRegion": "Moscow",
            "partnerOrderId": 77,
            "items": [item("A", 1, marketSku=2**70, warehouse={"id": "five"}), "not an item"],
            "payments": {"total": 1},
            "commissions": [{"actual": "a lot"}],
        }
        tables = tables_of(order)
        row = tables["orders"][0]
        assert (row["fake"], row["creation_date"], row["delivery_region_id"]) == (None, None, None)
        assert row["partner_order_id"] == "77"
        assert json.loads(row["unknown_fields"]) == {
            "_odd": {"items": ["not an item"], "payments": {"total": 1}},
            "fake": "no",
            "creationDate": "01.06.2026",
            "deliveryRegion": "Moscow",
        }
        assert json.loads(tables["items"][0]["unknown_fields"]) == {"marketSku": 2**70, "warehouse": {"id": "five"}}
        assert json.loads(tables["commissions"][0]["unknown_fields"]) == {"actual": "a lot"}
        assert "payments" not in tables

    def test_null_and_absent_are_alike(self) -> None:
        empty = {"items": [item("A", 1, prices=None, details=None, cisList=None)], "initialItems": None}
        assert tables_of({**empty, "subsidies": None}).keys() == {"orders", "items"}

    def test_amounts_stay_exact(self) -> None:
        row = tables_of('{"items":[],"payments":[{"total":1990.50},{"total":99},{"total":0.30000000000000004}]}')
        assert [str(each["total"]) for each in row["payments"]] == ["1990.50", "99", "0.30000000000000004"]

    def test_hundredths_of_a_per_cent_become_per_cent(self) -> None:
        rows = tables_of({"items": [item("A", 1, bidFee=570), item("B", 1, bidFee=10000)]})["items"]
        assert [row["bid_fee"] for row in rows] == [Decimal("5.7"), Decimal(100)]

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=8),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
            max_leaves=10,
        ),
        st.sampled_from(["items", "payments", "deliveryRegion", "status", "initialItems", "commissions", "x"]),
    )
    def test_nothing_fails_an_order(self, value: Any, field: str) -> None:
        text = msgspec.json.encode({"items": [item("A", 1)], field: value}).decode()
        assert len(tables_of(text)["orders"]) == 1


class TestMoments:
    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("2026-06-05T14:10:00", "2026-06-05T11:10:00+00:00"),
            ("2026-06-05T14:10:00.123", "2026-06-05T11:10:00.123000+00:00"),
            ("2026-06-05T14:10:00+03:00", "2026-06-05T11:10:00+00:00"),
            ("2026-06-05T14:10:00Z", "2026-06-05T14:10:00+00:00"),
            ("2026-06-05T14:10:00+05:00", "2026-06-05T09:10:00+00:00"),
        ],
    )
    def test_without_an_offset_it_is_moscow_time(self, text: str, moment: str) -> None:
        assert values.moment(text).isoformat() == moment

    @pytest.mark.parametrize("value", ["2026-06-05", "soon", "", 5, None, "0001-01-01T00:00:00+03:00"])
    def test_what_is_no_moment(self, value: Any) -> None:
        with pytest.raises(values.Misfit):
            values.moment(value)


class TestPageBytes:
    def test_line_ends_between_tokens_do_not_break_a_line(self) -> None:
        page = decode_page(b'{"result": {"orders": [\n{"id": 1,\r\n "note": "a\\nb"}]}}')
        assert page.lines == [b'{"id": 1,   "note": "a\\nb"}']
        assert list(page) == [{"id": 1, "note": "a\nb"}]

    @pytest.mark.parametrize(
        "body",
        [
            b'{"result":{"orders":[{"id":1,"name":"\xd0"}]}}',
            b'{"result":{"orders":[[1]]}}',
            b'{"result":{"orders":null}}',
            b'{"result":{"orders":[{"id":1}],"paging":{"nextPageToken":5}}}',
            b'{"result":{"orders":[{"id":1}',
            b"[]",
        ],
    )
    def test_pages_that_are_none(self, body: bytes) -> None:
        with pytest.raises(msgspec.DecodeError):
            decode_page(body)

    @pytest.mark.parametrize("paging", ["", ',"paging":null', ',"paging":{}', ',"paging":{"nextPageToken":""}'])
    def test_the_last_page(self, paging: str) -> None:
        assert decode_page(f'{{"result":{{"orders":[]{paging}}}}}'.encode()).next_page_token is None


def test_an_amount_with_too_many_decimals_for_parquet(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    table = Table("amounts", "", ("total",), (Column("total", Type.DECIMAL, "", "total"), UNKNOWN))
    make = row_maker(table, Strange())
    with caplog.at_level(logging.WARNING), ParquetTable(tmp_path / "a.parquet", table) as file:
        file.write([make((), {"total": Decimal(text)}) for text in ("0.30000000000000004", "1.5")])
    found = [row["total"] for row in pq.read_table(tmp_path / "a.parquet").to_pylist()]
    assert found == [Decimal("0.3"), Decimal("1.5")]
    assert f"1 amounts of amounts had more than {SCALE} decimals" in caplog.text


PLAIN: dict[str, Any] = {
    "id": 1,
    "creationDate": "2026-06-01",
    "statusUpdateDate": "2026-06-01T10:00:00",
    "status": "DELIVERED",
    "fake": False,
    "deliveryRegion": {"id": 1, "name": "Москва"},
    "items": [{"shopSku": "K", "count": 1, "bidFee": 150, "prices": [{"type": "BUYER", "total": 1.5}], "details": []}],
    "payments": [{"id": "P", "date": "2026-06-02", "type": "PAYMENT", "paymentOrder": {"id": "7"}}],
    "subsidies": None,
}
PLACES = [
    (),
    ("deliveryRegion",),
    ("items", 0),
    ("items", 0, "prices", 0),
    ("payments", 0),
    ("payments", 0, "paymentOrder"),
]
WORDS = ["2026-06-01", "2026-02-30", "2026-06-01T10:00:00Z", "2026-06-01T25:00:00", "BUYER", "PENDING"]
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
ODD = st.none() | st.booleans() | NUMBERS | st.text(max_size=3) | st.sampled_from([*WORDS, 2**63, [], {}])


@pytest.mark.parametrize("fraction", ["1234567", "123456500001", "9999999", "1"])
def test_both_ways_of_reading_an_order_tell_the_same_version(fraction: str) -> None:
    order = {"id": 1, "statusUpdateDate": f"2026-06-01T10:00:00.{fraction}Z"}
    quick, slow = (head_of(msgspec.json.encode(each)) for each in (order, order | {"colour": "red"}))
    assert (quick, quick[2]) == ((*slow[:2], True), True)


@given(place=st.sampled_from(PLACES), data=st.data())
def test_an_order_called_known_has_nothing_new_in_it(place: tuple[Any, ...], data: st.DataObject) -> None:
    order = msgspec.json.decode(msgspec.json.encode(PLAIN))
    assert head_of(msgspec.json.encode(order))[2]
    within = order
    for step in place:
        within = within[step]
    within[data.draw(st.sampled_from([*within, "colour"]))] = data.draw(ODD)
    order_id, version, known = head_of(msgspec.json.encode(order))
    rows = OrderRows()
    rows.add(1, json.loads(json.dumps(order), parse_float=Decimal) if known else {})
    assert [*rows.strange.fields, *rows.strange.values, *rows.strange.words] == []
    again = head_of(msgspec.json.encode(order | {"colour": "red"}))  # read the slow way
    assert again == (order_id, version, False)
