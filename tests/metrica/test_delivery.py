# SPDX-License-Identifier: Apache-2.0
"""The delivery: what it counts, where it lies after a failure, and what may be done with it next."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowFailException

from airflow_provider_yandex_orders.exceptions import (
    ConfigurationError,
    PassingError,
    PermanentError,
    RejectedRowsError,
    ServiceUnavailable,
    UploadFailedError,
)
from airflow_provider_yandex_orders.operators.metrica import (
    MetricaUploadContactsOperator,
    MetricaUploadOfflineConversionsOperator,
    MetricaUploadSimpleOrdersOperator,
)
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sensors.metrica import MetricaCrmUploadSensor
from airflow_provider_yandex_orders.sources import SqlSource

Context = Callable[..., Any]


@pytest.fixture(autouse=True)
def _no_pauses(naps: list[float]) -> None:
    """Pauses between attempts take no time."""


def order(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"A-{number:04d}",
        "create_date_time": "2026-11-01 10:00:00",
        "emails": f"buyer{number}@example.com",
        "order_status": "PAID",
        **fields,
    }


CONVERSION = {"ClientId": "1700000000123456789", "Target": "order_paid", "DateTime": "2026-11-01T10:00:00+03:00"}


@pytest.fixture
def upload(metrica: SandboxServer, tmp_path: Path, context: Context) -> Callable[..., tuple[Any, dict[str, Any]]]:
    """Executes an upload: its result or its error, and what it pushed to XCom."""

    def execute(
        source: Any, kind: type = MetricaUploadSimpleOrdersOperator, *, task_id: str = "upload", **arguments: Any
    ) -> tuple[Any, dict[str, Any]]:
        arguments.setdefault("staging_path", str(tmp_path / "staging"))
        given = context(task_id)
        try:
            result = kind(task_id=task_id, source=source, **arguments).execute(given)
        except (PermanentError, PassingError) as error:
            result = error
        return result, given["ti"].pushed

    return execute


def sent(sandbox: SandboxServer) -> int:
    return sum(request["method"] == "POST" for request in sandbox.client.requests())


class TestAfterAFailure:
    def test_rejected_rows(self, metrica: SandboxServer, upload: Any) -> None:
        error, pushed = upload([order(1), order(2, emails="no mail"), order(3, emails=["bad", "c@example.com"])])
        assert isinstance(error, RejectedRowsError)
        delivery = pushed["delivery"]
        assert (delivery["rows_read"], delivery["rows_sent"], delivery["rows_rejected"]) == (3, 0, 1)
        assert (delivery["service"], delivery["counter_id"], delivery["parts"]) == ("metrica", 101, [])
        assert delivery["values_dropped"] == 1
        for name in ("rejected_path", "dropped_path"):
            assert Path(delivery[name].removeprefix("file://")).read_text().count("\n") == 1

    def test_a_part_that_did_not_come_through(self, metrica: SandboxServer, upload: Any) -> None:
        metrica.client.add_fault(preset="backend_error", method="POST", skip=1, times=None)
        error, pushed = upload([order(1), order(2)], max_part_rows=1)
        assert isinstance(error, ServiceUnavailable)
        assert [part["status"] for part in pushed["delivery"]["parts"]] == ["PASSED"]
        assert pushed["delivery"]["rows_sent"] == 1

    def test_a_part_judged_bad(self, metrica: SandboxServer, upload: Any) -> None:
        bad = {"uploading": {"uploading_id": "u-1", "api_validation_status": "FAILED", "elements_count": 0}}
        metrica.client.add_fault(method="POST", action="answer", status=200, body=json.dumps(bad))
        error, pushed = upload([order(1)])
        assert isinstance(error, UploadFailedError)
        assert [(part["upload_id"], part["status"]) for part in pushed["delivery"]["parts"]] == [("u-1", "FAILED")]

    def test_a_wait_that_ends_badly(self, metrica: SandboxServer, upload: Any) -> None:
        metrica.client.change_settings(linked_share=0, processing_seconds=3)
        error, pushed = upload(
            [CONVERSION],
            MetricaUploadOfflineConversionsOperator,
            check_targets=False,
            wait_for_completion=True,
            poke_interval=0.1,
        )
        assert isinstance(error, UploadFailedError)
        assert [part["status"] for part in pushed["delivery"]["parts"]] == ["LINKAGE_FAILURE"]

    def test_a_wait_that_takes_too_long(self, metrica: SandboxServer, upload: Any) -> None:
        metrica.client.change_settings(processing_seconds=600, uploads_judged_at_once=False)
        error, pushed = upload([order(1)], wait_for_completion=True, timeout=0)
        assert isinstance(error, PassingError)
        assert pushed["delivery"]["parts"][0]["upload_id"]

    def test_a_success_has_it_too(self, metrica: SandboxServer, upload: Any) -> None:
        delivery, pushed = upload([order(1)])
        assert pushed["delivery"] == delivery
        assert delivery["dropped_path"] is None


class TestPreparedOnly:
    @pytest.mark.parametrize("how", [{"send": False}, {"dry_run": True}, {"dry_run": "true"}, {"send": "False"}])
    def test_nothing_is_sent_and_nothing_counts_as_sent(
        self, metrica: SandboxServer, upload: Any, how: dict[str, Any]
    ) -> None:
        rows = [order(1), order(2), order(2), order(3, emails="bad")]
        delivery, _ = upload(rows, max_rejected=1, wait_for_completion=True, keep_parts=False, **how)
        assert (delivery["rows_sent"], delivery["rows_prepared"]) == (0, 2)
        assert delivery["rows_read"] == 2 + delivery["rows_rejected"] + delivery["rows_duplicate"]
        assert [part["status"] for part in delivery["parts"]] == ["PREPARED"]
        assert Path(delivery["parts"][0]["path"].removeprefix("file://")).is_file()
        assert sent(metrica) == 0

    def test_a_dry_run_still_fails_for_bad_rows(self, metrica: SandboxServer, upload: Any) -> None:
        error, _ = upload([order(1, emails="bad")], dry_run=True)
        assert isinstance(error, RejectedRowsError)

    def test_the_parts_go_to_the_counter_they_were_made_for(self, metrica: SandboxServer, upload: Any) -> None:
        prepared, _ = upload([order(1)], task_id="prepare", send=False)
        error, _ = upload(prepared, counter_id=103)
        assert isinstance(error, ConfigurationError)
        assert "counter_id is 101, and that of this task is 103" in str(error)
        error, _ = upload(prepared, MetricaUploadContactsOperator)
        assert isinstance(error, ConfigurationError)
        assert "entity" in str(error)
        assert sent(metrica) == 0
        delivery, _ = upload(prepared)
        assert (delivery["rows_sent"], "rows_prepared" in delivery) == (1, False)
        error, _ = upload(delivery, task_id="again")
        assert "sent already" in str(error)

    def test_the_parts_of_several_tasks_are_sent_together(self, metrica: SandboxServer, upload: Any) -> None:
        prepared = [upload([order(number)], task_id=f"prepare_{number}", send=False)[0] for number in (1, 2)]
        delivery, _ = upload(prepared)
        assert (delivery["rows_read"], delivery["rows_sent"]) == (2, 2)
        error, _ = upload([*prepared, delivery], task_id="again")
        assert "sent already" in str(error)
        assert sent(metrica) == 1

    def test_parts_on_another_workers_disk_are_waited_for(self, metrica: SandboxServer, upload: Any) -> None:
        prepared, _ = upload([order(1)], task_id="prepare", send=False)
        Path(prepared["parts"][0]["path"].removeprefix("file://")).unlink()
        error, _ = upload(prepared)
        assert isinstance(error, PassingError)
        assert "staging_path" in str(error)


class TestManyParts:
    @pytest.fixture
    def far(self, tmp_path: Path) -> str:
        """A folder so deep that the paths of a few parts are a large list."""
        return str(tmp_path.joinpath(*(["deep" * 50] * 15)))

    def test_the_list_of_parts_leaves_xcom_small(
        self, metrica: SandboxServer, upload: Any, context: Context, far: str
    ) -> None:
        metrica.client.change_settings(processing_seconds=3, uploads_judged_at_once=False)
        rows = [order(number) for number in range(20)]
        delivery, pushed = upload(rows, max_part_rows=1, staging_path=far)
        assert delivery["parts"] == []
        assert pushed["delivery"] == delivery
        assert len(json.dumps(delivery)) < 10_000
        parts = msgspec.json.decode(Path(delivery["parts_path"].removeprefix("file://")).read_bytes())
        assert len({part["upload_id"] for part in parts}) == 20
        done = MetricaCrmUploadSensor(task_id="wait", upload_ids=delivery, poke_interval=0.2).execute(context())
        assert list(done.values()) == ["PASSED"] * 20

    def test_a_second_task_and_a_wait_read_the_list(self, metrica: SandboxServer, upload: Any, far: str) -> None:
        metrica.client.change_settings(processing_seconds=3, uploads_judged_at_once=False)
        rows = [order(number) for number in range(20)]
        prepared, _ = upload(rows, task_id="prepare", send=False, max_part_rows=1, staging_path=far)
        assert prepared["parts"] == []
        how = {"max_part_rows": 1, "staging_path": far, "poke_interval": 0.2}
        delivery, _ = upload(prepared, wait_for_completion=True, keep_parts=False, **how)
        parts = msgspec.json.decode(Path(delivery["parts_path"].removeprefix("file://")).read_bytes())
        assert [part["status"] for part in parts] == ["PASSED"] * 20
        assert not any(Path(part["path"].removeprefix("file://")).exists() for part in parts)
        assert len(metrica.client.orders(101)) == 20

    def test_a_delivery_of_real_size_stays_below_48_kb(self, metrica: SandboxServer, upload: Any) -> None:
        delivery, _ = upload([order(number) for number in range(300)], max_part_rows=1, send=False)
        assert len(json.dumps(delivery)) < 48_000
        assert delivery["rows_prepared"] == 300


class TestKeepParts:
    def test_accepted_parts_are_deleted_where_asked(self, metrica: SandboxServer, upload: Any, tmp_path: Path) -> None:
        upload([order(1), order(2)], max_part_rows=1, keep_parts=False)
        assert not list(tmp_path.rglob("part-*"))
        upload([order(1), order(2)], max_part_rows=1)
        assert len(list(tmp_path.rglob("part-*"))) == 2
        assert sent(metrica) == 4

    def test_others_are_kept(self, metrica: SandboxServer, upload: Any, tmp_path: Path) -> None:
        metrica.client.add_fault(preset="backend_error", method="POST", times=None)
        upload([order(1)], keep_parts=False)
        assert len(list(tmp_path.rglob("part-*"))) == 1


class TestAllowedLinkageFailure:
    def again(self, upload: Any, **arguments: Any) -> Any:
        return upload([CONVERSION], MetricaUploadOfflineConversionsOperator, check_targets=False, **arguments)[0]

    @pytest.mark.parametrize("wait", [False, True])
    def test_a_retry_sends_nothing_again(self, metrica: SandboxServer, upload: Any, wait: bool) -> None:
        metrica.client.change_settings(linked_share=0, processing_seconds=0)
        for _ in range(3):
            delivery = self.again(upload, allow_linkage_failure=True, wait_for_completion=wait, poke_interval=0.1)
        assert delivery["rows_unchanged"] == 1
        assert sent(metrica) == 1

    def test_where_it_is_not_allowed_a_cleared_task_sends_the_part_again(
        self, metrica: SandboxServer, upload: Any
    ) -> None:
        metrica.client.change_settings(linked_share=0, processing_seconds=0)
        self.again(upload)
        self.again(upload)
        assert sent(metrica) == 2


class TestTemplatedArguments:
    def rendered(self, arguments: dict[str, Any], params: dict[str, Any], *, native: bool, tmp_path: Path) -> Any:
        with DAG("a_dag", schedule=None, start_date=datetime(2026, 1, 1), render_template_as_native_obj=native):
            task = MetricaUploadSimpleOrdersOperator(
                task_id="upload", source=[order(1), order(2, emails="bad")], staging_path=str(tmp_path), **arguments
            )
        task.render_template_fields({"params": params})
        return task

    @pytest.mark.parametrize("native", [False, True])
    def test_numbers_and_switches(self, metrica: SandboxServer, context: Context, tmp_path: Path, native: bool) -> None:
        arguments = {name: f"{{{{ params.{name} }}}}" for name in ("max_rejected", "max_part_rows", "dry_run", "send")}
        params = {"max_rejected": 0.5, "max_part_rows": 1, "dry_run": True, "send": True}
        delivery = self.rendered(arguments, params, native=native, tmp_path=tmp_path).execute(context())
        assert (delivery["rows_prepared"], delivery["rows_rejected"]) == (1, 1)
        params |= {"max_rejected": 1, "dry_run": False}
        delivery = self.rendered(arguments, params, native=native, tmp_path=tmp_path).execute(context())
        assert delivery["rows_sent"] == 1

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("max_rejected", "5%"),
            ("max_rejected", float("nan")),
            ("max_rejected", True),
            ("max_part_rows", "many"),
            ("max_part_rows", 1.5),
            ("max_part_bytes", 0),
            ("workers", 0),
            ("send", None),
            ("dry_run", "perhaps"),
            ("require_id", "perhaps"),
            ("keep_parts", 5),
            ("skip_empty", ""),
            ("wait_for_completion", "no idea"),
            ("hash_identifiers", "x"),
            ("refuse_clear_identifiers", "x"),
            ("poke_interval", "soon"),
            ("timeout", -1),
            ("counter_id", "shop"),
            ("merge_mode", "REPLACE"),
            ("status_map", "paid=PAID"),
            ("status_map", {"paid": 5}),
            ("status_map", {"1": "PAID", 1: "SPAM"}),
            ("status_map", {1.5: "PAID"}),
            ("phone_region", "Russia"),
            ("max_dropped", "some"),
            ("defaults", {"id": "5"}),
            ("defaults", "currency=EUR"),
            ("same_key", "first"),
        ],
    )
    def test_what_cannot_be_used_is_told_before_a_row_is_read(
        self, metrica: SandboxServer, upload: Any, name: str, value: Any
    ) -> None:
        error, pushed = upload(SqlSource("no_such_connection", "SELECT 1"), **{name: value})
        assert isinstance(error, ConfigurationError)
        assert isinstance(error, AirflowFailException)
        assert name in str(error)
        assert pushed == {}


class TestTwoSteps:
    """Parts prepared by one task and sent by another."""

    ROW: ClassVar[dict[str, Any]] = {"id": "A-1", "create_date_time": "2026-11-01 10:00:00", "emails": "a@example.com"}

    def test_parts_of_another_merge_mode_are_refused(self, metrica: SandboxServer, run: Callable[..., Any]) -> None:
        run(MetricaUploadSimpleOrdersOperator, source=[self.ROW | {"order_status": "CANCELLED"}])
        prepared = run(
            MetricaUploadSimpleOrdersOperator, source=[self.ROW | {"cost": 5}], send=False, task_id="prepare"
        )
        with pytest.raises(ConfigurationError, match="merge_mode is 'SAVE', and that of this task is 'UPDATE'"):
            run(MetricaUploadSimpleOrdersOperator, source=prepared, merge_mode="UPDATE", task_id="send")
        (held,) = metrica.client.orders(101)
        assert (held["order_status"], held["times_received"]) == ("CANCELLED", 1)

    def test_nothing_stays_where_parts_are_not_kept(self, metrica: SandboxServer, run: Callable[..., Any]) -> None:
        prepared = run(MetricaUploadSimpleOrdersOperator, source=[self.ROW], send=False, task_id="prepare")
        (part,) = prepared["parts"]
        assert Path(part["path"]).is_file()
        run(MetricaUploadSimpleOrdersOperator, source=prepared, keep_parts=False, task_id="send")
        assert not Path(part["path"]).exists()
        assert len(metrica.client.orders(101)) == 1


@pytest.mark.parametrize("upload_format", ["json", "csv"])
def test_orders_without_id_ask_before_the_first_upload_where_the_list_may_have_them(
    run: Callable[..., Any], upload_format: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # The list calls orders and customers alike, and simplified orders are CSV only; this journal knows its own.
    run(MetricaUploadContactsOperator, source=[{"uniq_id": "C-1"}], upload_format="csv", task_id="contacts")
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("AIRFLOW_HOME", str(tmp_path / "elsewhere"))
        run(MetricaUploadContactsOperator, source=[{"uniq_id": "C-1"}], upload_format=upload_format, task_id="contacts")
    arguments = {
        "source": [{**order(number), "id": None} for number in (1, 2)],
        "require_id": False,
        "task_id": "orders",
    }
    if upload_format == "csv":
        with pytest.raises(PermanentError, match="which has uploads"):
            run(MetricaUploadSimpleOrdersOperator, **arguments)
        arguments["resend"] = True
    assert run(MetricaUploadSimpleOrdersOperator, **arguments)["rows_sent"] == 2
