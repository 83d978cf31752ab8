# SPDX-License-Identifier: Apache-2.0
"""What is checked and changed in an order before it is sent."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_yandex_orders.altcraft.body import xml_format
from airflow_provider_yandex_orders.altcraft.kinds import ALTCRAFT_ORDER_LINES, ALTCRAFT_ORDERS, MODES
from airflow_provider_yandex_orders.altcraft.lines import OrdersWithLines
from airflow_provider_yandex_orders.altcraft.order_kind import OrderShape, order_options
from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.rows.check import RowChecker
from airflow_provider_yandex_orders.rows.faults import Checked
from airflow_provider_yandex_orders.rows.formats import json_format
from airflow_provider_yandex_orders.sources.rows import RowsSource
from tests.support.altcraft_rows import line, order
from tests.unit.unit_support import MOSCOW

OPTIONS = order_options(None, None, None, None)
CHECK = RowChecker(ALTCRAFT_ORDERS, OPTIONS)
GOOD = {
    "email": "Buyer@Example.com",
    "phone": "+7 999 000-00-00",
    "profile_id": 17,
    "provider": "firebase",
    "subscription_id": "sub-1",
    "field_name": "loyalty",
    "field_value": ["a", "b"],
}
SENT = {
    "email": "buyer@example.com",
    "phone": "+79990000000",
    "profile_id": 17,
    "provider": "firebase",
    "subscription_id": "sub-1",
    "field_name": "loyalty",
    "field_value": "a,b",
}
EITHER = {"email_phone", "email_phone_sub"}


def codes(checked: Checked) -> list[tuple[str, str]]:
    return [(fault.column, fault.code) for fault in checked.faults]


def check(**changes: Any) -> Checked:
    return CHECK(order(1, **changes))


class TestMatching:
    def test_there_are_eleven_modes(self) -> None:
        assert len(MODES) == 11

    @pytest.mark.parametrize("mode", MODES)
    def test_only_the_modes_own_fields_are_sent(self, mode: str) -> None:
        checked = check(matching=mode, **GOOD)
        assert checked.faults == checked.dropped == []
        sent = {name: value for name, value in checked.values.items() if name in GOOD}
        assert sent == {name: SENT[name] for name in MODES[mode]}
        assert checked.values["matching"] == mode

    @pytest.mark.parametrize("mode", sorted(set(MODES) - EITHER))
    def test_each_of_its_fields_is_needed(self, mode: str) -> None:
        for name in MODES[mode]:
            checked = check(matching=mode, **{**GOOD, name: " "})
            assert codes(checked) == [(name, "no_identifier")]
            assert mode in checked.faults[0].reason

    @pytest.mark.parametrize("mode", sorted(EITHER))
    def test_or_one_of_two(self, mode: str) -> None:
        assert check(matching=mode, **{**GOOD, "email": None}).values["phone"] == "+79990000000"
        dropped = check(matching=mode, **{**GOOD, "phone": "no phone"})
        assert (dropped.faults, [fault.code for fault in dropped.dropped]) == ([], ["bad_phone"])
        assert "phone" not in dropped.values
        assert codes(check(matching=mode, email="", phone=None)) == [("email", "no_identifier")]
        assert codes(check(matching=mode, email="a@", phone="b")) == [("email", "bad_email"), ("phone", "bad_phone")]

    def test_bad_values_of_other_modes_do_not_matter(self) -> None:
        checked = check(matching="phone", **{**GOOD, "email": "no address", "profile_id": 1.5})
        assert checked.faults == checked.dropped == []

    def test_a_bad_value_of_its_own_does(self) -> None:
        assert codes(check(email="ivan")) == [("email", "bad_email")]
        assert codes(check(matching="profile_id", profile_id=17.0)) == [("profile_id", "float_id")]

    def test_without_a_mode_it_is_the_email(self) -> None:
        assert check().values["matching"] == "email"
        assert codes(check(email=None)) == [("email", "no_identifier")]
        assert check(matching="Email_Sub").values["matching"] == "email_sub"
        assert codes(check(matching="telegram")) == [("matching", "bad_choice")]


class TestOrders:
    @pytest.mark.parametrize("name", ["external_id", "endpoint", "status", "currency", "lines"])
    @pytest.mark.parametrize("value", [None, "", []])
    def test_what_an_order_cannot_do_without(self, name: str, value: Any) -> None:
        assert (name, "missing") in codes(check(**{name: value}))

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"external_id": 1.0}, "float_id"),
            ({"status": "cancelled"}, "status_spelling"),
            ({"status": "Paid"}, "status_spelling"),
            ({"status": "confirmed"}, "unknown_status"),
            ({"currency": "RUBLES"}, "bad_currency"),
            ({"currency": "₽₽₽"}, "bad_currency"),
            ({"total_price": "12,50"}, "decimal_comma"),
            ({"total_price": -1}, "negative"),
            ({"delivery_cost": float("inf")}, "not_a_number"),
            ({"create_time": "2026-11-01 10:00:00"}, "no_zone"),
            ({"create_time": "2026-11-01"}, "no_time"),
            ({"update_time": 1700000000}, "unix_time"),
            ({"custom_fields": "a=b"}, "bad_values"),
            ({"custom_fields": [1]}, "bad_values"),
            ({"custom_fields": {"f": {"g": 1}}}, "bad_values"),
            ({"custom_fields": {"f": Decimal("NaN")}}, "not_a_number"),
            ({"lines": "L-1,L-2"}, "bad_rows"),
            ({"lines": [1]}, "bad_rows"),
            ({"lines": [line(1), line(1)]}, "doubled"),
            ({"region": ["a"]}, "not_text"),
        ],
    )
    def test_bad_values(self, changes: dict[str, Any], code: str) -> None:
        ((column, found),) = codes(check(**changes))
        assert (column, found) == (next(iter(changes)), code)

    @pytest.mark.parametrize(
        ("given_", "sent"),
        [
            ("2026-01-23T15:04:05.141+03:00", "2026-01-23T12:04:05.141000Z"),
            ("2026-01-23T12:04:05Z", "2026-01-23T12:04:05Z"),
            (datetime(2026, 1, 23, 12, 4, 5, tzinfo=timezone.utc), "2026-01-23T12:04:05Z"),
        ],
    )
    def test_times_go_out_in_utc(self, given_: Any, sent: str) -> None:
        assert check(create_time=given_).values["create_time"] == sent

    def test_naive_times_are_those_of_the_source(self) -> None:
        zoned = RowChecker(ALTCRAFT_ORDERS, order_options(MOSCOW, None, None, None))
        checked = zoned(order(1, create_time="2026-01-23 15:04:05", update_time="23.01.2026 15:04"))
        assert checked.values["create_time"] == "2026-01-23T12:04:05Z"
        assert checked.values["update_time"] == "2026-01-23T12:04:00Z"
        assert checked.version == "2026-01-23T12:04:00.000000+00:00"

    @pytest.mark.parametrize(
        ("given_", "sent"),
        [
            ("1990.50", "1990.50"),
            (Decimal("1E+3"), "1000"),
            (1990.5, "1990.5"),
            (0.1, "0.1"),
            (5, "5"),
            ("-0", "0"),
            (Decimal("0.000"), "0.000"),
        ],
    )
    def test_money_is_text_without_an_exponent(self, given_: Any, sent: str) -> None:
        checked = check(delivery_cost=given_, lines=[line(1, final_price_per_item=given_)])
        assert checked.values["delivery_cost"] == sent
        assert checked.values["lines"][0]["final_price_per_item"] == sent

    def test_totals(self) -> None:
        lines = [line(1, final_price_per_item="0.10", count=3), line(2, final_price_per_item="0.20", count=1)]
        assert check(lines=lines, delivery_cost=None).values["total_price"] == "0.50"
        assert check(lines=lines, total_price="3.5", delivery_cost=3).notes == []
        assert check(lines=lines, total_price="3.51", delivery_cost=3).notes == ["total_differs"]

    def test_custom_values_keep_their_types(self) -> None:
        given_ = {"text": "a", "int": 5, "float": 5.7, "flag": True, "none": None, "day": datetime(2026, 1, 2).date()}
        sent = {"text": "a", "int": 5, "float": Decimal("5.7"), "flag": True, "day": "2026-01-02"}
        assert check(custom_fields=given_).values["custom_fields"] == sent
        assert check(custom_fields='{"f": 1.10}').values["custom_fields"] == {"f": Decimal("1.10")}

    def test_lines_may_be_text(self) -> None:
        assert check(lines=json.dumps([line(1)])).values["lines"][0]["sku"] == "SKU-1"


class TestLines:
    @pytest.mark.parametrize("name", ["external_id", "status", "final_price_per_item", "count"])
    def test_what_a_line_cannot_do_without(self, name: str) -> None:
        checked = check(lines=[line(1), line(2, **{name: None})])
        assert codes(checked) == [(f"lines[2].{name}", "missing")]

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"sku": None}, "not_exactly_one"),
            ({"product": "P"}, "not_exactly_one"),
            ({"sku": 1.5}, "float_id"),
            ({"count": 0}, "bad_count"),
            ({"count": 1.5}, "bad_count"),
            ({"count": "two"}, "not_a_number"),
            ({"status": "in_process"}, "unknown_status"),
            ({"status": "cancelled"}, "status_spelling"),
            ({"base_price_per_item": "-1"}, "negative"),
        ],
    )
    def test_bad_values(self, changes: dict[str, Any], code: str) -> None:
        ((column, found),) = codes(check(lines=[line(1, **changes)]))
        assert column.startswith("lines[1].")
        assert found == code

    def test_prices_that_are_not_given_are_the_final_one(self) -> None:
        (made,) = check(lines=[line(1, base_price_per_item="12")]).values["lines"]
        assert (made["base_price_per_item"], made["min_price_per_item"]) == ("12", "10.50")

    def test_counts_of_any_spelling(self) -> None:
        for given_ in (2, "2", 2.0, Decimal("2.0")):
            assert check(lines=[line(1, count=given_)]).values["lines"][0]["count"] == 2

    def test_statuses_a_platform_has_beside_the_built_in_ones(self) -> None:
        kind = OrderShape(extra_line_statuses=["at_pickup", "0001"]).orders
        checked = RowChecker(kind, OPTIONS)(order(1, lines=[line(1, status="0001")]))
        assert checked.faults == []


def defined(custom_fields: Any) -> list[dict[str, Any]]:
    return OrderShape(custom_fields=custom_fields).definitions["custom_fields"]


class TestArguments:
    def test_defaults_are_converted(self) -> None:
        kind = OrderShape(defaults={"endpoint": 5, "currency": "usd", "tags": ["a", "b"]}).orders
        row = {name: value for name, value in order(1).items() if name not in ("endpoint", "currency")}
        values = RowChecker(kind, OPTIONS)(row).values
        assert (values["endpoint"], values["currency"], values["tags"]) == ("5", "USD", ["a", "b"])

    def test_definitions_are_completed(self) -> None:
        given_ = {"external_id": 7, "name": "Seven", "entity_type": "ORDER", "required": "no", "value_type": "int"}
        with pytest.raises(ConfigurationError, match=r"'7'.*required is neither true nor false"):
            defined([given_])
        assert defined([{**given_, "required": False}]) == [
            {
                "external_id": "7",
                "name": "Seven",
                "entity_type": "order",
                "required": False,
                "value_type": "int",
                "default_value": "",
            }
        ]

    def test_an_enum_needs_its_values(self) -> None:
        enum = {"external_id": "e", "name": "E", "entity_type": "sku", "required": True, "value_type": "enum"}
        with pytest.raises(ConfigurationError, match="enum_values is empty"):
            defined([enum])
        assert defined([{**enum, "enum_values": {"a": "A"}}])
        with pytest.raises(ConfigurationError, match="list of mappings"):
            defined(["e"])


TEXTS = st.text(max_size=8)
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.decimals() | st.datetimes()
ANYTHING = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)
NAMES = st.sampled_from(ALTCRAFT_ORDERS.field_names)


@given(st.dictionaries(NAMES, ANYTHING), st.sampled_from([True, False]))
def test_no_value_breaks_the_check(row: dict[str, Any], as_xml: bool) -> None:
    kind = OrderShape(as_xml=as_xml).orders
    checked = RowChecker(kind, order_options(MOSCOW, None, None, None))({**order(1), **row})
    if not checked.faults:
        encoded = (xml_format(kind) if as_xml else json_format(kind)).encode(checked.values)
        if as_xml:
            from xml.etree import ElementTree as ET

            assert ET.fromstring(encoded).tag == "row"
        else:
            assert msgspec.json.decode(encoded)["external_id"] == checked.key


def test_words_for_nothing_inside_lines_are_nothing() -> None:
    bare = {"base_price_per_item": "NULL", "min_price_per_item": "nan", "custom_fields": {"a": "None", "b": "x"}}
    checked = check(lines=[line(1) | bare], tags="none,vip")
    assert checked.faults == []
    (sent,) = checked.values["lines"]
    assert sent["base_price_per_item"] == sent["min_price_per_item"] == sent["final_price_per_item"]
    assert sent["custom_fields"] == {"b": "x"}
    assert codes(check(lines=[line(1) | {"external_id": "NaT"}])) == [("lines[1].external_id", "missing")]


def test_lines_find_their_order_whatever_hides_in_its_id() -> None:
    orders, lines = [order(1, lines=None) | {"external_id": "'A-1"}], [line(1) | {"order_external_id": "A\u200b-1 "}]
    with OrdersWithLines(RowsSource(orders), RowsSource(lines), kind=ALTCRAFT_ORDER_LINES).open() as stream:
        (row,) = stream.rows
    assert [each["external_id"] for each in row["lines"]] == [lines[0]["external_id"]]
