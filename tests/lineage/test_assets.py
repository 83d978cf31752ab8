# SPDX-License-Identifier: Apache-2.0
"""Assets of deliveries and fetches, the events of them, and what OpenLineage hears."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from airflow.providers.common.compat.sdk import Asset

from airflow_provider_yandex_orders.assets import DELIVERED, FETCHED, create_asset
from airflow_provider_yandex_orders.operators.market import MarketFetchOrderStatsOperator
from airflow_provider_yandex_orders.operators.metrica import MetricaUploadSimpleOrdersOperator
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sources import FileSource
from tests.market.market_support import connect_market

try:
    from airflow.sdk.execution_time.context import OutletEventAccessors
except ImportError:  # 2.11
    from airflow.utils.context import OutletEventAccessors

by_alias = pytest.mark.skipif(
    not hasattr(Asset("any"), "name"), reason="before Airflow 3 only a task's own outlets get events"
)
ROW = {
    "id": "A-1",
    "create_date_time": "2025-03-04 15:20:00",
    "emails": "a@example.com",
    "revenue": "10.50",
    "currency": "RUB",
}


def place(sandbox: SandboxServer) -> str:
    parts = urlsplit(sandbox.url)
    return f"{parts.netloc}{parts.path}".rstrip("/")


def through(alias: str, accessors: Any) -> dict[str, dict[str, Any]]:
    """The events that go through an alias, by the address of their asset."""
    (accessor,) = [each for key, each in accessors._dict.items() if alias in str(key)] or [None]
    return {event.dest_asset_key.uri: event.extra for event in getattr(accessor, "asset_alias_events", [])}


@pytest.fixture
def upload(metrica: SandboxServer, tmp_path: Path, context: Callable[..., Any]) -> Callable[..., Any]:
    """Runs an upload; the operator and its outlet events."""

    def run(source: Any = (ROW,), **arguments: Any) -> tuple[MetricaUploadSimpleOrdersOperator, Any]:
        accessors = OutletEventAccessors()
        given = {"source_timezone": "UTC", "staging_path": str(tmp_path / "staging"), **arguments}
        operator = MetricaUploadSimpleOrdersOperator(
            task_id="upload", source=list(source) if isinstance(source, tuple) else source, **given
        )
        given_context: Any = {**context(), "outlet_events": accessors}
        operator.execute(given_context)
        return operator, accessors

    return run


@pytest.mark.parametrize(
    ("told", "uri"),
    [
        ({"service": "metrica", "place": 5, "entity": "orders"}, "yandex-metrica://api-metrika.yandex.net/5/orders"),
        (
            {"service": "market", "place": "7", "entity": "items"},
            "yandex-market://api.partner.market.yandex.ru/7/items",
        ),
        ({"service": "altcraft", "host": "crm.example.com", "entity": "altcraft_orders"}, None),
        ({"service": "metrica", "host": "127.0.0.1:8765/proxy", "place": 5, "entity": "orders"}, None),
        (
            {"service": "altcraft", "host": "CRM.Example.com", "entity": "altcraft_orders"},
            "altcraft://crm.example.com/altcraft_orders",
        ),
    ],
)
def test_an_asset_is_named_by_where_it_is(told: dict[str, Any], uri: str | None) -> None:
    asset = create_asset(**told)
    assert asset.uri == (uri or asset.uri)
    parts = urlsplit(asset.uri)
    assert told.get("host", parts.netloc).lower() in asset.uri
    assert asset.uri.endswith(told["entity"])


@pytest.mark.parametrize(
    "told",
    [
        {"service": "metrica", "entity": "orders"},
        {"service": "market", "place": 5, "entity": ""},
        {"service": "altcraft", "entity": "altcraft_orders"},
        {"service": "crm", "place": 5, "entity": "orders"},
        {"service": "crm", "host": "crm.example.com", "place": 5, "entity": "orders"},
    ],
)
def test_an_asset_that_is_nowhere_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="names no place"):
        create_asset(**told)


@by_alias
def test_an_upload_emits_an_event_with_counts_and_ids(upload: Callable[..., Any], metrica: SandboxServer) -> None:
    operator, accessors = upload()
    ((uri, extra),) = through(DELIVERED, accessors).items()
    assert uri == f"yandex-metrica://{place(metrica)}/101/simple_orders"
    assert (extra["rows_read"], extra["rows_sent"], extra["counter_id"]) == (1, 1, 101)
    assert len(extra["upload_ids"]) == 1
    assert {name: float(amount) for name, amount in extra["money"].items()} == {"RUB": 10.5}
    assert "a@example.com" not in str(extra)
    assert [outlet.name for outlet in operator.outlets] == [DELIVERED]


def test_a_list_of_parts_too_long_for_xcom_is_told_all_the_same(upload: Callable[..., Any], tmp_path: Path) -> None:
    far = tmp_path.joinpath(*(["deep" * 50] * 15))  # the paths of a few parts are a large list
    rows = tuple({**ROW, "id": f"A-{number}"} for number in range(20))
    own = Asset("report")
    operator, accessors = upload(rows, max_part_rows=1, staging_path=str(far), outlets=[own])
    assert len(accessors[own].extra["upload_ids"]) == 20
    if find_spec("openlineage"):
        (written,) = operator.get_openlineage_facets_on_complete(None).outputs
        assert written.outputFacets["outputStatistics"].size > 20 * 50


def test_only_own_outlets_are_told_of_where_that_is_wanted(upload: Callable[..., Any]) -> None:
    own = Asset("report")
    operator, accessors = upload(emit_asset=False, outlets=[own])
    assert operator.outlets == [own]
    assert not through(DELIVERED, accessors)
    assert accessors[own].extra["rows_sent"] == 1


def test_an_outlet_that_is_the_delivery_gets_one_event(upload: Callable[..., Any], metrica: SandboxServer) -> None:
    own = create_asset(service="metrica", host=place(metrica), place=101, entity="simple_orders")
    _operator, accessors = upload(outlets=[own])
    assert not through(DELIVERED, accessors)
    assert accessors[own].extra["rows_sent"] == 1


@pytest.mark.parametrize("arguments", [{"dry_run": True}, {"send": False}])
def test_what_is_not_sent_is_no_event(upload: Callable[..., Any], arguments: dict[str, Any]) -> None:
    _operator, accessors = upload(**arguments)
    assert not through(DELIVERED, accessors)


def test_events_that_cannot_be_emitted_fail_no_upload(
    metrica: SandboxServer, tmp_path: Path, context: Callable[..., Any]
) -> None:
    operator = MetricaUploadSimpleOrdersOperator(
        task_id="upload", source=[ROW], source_timezone="UTC", staging_path=str(tmp_path)
    )
    given: Any = {**context(), "outlet_events": {}}
    assert operator.execute(given)["rows_sent"] == 1


@pytest.fixture
def fetched(
    request: pytest.FixtureRequest,
    yandex_sandbox: SandboxServer,
    tmp_path: Path,
    context: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[MarketFetchOrderStatsOperator, Any, Any]:
    connect_market(monkeypatch, yandex_sandbox.url)
    day = getattr(request, "param", "2026-06-01")
    operator = MarketFetchOrderStatsOperator(
        task_id="fetch", path=str(tmp_path / "out"), update_from=day, update_to=day
    )
    accessors = OutletEventAccessors()
    given: Any = {**context(), "outlet_events": accessors}
    return operator, accessors, operator.execute(given)


@by_alias
def test_a_fetch_emits_an_event_of_each_table(
    fetched: tuple[MarketFetchOrderStatsOperator, Any, Any], yandex_sandbox: SandboxServer
) -> None:
    _operator, accessors, stats = fetched
    events = through(FETCHED, accessors)
    start = f"yandex-market://{place(yandex_sandbox)}/1001/"
    assert {uri.removeprefix(start) for uri in events} == {"raw", *stats["tables"]}
    assert events[f"{start}items"]["path"] == stats["tables"]["items"]
    assert events[f"{start}items"]["rows"] == stats["rows"]


@by_alias
@pytest.mark.parametrize("fetched", ["2999-01-01"], indirect=True)
def test_a_day_without_orders_says_so(fetched: tuple[MarketFetchOrderStatsOperator, Any, Any]) -> None:
    _operator, accessors, _stats = fetched
    assert {extra["orders"] for extra in through(FETCHED, accessors).values()} == {0}


# OpenLineage.


@pytest.fixture
def _openlineage() -> None:
    pytest.importorskip("airflow.providers.openlineage", reason="extra openlineage", exc_type=ImportError)


@pytest.mark.usefixtures("_openlineage")
def test_files_are_inputs_with_their_mapping(upload: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("id,made,mail,more\nA-1,2025-03-04 15:20:00,a@example.com,b@example.com\nA-2,never,,\n")
    columns = {"create_date_time": "made", "emails": ["mail", "more"]}
    operator, _accessors = upload(FileSource(str(path), columns=columns), max_rejected=1)
    lineage = operator.get_openlineage_facets_on_complete(None)
    ((read,), (written,)) = lineage.inputs, lineage.outputs
    assert (read.namespace, read.name) == ("file", str(path))
    assert [field.name for field in read.facets["schema"].fields] == ["made", "mail", "more"]
    assert read.inputFacets["dataQualityMetrics"].rowCount == 2
    failed = {
        each.assertion: each.actual for each in read.inputFacets["dataQualityAssertions"].assertions if not each.success
    }
    assert failed == {"rows_rejected": "1"}
    fields = written.facets["columnLineage"].fields
    assert [each.field for each in fields["emails"].inputFields] == ["mail", "more"]
    assert written.outputFacets["outputStatistics"].rowCount == 1


@pytest.mark.usefixtures("_openlineage")
def test_a_fetch_reads_the_store_and_writes_files(fetched: tuple[MarketFetchOrderStatsOperator, Any, Any]) -> None:
    operator, _accessors, stats = fetched
    lineage = operator.get_openlineage_facets_on_complete(None)
    assert {each.name.rpartition("/")[2] for each in lineage.inputs} == {"raw", *stats["tables"]}
    written = {each.name: each.outputFacets["outputStatistics"].rowCount for each in lineage.outputs}
    assert written[stats["tables"]["items"]] == stats["rows"]["items"]
    assert written[stats["paths"][0]] == stats["orders"]


@pytest.mark.usefixtures("_openlineage")
def test_a_file_of_a_bucket_is_named_without_a_leading_slash(upload: Callable[..., Any]) -> None:
    operator, _accessors = upload()
    operator.source = FileSource("s3://lake@bucket/crm/orders.csv")
    ((read,),) = (operator.get_openlineage_facets_on_complete(None).inputs,)
    assert (read.namespace, read.name) == ("s3://bucket", "crm/orders.csv")


@pytest.mark.usefixtures("_openlineage")
def test_rows_of_no_place_have_no_input(upload: Callable[..., Any]) -> None:
    operator, _accessors = upload()
    lineage = operator.get_openlineage_facets_on_complete(None)
    assert (len(lineage.inputs), len(lineage.outputs)) == (0, 1)


def test_a_task_that_has_sent_nothing_tells_nothing() -> None:
    operator = MetricaUploadSimpleOrdersOperator(task_id="upload", source=[])
    assert operator.get_openlineage_facets_on_complete(None) is None
