# SPDX-License-Identifier: Apache-2.0
"""Orders of Market as orders of the platform: what stands for what, the join with contacts, and the import."""

from __future__ import annotations

import copy
import gzip
import json
import logging
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_yandex_orders.exceptions import ConfigurationError, SourceError
from airflow_provider_yandex_orders.operators.altcraft import AltcraftImportOrdersOperator
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sources import MarketOrdersSource, SqlSource
from airflow_provider_yandex_orders.sources.market_to_altcraft import (
    CONTACT_FIELDS,
    CUSTOM_FIELDS,
    LINE_STATUSES,
    ORDER_STATUSES,
    altcraft_order,
)

# The example of the service's answer, as its documentation has it.
ORDER: dict[str, Any] = json.loads(
    """
    {"id":501,"creationDate":"2026-06-01","statusUpdateDate":"2026-06-05T14:10:00","partnerOrderId":"S-9",
     "status":"PARTIALLY_RETURNED","paymentType":"PREPAID","fake":false,"deliveryRegion":{"id":213,"name":"Москва"},
     "items":[{"offerName":"Kettle","marketSku":1002,"shopSku":"K-7","count":1,"initialCount":2,"bidFee":570,
       "prices":[{"type":"BUYER","costPerItem":1990.50,"total":1990.50},{"type":"MARKETPLACE","costPerItem":509.50}],
       "details":[{"itemStatus":"RETURNED","itemCount":1}]},
      {"offerName":"Доставка","count":1,"prices":[{"type":"BUYER","costPerItem":99,"total":99}]}],
     "initialItems":[{"offerName":"Kettle","shopSku":"K-7","initialCount":2}],
     "payments":[],"commissions":[{"type":"FEE","actual":240.12}],"currency":"RUR"}
    """,
    parse_float=Decimal,
)


def mapped(order: dict[str, Any], **arguments: Any) -> dict[str, Any]:
    return altcraft_order(order, **{"endpoint": "ym-123", **arguments})


def market(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(ORDER), **changes}


def changed(order: dict[str, Any], where: tuple[Any, ...], value: Any) -> dict[str, Any]:
    at: Any = order
    for step in where[:-1]:
        at = at[step]
    at[where[-1]] = value
    return order


def places(value: Any, where: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    inner = [place for step, each in steps if step != "fake" for place in places(each, (*where, step))]
    return [where, *inner] if where else inner


JUNK = st.recursive(
    st.sampled_from([None, True, 0, -1, 1.5, 10**30, "", "abc", "NaN", "1e999", "2", "Moscow", "RETURNED"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "type", "x"]), inner, max_size=2)
    ),
    max_leaves=4,
)


