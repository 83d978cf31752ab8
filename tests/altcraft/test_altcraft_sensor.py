# SPDX-License-Identifier: Apache-2.0
"""Which orders the sensor asks for, and what it takes for done."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowSensorTimeout

from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.operators.altcraft import AltcraftImportOrdersOperator
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sensors.altcraft import AltcraftOrdersSensor
from tests.support.altcraft_rows import order

Context = Callable[..., Any]


@pytest.fixture
def imported(altcraft: SandboxServer, tmp_path: Path, context: Context) -> Callable[..., Any]:
    def send(*rows: dict[str, Any], **arguments: Any) -> Any:
        operator = AltcraftImportOrdersOperator(
            task_id="import", source=list(rows), skip_triggers=True, staging_path=str(tmp_path), **arguments
        )
        return operator.execute(context())

    return send


def sensor(order_ids: Any, **arguments: Any) -> AltcraftOrdersSensor:
    arguments.setdefault("poke_interval", 0.2)
    arguments.setdefault("timeout", 20)
    return AltcraftOrdersSensor(task_id="verify", order_ids=order_ids, **arguments)


def test_a_delivery_tells_ids_and_statuses(imported: Any, context: Context) -> None:
    delivery = imported(order(1), order(2, status="paid"), body_format="xml")
    assert sensor(delivery).execute(context()) == {"checked": 2, "by_status": {"new": 1, "paid": 1}}
    assert sensor([delivery, delivery]).execute(context())["checked"] == 2


def test_ids_with_and_without_a_status(imported: Any, context: Context) -> None:
    imported(order(1), order(2, status="paid"))
    assert sensor(["A-0001", "A-0002"]).execute(context())["checked"] == 2
    assert sensor({"A-0002": "paid"}).execute(context())["by_status"] == {"paid": 1}
    with pytest.raises(AirflowSensorTimeout, match=r"1 of 2 .*A-0001 \(new, expected paid\)\. The"):
        sensor(["A-0001", "A-0002"], status="paid", timeout=0.1).execute(context())


def test_missing_ones_are_listed_by_id(imported: Any, context: Context) -> None:
    imported(order(1))
    with pytest.raises(AirflowSensorTimeout, match=r"2 of 3 .*: B-1 \(not there\), B-2 \(not there\)\. The"):
        sensor(["A-0001", "B-1", "B-2"], timeout=0.1).execute(context())


def test_a_sample_is_spread_and_the_same_each_time(altcraft: SandboxServer, imported: Any, context: Context) -> None:
    ids = [f"A-{number:04d}" for number in range(20)]
    imported(*(order(number) for number in (0, 5, 10, 15)))
    before = len(altcraft.client.requests())
    assert sensor(ids, sample=4).execute(context())["checked"] == 4
    assert len(altcraft.client.requests()) == before + 4
    with pytest.raises(AirflowSensorTimeout, match="16 of 20"):
        sensor(ids, sample=None, timeout=0).execute(context())


def test_a_sample_of_a_delivery(altcraft: SandboxServer, imported: Any, context: Context) -> None:
    delivery = imported(*(order(number) for number in range(20)))
    assert sensor(delivery, sample=4).execute(context())["checked"] == 4
    assert sensor(delivery, sample=None).execute(context())["checked"] == 20


def test_the_parts_are_not_needed(imported: Any, context: Context, tmp_path: Path) -> None:
    delivery = imported(order(1), order(2, status="paid"))
    shutil.rmtree(tmp_path / "a_dag")  # as on another worker, whose disk never had them
    assert sensor(delivery).execute(context())["by_status"] == {"new": 1, "paid": 1}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"service": "metrica", "parts": [], "rows_sent": 1}, "is the output of a task of metrica"),
        ({"service": "altcraft", "parts": [], "rows_sent": 0, "rows_prepared": 5}, "names no order to ask for"),
    ],
)
def test_deliveries_that_hold_no_orders(altcraft: SandboxServer, context: Context, value: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        sensor([value]).execute(context())
    assert altcraft.client.requests() == []


@pytest.mark.parametrize("value", [None, 5.5, "None", ["[1]"], {"checked": 1, "by_status": {}}])
def test_what_holds_no_ids(altcraft: SandboxServer, context: Context, value: Any) -> None:
    with pytest.raises(ConfigurationError, match="output of an import task"):
        sensor(value).execute(context())


def test_another_platform_is_not_asked(altcraft: SandboxServer, imported: Any, context: Context) -> None:
    delivery = imported(order(1)) | {"host": "other.example.com"}
    before = len(altcraft.client.requests())
    with pytest.raises(ConfigurationError, match=r"delivery to other\.example\.com.*altcraft_conn_id"):
        sensor([[delivery]]).execute(context())
    assert len(altcraft.client.requests()) == before


def test_nothing_to_verify(altcraft: SandboxServer, context: Context) -> None:
    assert sensor([]).execute(context()) == {"checked": 0, "by_status": {}}
    assert altcraft.client.requests() == []
