# SPDX-License-Identifier: Apache-2.0
"""Every message of the page of messages is what a user reads when that happens.

A scene makes it happen, by the public classes and against the sandbox, and is named by the heading on the page. In the
page ``…`` stands for what differs from one run to the next.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_yandex_orders.hooks.market import MarketHook
from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.operators.altcraft import AltcraftImportOrdersOperator
from airflow_provider_yandex_orders.operators.market import MarketFetchOrderStatsOperator
from airflow_provider_yandex_orders.operators.metrica import (
    MetricaUploadOfflineConversionsOperator,
    MetricaUploadSimpleOrdersOperator,
)
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sensors.altcraft import AltcraftOrdersSensor
from airflow_provider_yandex_orders.sensors.metrica import MetricaCrmUploadSensor, MetricaOfflineConversionsSensor
from airflow_provider_yandex_orders.sources import FileSource, SqlSource
from tests.support.altcraft_rows import order
from tests.support.connections import connect
from tests.support.ports import free_port

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"
ORDER = {"id": "A-1", "create_date_time": "2026-11-20 10:00:00", "emails": "a@example.com", "order_status": "PAID"}
CONVERSION = {"ClientId": "1700000000123456789", "Target": "order_paid", "DateTime": "2026-11-20T10:00:00+03:00"}


class Stage:
    """What a scene may use."""

    def __init__(
        self, sandbox: SandboxServer, folder: Path, context: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.sandbox, self.client, self.folder = sandbox, sandbox.client, folder
        self.context, self.monkeypatch = context, monkeypatch
        self.home = folder / "staging"

    def orders(self, source: Any = None, **arguments: Any) -> Any:
        arguments.setdefault("staging_path", str(self.home))
        rows = [ORDER] if source is None else source
        return MetricaUploadSimpleOrdersOperator(task_id="upload", source=rows, **arguments).execute(self.context())

    def conversions(self, **row: str) -> Any:
        task = MetricaUploadOfflineConversionsOperator(
            task_id="upload", source=[CONVERSION | row], staging_path=str(self.home)
        )
        return task.execute(self.context())

    def market(self, **arguments: Any) -> Any:
        given = {"path": str(self.folder / "market"), "staging_path": str(self.home), **arguments}
        given.setdefault("date_from", "2026-06-01")
        given.setdefault("date_to", "2026-06-01")
        return MarketFetchOrderStatsOperator(task_id="fetch", **given).execute(self.context("fetch"))

    def altcraft(self, rows: Any = None, context: Any = None, **arguments: Any) -> Any:
        arguments.setdefault("skip_triggers", True)
        task = AltcraftImportOrdersOperator(
            task_id="import", source=rows or [order(1)], staging_path=str(self.home), **arguments
        )
        return task.execute(context or self.context("import"))

    def fault(self, path: str = "simple_orders", **spec: Any) -> None:
        self.client.add_fault(**({"method": "POST", "path": path, "times": None} | spec))

    def wait(self, kind: type, upload_ids: Any, **arguments: Any) -> Any:
        given = {"poke_interval": 0.1, "timeout": 0.2} | arguments
        return kind(task_id="wait", upload_ids=upload_ids, **given).execute(self.context("wait"))

    def forget(self) -> None:
        (Path(os.environ["AIRFLOW_HOME"]) / "yandex_orders" / "journal.db").unlink()

    def goal(self) -> None:
        MetricaHook().create_goal(101, "order_paid", "Order paid")


SCENES: dict[str, Callable[[Stage], Any]] = {}


def scene(heading: str) -> Callable[[Callable[[Stage], Any]], Callable[[Stage], Any]]:
    """Name the heading whose message a scene brings about."""

    def keep(play: Callable[[Stage], Any]) -> Callable[[Stage], Any]:
        assert heading not in SCENES
        SCENES[heading] = play
        return play

    return keep


# Connections and settings


@scene("No counter")
def _(stage: Stage) -> Any:
    connect(stage.monkeypatch, stage.sandbox.url, counter_id=None)
    stage.orders()


@scene("A typing error in the connection")
def _(stage: Stage) -> Any:
    extra = {"conn_type": "yandex_metrica", "host": stage.sandbox.url, "password": "sandbox-token"}
    stage.monkeypatch.setenv("AIRFLOW_CONN_YANDEX_METRICA_DEFAULT", json.dumps(extra | {"extra": {"counter": 101}}))
    return MetricaHook().test_connection()[1]


@scene("A counter one may only look at")
def _(stage: Stage) -> Any:
    stage.orders(counter_id=102)


@scene("The sandbox without http")
def _(stage: Stage) -> Any:
    connect(stage.monkeypatch, stage.sandbox.url.removeprefix("http://"))
    stage.orders()


@scene("Nobody there")
def _(stage: Stage) -> Any:
    connect(stage.monkeypatch, f"http://127.0.0.1:{free_port()}")
    stage.orders()


@scene("A staging path that is none")
def _(stage: Stage) -> Any:
    stage.orders(staging_path="nowhere://bucket/folder")


@scene("The journal cannot be reached")
def _(stage: Stage) -> Any:
    where = {"conn_type": "postgres", "host": "127.0.0.1", "port": free_port(), "schema": "journal"}
    stage.monkeypatch.setenv("AIRFLOW_CONN_JOURNAL", json.dumps(where))
    stage.orders(journal_conn_id="journal")


# Rows


@scene("Too many rejects")
def _(stage: Stage) -> Any:
    rows = [ORDER, ORDER | {"id": "A-2", "create_date_time": "yesterday"}, ORDER | {"id": "A-3", "emails": ""}]
    stage.orders(rows)


@scene("Too many values of a column left out")
def _(stage: Stage) -> Any:
    bad = [ORDER | {"id": f"A-{number}", "phones": "call us"} for number in range(10)]
    stage.orders(bad)


@scene("A column that is not there")
def _(stage: Stage) -> Any:
    path = stage.folder / "orders.csv"
    path.write_text("id,create_date_time,mail,order_status\nA-1,2026-11-20 10:00:00,a@example.com,PAID\n")
    stage.orders(FileSource(str(path), columns={"emails": "e_mail"}))


@scene("A file that is not UTF-8")
def _(stage: Stage) -> Any:
    path = stage.folder / "orders.csv"
    rows = "".join(f"A-{number};20.11.2026 10:00:00;Оплачен полностью\n" for number in range(20))
    path.write_bytes(f"id;create_date_time;Состояние заказа\n{rows}".encode("cp1251"))
    stage.orders(FileSource(str(path)))


@scene("A file that is not there")
def _(stage: Stage) -> Any:
    stage.orders(FileSource(str(stage.folder / "late.csv")))


@scene("A query that fails")
def _(stage: Stage) -> Any:
    crm = stage.folder / "crm.db"
    sqlite3.connect(crm).close()
    stage.monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps({"conn_type": "sqlite", "host": str(crm)}))
    stage.orders(SqlSource("crm", "SELECT * FROM orders"))


@scene("A goal the counter does not have")
def _(stage: Stage) -> Any:
    MetricaHook().create_goal(101, "orderpaid", "Order paid")
    stage.conversions()


# Metrica


@scene("The token is refused")
def _(stage: Stage) -> Any:
    stage.fault("/management/", method="GET", preset="invalid_token")
    stage.orders()


@scene("The token may not do this")
def _(stage: Stage) -> Any:
    stage.fault(preset="access_denied")
    stage.orders()


@scene("No such counter")
def _(stage: Stage) -> Any:
    stage.orders(counter_id=999)


@scene("The file is refused")
def _(stage: Stage) -> Any:
    stage.fault(preset="invalid_uploading")
    stage.orders()


@scene("The day's requests are used up")
def _(stage: Stage) -> Any:
    stage.fault(preset="quota_requests_by_uid")
    stage.orders()


@scene("Too many requests at once")
def _(stage: Stage) -> Any:
    stage.fault(preset="quota_parallel_requests")
    stage.orders()


@scene("The service fails")
def _(stage: Stage) -> Any:
    stage.fault(preset="backend_error")
    stage.orders()


@scene("A page in place of an answer")
def _(stage: Stage) -> Any:
    stage.fault(preset="html", status=200)
    stage.orders()


@scene("The connection is cut")
def _(stage: Stage) -> Any:
    stage.fault(action="drop")
    stage.orders()


@scene("Orders that may have arrived")
def _(stage: Stage) -> Any:
    keyless = {name: value for name, value in ORDER.items() if name != "id"}
    stage.fault(action="drop", moment="after", times=1)
    stage.orders([keyless], require_id=False)


@scene("A journal that knows nothing of the counter")
def _(stage: Stage) -> Any:
    stage.goal()
    stage.conversions()
    stage.forget()
    stage.conversions(ClientId="1700000000987654321")


# Waits


@scene("FAILED")
def _(stage: Stage) -> Any:
    stage.client.change_settings(uploads_fail_later=1, uploads_judged_at_once=0)
    stage.wait(MetricaCrmUploadSensor, stage.orders(), timeout=20)


@scene("LINKAGE_FAILURE")
def _(stage: Stage) -> Any:
    stage.goal()
    stage.client.change_settings(uploads_fail_later=1)
    stage.wait(MetricaOfflineConversionsSensor, stage.conversions(), timeout=20)


@scene("Not listed yet")
def _(stage: Stage) -> Any:
    stage.client.change_settings(uploads_never_listed=1, uploads_judged_at_once=0)
    stage.wait(MetricaCrmUploadSensor, stage.orders())


@scene("Nothing was sent on purpose")
def _(stage: Stage) -> Any:
    stage.wait(MetricaCrmUploadSensor, stage.orders(dry_run=True))


# Market


@scene("The key lacks a right")
def _(stage: Stage) -> Any:
    where = {"conn_type": "yandex_market", "host": stage.sandbox.url, "password": "sandbox-finance-token"}
    stage.monkeypatch.setenv("AIRFLOW_CONN_YANDEX_MARKET_DEFAULT", json.dumps(where | {"extra": {"campaign_id": 1001}}))
    stage.market()


@scene("A store whose API is off")
def _(stage: Stage) -> Any:
    stage.market(campaign_id=1003)


@scene("The hour's requests are used up")
def _(stage: Stage) -> Any:
    # Of a key of its own: what is left of it is remembered.
    where = {"conn_type": "yandex_market", "host": stage.sandbox.url, "password": "sandbox-key-of-errors"}
    stage.monkeypatch.setenv("AIRFLOW_CONN_YANDEX_MARKET_DEFAULT", json.dumps(where | {"extra": {"campaign_id": 1001}}))
    stage.fault("", method=None, preset="market_quota")
    list(MarketHook().iter_order_stats(date_from="2026-06-01", date_to="2026-06-01"))


# Altcraft


@scene("The platform refuses the token")
def _(stage: Stage) -> Any:
    where = {"conn_type": "altcraft", "host": stage.sandbox.url, "password": "wrong"}
    stage.monkeypatch.setenv("AIRFLOW_CONN_ALTCRAFT_DEFAULT", json.dumps(where))
    stage.altcraft()


@scene("Some orders are refused")
def _(stage: Stage) -> Any:
    stage.altcraft([order(1), order(2, endpoint="unknown-shop")])


@scene("Every order is refused")
def _(stage: Stage) -> Any:
    stage.altcraft([order(number, endpoint="unknown-shop") for number in range(5)])


@scene("Triggers in a backfill")
def _(stage: Stage) -> Any:
    context = stage.context("import")
    context["dag_run"] = SimpleNamespace(run_type="backfill", data_interval_start=None, data_interval_end=None)
    stage.altcraft(context=context, skip_triggers=False)


@scene("A journal that knows nothing of the platform")
def _(stage: Stage) -> Any:
    stage.altcraft()
    stage.forget()
    stage.altcraft(skip_triggers=False)


@scene("Orders that are not there")
def _(stage: Stage) -> Any:
    AltcraftOrdersSensor(task_id="wait", order_ids=["A-1"], poke_interval=0.1, timeout=0.2).execute(
        stage.context("wait")
    )


def told(play: Callable[[Stage], Any], stage: Stage) -> str:
    """What a user reads of a scene."""
    try:
        return str(play(stage))
    except Exception as error:  # noqa: BLE001 - whatever it is, its text is what the page has
        return f"{type(error).__name__}: {error}"


def on_the_page() -> dict[str, str]:
    """The message below each heading."""
    text = PAGE.read_text(encoding="utf-8")
    return dict(re.findall(r"^### (.*?)\n\n```text\n(.*?)```", text, re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("heading", SCENES)
def test_messages_are_those_of_the_page(
    yandex_connections: SandboxServer,
    tmp_path: Path,
    context: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    naps: list[float],
    heading: str,
) -> None:
    message = told(SCENES[heading], Stage(yandex_connections, tmp_path, context, monkeypatch))
    shown = on_the_page()[heading].split()
    pattern = r"\s+".join(".*?".join(map(re.escape, word.split("…"))) for word in shown)
    assert re.fullmatch(pattern, message, re.DOTALL), message


def test_no_message_of_the_page_is_without_its_scene() -> None:
    assert sorted(on_the_page()) == sorted(SCENES)