class TestMapping:
    def test_a_whole_order(self) -> None:
        contact = {"email": "a@example.com", "matching": "email"}
        assert mapped(ORDER, contact=contact, regions={"213": "msk"}) == {
            "external_id": "ym-501",
            "email": "a@example.com",
            "matching": "email",
            "endpoint": "ym-123",
            "status": "part_refunded",
            "delivery_cost": Decimal(99),
            "currency": "RUB",
            "create_time": "2026-06-01T00:00:00+03:00",
            "update_time": "2026-06-05T14:10:00+03:00",
            "custom_fields": {"market_status": "PARTIALLY_RETURNED"},
            "region": "msk",
            "lines": [
                {
                    "external_id": "ym-501-K-7",
                    "status": "delivered",
                    "sku": "K-7",
                    "base_price_per_item": Decimal("2500.00"),
                    "final_price_per_item": Decimal("1990.50"),
                    "count": 1,
                }
            ],
        }

    def test_a_contact_says_nothing_of_the_order(self) -> None:
        contact = dict.fromkeys(CONTACT_FIELDS, "x") | {"external_id": "theirs", "total_price": "1", "lines": []}
        found = mapped(ORDER, contact=contact)
        assert found == mapped(ORDER) | dict.fromkeys(CONTACT_FIELDS, "x")
        assert found["external_id"] == "ym-501"

    @pytest.mark.parametrize("status", ["UNKNOWN", "A_NEW_WORD", None])
    def test_unknown_statuses_stay_text(self, status: str | None) -> None:
        assert mapped(market(status=status))["status"] == (status or "UNKNOWN")
        assert mapped(market(status=status), statuses={"A_NEW_WORD": "new", "UNKNOWN": "new"})["status"] == "new"

    @pytest.mark.parametrize(
        ("told", "meant"),
        [
            ("2026-06-05T14:10:00Z", "2026-06-05T14:10:00Z"),
            ("2026-06-05T14:10:00.5+05:00", "2026-06-05T14:10:00.5+05:00"),
            ("2026-06-05T14:10:00", "2026-06-05T14:10:00+03:00"),
            ("yesterday", "yesterday"),
            (None, None),
        ],
    )
    def test_times(self, told: str | None, meant: str | None) -> None:
        assert mapped(market(statusUpdateDate=told)).get("update_time") == meant

    def test_currencies_and_regions_are_the_users(self) -> None:
        assert mapped(ORDER, currencies={})["currency"] == "RUR"
        assert mapped(ORDER, currencies={"RUR": "USD"})["currency"] == "USD"
        assert "region" not in mapped(ORDER, regions={"2": "spb"})

    def test_ids_of_lines_are_stable_and_their_own(self) -> None:
        kettle = ORDER["items"][0]
        order = market(items=[kettle, {**kettle, "shopSku": None}, kettle])
        assert [line["external_id"] for line in mapped(order)["lines"]] == [
            "ym-501-K-7",
            "ym-501-1002",
            "ym-501-K-7-2",
        ]

    @pytest.mark.parametrize(
        ("details", "status", "line"),
        [
            ([{"itemStatus": "RETURNED", "itemCount": 2}], "PARTIALLY_RETURNED", "refunded"),
            ([{"itemStatus": "REJECTED", "itemCount": 2}], "PARTIALLY_DELIVERED", "canceled"),
            ([{"itemStatus": "RETURNED", "itemCount": 1}], "PARTIALLY_RETURNED", "delivered"),
            (None, "DELIVERY", "delivering"),
            (None, "RETURNED", "refunded"),
            (None, "A_NEW_WORD", "new"),
        ],
    )
    def test_statuses_of_lines(self, details: Any, status: str, line: str) -> None:
        order = market(status=status)
        order["items"][0]["details"] = details
        assert mapped(order)["lines"][0]["status"] == line

    def test_an_order_all_of_whose_goods_were_taken_out(self) -> None:
        order = market(status="CANCELLED_IN_PROCESSING", items=[])
        (line,) = mapped(order)["lines"]
        assert (line["status"], line["final_price_per_item"], line["count"]) == ("canceled", "0", 2)

    def test_an_order_of_nothing(self) -> None:
        found = mapped({"items": None})
        assert "external_id" not in found
        assert found["lines"] == []


@pytest.fixture
def raw(tmp_path: Path) -> Callable[..., str]:
    def write(*orders: dict[str, Any], name: str = "orders.jsonl.gz") -> str:
        path = tmp_path / name
        with gzip.open(path, "wt", encoding="utf-8") as file:
            file.writelines(json.dumps(each, default=float, ensure_ascii=False) + "\n" for each in orders)
        return str(path)

    return write


CONTACTS = [
    {"partnerOrderId": "S-9", "email": "old@example.com", "phone": None},
    {"partnerOrderId": "S-9", "email": "new@example.com", "phone": ""},
    {"partnerOrderId": 7, "phone": "+7 999 000-00-00"},
    {"partnerOrderId": None, "email": "walk-in@example.com"},
]


def rows_of(source: MarketOrdersSource) -> list[dict[str, Any]]:
    with source.open() as stream:
        return [dict(row) for row in stream.rows]


