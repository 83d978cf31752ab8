# SPDX-License-Identifier: Apache-2.0
"""The operator against the sandbox: what arrives, what is refused, and what a retry does."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_yandex_orders.exceptions import (
    ConfigurationError,
    PermanentError,
    RejectedRowsError,
    ServiceRefused,
    SourceError,
    SourceUnavailable,
    UploadFailedError,
    UploadUnclearError,
)
from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.operators.metrica import MetricaUploadSimpleOrdersOperator
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sources import CallableSource, FileSource, SqlSource
from tests.support.breaking_store import raising
from tests.support.connections import connect
from tests.support.storage import memory_bucket

Context = Callable[..., Any]

SAMPLE = Path(__file__).with_name("simple_orders_sample.csv")
SAMPLE_ROWS: list[dict[str, Any]] = [
    {
        "id": "s_ord1",
        "create_date_time": "10.01.2024 11:56",
        "client_uniq_id": "s_user1",
        "emails": ["Mail@Example.com", "mail2@example.com"],
        "order_status": "PAID",
        "revenue": 200,
        "cost": 150,
        "goals": [{"goal_action_id": "oplata_cash", "price": 200}, {"goal_action_id": "filial_1"}],
    },
    {
        "id": "s_ord2",
        "create_date_time": "20.01.2024 11:59",
        "client_ids": "1700000000000012345",
        "emails": "mail3@example.com",
        "revenue": "200",
        "cost": "150",
        "currency": "EUR",
    },
    {
        "create_date_time": "12.02.2024",
        "client_ids": "1700000000000034456",
        "phones": "8 (987) 654-32-10",
        "order_status": "SPAM",
        "goals": "plohoy_lead",
    },
]


def order(number: int, **fields: Any) -> dict[str, Any]:
    """A good row."""
    return {
        "id": f"A-{number:04d}",
        "create_date_time": "2026-11-01 10:00:00",
        "emails": f"buyer{number}@example.com",
        "order_status": "PAID",
        "revenue": "10.50",
        **fields,
    }


@pytest.fixture
def operator(tmp_path: Path) -> Callable[..., MetricaUploadSimpleOrdersOperator]:
    def make(source: Any, **arguments: Any) -> MetricaUploadSimpleOrdersOperator:
        arguments.setdefault("staging_path", str(tmp_path / "staging"))
        return MetricaUploadSimpleOrdersOperator(task_id="upload", source=source, **arguments)

    return make


@pytest.fixture(autouse=True)
def _no_pauses(naps: list[float]) -> None:
    """Pauses between attempts take no time."""


def uploads_sent(sandbox: SandboxServer) -> int:
    """How many files reached the service, or tried to."""
    return sum(1 for request in sandbox.client.requests() if request["method"] == "POST")


def rejects(path: str | None) -> list[dict[str, Any]]:
    assert path is not None
    return [msgspec.json.decode(line) for line in Path(path).read_bytes().splitlines()]


class TestWhatArrives:
    def test_the_vendors_sample_passes_unchanged(self, metrica: SandboxServer) -> None:
        uploading = MetricaHook().upload_simple_orders(101, str(SAMPLE))
        assert (uploading["api_validation_status"], uploading["elements_count"]) == ("PASSED", 3)

    def test_its_orders_given_as_rows_arrive_as_the_same_orders(
        self, metrica: SandboxServer, operator: Any, context: Context
    ) -> None:
        MetricaHook().upload_simple_orders(103, str(SAMPLE))
        for name in ("oplata_cash", "filial_1", "plohoy_lead"):
            MetricaHook().create_goal(101, name, name)
        delivery = operator(SAMPLE_ROWS, require_id=False).execute(context())
        assert (delivery["rows_sent"], delivery["parts"][0]["status"]) == (3, "PASSED")

        def meaning(counter_id: int) -> list[dict[str, Any]]:
            left_out = {"counter_id", "upload_ids"}
            held = [{k: v for k, v in o.items() if k not in left_out} for o in metrica.client.orders(counter_id)]
            return sorted(held, key=lambda each: str(each["id"]))

        given, sample = meaning(101), meaning(103)
        for mine, theirs in zip(given, sample, strict=True):
            # The one change: minutes get seconds, and a bare date keeps its other spelling.
            assert _day(mine.pop("create_date_time")) == _day(theirs.pop("create_date_time"))
            assert mine == theirs

    def test_dates_go_to_the_counters_own_zone(self, metrica: SandboxServer, operator: Any, context: Context) -> None:
        rows = [order(1, create_date_time="2026-11-01T00:30:00Z"), order(2, create_date_time="2026-11-01 00:30:00")]
        operator(rows, counter_id=103, source_timezone="Europe/Moscow").execute(context())
        held = {each["id"]: each["create_date_time"] for each in metrica.client.orders(103)}
        assert held == {"A-0001": "2026-11-01 10:30:00", "A-0002": "2026-11-01 07:30:00"}  # Vladivostok

    def test_hashed_identifiers_leave_nothing_clear(
        self, metrica: SandboxServer, operator: Any, context: Context
    ) -> None:
        row = order(1, emails="Mail@yandex.ru", phones="8 999 555-11-11")
        delivery = operator([row], hash_identifiers=True).execute(context())
        held = metrica.client.orders(101)[0]
        assert held["emails_md5"] == ["3c56ff8fef0f6c65b36b2d25720fe276"]
        assert held["phones_md5"] == ["f09f2c3d48f31e2a802944ade2e5aec5"]
        assert b"yandex.ru" not in Path(delivery["parts"][0]["path"]).read_bytes()

    def test_statuses_are_mapped(self, metrica: SandboxServer, operator: Any, context: Context) -> None:
        rows = [order(1, order_status="оплачен"), order(2, order_status="доставка")]
        MetricaHook().create_goal(101, "in_delivery", "In delivery")
        operator(rows, status_map={"оплачен": "PAID", "доставка": "in_delivery"}).execute(context())
        assert {o["id"]: o["order_status"] for o in metrica.client.orders(101)} == {
            "A-0001": "PAID",
            "A-0002": "in_delivery",
        }

    def test_of_several_versions_the_newest_is_sent(
        self, metrica: SandboxServer, operator: Any, context: Context
    ) -> None:
        rows = [
            order(1, revenue="3", update_date_time="2026-11-03 00:00:00"),
            order(1, revenue="1", update_date_time="2026-11-01 00:00:00"),
            order(2, revenue="5"),
            order(2, revenue="5"),
        ]
        delivery = operator(rows).execute(context())
        assert (delivery["rows_read"], delivery["rows_sent"], delivery["rows_duplicate"]) == (4, 2, 2)
        assert {o["id"]: o["revenue"] for o in metrica.client.orders(101)} == {"A-0001": "3", "A-0002": "5"}

    def test_large_uploads_are_split_at_rows(self, metrica: SandboxServer, operator: Any, context: Context) -> None:
        delivery = operator([order(n) for n in range(10)], max_part_rows=4).execute(context())
        assert [part["rows"] for part in delivery["parts"]] == [4, 4, 2]
        assert metrica.client.summary(101)["orders"] == 10
        by_size = operator([order(n) for n in range(10)], max_part_bytes=400, counter_id=103).execute(context())
        assert len(by_size["parts"]) > 2
        assert all(part["bytes"] <= 400 for part in by_size["parts"])
        assert metrica.client.summary(103)["orders"] == 10

    def test_several_processes_check_rows(self, metrica: SandboxServer, operator: Any, context: Context) -> None:
        rows = [order(n, revenue="much" if n % 500 == 7 else "10.50") for n in range(4500)]
        one, two = (
            operator(rows, workers=workers, dry_run=True, max_rejected=0.1).execute(context(task_id=f"by_{workers}"))
            for workers in (1, "2")
        )
        assert (one["rows_prepared"], one["rows_rejected"]) == (4491, 9)
        assert [part["sha256"] for part in one["parts"]] == [part["sha256"] for part in two["parts"]]

    def test_a_file_with_mapped_columns(
        self, metrica: SandboxServer, operator: Any, context: Context, tmp_path: Path
    ) -> None:
        path = tmp_path / "orders.csv"
        path.write_text("number;made;mail;sum\n7;2026-11-01 12:00;a@example.com;100\n", encoding="utf-8-sig")
        columns = {"id": "number", "create_date_time": "made", "emails": "mail", "revenue": "sum"}
        operator(FileSource(str(path), columns=columns)).execute(context())
        assert metrica.client.orders(101)[0]["revenue"] == "100"

    def test_waiting_in_the_task_updates_the_delivery(
        self, metrica: SandboxServer, operator: Any, context: Context
    ) -> None:
        metrica.client.change_settings(processing_seconds=3, uploads_judged_at_once=False)
        delivery = operator([order(1)], wait_for_completion=True, poke_interval=0.2).execute(context())
        assert [part["status"] for part in delivery["parts"]] == ["PASSED"]
        assert [r["path"] for r in metrica.client.requests()].count("/cdp/api/v1/counter/101/last_uploadings") > 1

    def test_an_empty_query_result(
        self, metrica: SandboxServer, operator: Any, context: Context, crm: Callable[..., None]
    ) -> None:
        crm()
        delivery = operator(SqlSource("crm", "SELECT * FROM orders WHERE 1 = 0")).execute(context())
        assert (delivery["rows_read"], uploads_sent(metrica)) == (0, 0)


class TestBadRows:
    def test_nothing_is_sent_when_there_are_too_many(
        self, metrica: SandboxServer, operator: Any, context: Context
    ) -> None:
        rows = [order(1), order(2, revenue="12,50 USD"), order(3, create_date_time="yesterday")]
        with pytest.raises(RejectedRowsError) as raised:
            operator(rows, max_rejected=1).execute(context())
        message = str(raised.value)
        assert "2 of 3 rows cannot be sent" in message
        assert "1 other_currency" in message
        assert "1 bad_date" in message
        assert "rejected.jsonl" in message
        assert uploads_sent(metrica) == 0

    def test_rejects_are_accounted_for_and_hold_nothing_personal(
        self, metrica: SandboxServer, operator: Any, context: Context, caplog: pytest.LogCaptureFixture
    ) -> None:
        rows = [
            order(1),
            order(2, revenue="Ivan Petrov, ivan.petrov@example.com"),
            order(3, emails=None, phones=None),
            order(4, emails="not an address", phones="+7 999 555 11 11"),
            order(5, client_ids="1.3E+17"),
        ]
        delivery = operator(rows, max_rejected=0.6).execute(context())
        assert (delivery["rows_read"], delivery["rows_sent"], delivery["rows_rejected"]) == (5, 2, 3)
        assert delivery["values_dropped"] == 1
        found = rejects(delivery["rejected_path"])
        assert [(each["row"], each["key"], each["column"], each["code"]) for each in found] == [
            (2, "A-0002", "revenue", "not_a_number"),
            (3, "A-0003", "client_ids", "no_identifier"),
            (5, "A-0005", "client_ids", "float_id"),
        ]
        assert all(each["reason"] and each["fix"] for each in found)
        folder = Path(str(delivery["rejected_path"])).parent
        written = (folder / "rejected.jsonl").read_text() + (folder / "dropped.jsonl").read_text() + caplog.text
        for personal in ("ivan", "Petrov", "9995551111", "999 555", "not an address", "buyer"):
            assert personal not in written

    def test_a_share_is_a_share_of_what_was_read(self, metrica: SandboxServer, operator: Any, context: Context) -> None:
        rows = [*(order(n) for n in range(19)), order(20, revenue="x")]
        assert operator(rows, max_rejected=0.05).execute(context())["rows_rejected"] == 1
        with pytest.raises(RejectedRowsError):
            operator(rows, max_rejected=0.04).execute(context())


class TestWrongSettings:
    """Each ends the task at once, before a file is sent, in one line that says what to do."""

    def fails(self, operator: Any, context: Context, kind: type[Exception], *words: str) -> None:
        with pytest.raises(kind) as raised:
            operator.execute(context())
        assert isinstance(raised.value, AirflowFailException)
        for word in words:
            assert word in str(raised.value)

    def test_an_unknown_field_in_the_mapping(self, metrica: SandboxServer, operator: Any, context: Context) -> None:
        source = FileSource("orders.csv", columns={"revenu": "sum"})
        self.fails(operator(source), context, SourceError, "no field 'revenu'", "Did you mean 'revenue'?")

    def test_an_unknown_column_in_the_mapping(
        self, metrica: SandboxServer, operator: Any, context: Context, crm: Callable[..., None]
    ) -> None:
        crm(order(1))
        source = SqlSource("crm", "SELECT * FROM orders", columns={"revenue": "revenues"})
        self.fails(operator(source), context, SourceError, "'revenues'", "Did you mean 'revenue'?", "Correct columns=")
        assert metrica.client.uploads() == []

    def test_a_required_column_that_is_not_there(
        self, metrica: SandboxServer, operator: Any, context: Context, crm: Callable[..., None]
    ) -> None:
        crm(order(1))
        source = SqlSource("crm", "SELECT id, emails FROM orders")
        self.fails(operator(source), context, SourceError, "no column 'create_date_time'", "columns=")

    def test_a_missing_file(self, metrica: SandboxServer, operator: Any, context: Context, tmp_path: Path) -> None:
        with pytest.raises(SourceUnavailable, match=r"no\.csv.*no such file, or not yet"):
            operator(FileSource(str(tmp_path / "no.csv"))).execute(context())

    def test_a_wrong_counter(self, metrica: SandboxServer, operator: Any, context: Context) -> None:
        self.fails(operator([order(1)], counter_id=999), context, ServiceRefused, "404", "not_found", "counter_id")
        self.fails(operator([order(1)], counter_id="abc"), context, ConfigurationError, "whole number")

    def test_no_counter(
        self, metrica: SandboxServer, operator: Any, context: Context, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connect(monkeypatch, metrica.url, counter_id=None)
        self.fails(operator([order(1)]), context, ConfigurationError, "No counter", "counter_id")

    def test_a_counter_one_may_only_look_at(self, metrica: SandboxServer, operator: Any, context: Context) -> None:
        self.fails(operator([order(1)], counter_id=102), context, ConfigurationError, "may only look", "edit rights")
        assert uploads_sent(metrica) == 0

    def test_the_connection_is_asked_before_the_first_row_is_read(
        self, metrica: SandboxServer, operator: Any, context: Context, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read = []

        def rows() -> Any:
            read.append(1)
            yield order(1)

        for counter in (102, 104, 999):
            self.fails(operator(CallableSource(rows), counter_id=counter), context, PermanentError)
        connect(monkeypatch, metrica.url, token="y0_wrong")
        self.fails(operator(CallableSource(rows)), context, ServiceRefused, "invalid_token")
        assert read == []

    def test_somebody_elses_counter(self, metrica: SandboxServer, operator: Any, context: Context) -> None:
        self.fails(operator([order(1)], counter_id=104), context, ServiceRefused, "access_denied", "edit rights")

    def test_no_connection(self, operator: Any, context: Context) -> None:
        self.fails(
            operator([order(1)], metrica_conn_id="nowhere", counter_id=1), context, ConfigurationError, "'nowhere'"
        )

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ({"merge_mode": "REPLACE"}, ["merge_mode", "SAVE, UPDATE, APPEND"]),
            ({"status_map": {"paid": "Paid"}}, ["status_map['paid']", "PAID"]),
            ({"status_map": {"paid": "a b"}}, ["status_map['paid']", "cannot be a status"]),
            ({"source_timezone": "Moscow"}, ["source_timezone", "'Moscow'", "Europe/Moscow"]),
            ({"max_part_rows": 0}, ["max_part_rows"]),
            ({"max_rejected": -1}, ["max_rejected"]),
            ({"source": 5}, ["source=", "SqlSource"]),
        ],
    )
    def test_arguments(
        self, metrica: SandboxServer, operator: Any, context: Context, arguments: dict[str, Any], words: list[str]
    ) -> None:
        source = arguments.pop("source", [order(1)])
        with pytest.raises(AirflowFailException) as raised:
            operator(source, **arguments).execute(context())
        assert all(word in str(raised.value) for word in words)
        assert uploads_sent(metrica) == 0


class TestTroubles:
    """Whatever happens on the way, every order is there once."""

    @pytest.mark.parametrize("moment", ["before", "after"])
    def test_a_cut_connection(self, metrica: SandboxServer, operator: Any, context: Context, moment: str) -> None:
        metrica.client.add_fault(method="POST", path="simple_orders", action="drop", moment=moment, times=1)
        operator([order(n) for n in range(5)]).execute(context())
        summary = metrica.client.summary(101)
        assert (summary["orders"], summary["by_status"]) == (5, {"PAID": 5})

    @pytest.mark.parametrize("fault", [{"action": "drop", "moment": "after"}, {"preset": "backend_error"}])
    def test_orders_without_id_are_not_sent_twice_by_themselves(
        self, metrica: SandboxServer, operator: Any, context: Context, fault: dict[str, str]
    ) -> None:
        metrica.client.add_fault(method="POST", path="simple_orders", times=1, **fault)
        with pytest.raises(UploadUnclearError, match="Look at the service") as raised:
            operator([order(1, id=None)], require_id=False).execute(context())
        assert isinstance(raised.value, AirflowFailException)
        assert uploads_sent(metrica) == 1
        cleared = context()
        cleared["ti"].max_tries = 3  # as Airflow does: people have decided
        operator([order(1, id=None)], require_id=False).execute(cleared)
        assert uploads_sent(metrica) == 2

    def test_orders_without_id_are_not_sent_again_after_a_crash(
        self, metrica: SandboxServer, operator: Any, context: Context, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Killed(BaseException):
            """Ends the process as a signal would."""

        def die(*_arguments: Any, **_named: Any) -> None:
            raise Killed

        with monkeypatch.context() as patched:
            patched.setattr(MetricaHook, "upload_simple_orders", die)
            with pytest.raises(Killed):
                operator([order(1, id=None)], require_id=False).execute(context())
        with pytest.raises(UploadUnclearError, match=r"1 rows without a key went out before.*clear the task"):
            operator([order(1, id=None)], require_id=False).execute(context())
        assert uploads_sent(metrica) == 0

    def test_a_cleared_task_with_corrected_rows_sends_them(
        self, metrica: SandboxServer, operator: Any, context: Context
    ) -> None:
        operator([order(1, revenue="1")]).execute(context())
        operator([order(1, revenue="2")]).execute(context())
        assert metrica.client.orders(101)[0]["revenue"] == "2"

    def test_another_run_sends_its_own(self, metrica: SandboxServer, operator: Any, context: Context) -> None:
        operator([order(1)]).execute(context())
        operator([order(1)]).execute(context(run_id="manual__2"))
        assert metrica.client.orders(101)[0]["times_received"] == 2

    def test_a_file_judged_bad_fails_for_good_and_is_sent_again_when_cleared(
        self, metrica: SandboxServer, operator: Any, context: Context
    ) -> None:
        bad = {
            "uploading": {
                "uploading_id": "u-1",
                "api_validation_status": "FAILED",
                "elements_count": 0,
                "api_validation_errors": ["line 2: revenue"],
            }
        }
        metrica.client.add_fault(
            method="POST", path="simple_orders", times=1, action="answer", status=200, body=json.dumps(bad)
        )
        with pytest.raises(UploadFailedError, match="line 2: revenue"):
            operator([order(1)]).execute(context())
        assert operator([order(1)]).execute(context())["parts"][0]["status"] == "PASSED"


@pytest.fixture
def crm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes a CRM database of rows."""

    def make(*rows: dict[str, Any]) -> None:
        path = tmp_path / "crm.db"
        names = ["id", "create_date_time", "emails", "order_status", "revenue"]
        with sqlite3.connect(path) as connection:
            connection.execute(f"CREATE TABLE orders ({', '.join(names)})")
            connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?)", [[r[n] for n in names] for r in rows])
        monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps({"conn_type": "sqlite", "host": str(path)}))

    return make


def _day(shown: str) -> tuple[str, ...]:
    day = shown[:10]
    parts = day.split(".") if "." in day else day.split("-")[::-1]
    return (*parts, *shown[11:16].split(":"))


def test_the_sample_is_the_vendors() -> None:
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == ["s_ord1", "s_ord2", ""]


def test_a_staging_folder_without_the_right_is_told_before_the_first_row(run: Callable[..., Any]) -> None:
    class Untouched(FileSource):
        def open(self) -> Any:
            raise AssertionError("a row was read")

    bucket = memory_bucket()
    with raising(PermissionError("Forbidden")), pytest.raises(ConfigurationError, match="right to write"):
        run(MetricaUploadSimpleOrdersOperator, source=Untouched("a.csv"), staging_path=bucket)
