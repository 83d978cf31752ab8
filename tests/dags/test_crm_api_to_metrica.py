# SPDX-License-Identifier: Apache-2.0
"""The example that reads a CRM's API, against a portal that pages as Bitrix24 does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from importlib import import_module
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_yandex_orders.exceptions import SourceUnavailable
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sources import CallableSource
from tests.support.bitrix24 import Portal
from tests.support.examples import returned, run_example

DAG_ID = "crm_api_to_metrica"
DAY = datetime(2026, 11, 19, 2, tzinfo=timezone.utc)  # 05:00 in Moscow: the run of the day until then
DEALS = 120


def moment(time: datetime) -> str:
    return time.astimezone(timezone(timedelta(hours=3))).isoformat()


def deal(number: int, changed: datetime, **fields: Any) -> dict[str, Any]:
    return {
        "ID": str(number),
        "TITLE": f"Deal {number}",
        "STAGE_ID": ("NEW", "WON", "LOSE")[number % 3],
        "OPPORTUNITY": f"{number}.50",
        "CURRENCY_ID": "RUB",
        "CONTACT_ID": str(1 + number % 30),
        "DATE_CREATE": moment(DAY - timedelta(days=3)),
        "DATE_MODIFY": moment(changed),
        **fields,
    }


def contact(number: int) -> dict[str, Any]:
    mails = [{"ID": "1", "VALUE_TYPE": "WORK", "VALUE": f"Buyer{number}@Example.com", "TYPE_ID": "EMAIL"}]
    phones = [{"ID": "2", "VALUE_TYPE": "MOBILE", "VALUE": f"8 (999) 000-00-{number:02}", "TYPE_ID": "PHONE"}]
    return {"ID": str(number), "NAME": "Zinaida", "EMAIL": mails, "PHONE": phones}


@pytest.fixture
def portal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Portal]:
    # The ids run against the time of change: what pages by one of them alone must not care.
    deals = [deal(number, DAY - timedelta(minutes=number)) for number in range(1, DEALS + 1)]
    deals += [deal(901, DAY), deal(902, DAY - timedelta(days=2)), deal(903, DAY, CONTACT_ID=None)]
    with Portal(deals, [contact(number) for number in range(1, 31)]) as portal:
        connection = {"conn_type": "http", "host": portal.url, "login": "7", "password": portal.secret}
        monkeypatch.setenv("AIRFLOW_CONN_BITRIX24", json.dumps(connection))
        yield portal


def test_every_changed_deal_arrives_with_its_contact(
    airflow_db: None, portal: Portal, metrica: SandboxServer, capfd: pytest.CaptureFixture[str]
) -> None:
    run = run_example(DAG_ID, DAY)
    logged = "".join(capfd.readouterr())
    assert run.state == "success"
    delivery = returned(run, "upload_deals")
    held = {order["id"]: order for order in metrica.client.orders(101, limit=1000)}
    inside = range(1, DEALS + 1)
    assert set(held) == set(map(str, inside))
    assert sum(float(order["revenue"]) for order in held.values()) == sum(number + 0.5 for number in inside)
    assert (held["5"]["order_status"], held["5"]["emails"]) == ("CANCELLED", ["buyer6@example.com"])
    assert held["5"]["create_date_time"] == f"{DAY - timedelta(days=3) + timedelta(hours=3):%Y-%m-%d %H:%M:%S}"

    pages = [asked["filter"][">ID"] for method, asked in portal.calls if method == "crm.deal.list"]
    assert pages == [0, "50", "100"]
    shown = f"{logged}{json.dumps(delivery)}"
    for secret in (portal.secret, "Zinaida", "uyer6@", "0000006"):
        assert secret not in shown


@pytest.mark.parametrize(
    ("error", "raised", "told"),
    [
        ((503, "QUERY_LIMIT_EXCEEDED"), SourceUnavailable, "failed after 50 rows: ConnectionError"),
        ((401, "insufficient_scope"), AirflowFailException, "the CRM says insufficient_scope"),
    ],
)
def test_an_error_is_told_without_the_secret(
    portal: Portal, error: tuple[int, str], raised: type[Exception], told: str
) -> None:
    example = import_module("example_dags.crm_api_to_metrica")
    until = DAY + timedelta(hours=1)
    source = CallableSource(example.changed_deals, op_args=["bitrix24", moment(DAY - timedelta(days=1)), moment(until)])
    with source.open() as stream:
        rows = [next(stream.rows) for _ in range(50)]
        portal.errors.append(error)
        with pytest.raises(raised, match=told) as failure:
            next(stream.rows)
    assert [row["ID"] for row in rows] == [str(number) for number in range(1, 51)]
    assert portal.secret not in str(failure.value)
    assert failure.value.__suppress_context__ or failure.value.__context__ is None