class TestSource:
    def test_contacts_are_joined_by_the_shops_own_id(self, raw: Callable[..., str]) -> None:
        path = raw(
            ORDER, market(id=502, partnerOrderId="7"), market(id=503, partnerOrderId="S-1"), market(id=504, fake=True)
        )
        found = {row["external_id"]: row for row in rows_of(MarketOrdersSource(path, "ym-123", CONTACTS))}
        assert found.keys() == {"ym-501", "ym-502", "ym-503"}
        assert found["ym-501"]["email"] == "new@example.com"
        assert found["ym-502"]["phone"] == "+7 999 000-00-00"
        assert "email" not in found["ym-503"]
        assert "phone" not in found["ym-503"]
        assert found["ym-501"]["lines"][0]["final_price_per_item"] == Decimal("1990.5")

    def test_what_a_fetch_returned_is_read_file_by_file(self, raw: Callable[..., str]) -> None:
        paths = [raw(ORDER, name="a.jsonl.gz"), raw(market(id=502), name="b.jsonl.gz")]
        source = MarketOrdersSource({"service": "market", "paths": paths}, "ym-123", CONTACTS, options={"prefix": "m"})
        assert [row["external_id"] for row in rows_of(source)] == ["m501", "m502"]
        assert len(rows_of(MarketOrdersSource(raw(market(fake=True)), "ym-123", [], with_tests=True))) == 1

    def test_other_columns_of_contacts_are_told_and_left_out(
        self, raw: Callable[..., str], caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        contacts = [{"partnerOrderId": "S-9", "email": "a@example.com", "external_id": "crm-1", "total_price": "5"}]
        (row,) = rows_of(MarketOrdersSource(raw(ORDER), "ym-123", contacts))
        assert (row["external_id"], row["email"]) == ("ym-501", "a@example.com")
        assert "total_price" not in row
        assert "do not take: external_id, total_price." in caplog.text

    def test_contacts_that_cannot_be_joined(self, raw: Callable[..., str]) -> None:
        with pytest.raises(SourceError, match="no column 'partnerOrderId'"):
            rows_of(MarketOrdersSource(raw(ORDER), "ym-123", [{"order": "S-9"}]))
        with pytest.raises(SourceError, match="row 1: partnerOrderId went through a floating-point"):
            rows_of(MarketOrdersSource(raw(ORDER), "ym-123", [{"partnerOrderId": 9.0}]))

    @pytest.mark.parametrize(
        ("where", "value", "named"),
        [
            (("id",), True, "id"),
            (("items",), {"a": 1}, "items"),
            (("items",), [None], "items"),
            (("items", 0, "prices"), [None], "prices"),
            (("items", 0, "prices", 0, "costPerItem"), "abc", "costPerItem"),
            (("items", 1, "prices", 0, "total"), "NaN", "total"),
            (("items", 0, "details"), [None], "details"),
            (("items", 0, "details", 0, "itemCount"), "two", "itemCount"),
            (("deliveryRegion",), "Moscow", "deliveryRegion"),
        ],
    )
    def test_an_odd_order_is_one_unreadable_row(
        self, raw: Callable[..., str], where: tuple[Any, ...], value: Any, named: str
    ) -> None:
        odd = changed(market(), where, value)
        with MarketOrdersSource(raw(odd, market(id=502)), "ym-123", CONTACTS).open() as stream:
            rows: list[Any] = list(stream.rows)
        first, second = rows
        assert first.reason.startswith(f"{named} of this order")
        assert second["external_id"] == "ym-502"

    @pytest.mark.parametrize("orders", [None, 5, {"paths": None}, [1]])
    def test_orders_that_are_none(self, orders: Any) -> None:
        with pytest.raises(ConfigurationError, match="Give paths"):
            rows_of(MarketOrdersSource(orders, "ym-123", []))

    def test_what_is_shown_holds_no_rows(self) -> None:
        source = MarketOrdersSource("a.jsonl.gz", "ym-123", CONTACTS)
        assert source.serialize() == {"orders": "a.jsonl.gz", "endpoint": "ym-123", "contacts": {"rows": 4}}

    def test_rendering_leaves_the_contacts_as_they_were(self) -> None:
        contacts = SqlSource("crm", "SELECT '{{ ds }}'")
        source = MarketOrdersSource("a", "e", contacts)
        for day in ("2026-11-20", "2026-11-21"):
            task = AltcraftImportOrdersOperator(task_id="import", source=source, skip_triggers=True)
            task.render_template_fields({"ds": day})
            assert task.source.contacts.sql == f"SELECT '{day}'"
        assert contacts.sql == "SELECT '{{ ds }}'"


def test_every_status_has_a_meaning_the_platform_knows(
    altcraft: SandboxServer, raw: Callable[..., str], context: Callable[..., Any], tmp_path: Path
) -> None:
    assert set(ORDER_STATUSES) == set(LINE_STATUSES)
    kettle = {**ORDER["items"][0], "details": None}
    orders = [market(id=number, status=status, items=[kettle]) for number, status in enumerate(ORDER_STATUSES, 1)]
    operator = AltcraftImportOrdersOperator(
        task_id="import",
        source=MarketOrdersSource(raw(*orders), "ym-123", [CONTACTS[1]]),
        defaults={"matching": "email"},
        custom_fields=CUSTOM_FIELDS,
        skip_triggers=True,
        staging_path=str(tmp_path / "staging"),
    )
    assert operator.execute(context())["rows_sent"] == len(ORDER_STATUSES)
    held = {
        each["external_id"]: (each["status"], each["lines"][0]["status"]) for each in altcraft.client.altcraft_orders()
    }
    assert held == {
        f"ym-{number}": (meant, LINE_STATUSES[status])
        for number, (status, meant) in enumerate(ORDER_STATUSES.items(), 1)
    }


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(odd=st.lists(st.tuples(st.sampled_from(places(ORDER)), JUNK), min_size=1, max_size=8))
def test_odd_orders_never_stop_the_others(
    altcraft: SandboxServer, raw: Callable[..., str], context: Callable[..., Any], tmp_path: Path, odd: list[Any]
) -> None:
    orders = [changed(market(id=600 + number), where, value) for number, (where, value) in enumerate(odd)]
    operator = AltcraftImportOrdersOperator(
        task_id="import",
        source=MarketOrdersSource(raw(ORDER, *orders, market(id=502, partnerOrderId="7")), "ym-123", CONTACTS),
        custom_fields=CUSTOM_FIELDS,
        skip_triggers=True,
        defaults={"matching": "email_phone"},
        max_rejected=len(orders),
        dry_run=True,
        staging_path=str(tmp_path / "staging"),
    )
    delivery = operator.execute(context())
    assert delivery["rows_read"] == len(orders) + 2
    assert delivery["rows_rejected"] + delivery["rows_duplicate"] <= len(orders)
    held = "".join(Path(part["path"].removeprefix("file://")).read_text() for part in delivery["parts"])
    assert '"ym-501"' in held
    assert '"ym-502"' in held


def test_the_import_takes_them(
    altcraft: SandboxServer, raw: Callable[..., str], context: Callable[..., Any], tmp_path: Path
) -> None:
    path = raw(ORDER, market(id=502, partnerOrderId="7"), market(id=503, partnerOrderId="S-1"))
    operator = AltcraftImportOrdersOperator(
        task_id="import",
        source=MarketOrdersSource(path, "ym-123", CONTACTS),
        defaults={"matching": "email_phone"},
        custom_fields=CUSTOM_FIELDS,
        skip_triggers=True,
        max_rejected=1,
        verify=True,
        staging_path=str(tmp_path / "staging"),
    )
    delivery = operator.execute(context())
    assert (delivery["rows_read"], delivery["rows_sent"], delivery["rows_rejected"]) == (3, 2, 1)
    assert delivery["verified"] == {"checked": 2, "by_status": {"part_refunded": 2}}
    held = {each["external_id"]: each for each in altcraft.client.altcraft_orders()}
    assert {each["total_price"] for each in held.values()} == {"2089.5"}
    assert held["ym-501"]["custom_fields"] == {"market_status": "PARTIALLY_RETURNED"}
    assert held["ym-502"]["phone"] == "+79990000000"
    assert "email" not in held["ym-502"]
