# SPDX-License-Identifier: Apache-2.0
"""The operator over real HTTP: what the files hold, and that they are the same whatever happens on the way."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import msgspec
import pytest
import requests
from airflow.providers.common.compat.sdk import Asset, ObjectStoragePath

from airflow_provider_yandex_orders.exceptions import (
    ConfigurationError,
    PassingError,
    QuotaExceeded,
    ServiceRefused,
    ServiceUnavailable,
)
from airflow_provider_yandex_orders.hooks.market import MarketHook
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.market.market_support import WINDOW, contents, lines_of, raw_orders, rows_of
from tests.support.breaking_store import raising
from tests.support.market_official import OfficialCheck
from tests.support.storage import memory_bucket

try:
    from airflow.sdk.io import attach
except ImportError:  # 2.11
    from airflow.io.store import attach  # type: ignore[no-redef]

Context = Callable[..., Any]
Operator = Callable[..., Any]

STATS = "stats/orders"
NAMES = ["orders", "items", "prices", "details", "payments", "commissions", "subsidies"]


def stats_requests(sandbox: SandboxServer) -> int:
    return sum(1 for request in sandbox.client.requests() if request["path"].endswith(STATS))


@pytest.fixture
def undisturbed(market: SandboxServer, operator: Operator, context: Context, tmp_path: Path) -> dict[str, bytes]:
    """The files of a run that nothing happens to."""
    operator(path=str(tmp_path / "undisturbed")).execute(context(run_id="undisturbed"))
    market.client.reset()
    market.client.change_settings(market_orders_per_day=40)
    return contents(tmp_path / "undisturbed")


class TestFiles:
    def test_the_raw_file_has_the_services_bytes(
        self, market: SandboxServer, operator: Operator, context: Context
    ) -> None:
        sent = [line for page in MarketHook().iter_order_stats(**WINDOW, page_size=20) for line in page.lines]
        stats = operator().execute(context())
        assert lines_of(stats["paths"][0]) == sent
        assert (stats["orders"], stats["pages"], stats["requests"]) == (len(sent), -(-len(sent) // 20), stats["pages"])

    def test_the_result(self, market: SandboxServer, operator: Operator, context: Context, tmp_path: Path) -> None:
        stats = operator().execute(context())
        assert stats["service"] == "market"
        assert stats["campaign_id"] == 1001
        assert stats["window"] == WINDOW
        stem = tmp_path / "files" / "order_stats_1001_updated_2026-06-01_2026-06-01"
        assert stats["paths"] == [f"{stem}.raw.jsonl.gz"]
        assert stats["tables"] == {name: f"{stem}.{name}.jsonl.gz" for name in NAMES}
        assert stats["schema_path"] == f"{stem}.schema.json"
        assert stats["rows"] == {name: len(rows_of(path)) for name, path in stats["tables"].items()}
        assert json.loads(json.dumps(stats)) == stats
        assert sorted(contents(tmp_path / "files")) == sorted(
            Path(path).name for path in [*stats["paths"], *stats["tables"].values(), stats["schema_path"]]
        )

    def test_nothing_stays_in_staging(
        self, market: SandboxServer, operator: Operator, context: Context, tmp_path: Path
    ) -> None:
        operator().execute(context())
        assert [path for path in (tmp_path / "staging").rglob("*") if path.is_file()] == []

    def test_tables_hold_every_amount_of_the_raw_orders(
        self, market: SandboxServer, operator: Operator, context: Context
    ) -> None:
        stats = operator().execute(context())
        orders = raw_orders(stats["paths"][0])
        tables = {name: rows_of(path) for name, path in stats["tables"].items()}
        assert {row["order_id"] for row in tables["orders"]} == set(orders)

        def total(name: str, column: str) -> Decimal:
            assert all(row[column] is None or isinstance(row[column], str) for row in tables[name])
            return sum((Decimal(row[column]) for row in tables[name]), Decimal(0))

        every = list(orders.values())
        for name, field, column in (
            ("payments", "total", "total"),
            ("commissions", "actual", "actual"),
            ("subsidies", "amount", "amount"),
        ):
            assert total(name, column) == sum(one[field] for order in every for one in order.get(name) or [])
        prices = [price for order in every for item in order["items"] for price in item["prices"]]
        assert total("prices", "total") == sum(price["total"] for price in prices)
        assert total("prices", "cost_per_item") == sum(price["costPerItem"] for price in prices)
        details = [one for order in every for item in order["items"] for one in item.get("details") or []]
        assert sum(row["item_count"] for row in tables["details"]) == sum(one["itemCount"] for one in details)
        schema = json.loads(Path(stats["schema_path"]).read_text())
        for name, rows in tables.items():
            keys = [tuple(row[part] for part in schema[name]["key"]) for row in rows]
            assert None not in {part for key in keys for part in key}
            assert len(set(keys)) == len(keys)
            assert all(list(row) == [column["name"] for column in schema[name]["columns"]] for row in rows)
            assert {row["unknown_fields"] for row in rows} <= {None}

    def test_delivery_is_apart_from_goods(self, market: SandboxServer, operator: Operator, context: Context) -> None:
        items = rows_of(operator().execute(context())["tables"]["items"])
        delivery = [row for row in items if row["is_delivery"]]
        assert {row["offer_name"] for row in delivery} == {"Доставка"}
        assert {row["item_no"] for row in delivery} == {0}
        assert all(row["item_no"] >= 1 and row["shop_sku"] for row in items if not row["is_delivery"])

    def test_what_was_taken_out_of_an_order_is_still_a_row(
        self, market: SandboxServer, operator: Operator, context: Context
    ) -> None:
        stats = operator().execute(context())
        items = rows_of(stats["tables"]["items"])
        gone = [row for row in items if row["count"] == 0]
        fewer = [row for row in items if 0 < row["count"] < row["initial_count"]]
        assert gone
        assert fewer
        assert all(row["initial_count"] == 1 for row in gone)
        priced = {(row["order_id"], row["item_no"]) for row in rows_of(stats["tables"]["prices"])}
        assert not {(row["order_id"], row["item_no"]) for row in gone} & priced

    def test_a_bid_is_in_per_cent(self, market: SandboxServer, operator: Operator, context: Context) -> None:
        items = rows_of(operator().execute(context())["tables"]["items"])
        assert {row["bid_fee"] for row in items if not row["is_delivery"]} == {"0", "1.5", "5.7", "12"}

    def test_all_formats_say_the_same(
        self, market: SandboxServer, operator: Operator, context: Context, tmp_path: Path
    ) -> None:
        pytest.importorskip("pyarrow")
        packed, plain, parquet = (
            operator(output_format=form, path=str(tmp_path / form)).execute(context())
            for form in ("jsonl.gz", "jsonl", "parquet")
        )
        assert lines_of(packed["paths"][0]) == lines_of(plain["paths"][0])
        assert [row["order"].encode() for row in rows_of(parquet["paths"][0])] == lines_of(plain["paths"][0])
        for name in NAMES:
            lines = lines_of(plain["tables"][name])
            assert lines_of(packed["tables"][name]) == lines
            rows = rows_of(parquet["tables"][name])
            assert len(rows) == len(lines)
            for row, line in zip(rows, lines, strict=True):
                expected = msgspec.json.decode(line)
                for column, value in row.items():
                    if isinstance(value, Decimal):
                        assert value == Decimal(expected[column])
                    elif hasattr(value, "isoformat"):
                        assert value.isoformat().replace("+00:00", "Z") == expected[column]
                    else:
                        assert value == expected[column]

    def test_without_tables(self, market: SandboxServer, operator: Operator, context: Context, tmp_path: Path) -> None:
        stats = operator(tables=False).execute(context())
        assert (stats["tables"], stats["rows"], stats["schema_path"]) == ({}, {}, None)
        assert len(contents(tmp_path / "files")) == 1

    @pytest.mark.parametrize("output_format", ["jsonl.gz", "jsonl", "parquet"])
    def test_an_empty_window_writes_every_file(
        self, market: SandboxServer, operator: Operator, context: Context, output_format: str
    ) -> None:
        if output_format == "parquet":
            pytest.importorskip("pyarrow")
        window = {"date_from": "2999-01-01", "date_to": "2999-01-02"}
        stats = operator(output_format=output_format, **window).execute(context())
        assert (stats["orders"], stats["pages"], stats["rows"]) == (0, 1, dict.fromkeys(NAMES, 0))
        assert rows_of(stats["paths"][0]) == []
        schema = json.loads(Path(stats["schema_path"]).read_text())
        assert list(schema) == NAMES
        for name in NAMES:
            assert rows_of(stats["tables"][name]) == []
            columns = [column["name"] for column in schema[name]["columns"]]
            assert schema[name]["key"][0] == "order_id" == columns[0]
            if output_format == "parquet":
                import pyarrow.parquet as pq

                assert pq.read_schema(stats["tables"][name]).names == columns

    def test_object_storage(
        self, market: SandboxServer, operator: Operator, context: Context, undisturbed: dict[str, bytes]
    ) -> None:
        from fsspec.implementations.memory import MemoryFileSystem

        attach("memory", fs=MemoryFileSystem())
        market.client.add_fault(preset="market_quota", path=STATS, skip=2)
        places = {"path": "memory://files/market", "staging_path": "memory://staging"}
        with pytest.raises(QuotaExceeded):
            operator(**places).execute(context())
        stats = operator(**places).execute(context())
        assert stats["requests"] == stats_requests(market) - 1
        found = {path.name: path.read_bytes() for path in ObjectStoragePath("memory://files/market").iterdir()}
        assert found == undisturbed

    def test_asset_events_carry_counts_and_window(
        self, market: SandboxServer, operator: Operator, context: Context
    ) -> None:
        asset = Asset("order_stats")
        event = SimpleNamespace(extra={})
        stats = operator(outlets=[asset]).execute({**context(), "outlet_events": {asset: event}})
        expected = {"campaign_id": 1001, **WINDOW, "orders": stats["orders"], "rows": stats["rows"]}
        assert {name: event.extra[name] for name in expected} == expected


class TestFactsThatMove:
    def test_an_order_that_changes_meanwhile_is_there_once_and_new(
        self, market: SandboxServer, operator: Operator, context: Context
    ) -> None:
        before = raw_orders(operator().execute(context())["paths"][0])
        market.client.change_settings(market_changes_per_page=3)
        stats = operator().execute(context())
        after = raw_orders(stats["paths"][0])
        assert after.keys() == before.keys()
        changed = {order for order in after if after[order] != before[order]}
        assert len(changed) == 3 * (stats["pages"] - 1)
        assert stats["orders_outdated"] == len(changed) + 3 * (stats["pages"] - 2)
        assert all(after[order]["statusUpdateDate"] > before[order]["statusUpdateDate"] for order in changed)
        assert len(rows_of(stats["tables"]["orders"])) == len(after)
        returns = [row for row in rows_of(stats["tables"]["commissions"]) if row["type"] == "RETURN_PROCESSING"]
        assert {row["order_id"] for row in returns} == changed

    def test_of_equal_dates_the_later_page_counts(
        self, market: SandboxServer, operator: Operator, context: Context, official: OfficialCheck
    ) -> None:
        orders = [
            {"id": 1, "status": "A", "statusUpdateDate": "2026-06-01T10:00:00"},  # Moscow time
            {"id": 2, "status": "A", "statusUpdateDate": "2026-06-01T10:00:00Z"},
            {"id": 3, "status": "A"},
            {"status": "no id"},
            {"id": 1, "status": "B", "statusUpdateDate": "2026-06-01T07:00:00Z"},  # the same moment
            {"id": 2, "status": "B", "statusUpdateDate": "2026-06-01T10:00:00+03:00"},  # three hours earlier
            {"id": 3, "status": "B", "statusUpdateDate": "some day"},
            {"id": "4", "status": "an id that is a text"},
        ]
        official.odd_answers = True
        body = {"status": "OK", "result": {"orders": orders}}
        market.client.add_fault(path=STATS, action="answer", status=200, body=body)
        stats = operator().execute(context())
        rows = {row["order_id"]: row for row in rows_of(stats["tables"]["orders"])}
        assert {order: row["status"] for order, row in rows.items()} == {1: "B", 2: "A", 3: "B"}
        assert rows[2]["status_update_date"] == "2026-06-01T10:00:00Z"
        assert rows[1]["status_update_date"] == "2026-06-01T07:00:00Z"
        assert rows[3]["status_update_date"] is None
        assert json.loads(rows[3]["unknown_fields"]) == {"statusUpdateDate": "some day"}
        assert (stats["orders"], stats["orders_outdated"], stats["orders_without_id"]) == (5, 3, 2)


class TestLongPeriods:
    LONG: ClassVar = {"update_from": "2026-05-20", "update_to": "2026-06-08"}

    def test_a_period_the_service_finds_too_long_is_one_fetch_all_the_same(
        self, market: SandboxServer, operator: Operator, context: Context, tmp_path: Path
    ) -> None:
        whole = operator(path=str(tmp_path / "whole"), **self.LONG).execute(context(run_id="whole"))
        market.client.change_settings(market_longest_period_days=7)
        market.client.add_fault(preset="market_quota", path=STATS, skip=20)
        with pytest.raises(QuotaExceeded):
            operator(**self.LONG).execute(context())
        before = stats_requests(market)
        stats = operator(**self.LONG).execute(context())
        assert stats["window"] == self.LONG
        assert raw_orders(stats["paths"][0]) == raw_orders(whole["paths"][0])
        assert stats["rows"] == whole["rows"]
        assert stats_requests(market) - before == stats["pages"] - 19  # one request of the first try was refused
        assert len(contents(tmp_path / "files")) == len(contents(tmp_path / "whole"))

    def test_a_limit_that_shrinks_between_tries(
        self, market: SandboxServer, operator: Operator, context: Context
    ) -> None:
        market.client.change_settings(market_longest_period_days=10)
        market.client.add_fault(preset="market_quota", path=STATS, skip=3)
        with pytest.raises(QuotaExceeded):
            operator(**self.LONG).execute(context())
        market.client.change_settings(market_longest_period_days=4)
        with pytest.raises(ServiceRefused, match="Too long time period"):
            operator(**self.LONG).execute(context())
        assert operator(**self.LONG).execute(context())["orders"] > 0


class TestWhatIsNew:
    ORDER: ClassVar[dict[str, Any]] = {
        "id": 1,
        "status": "TELEPORTED",
        "currency": "XXX",
        "colour": "red",
        "fake": "no",
        "deliveryRegion": {"id": 1, "climate": "mild"},
        "items": [{"shopSku": "K", "count": 1, "weight": 5, "prices": [{"type": "SOUL", "vat": 20}]}],
        "commissions": [{"type": "AIR", "actual": 1, "why": "x"}, {"type": "AIR", "actual": 1, "why": "y"}],
    }
    NEW: ClassVar = {
        "orders.colour": 2,
        "orders.deliveryRegion.climate": 2,
        "items.weight": 2,
        "prices.vat": 2,
        "commissions.why": 4,
    }

    @pytest.mark.parametrize("tables", [True, False])
    def test_new_fields_are_kept_counted_and_told(
        self,
        market: SandboxServer,
        operator: Operator,
        context: Context,
        official: OfficialCheck,
        caplog: pytest.LogCaptureFixture,
        tables: bool,
    ) -> None:
        official.odd_answers = True
        orders = [self.ORDER, self.ORDER | {"id": 2}]
        body = {"status": "OK", "result": {"orders": orders}}
        market.client.add_fault(path=STATS, action="answer", status=200, body=body)
        asset = Asset("order_stats")
        event = SimpleNamespace(extra={})
        task = operator(tables=tables, outlets=[asset])
        stats = task.execute({**context(), "outlet_events": {asset: event}})
        assert stats["new_fields"] == self.NEW == event.extra["new_fields"]
        assert list(raw_orders(stats["paths"][0]).values()) == orders
        assert "Fields without a column" in caplog.text
        assert "'commissions.why': 4" in caplog.text
        assert "Values that do not fit their column" in caplog.text
        assert "'orders.fake': 2" in caplog.text
        assert "'orders.status TELEPORTED': 2" in caplog.text
        assert "'commissions.type AIR': 4" in caplog.text
        if tables:
            (row, _) = rows_of(stats["tables"]["orders"])
            assert (row["status"], row["currency"]) == ("TELEPORTED", "XXX")

    def test_an_order_that_came_twice_counts_once(
        self, market: SandboxServer, operator: Operator, context: Context, official: OfficialCheck
    ) -> None:
        official.odd_answers = True
        orders = [self.ORDER, self.ORDER, self.ORDER]
        market.client.add_fault(path=STATS, action="answer", status=200, body={"result": {"orders": orders}})
        assert operator().execute(context())["new_fields"] == {name: count // 2 for name, count in self.NEW.items()}

    def test_nothing_is_said_where_nothing_is_new(
        self, market: SandboxServer, operator: Operator, context: Context, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert operator().execute(context())["new_fields"] == {}
        assert "without a column" not in caplog.text

    def test_a_status_that_is_new_may_be_asked_for(
        self, market: SandboxServer, operator: Operator, context: Context, official: OfficialCheck
    ) -> None:
        official.free_words = official.odd_answers = True
        body = {"status": "OK", "result": {"orders": [self.ORDER]}}
        market.client.add_fault(path=STATS, action="answer", status=200, body=body)
        assert operator(statuses=["TELEPORTED"]).execute(context())["orders"] == 1

    def test_the_log_names_each_file_with_its_rows(
        self, market: SandboxServer, operator: Operator, context: Context, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("INFO")
        stats = operator().execute(context())
        told = [each.getMessage().strip() for each in caplog.records]
        files = {f"rows of {name}:": (stats["rows"][name], path) for name, path in stats["tables"].items()}
        for what, (rows, path) in {
            **files,
            "orders, as the service has them:": (stats["orders"], *stats["paths"]),
        }.items():
            assert told[told.index(f"{rows:,}  {what}") + 1] == path


class TestLeftovers:
    def test_a_fetch_that_failed_for_good_leaves_nothing(
        self, market: SandboxServer, operator: Operator, context: Context, tmp_path: Path
    ) -> None:
        market.client.add_fault(preset="market_unauthorized", path=STATS, skip=3)
        with pytest.raises(ServiceRefused):
            operator().execute(context())
        assert stats_requests(market) == 4
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []

    @pytest.mark.parametrize("map_index", [-1, 2])
    def test_pages_of_older_runs_go_when_nobody_reads_on_from_them(
        self,
        market: SandboxServer,
        operator: Operator,
        context: Context,
        tmp_path: Path,
        map_index: int,
    ) -> None:
        keep = 12 * 60 * 60
        for run_id, age in (("old", keep + 60), ("young", keep - 60)):
            market.client.add_fault(preset="market_quota", path=STATS, skip=2)
            with pytest.raises(QuotaExceeded):
                operator().execute(context(run_id=run_id, map_index=map_index))
            for page in (tmp_path / "staging" / "a_dag" / run_id).rglob("page-*"):
                os.utime(page, (time.time() - age,) * 2)
        other = tmp_path / "staging" / "a_dag" / "old" / "other_task" / "page-000001.jsonl.gz"
        other.parent.mkdir()
        other.write_bytes(b"")
        operator().execute(context(run_id="new", map_index=map_index))
        left = {path.relative_to(tmp_path / "staging" / "a_dag").parts[0] for path in tmp_path.rglob("page-*")}
        assert left == {"old", "young"}
        assert other.exists()
        assert not list((tmp_path / "staging" / "a_dag" / "old" / "upload").rglob("page-*"))


class TestSameFilesWhateverHappens:
    """Each trouble ends, after a retry, in exactly the files of an undisturbed run."""

    @pytest.mark.parametrize(
        ("fault", "error"),
        [
            ({"preset": "market_internal", "times": 5}, ServiceUnavailable),
            ({"action": "drop", "times": 5}, ServiceUnavailable),
            ({"action": "truncate", "moment": "after", "times": 5}, ServiceUnavailable),
            ({"preset": "market_quota"}, QuotaExceeded),
        ],
        ids=["a 500", "a cut connection", "a cut page", "a distant 420"],
    )
    @pytest.mark.parametrize("skip", [0, 3])
    def test_a_retry_goes_on(
        self,
        market: SandboxServer,
        operator: Operator,
        context: Context,
        undisturbed: dict[str, bytes],
        tmp_path: Path,
        naps: list[float],
        fault: dict[str, Any],
        error: type[PassingError],
        skip: int,
    ) -> None:
        market.client.add_fault(path=STATS, skip=skip, **fault)
        with pytest.raises(error):
            operator().execute(context())
        assert not (tmp_path / "files").exists()
        before = stats_requests(market)
        stats = operator().execute(context())
        assert contents(tmp_path / "files") == undisturbed
        assert stats_requests(market) - before == stats["pages"] - skip

    def test_every_page_may_fail_once(
        self,
        market: SandboxServer,
        operator: Operator,
        context: Context,
        undisturbed: dict[str, bytes],
        tmp_path: Path,
    ) -> None:
        for number in range(30):  # each fault counts from where the one before was used up
            market.client.add_fault(preset="market_quota", path=STATS, skip=1 if number else 0)
        tries = 0
        while True:
            tries += 1
            try:
                stats = operator().execute(context())
                break
            except QuotaExceeded:
                assert tries < 40
        assert contents(tmp_path / "files") == undisturbed
        assert stats["requests"] == stats["pages"]
        assert tries > stats["pages"] / 2

    def test_a_token_that_died_begins_with_the_first_page(
        self,
        market: SandboxServer,
        operator: Operator,
        context: Context,
        undisturbed: dict[str, bytes],
        tmp_path: Path,
    ) -> None:
        market.client.add_fault(preset="market_bad_page_token", path=STATS, skip=2)
        stats = operator().execute(context())
        assert contents(tmp_path / "files") == undisturbed
        assert stats_requests(market) == stats["pages"] + 3

    def test_pages_in_a_circle_end_and_are_forgotten(
        self,
        market: SandboxServer,
        operator: Operator,
        context: Context,
        undisturbed: dict[str, bytes],
        tmp_path: Path,
    ) -> None:
        market.client.change_settings(market_stuck_page=2)
        with pytest.raises(PassingError):
            operator().execute(context())
        assert stats_requests(market) == 4
        market.client.change_settings(market_stuck_page=0)
        operator().execute(context())
        assert contents(tmp_path / "files") == undisturbed

    def test_pages_in_a_circle_that_cannot_be_removed_are_not_read_again(
        self, market: SandboxServer, operator: Operator, context: Context
    ) -> None:
        market.client.change_settings(market_stuck_page=2)
        task = operator(staging_path=memory_bucket())
        broken = raising(ConnectionError("the line broke"), "rm_file", "_rm", "rm", last=".gz")
        with broken, pytest.raises(PassingError, match="Remove pages from memory:"):
            task.execute(context())
        assert stats_requests(market) == 2

    @pytest.mark.parametrize("torn", [b"", b"half"], ids=["empty", "half"])
    def test_a_torn_page_is_fetched_again(
        self,
        market: SandboxServer,
        operator: Operator,
        context: Context,
        undisturbed: dict[str, bytes],
        tmp_path: Path,
        torn: bytes,
    ) -> None:
        market.client.add_fault(preset="market_quota", path=STATS, skip=4)
        with pytest.raises(QuotaExceeded):
            operator().execute(context())
        pages = sorted((tmp_path / "staging").rglob("page-*"))
        assert len(pages) == 4
        pages[2].write_bytes(torn and pages[2].read_bytes()[:-100])
        operator().execute(context())
        assert contents(tmp_path / "files") == undisturbed
        assert stats_requests(market) == 5 + len(raw_pages(undisturbed)) - 2

    def test_a_chain_read_anew_is_not_joined_with_the_rest_of_an_older_one(
        self,
        market: SandboxServer,
        operator: Operator,
        context: Context,
        official: OfficialCheck,
        tmp_path: Path,
    ) -> None:
        official.odd_answers = True

        def answers(*pages: tuple[str, list[int], str | None]) -> None:
            """Answer the request for each token; any other gets what the sandbox gives, then nothing for an hour."""
            for token, ids, following in pages:
                paging = {"nextPageToken": following} if following else {}
                body = {"status": "OK", "result": {"orders": [{"id": each} for each in ids], "paging": paging}}
                query = f"pageToken={token}$" if token else "^limit=20$"
                market.client.add_fault(path=STATS, query=query, action="answer", status=200, body=body)
            market.client.add_fault(preset="market_quota", path=STATS, times=None)

        answers(("", [1, 2], "two"), ("two", [3, 4], "three"), ("three", [5, 6], "four"), ("four", [7, 8], "five"))
        with pytest.raises(QuotaExceeded):
            operator().execute(context())
        pages = sorted((tmp_path / "staging").rglob("page-*"))
        third = pages[2].read_bytes()
        pages[1].write_bytes(pages[1].read_bytes()[:-10])
        market.client.reset()
        answers(("two", [3], "new-three"))
        with pytest.raises(QuotaExceeded):
            operator().execute(context())
        assert len(list((tmp_path / "staging").rglob("page-*"))) == 2
        pages[2].write_bytes(third)  # as a try leaves it that was killed before it removed this page
        market.client.reset()
        answers(("new-three", [4, 5], "new-four"), ("new-four", [6, 7, 8], None))
        stats = operator().execute(context())
        assert sorted(raw_orders(stats["paths"][0])) == [1, 2, 3, 4, 5, 6, 7, 8]
        assert stats["orders_outdated"] == 0
        assert stats_requests(market) == 2

    def test_pages_of_another_question_are_of_no_use(
        self, market: SandboxServer, operator: Operator, context: Context
    ) -> None:
        market.client.add_fault(preset="market_quota", path=STATS, skip=3)
        with pytest.raises(QuotaExceeded):
            operator().execute(context())
        stats = operator(page_size=50).execute(context())
        assert stats_requests(market) == 4 + stats["pages"]

    def test_old_pages_are_of_no_use(
        self, market: SandboxServer, operator: Operator, context: Context, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        market.client.add_fault(preset="market_quota", path=STATS, skip=3)
        with pytest.raises(QuotaExceeded):
            operator().execute(context())
        now = time.time
        monkeypatch.setattr(time, "time", lambda: now() + 13 * 60 * 60)
        stats = operator().execute(context())
        assert stats_requests(market) == 4 + stats["pages"]

    def test_pages_somebody_else_replaces_are_noticed(
        self,
        market: SandboxServer,
        operator: Operator,
        context: Context,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        market.client.change_settings(market_changes_per_page=2)  # so that the files are written anew, from the pages
        send, sent = requests.Session.send, []

        def meddling(session: requests.Session, request: Any, **more: Any) -> requests.Response:
            sent.append(request.url)
            if len(sent) == 4:  # the first two pages have been kept
                first, second, *_ = sorted((tmp_path / "staging").rglob("page-*.gz"))
                second.write_bytes(first.read_bytes())
            return send(session, request, **more)

        monkeypatch.setattr(requests.Session, "send", meddling)
        with pytest.raises(PassingError, match="page 2"):
            operator().execute(context())
        assert not (tmp_path / "files").exists()

    def test_a_target_without_the_right_is_told_before_the_first_request(
        self, market: SandboxServer, operator: Operator, context: Context
    ) -> None:
        with raising(PermissionError("Forbidden")), pytest.raises(ConfigurationError, match="path of the task"):
            operator(path=memory_bucket()).execute(context())
        assert stats_requests(market) == 0

    def test_a_task_that_is_cleared_reads_anew(
        self, market: SandboxServer, operator: Operator, context: Context
    ) -> None:
        first = operator().execute(context())
        operator().execute(context())
        assert stats_requests(market) == 2 * first["pages"]

    def test_a_death_before_publishing_costs_no_request(
        self, market: SandboxServer, operator: Operator, context: Context, undisturbed: dict[str, bytes]
    ) -> None:
        bucket = memory_bucket()
        with raising(ConnectionError("the line broke"), last=".gz"), pytest.raises(PassingError):
            operator(path=bucket).execute(context())
        before = stats_requests(market)
        operator(path=bucket).execute(context())
        assert stats_requests(market) == before > 0
        assert {path.name: path.read_bytes() for path in ObjectStoragePath(bucket).iterdir()} == undisturbed


RUN = """
import sys
from types import SimpleNamespace
from airflow_provider_yandex_orders.operators.market import MarketFetchOrderStatsOperator

