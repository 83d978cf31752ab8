# SPDX-License-Identifier: Apache-2.0
"""The import against the sandbox: what arrives, what is refused, and what a retry does."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowSkipException,
    TaskDeferred,
)
from airflow.utils.types import DagRunType

from airflow_provider_yandex_orders.exceptions import (
    ConfigurationError,
    PassingError,
    PermanentError,
    RejectedRowsError,
    ServiceRefused,
    ServiceUnavailable,
    SourceError,
)
from airflow_provider_yandex_orders.operators.altcraft import AltcraftImportOrdersOperator
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sources import FileSource, SqlSource
from tests.support.altcraft_rows import line, order
from tests.support.connections import connect_altcraft

Context = Callable[..., Any]
IMPORT = "/api/v1.1/market/orders/import"


@pytest.fixture
def operator(tmp_path: Path) -> Callable[..., AltcraftImportOrdersOperator]:
    def make(source: Any, **arguments: Any) -> AltcraftImportOrdersOperator:
        arguments.setdefault("staging_path", str(tmp_path / "staging"))
        arguments.setdefault("skip_triggers", False)
        return AltcraftImportOrdersOperator(task_id="import", source=source, **arguments)

    return make


@pytest.fixture(autouse=True)
def _no_pauses(naps: list[float]) -> None:
    """Pauses between attempts take no time."""


def imports(sandbox: SandboxServer) -> int:
    """How many imports reached the service, or tried to."""
    return sum(1 for request in sandbox.client.requests() if request["path"] == IMPORT)


def held(sandbox: SandboxServer) -> dict[str, dict[str, Any]]:
    return {each["external_id"]: each for each in sandbox.client.altcraft_orders(limit=1000)}


def rejects(path: str | None) -> list[dict[str, Any]]:
    assert path is not None
    return [msgspec.json.decode(line) for line in Path(path).read_bytes().splitlines()]


class TestWhatArrives:
    def test_a_whole_order(self, altcraft: SandboxServer, operator: Any, context: Context) -> None:
        row = order(
            1,
            matching="email_phone",
            phone="8 (999) 000-00-00",
            tags=["vip"],
            region="msk",
            custom_fields={"campaign": 123, "bid": 5.7},
            update_time="2026-11-05 14:10:00.5",
        )
        delivery = operator([row], source_timezone="Europe/Moscow").execute(context())
        assert (delivery["rows_read"], delivery["rows_sent"], delivery["parts"][0]["status"]) == (1, 1, "ACCEPTED")
        assert (delivery["service"], delivery["host"]) == ("altcraft", urlsplit(altcraft.url).netloc)
        (arrived,) = held(altcraft).values()
        assert arrived == {
            "external_id": "A-0001",
            "matching": "email_phone",
            "email": "buyer1@example.com",
            "phone": "+79990000000",
            "endpoint": "shop-1",
            "tags": ["vip"],
            "status": "new",
            "delivery_cost": "3.00",
            "total_price": "45.00",
            "currency": "RUB",
            "create_time": "2026-11-01T07:00:00Z",
            "update_time": "2026-11-05T11:10:00.500000Z",
            "custom_fields": {"campaign": 123, "bid": 5.7},
            "region": "msk",
            "lines": [
                {
                    "external_id": f"L-{number}",
                    "status": "new",
                    "sku": f"SKU-{number}",
                    "final_price_per_item": "10.50",
                    "count": 2,
                    "base_price_per_item": "10.50",
                    "min_price_per_item": "10.50",
                }
                for number in (1, 2)
            ],
            "number": 1,
            "times_received": 1,
            "triggers_started": 1,
        }

    def test_statuses_of_both_levels(self, altcraft: SandboxServer, operator: Any, context: Context) -> None:
        rows = [order(1, status="закрыт", lines=[line(1, status="у курьера"), line(2, status="at_pickup")])]
        operator(
            rows,
            status_map={"закрыт": "delivered"},
            line_status_map={"у курьера": "delivering"},
            custom_line_statuses=[{"external_id": "at_pickup", "name": "At the pick-up point", "type": "in_process"}],
        ).execute(context())
        (arrived,) = held(altcraft).values()
        assert arrived["status"] == "delivered"
        assert [each["status"] for each in arrived["lines"]] == ["delivering", "at_pickup"]

    def test_columns_defaults_and_more_fields(
        self, altcraft: SandboxServer, operator: Any, context: Context, tmp_path: Path
    ) -> None:
        path = tmp_path / "orders.jsonl"
        row: dict[str, Any] = {"n": "7", "state": "paid", "mail": "a@example.com", "pay": {"way": "card"}}
        row["goods"] = [{"id": "1", "art": "K-7", "sum": 1990.50, "qty": 1, "st": "new"}]
        path.write_text(json.dumps(row))
        source = FileSource(
            str(path), columns={"external_id": "n", "status": "state", "email": "mail", "lines": "goods"}
        )
        operator(
            source,
            line_columns={
                "external_id": "id",
                "sku": "art",
                "final_price_per_item": "sum",
                "count": "qty",
                "status": "st",
            },
            defaults={"endpoint": "shop-1", "currency": "rub", "tags": ["crm"]},
            extra_fields={"payment": "pay"},
        ).execute(context())
        (arrived,) = held(altcraft).values()
        assert (arrived["endpoint"], arrived["currency"], arrived["tags"]) == ("shop-1", "RUB", ["crm"])
        assert (arrived["total_price"], arrived["payment"]) == ("1990.5", {"way": "card"})

    def test_of_several_versions_the_newest_is_sent(
        self, altcraft: SandboxServer, operator: Any, context: Context
    ) -> None:
        rows = [
            order(1, status="paid", update_time="2026-11-03T00:00:00Z"),
            order(1, status="new", update_time="2026-11-03T02:59:59+03:00"),
        ]
        delivery = operator(rows).execute(context())
        assert (delivery["rows_sent"], delivery["rows_duplicate"]) == (1, 1)
        assert held(altcraft)["A-0001"]["status"] == "paid"

    @pytest.mark.parametrize("body_format", ["json", "xml"])
    def test_batches_by_number_and_by_size(
        self, altcraft: SandboxServer, operator: Any, context: Context, body_format: str
    ) -> None:
        rows = [order(number) for number in range(10)]
        delivery = operator(rows, batch_size=4, body_format=body_format).execute(context())
        assert [part["rows"] for part in delivery["parts"]] == [4, 4, 2]
        assert imports(altcraft) == 3
        size = operator(rows, max_part_bytes=2000, body_format=body_format, resend=True).execute(context())
        assert len(size["parts"]) > 2
        assert all(part["bytes"] <= 2000 for part in size["parts"])
        assert altcraft.client.altcraft_summary()["orders"] == 10

    def test_one_request_at_a_time_and_none_is_a_hundred_too_many(
        self, altcraft: SandboxServer, operator: Any, context: Context
    ) -> None:
        delivery = operator([order(number) for number in range(101)]).execute(context())
        assert [part["rows"] for part in delivery["parts"]] == [100, 1]
        log = [each for each in altcraft.client.requests() if each["path"] == IMPORT]
        first, second = (datetime.fromisoformat(each["time"]) for each in log)
        assert first + timedelta(seconds=log[0]["seconds"]) <= second + timedelta(milliseconds=2)  # rounded times

    def test_a_total_that_does_not_add_up_is_sent_and_told(
        self, altcraft: SandboxServer, operator: Any, context: Context, caplog: pytest.LogCaptureFixture
    ) -> None:
        operator([order(1, total_price="45.01"), order(2, total_price=45)]).execute(context())
        assert held(altcraft)["A-0001"]["total_price"] == "45.01"
        assert "1 rows have a total that is not the sum" in caplog.text

    def test_skip_triggers_is_the_users_word(self, altcraft: SandboxServer, operator: Any, context: Context) -> None:
        operator([order(1)], skip_triggers="True").execute(context())
        operator([order(2)], skip_triggers=False).execute(context(run_id="manual__2"))
        assert {key: each["triggers_started"] for key, each in held(altcraft).items()} == {"A-0001": 0, "A-0002": 1}

    @pytest.mark.parametrize(
        ("arguments", "triggers"),
        [({}, None), ({"skip_triggers": True}, 0), ({"triggers_in_backfill": "True"}, 1)],
        ids=["refused", "skipped", "meant"],
    )
    def test_a_backfill_starts_no_triggers_unless_that_is_meant(
        self,
        altcraft: SandboxServer,
        operator: Any,
        context: Context,
        arguments: dict[str, Any],
        triggers: int | None,
    ) -> None:
        backfill = {**context(), "dag_run": SimpleNamespace(run_type=DagRunType.BACKFILL_JOB)}
        daily = {**context(run_id="scheduled__1"), "dag_run": SimpleNamespace(run_type=DagRunType.SCHEDULED)}
        task = operator([order(1)], **arguments)
        if triggers is None:
            with pytest.raises(ConfigurationError, match=r"belongs to a backfill.*triggers_in_backfill=True"):
                task.execute(backfill)
            assert imports(altcraft) == 0
            assert operator([order(1)], dry_run=True).execute(backfill)["rows_prepared"] == 1
            task.execute(daily)
            triggers = 1
        else:
            task.execute(backfill)
        assert [each["triggers_started"] for each in held(altcraft).values()] == [triggers]

    @pytest.mark.parametrize("body_format", ["json", "xml"])
    def test_a_plan_tells_the_money(
        self, altcraft: SandboxServer, operator: Any, context: Context, body_format: str
    ) -> None:
        rows = [order(n, total_price="12.50", delivery_cost="2.50", currency=("RUB", "EUR")[n // 3]) for n in (1, 2, 3)]
        plan = operator(rows, dry_run=True, body_format=body_format).execute(context())["plan"]
        assert plan["new"] == 3
        money = {"delivery_cost": {"EUR": "2.50", "RUB": "5.00"}, "total_price": {"EUR": "12.50", "RUB": "25.00"}}
        assert plan["money"] == money
        assert imports(altcraft) == 0

    def test_skip_triggers_must_be_chosen(self) -> None:
        with pytest.raises((TypeError, AirflowException), match="skip_triggers"):
            AltcraftImportOrdersOperator(task_id="import", source=[])  # type: ignore[call-arg]

    def test_an_empty_source(self, altcraft: SandboxServer, operator: Any, context: Context) -> None:
        assert operator([]).execute(context())["parts"] == []
        with pytest.raises(AirflowSkipException):
            operator([], skip_empty=True).execute(context())
        assert imports(altcraft) == 0


@pytest.fixture
def crm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> sqlite3.Connection:
    path = tmp_path / "crm.db"
    monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("CREATE TABLE orders (external_id, email, status)")
    connection.execute("CREATE TABLE lines (order_external_id, external_id, sku, final_price_per_item, count, status)")
    return connection


ORDERS = SqlSource("crm", "SELECT * FROM orders")
LINES = SqlSource("crm", "SELECT * FROM lines")
SHOP = {"endpoint": "shop-1", "currency": "RUB"}


class TestLinesOfASecondSource:
    def test_they_are_joined_whatever_their_order(
        self, altcraft: SandboxServer, operator: Any, context: Context, crm: sqlite3.Connection
    ) -> None:
        crm.executemany("INSERT INTO orders VALUES (?, ?, 'new')", [("B", "b@example.com"), ("A", "a@example.com")])
        lines = [("A", "2", "S-2", "5", 2), ("B", "1", "S-1", "0.10", 3), ("A", "1", "S-1", "1.5", 1)]
        crm.executemany("INSERT INTO lines VALUES (?, ?, ?, ?, ?, 'new')", lines)
        operator(ORDERS, lines=LINES, defaults=SHOP).execute(context())
        arrived = held(altcraft)
        assert {key: each["total_price"] for key, each in arrived.items()} == {"A": "11.5", "B": "0.30"}
        assert [each["external_id"] for each in arrived["A"]["lines"]] == ["1", "2"]
        assert "order_external_id" not in arrived["A"]["lines"][0]

    def test_each_source_is_read_as_it_is_written(
        self, altcraft: SandboxServer, operator: Any, context: Context, tmp_path: Path
    ) -> None:
        """Names in capitals on both sides, a decimal comma on one: no order loses its lines, no line its price."""
        (good,) = [{name.upper(): value for name, value in order(1).items() if name != "lines"}]
        path = tmp_path / "lines.csv"
        path.write_text("Order_External_ID;ID;sku;final_price_per_item;count;status\nA-0001;1;S;1 002,50;2;new\n")
        lines = FileSource(str(path), columns={"external_id": "id"}, decimal=",")
        operator([good], lines=lines).execute(context())
        (arrived,) = held(altcraft).values()
        assert arrived["total_price"] == "2008.00"  # with the delivery
        assert [each["external_id"] for each in arrived["lines"]] == ["1"]

    def test_another_order_of_lines_makes_the_same_bytes(
        self, altcraft: SandboxServer, operator: Any, context: Context
    ) -> None:
        orders = [{name: value for name, value in order(1).items() if name != "lines"}]
        lines = [line(number, order_external_id="A-0001") for number in range(5)]
        first = operator(orders, lines=lines).execute(context())
        second = operator(orders, lines=lines[::-1]).execute(context())
        assert (first["rows_sent"], second["rows_unchanged"]) == (1, 1)
        assert imports(altcraft) == 1

    def test_an_order_without_lines_is_rejected_and_lines_without_order_are_told(
        self,
        altcraft: SandboxServer,
        operator: Any,
        context: Context,
        crm: sqlite3.Connection,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        crm.executemany("INSERT INTO orders VALUES (?, ?, 'new')", [("A", "a@example.com"), ("B", "b@example.com")])
        crm.executemany("INSERT INTO lines VALUES (?, '1', 'S', '5', 1, 'new')", [("A",), ("C",), ("C",)])
        delivery = operator(ORDERS, lines=LINES, defaults=SHOP, max_rejected=1).execute(context())
        (found,) = rejects(delivery["rejected_path"])
        assert (found["key"], found["column"], found["code"]) == ("B", "lines", "missing")
        assert "2 lines belong to 1 orders that were not read (C)" in caplog.text

    @pytest.mark.parametrize(
        ("lines", "words"),
        [
            ([line(1, order_external_id=None)], ["row 1", "order_external_id is empty"]),
            ([line(1, order_external_id=1.0)], ["row 1", "floating-point"]),
            ([line(1)], ["row 1", "order_external_id is empty"]),
        ],
    )
    def test_a_line_of_no_order_ends_all(
        self, altcraft: SandboxServer, operator: Any, context: Context, lines: list[Any], words: list[str]
    ) -> None:
        with pytest.raises(SourceError) as raised:
            operator([order(1)], lines=lines).execute(context())
        assert all(word in str(raised.value) for word in (*words, "nothing was sent"))
        assert imports(altcraft) == 0

    def test_a_lines_file_with_a_broken_line_ends_all(
        self, altcraft: SandboxServer, operator: Any, context: Context, tmp_path: Path
    ) -> None:
        path = tmp_path / "lines.csv"
        path.write_text("order_external_id,external_id,sku,final_price_per_item,count,status\nA-0001,1,S,5\n")
        with pytest.raises(SourceError, match=r"row 1: the line has 4 cells.*nothing was sent"):
            operator([order(1)], lines=FileSource(str(path))).execute(context())

    def test_a_missing_column_of_lines(
        self, altcraft: SandboxServer, operator: Any, context: Context, crm: sqlite3.Connection
    ) -> None:
        source = SqlSource("crm", "SELECT external_id, sku, final_price_per_item, count, status FROM lines")
        with pytest.raises(SourceError, match="no column 'order_external_id'"):
            operator(ORDERS, lines=source, defaults=SHOP).execute(context())


class TestBadRows:
    def test_bad_orders_are_rejected_and_nothing_personal_is_told(
        self, altcraft: SandboxServer, operator: Any, context: Context, caplog: pytest.LogCaptureFixture
    ) -> None:
        rows = [
            order(1),
            order(2, create_time="2026-11-01 10:00:00"),
            order(3, lines=[line(1), line(2, count=0, final_price_per_item="много")]),
            order(4, matching="phone", phone="ivan.petrov@example.com"),
            order(5, status="cancelled"),
            order(6, lines=[line(1), line(1)]),
            order(7, external_id=7.0),
            order(8, status="Иванов Иван"),
            order(9, external_id="79995551122", create_time="yesterday"),
        ]
        delivery = operator(rows, max_rejected=8).execute(context())
        assert (delivery["rows_sent"], delivery["rows_rejected"]) == (1, 8)
        found = rejects(delivery["rejected_path"])
        assert [(each["row"], each["column"], each["code"]) for each in found] == [
            (2, "create_time", "no_zone"),
            (3, "lines[2].final_price_per_item", "not_a_number"),
            (4, "phone", "bad_phone"),
            (5, "status", "status_spelling"),
            (6, "lines", "doubled"),
            (7, "external_id", "float_id"),
            (8, "status", "unknown_status"),
            (9, "create_time", "bad_date"),
        ]
        assert found[1]["also"][0]["column"] == "lines[2].count"
        assert found[3]["fix"].startswith("send canceled")
        written = Path(str(delivery["rejected_path"])).read_text() + caplog.text
        for personal in ("ivan", "buyer", "много", "Иван", "79995551122"):
            assert personal not in written

    def test_too_many_and_nothing_is_sent(self, altcraft: SandboxServer, operator: Any, context: Context) -> None:
        with pytest.raises(RejectedRowsError, match="1 of 2 rows cannot be sent"):
            operator([order(1), order(2, currency="рубли")]).execute(context())
        assert imports(altcraft) == 0

    def test_what_xml_cannot_hold(self, altcraft: SandboxServer, operator: Any, context: Context) -> None:
        rows = [order(1), order(2, custom_fields={"2nd": "x"}), order(3, tags=["a\x01b"])]
        delivery = operator(rows, body_format="xml", max_rejected=2).execute(context())
        assert [each["code"] for each in rejects(delivery["rejected_path"])] == ["not_xml", "not_xml"]
        as_json = operator(rows).execute(context(run_id="manual__2"))
        assert (as_json["rows_sent"], as_json["rows_unchanged"]) == (2, 1)


class TestWrongSettings:
    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ({"body_format": "csv"}, ["body_format", "json or xml"]),
            ({"xml_data": "list"}, ["rows, repeated"]),
            ({"status_map": {"x": "confirmed"}}, ["status_map['x']", "new, delivered"]),
            ({"line_status_map": {"x": "in_process"}}, ["line_status_map['x']", "processing"]),
            ({"skip_triggers": "{{ what }}"}, ["skip_triggers", "true or false"]),
            ({"batch_size": 0}, ["batch_size must be"]),
            ({"verify_sample": 0}, ["verify_sample must be"]),
            ({"defaults": {"lines": []}}, ["defaults", "'lines'"]),
            ({"defaults": {"external_id": "1"}}, ["defaults", "'external_id'"]),
            ({"defaults": {"currency": "roubles"}}, ["defaults", "'currency'", "three letters"]),
            ({"extra_fields": {"status": "s"}}, ["extra_fields", "'status'"]),
            ({"custom_fields": [{"external_id": "f", "name": "F", "entity_type": "order"}]}, ["value_type is empty"]),
            ({"custom_fields": [{"id": "f"}]}, ["custom_fields", "id", "no such field"]),
            ({"custom_line_statuses": [{"external_id": "s", "name": "S", "type": "new"}]}, ["type is 'new'"]),
            ({"source_timezone": "Moscow"}, ["source_timezone"]),
        ],
    )
    def test_each_ends_the_task_before_a_request(
        self, altcraft: SandboxServer, operator: Any, context: Context, arguments: dict[str, Any], words: list[str]
    ) -> None:
        with pytest.raises(ConfigurationError) as raised:
            operator([order(1)], **arguments).execute(context())
        assert isinstance(raised.value, AirflowFailException)
        assert all(word in str(raised.value) for word in words), str(raised.value)
        assert altcraft.client.requests() == []

    def test_a_host_must_be_named(self, operator: Any, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
        connect_altcraft(monkeypatch, "")
        with pytest.raises(ConfigurationError, match="names no host"):
            operator([order(1)]).execute(context())

    def test_statuses_of_this_platform_by_explicit_choice(
        self, altcraft: SandboxServer, operator: Any, context: Context
    ) -> None:
        rows = [order(1, status="confirmed", lines=[line(1, status="packed")])]
        altcraft.client.add_fault(path=IMPORT, status=200, body={"error": 0, "error_text": ""})
        delivery = operator(rows, extra_statuses=["confirmed"], extra_line_statuses=["packed"]).execute(context())
        assert delivery["rows_sent"] == 1

    def test_a_missing_token_shows_before_a_row_is_read(
        self, altcraft: SandboxServer, operator: Any, context: Context, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connect_altcraft(monkeypatch, altcraft.url, token="")
        with pytest.raises(ConfigurationError, match="has no token"):
            operator([]).execute(context())

    def test_a_wrong_token(
        self, altcraft: SandboxServer, operator: Any, context: Context, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connect_altcraft(monkeypatch, altcraft.url, token="wrong-token-0123456789")
        with pytest.raises(ServiceRefused, match="market roles") as raised:
            operator([order(1, status="?")]).execute(context())  # the row is not even looked at
        assert "wrong-token" not in str(raised.value)
        assert imports(altcraft) == 0
        # The token is put right, the task cleared: nothing had arrived, so triggers are the user's choice still.
        connect_altcraft(monkeypatch, altcraft.url)
        operator([order(1)]).execute(context())
        assert held(altcraft)["A-0001"]["triggers_started"] == 1

    def test_a_token_that_may_not_look_up_orders_may_import_them(
        self, altcraft: SandboxServer, operator: Any, context: Context, caplog: pytest.LogCaptureFixture
    ) -> None:
        altcraft.client.add_fault(path="get_status", preset="altcraft_refused", times=None)
        assert operator([order(1)], skip_triggers=True).execute(context())["rows_sent"] == 1
        assert "Orders cannot be looked up" in caplog.text


class TestRefusedOrders:
    @pytest.mark.parametrize("body_format", ["json", "xml"])
    def test_the_bad_one_stands_alone_and_the_others_arrive_once(
        self, altcraft: SandboxServer, operator: Any, context: Context, body_format: str
    ) -> None:
        rows = [order(number, total_price="10.10", currency=("RUB", "EUR")[number // 19]) for number in range(20)]
        rows[13]["endpoint"] = "unknown-shop"
        delivery = operator(rows, max_rejected=1, body_format=body_format).execute(context())
        assert delivery["money"] == {"EUR": "10.10", "RUB": "181.80"}
        assert (delivery["rows_read"], delivery["rows_sent"], delivery["rows_rejected"]) == (20, 19, 1)
        (part,) = delivery["parts"]
        assert (part["status"], part["rows"], part["rows_accepted"]) == ("PARTLY_ACCEPTED", 20, 19)
        assert part["rows_refused"] == 1
        (found,) = rejects(delivery["rejected_path"])
        assert (found["row"], found["key"], found["code"]) == (None, "A-0013", "refused")
        assert "the endpoint is not set up" in found["reason"]
        arrived = held(altcraft)
        assert arrived.keys() == {row["external_id"] for row in rows} - {"A-0013"}
        assert {each["times_received"] for each in arrived.values()} == {1}
        assert imports(altcraft) < 15
        # A refused batch may have left something behind: its halves start no triggers.
        assert {each["triggers_started"] for each in arrived.values()} == {0}

    def test_they_stand_beside_the_rejects_of_the_check(
        self, altcraft: SandboxServer, operator: Any, context: Context
    ) -> None:
        rows = [order(1, status="?"), order(2, currency="XXX"), order(3)]
        delivery = operator(rows, max_rejected=2).execute(context())
        assert [each["code"] for each in rejects(delivery["rejected_path"])] == ["unknown_status", "refused"]
        assert delivery["rows_rejected"] == 2

    def test_too_many_fail_the_task_after_the_good_ones_went(
        self, altcraft: SandboxServer, operator: Any, context: Context
    ) -> None:
        rows = [order(number) for number in range(10)]
        rows[4]["lines"][0]["sku"] = "unknown-sku"
        with pytest.raises(RejectedRowsError, match=r"9 were imported; 1 were refused.*max_rejected is 0"):
            operator(rows).execute(context())
        assert len(held(altcraft)) == 9

    def test_cleared_only_the_refused_are_sent_again(
        self, altcraft: SandboxServer, operator: Any, context: Context
    ) -> None:
        rows = [order(number) for number in range(10)]
        altcraft.client.add_fault(path=IMPORT, times=5, preset="altcraft_bad_request")
        with pytest.raises(RejectedRowsError):  # 10, 5, 2, 1, 1: two orders were refused alone
            operator(rows).execute(context())
        assert len(held(altcraft)) == 8
        before = imports(altcraft)
        delivery = operator(rows).execute(context())
        assert (delivery["rows_sent"], delivery["parts"][-1]["status"]) == (10, "ACCEPTED")
        assert delivery["money"] == {"RUB": "450.00"}  # of both tries
        assert imports(altcraft) == before + 1
        arrived = held(altcraft)
        assert {each["times_received"] for each in arrived.values()} == {1}
        # Refused alone, they had not arrived: the user's choice holds for them.
        assert [arrived[key]["triggers_started"] for key in ("A-0000", "A-0001", "A-0002")] == [1, 1, 0]

    def test_where_every_order_is_refused_it_is_not_the_orders(
        self, altcraft: SandboxServer, operator: Any, context: Context
    ) -> None:
        rows = [order(number, endpoint="unknown-shop") for number in range(8)]
        with pytest.raises(ServiceRefused, match=r"each of its 4 orders.*the endpoint is not set up"):
            operator(rows, batch_size=4, max_rejected=8).execute(context())
        assert imports(altcraft) == 7  # one batch to the end, the second not at all

    @pytest.mark.parametrize("code", [5001, "5001", "403", 402, -1])
    def test_other_codes_end_all_at_once(
        self, altcraft: SandboxServer, operator: Any, context: Context, code: Any
    ) -> None:
        altcraft.client.add_fault(path=IMPORT, status=200, body={"error": code, "error_text": "No"}, times=None)
        with pytest.raises(ServiceRefused, match=f"error {code}"):
            operator([order(number) for number in range(4)]).execute(context())
        assert imports(altcraft) == 1

    @pytest.mark.parametrize("status", [400, 413])
    def test_a_refusal_by_http_status_is_sifted_too(
        self, altcraft: SandboxServer, operator: Any, context: Context, status: int
    ) -> None:
        altcraft.client.add_fault(path=IMPORT, status=status, body="no")
        delivery = operator([order(number) for number in range(4)]).execute(context())
        assert (delivery["rows_sent"], imports(altcraft)) == (4, 3)


class TestTroubles:
    """Whatever happens on the way, every order is there once and no trigger starts twice."""

    @pytest.mark.parametrize(
        ("fault", "triggers"),
        [
            ({"action": "drop", "moment": "before"}, 0),
            ({"action": "drop", "moment": "after"}, 1),
            ({"preset": "altcraft_unavailable"}, 0),
            ({"preset": "altcraft_bad_gateway", "moment": "after"}, 1),
            ({"preset": "altcraft_timeout", "times": 3}, 0),
            ({"preset": "altcraft_too_many", "times": 2, "headers": {"Retry-After": "1"}}, 1),
        ],
    )
    def test_short_troubles_are_waited_out(
        self, altcraft: SandboxServer, operator: Any, context: Context, fault: dict[str, Any], triggers: int
    ) -> None:
        altcraft.client.add_fault(path=IMPORT, **fault)
        operator([order(number) for number in range(5)]).execute(context())
        summary = altcraft.client.altcraft_summary()
        assert (summary["orders"], summary["total_by_currency"]) == (5, {"RUB": "225.00"})
        # Once sent without an answer, orders go out again without triggers; a 429 was not taken at all.
        assert {each["triggers_started"] for each in held(altcraft).values()} == {triggers}

    def test_a_retry_sends_only_what_is_missing(self, altcraft: SandboxServer, operator: Any, context: Context) -> None:
        rows = [order(number) for number in range(9)]
        altcraft.client.add_fault(path=IMPORT, skip=2, times=None, preset="altcraft_unavailable")
        with pytest.raises(ServiceUnavailable):
            operator(rows, batch_size=3).execute(context())
        altcraft.client.clear_faults()
        delivery = operator(rows[::-1], batch_size=3).execute(context())
        assert [part["status"] for part in delivery["parts"]] == ["ACCEPTED"] * 3
        arrived = held(altcraft)
        assert {each["times_received"] for each in arrived.values()} == {1}
        assert [each["triggers_started"] for each in arrived.values()] == [1] * 6 + [0] * 3

    def test_an_unreachable_platform_keeps_the_triggers(
        self, altcraft: SandboxServer, operator: Any, context: Context, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        altcraft.client.add_fault(path=IMPORT, preset="altcraft_too_many", times=None)
        with pytest.raises(ServiceUnavailable):
            operator([order(1)]).execute(context())
        altcraft.client.clear_faults()
        operator([order(1)]).execute(context())
        assert held(altcraft)["A-0001"]["triggers_started"] == 1

    def test_a_token_that_was_missing_keeps_the_triggers(
        self, altcraft: SandboxServer, operator: Any, context: Context, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connect_altcraft(monkeypatch, altcraft.url, token="")
        with pytest.raises(ConfigurationError, match="has no token"):
            operator([order(1)]).execute(context())
        connect_altcraft(monkeypatch, altcraft.url)
        operator([order(1)]).execute(context())
        assert held(altcraft)["A-0001"]["triggers_started"] == 1

    def test_orders_that_moved_to_another_batch_start_no_triggers_again(
        self, altcraft: SandboxServer, operator: Any, context: Context
    ) -> None:
        rows = [order(number) for number in range(1, 9)]
        altcraft.client.add_fault(path=IMPORT, skip=1, times=None, preset="altcraft_unavailable")
        with pytest.raises(ServiceUnavailable):
            operator(rows, batch_size=4).execute(context())
        altcraft.client.clear_faults()
        # Meanwhile the CRM has one more order, which moves all the others on.
        operator([order(0), *rows], batch_size=4).execute(context())
        started = {key: each["triggers_started"] for key, each in held(altcraft).items()}
        assert started == {f"A-{number:04d}": int(number <= 4) for number in range(9)}

    def test_orders_named_by_phones_are_looked_up_where_the_journal_is_new(
        self, altcraft: SandboxServer, operator: Any, context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rows = [order(number, external_id=f"7999000000{number}") for number in (1, 2)]
        delivery = operator(rows).execute(context())
        assert (delivery["rows_sent"], delivery["sample"]) == (2, {})
        monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "emptied"))
        with pytest.raises(PermanentError, match="journal_conn_id") as raised:
            operator(rows).execute(context("another"))
        assert "7999" not in str(raised.value)
        assert imports(altcraft) == 1

    def test_a_cleared_task_sends_nothing_again(self, altcraft: SandboxServer, operator: Any, context: Context) -> None:
        operator([order(1)]).execute(context())
        again = operator([order(1)]).execute(context())
        assert (again["rows_sent"], again["rows_unchanged"], again["parts"]) == (0, 1, [])
        assert imports(altcraft) == 1

    @pytest.mark.parametrize("body", ["<html>login</html>", [], {"result": []}, {"error": None}, {"error": True}])
    def test_an_answer_that_is_none_of_the_platforms(
        self, altcraft: SandboxServer, operator: Any, context: Context, body: Any
    ) -> None:
        altcraft.client.add_fault(path=IMPORT, status=200, body=body)
        with pytest.raises(ServiceRefused, match="is not the platform") as raised:
            operator([order(1)]).execute(context())
        assert "login" not in str(raised.value)

    def test_more_in_the_answer_is_told_by_name(
        self,
        altcraft: SandboxServer,
        operator: Any,
        context: Context,
        caplog: pytest.LogCaptureFixture,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        caplog.set_level("INFO")
        altcraft.client.add_fault(path=IMPORT, status=200, body={"error": "0", "result": [{"email": "a@example.com"}]})
        operator([order(1)]).execute(context())
        logged = caplog.text + capsys.readouterr().out
        assert "passed on unread: result" in logged
        assert "a@example.com" not in logged


class TestVerify:
    def test_all_are_there(self, altcraft: SandboxServer, operator: Any, context: Context) -> None:
        rows = [order(1), order(2, status="paid")]
        delivery = operator(rows, verify=True).execute(context())
        assert delivery["verified"] == {"checked": 2, "by_status": {"new": 1, "paid": 1}}

    def test_a_sample(self, altcraft: SandboxServer, operator: Any, context: Context) -> None:
        delivery = operator([order(n) for n in range(30)], skip_triggers=True, verify=True, verify_sample=7).execute(
            context()
        )
        assert delivery["verified"] == {"checked": 7, "by_status": {"new": 7}}
        assert sum(each["path"].endswith("get_status") for each in altcraft.client.requests()) == 7 + 1

    def test_parts_that_were_not_kept_stay_known(
        self, altcraft: SandboxServer, operator: Any, context: Context
    ) -> None:
        rows = [order(1), order(2)]
        delivery = operator(rows, verify=True, keep_parts=False).execute(context())
        assert delivery["verified"]["checked"] == 2
        assert not Path(delivery["parts"][0]["path"]).exists()
        operator(rows, batch_size=1, keep_parts=False).execute(context())
        assert {each["times_received"] for each in held(altcraft).values()} == {1}
        assert {each["triggers_started"] for each in held(altcraft).values()} == {1}

    def test_what_travels_is_small_whatever_was_sent(
        self, altcraft: SandboxServer, operator: Any, context: Context
    ) -> None:
        rows = [order(number, lines=[line(1)]) for number in range(600)]
        for number in range(0, 600, 50):
            rows[number]["endpoint"] = "unknown-shop"
        task = operator(rows, skip_triggers=True, max_rejected=20, verify=True, verify_sample=None, deferrable=True)
        altcraft.client.add_fault(path="get_status", preset="altcraft_unavailable", skip=1, times=6)
        with pytest.raises(TaskDeferred) as deferred:
            task.execute(context())
        assert deferred.value.kwargs is not None
        delivery = deferred.value.kwargs["delivery"]
        assert (delivery["rows_sent"], sum(part.get("rows_refused", 0) for part in delivery["parts"])) == (588, 12)
        assert 400 < len(delivery["sample"]) <= 500
        assert not any(f"A-{number:04d}" in delivery["sample"] for number in range(0, 600, 50))
        assert len(json.dumps(delivery)) < 48_000
        _, arguments = deferred.value.trigger.serialize()
        assert arguments["orders"] == delivery["sample"]
        assert len(rejects(delivery["rejected_path"])) == 12

    def test_orders_that_cannot_be_asked_for_are_told(
        self,
        altcraft: SandboxServer,
        operator: Any,
        context: Context,
        caplog: pytest.LogCaptureFixture,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        delivery = operator([order(1, external_id="+79123456789")], verify=True).execute(context())
        assert delivery["rows_sent"] == 1
        assert "Nothing is verified" in caplog.text + capsys.readouterr().out

    def test_missing_ones_are_named(self, altcraft: SandboxServer, operator: Any, context: Context) -> None:
        altcraft.client.add_fault(path=IMPORT, status=200, body={"error": 0, "error_text": ""})
        with pytest.raises(PassingError, match=r"2 of 2 .*A-0001 \(not there\), A-0002 \(not there\)"):
            operator([order(1), order(2)], verify=True, timeout=0).execute(context())

    def test_another_status_is_named(self, altcraft: SandboxServer, operator: Any, context: Context) -> None:
        answer = {"error": 0, "error_text": "", "result": [{"endpoint": "shop-1", "status": "canceled"}]}
        altcraft.client.add_fault(path="get_status", status=200, body=answer, times=None)
        with pytest.raises(PassingError, match=r"A-0001 \(canceled, expected new\)"):
            operator([order(1)], skip_triggers=True, verify=True, timeout=0).execute(context())

    def test_refused_ones_are_not_looked_for(self, altcraft: SandboxServer, operator: Any, context: Context) -> None:
        rows = [order(1), order(2, currency="XXX")]
        delivery = operator(rows, verify=True, max_rejected=1).execute(context())
        assert delivery["verified"]["checked"] == 1

    def test_deferred(self, altcraft: SandboxServer, operator: Any, context: Context) -> None:
        altcraft.client.add_fault(path="get_status", preset="altcraft_unavailable", skip=1, times=6)
        task = operator([order(1)], skip_triggers=True, verify=True, deferrable=True, poke_interval=0.1)
        with pytest.raises(TaskDeferred) as deferred:
            task.execute(context())
        assert deferred.value.kwargs is not None
        delivery = deferred.value.kwargs["delivery"]
        event = {
            "status": "done",
            "uploads": {"A-0001": {"upload_id": "A-0001", "status": "new", "final": True, "good": True}},
        }
        done = operator([order(1)]).execute_complete(context(), event, delivery)
        assert done["verified"] == {"checked": 1, "by_status": {"new": 1}}
        with pytest.raises(PassingError, match=r"A-0001 \(not there\)"):
            operator([]).execute_complete(context(), {"status": "timeout", "uploads": {"A-0001": None}}, delivery)


def test_a_delivery_that_was_sent_is_no_source(
    altcraft: SandboxServer, operator: Any, context: Callable[..., Any]
) -> None:
    delivery = operator([order(1)]).execute(context())
    with pytest.raises(ConfigurationError, match="was sent already"):
        operator(delivery).execute(context("import_again"))
    assert imports(altcraft) == 1


def test_names_in_lines_differ_in_case_and_space_as_those_of_orders(
    altcraft: SandboxServer, operator: Callable[..., Any], context: Context
) -> None:
    lines = [
        {" Base_Price_Per_Item" if name == "base_price_per_item" else name.upper(): value for name, value in each}
        for each in ({**line(1), "base_price_per_item": "150", "final_price_per_item": "100"}.items(),)
    ]
    operator([order(1, lines=lines)]).execute(context())
    (held,) = altcraft.client.altcraft_orders()
    assert [(each["base_price_per_item"], each["final_price_per_item"]) for each in held["lines"]] == [("150", "100")]
