# SPDX-License-Identifier: Apache-2.0
"""Offline conversions: checks before sending, sent once, judged at the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest
from airflow.providers.common.compat.sdk import AirflowSensorTimeout, TaskDeferred

from airflow_provider_yandex_orders.exceptions import (
    ConfigurationError,
    RejectedRowsError,
    ServiceUnavailable,
    UploadFailedError,
)
from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.operators.metrica import MetricaUploadOfflineConversionsOperator
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sensors.metrica import MetricaOfflineConversionsSensor
from airflow_provider_yandex_orders.sources import FileSource
from tests.support.pauses import shorten
from tests.support.triggers import fired

Run = Callable[..., Any]
OPERATOR = MetricaUploadOfflineConversionsOperator


@pytest.fixture(autouse=True)
def _goals(metrica: SandboxServer) -> None:
    for counter_id in (101, 103):
        MetricaHook().create_goal(counter_id, "order_paid", "Order paid")
    metrica.client.change_settings(linked_share=1)


@pytest.fixture(autouse=True)
def _no_pauses(naps: list[float]) -> None:
    """Pauses between attempts take no time."""


def conversion(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"A-{number}",
        "ClientId": f"17000000001234567{number:02d}",
        "Target": "order_paid",
        "DateTime": f"2026-11-01T10:00:{number:02d}+03:00",
        "Price": "10.50",
        "Currency": "RUB",
        **fields,
    }


def uploads(sandbox: SandboxServer) -> list[dict[str, Any]]:
    return [r for r in sandbox.client.requests() if r["path"].endswith("offline_conversions/upload")]


class TestRows:
    def test_a_file_with_every_column_keeps_its_meaning(self, metrica: SandboxServer, run: Run) -> None:
        row = conversion(1, UserId="u-1", Yclid="1234567890123456789", PurchaseId="p-1")
        delivery = run(OPERATOR, source=[row])
        lines = Path(delivery["parts"][0]["path"]).read_text().splitlines()
        assert lines == [
            "ClientId,UserId,Yclid,PurchaseId,Target,DateTime,Price,Currency",
            "1700000000123456701,u-1,1234567890123456789,p-1,order_paid,1793516401,10.50,RUB",
        ]
        (held,) = metrica.client.conversions(101)
        assert (held["ClientId"], held["Yclid"]) == ("1700000000123456701", "1234567890123456789")

    def test_naive_times_are_the_counters(self, metrica: SandboxServer, run: Run) -> None:
        rows = [conversion(1, DateTime="2026-11-01 10:00:00")]
        run(OPERATOR, source=rows)
        run(OPERATOR, source=rows, counter_id=103)  # Vladivostok, seven hours before Moscow
        moscow, east = (int(metrica.client.conversions(counter)[0]["DateTime"]) for counter in (101, 103))
        assert moscow - east == 7 * 3600

    def test_rows_of_the_future_wait_in_a_file(self, metrica: SandboxServer, run: Run) -> None:
        later = int(time.time()) + 3600
        delivery = run(OPERATOR, source=[conversion(1), conversion(2, DateTime=later)])
        assert (delivery["rows_read"], delivery["rows_sent"], delivery["rows_deferred"]) == (2, 1, 1)
        (waiting,) = Path(delivery["deferred_path"]).read_bytes().splitlines()
        assert msgspec.json.decode(waiting)["DateTime"] == later
        again = run(OPERATOR, source=FileSource(delivery["deferred_path"]), run_id="manual__2")
        assert (again["rows_read"], again["rows_deferred"]) == (1, 1)

    def test_a_file_for_each_identifier(self, metrica: SandboxServer, run: Run) -> None:
        rows = [conversion(1), conversion(2, ClientId=None, UserId="u-2"), conversion(3, UserId="u-3")]
        delivery = run(OPERATOR, source=rows, file_per_identifier=True)
        found = {Path(part["path"]).name: part["rows"] for part in delivery["parts"]}
        assert found == {"ClientId-00001.csv": 2, "UserId-00001.csv": 1}
        assert len(metrica.client.conversions(101)) == 3

    def test_of_one_moment_with_two_prices_or_ids_the_user_says_which(self, metrica: SandboxServer, run: Run) -> None:
        for other in (conversion(1, Price=2), conversion(1, Price=1, id="other")):
            with pytest.raises(RejectedRowsError, match=r'2 rows_differ.*same_key="last"'):
                run(OPERATOR, source=[conversion(1, Price=1), other])
        delivery = run(OPERATOR, source=[conversion(1, Price=1), conversion(1, Price=2)], same_key="last")
        assert (delivery["rows_sent"], delivery["rows_duplicate"]) == (1, 1)
        assert metrica.client.conversions(101)[0]["Price"] == "2"

    @pytest.mark.parametrize(
        ("fields", "code", "words"),
        [
            ({"ClientId": "1.3E+17"}, "float_id", "spreadsheet"),
            ({"ClientId": 1.3e17}, "float_id", "as text"),
            ({"ClientId": None}, "no_identifier", "at least one"),
            ({"Target": "order_payed"}, "unknown_target", "did you mean 'order_paid'?"),
            ({"Target": "Order paid"}, "bad_goal", "not its name"),
            ({"DateTime": "2026-11-01"}, "no_time", "time"),
            ({"DateTime": 1793516400000}, "bad_date", "1000"),
            ({"Price": "10,50"}, "decimal_comma", "point"),
            ({"Currency": "BYR"}, "old_currency", "BYN"),
        ],
    )
    def test_what_cannot_be_sent(
        self, metrica: SandboxServer, run: Run, fields: dict[str, Any], code: str, words: str, tmp_path: Path
    ) -> None:
        with pytest.raises(RejectedRowsError, match=f"1 {code}"):
            run(OPERATOR, source=[conversion(1, **fields)])
        (rejected,) = [msgspec.json.decode(path.read_bytes()) for path in tmp_path.rglob("rejected.jsonl")]
        assert (rejected["key"], rejected["code"]) == ("A-1", code)
        assert words in rejected["fix"]
        assert uploads(metrica) == []

    def test_targets_need_not_be_checked(self, metrica: SandboxServer, run: Run) -> None:
        delivery = run(OPERATOR, source=[conversion(1, Target="other")], check_targets=False)
        assert delivery["rows_sent"] == 1


class TestSentOnce:
    @pytest.mark.parametrize(("moment", "sent"), [("before", 2), ("after", 1)])
    def test_without_an_answer_the_service_is_asked_first(
        self, metrica: SandboxServer, run: Run, monkeypatch: pytest.MonkeyPatch, moment: str, sent: int
    ) -> None:
        shorten(monkeypatch.setattr, listed_within=0)
        metrica.client.add_fault(method="POST", path="offline_conversions", action="drop", moment=moment, times=1)
        with pytest.raises(ServiceUnavailable):
            run(OPERATOR, source=[conversion(1), conversion(2)], comment="Продажи")
        delivery = run(OPERATOR, source=[conversion(1), conversion(2)], comment="Продажи")
        assert len(uploads(metrica)) == sent
        assert [each["times_received"] for each in metrica.client.conversions(101)] == [1, 1]
        assert delivery["parts"][0]["upload_id"]

    def test_a_retry_sends_nothing_that_was_answered(self, metrica: SandboxServer, run: Run) -> None:
        first = run(OPERATOR, source=[conversion(1)])
        second = run(OPERATOR, source=[conversion(1)])
        assert (first["rows_sent"], second["rows_sent"], second["rows_unchanged"]) == (1, 0, 1)
        assert len(uploads(metrica)) == 1

    def test_the_comment_is_the_users_text_and_a_mark(self, metrica: SandboxServer, run: Run) -> None:
        run(OPERATOR, source=[conversion(1)], comment="Продажи2026")
        (request,) = uploads(metrica)
        query = request["query"]
        comment = parse_qs(query)["comment"][0] if isinstance(query, str) else query["comment"]
        assert comment.startswith("Продажи2026part")
        assert comment[len("Продажи2026") :].isalnum()

    @pytest.mark.parametrize("comment", ["x" * 250, "two words", "a-b"])
    def test_a_comment_that_cannot_be(self, metrica: SandboxServer, run: Run, comment: str) -> None:
        with pytest.raises(ConfigurationError, match="comment"):
            run(OPERATOR, source=[conversion(1)], comment=comment)
        assert uploads(metrica) == []


class TestTheEnd:
    def sensor(self, delivery: Any, **arguments: Any) -> MetricaOfflineConversionsSensor:
        arguments.setdefault("poke_interval", 0.2)
        arguments.setdefault("timeout", 30)
        return MetricaOfflineConversionsSensor(task_id="wait", upload_ids=delivery, **arguments)

    def test_waits_through_the_states(self, metrica: SandboxServer, run: Run, context: Any) -> None:
        metrica.client.change_settings(processing_seconds=2)
        delivery = run(OPERATOR, source=[conversion(1)])
        assert delivery["parts"][0]["status"] in ("PREPARED", "UPLOADED")
        assert set(self.sensor(delivery).execute(context()).values()) == {"PROCESSED"}

    def test_several_uploads_in_one_list_request(self, metrica: SandboxServer, run: Run, context: Any) -> None:
        delivery = run(OPERATOR, source=[conversion(1), conversion(2)], max_part_rows=1)
        metrica.client.clear_faults()
        self.sensor(delivery).execute(context())
        paths = [request["path"] for request in metrica.client.requests() if request["method"] == "GET"]
        assert paths.count("/management/v1/counter/101/offline_conversions/uploadings") == 2  # and before the send
        assert not any("/uploading/" in path for path in paths)

    def test_deferred(self, metrica: SandboxServer, run: Run, context: Any) -> None:
        metrica.client.change_settings(processing_seconds=5)
        delivery = run(OPERATOR, source=[conversion(1)])
        task = self.sensor(delivery, deferrable=True)
        with pytest.raises(TaskDeferred) as deferred:
            task.execute(context())
        event = fired(deferred.value.trigger)
        assert set(task.execute_complete(context(), event).values()) == {"PROCESSED"}

    def test_nobody_found_is_a_failure_unless_allowed(self, metrica: SandboxServer, run: Run, context: Any) -> None:
        metrica.client.change_settings(linked_share=0)
        delivery = run(OPERATOR, source=[conversion(1)])
        with pytest.raises(UploadFailedError, match="LINKAGE_FAILURE"):
            self.sensor(delivery).execute(context())
        verdict = self.sensor(delivery, allow_linkage_failure=True).execute(context())
        assert set(verdict.values()) == {"LINKAGE_FAILURE"}

    def test_the_share_of_linked_rows_is_judged(self, metrica: SandboxServer, run: Run, context: Any) -> None:
        metrica.client.change_settings(linked_share=0.5, conversion_counts=1)
        delivery = run(OPERATOR, source=[conversion(number) for number in range(40)])
        self.sensor(delivery, min_linked=0.05).execute(context())
        with pytest.raises(UploadFailedError, match=r"of 40 rows linked, min_linked is 0.99"):
            self.sensor(delivery, min_linked=0.99).execute(context())

    def test_the_operator_can_wait_itself(self, metrica: SandboxServer, run: Run) -> None:
        metrica.client.change_settings(processing_seconds=3)
        delivery = run(OPERATOR, source=[conversion(1)], wait_for_completion=True, poke_interval=0.2)
        assert delivery["parts"][0]["status"] == "PROCESSED"

    def test_the_time_out_names_what_is_open_and_how(self, metrica: SandboxServer, run: Run, context: Any) -> None:
        metrica.client.change_settings(processing_seconds=600)
        delivery = run(OPERATOR, source=[conversion(1)])
        with pytest.raises(AirflowSensorTimeout, match=rf"{delivery['parts'][0]['upload_id']} \((UPLOADED|PREPARED)\)"):
            self.sensor(delivery, timeout=0.1).execute(context())

    @pytest.mark.parametrize("name", ["min_accepted", "min_linked"])
    def test_shares_are_shares(self, metrica: SandboxServer, run: Run, name: str) -> None:
        with pytest.raises(ConfigurationError, match=name):
            run(OPERATOR, source=[conversion(1)], **{name: 90})


def test_every_page_of_the_list_of_uploads(metrica: SandboxServer, tmp_path: Path) -> None:
    hook = MetricaHook()
    ids = []
    for number in range(5):
        file = tmp_path / f"{number}.csv"
        file.write_text(f"ClientId,Target,DateTime\n133{number},order_paid,1700000000\n")
        ids.append(hook.upload_offline_conversions(None, str(file))["id"])
    assert {parse_qs(each["query"])["type"][0] for each in uploads(metrica)} == {"BASIC"}
    assert [each["id"] for each in hook.offline_uploadings(page_size=2)] == ids[::-1]
    assert [each["id"] for each in hook.offline_uploadings(101, page_size=5)] == ids[::-1]