files, staging, first, last = sys.argv[1:]
task = MarketFetchOrderStatsOperator(
    task_id="fetch", path=files, staging_path=staging, update_from=first, update_to=last, page_size=20
)
task.execute({"ti": SimpleNamespace(dag_id="d", run_id="r", task_id="fetch", map_index=-1)})
"""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_worker_killed_at_a_random_page(
    market: SandboxServer, undisturbed: dict[str, bytes], tmp_path: Path, moment: str
) -> None:
    pages = len(raw_pages(undisturbed))
    skip = random.Random().randrange(1, pages)
    files = tmp_path / "killed"
    command = [sys.executable, "-c", RUN, str(files), str(tmp_path / "staging"), *WINDOW.values()]
    market.client.add_fault(path=STATS, skip=skip, action="delay", moment=moment, seconds=300)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    environment = os.environ | {"TMPDIR": str(scratch)}
    worker = subprocess.Popen(command, env=environment, start_new_session=True)
    deadline = time.monotonic() + 120
    while not market.client.faults()[0]["hits"] or len(list((tmp_path / "staging").rglob("page-*"))) < skip:
        assert worker.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    assert not files.exists()
    assert [path.name for path in scratch.rglob("*") if path.is_file()]

    subprocess.run(command, env=environment, check=True, timeout=120)
    assert [path.name for path in scratch.rglob("*") if path.is_file()] == []
    assert contents(files) == undisturbed, f"killed at page {skip + 1}"
    assert stats_requests(market) == pages + 1


def raw_pages(files: dict[str, bytes]) -> range:
    """The pages of 20 orders that the files were made of."""
    import gzip

    (raw,) = (data for name, data in files.items() if ".raw." in name)
    return range(-(-gzip.decompress(raw).count(b"\n") // 20))
