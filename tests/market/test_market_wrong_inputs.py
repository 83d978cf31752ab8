# SPDX-License-Identifier: Apache-2.0
"""What cannot work ends the task at once, in one line that says what to do; mostly before the first request."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_yandex_orders.exceptions import ConfigurationError, ServiceRefused
from airflow_provider_yandex_orders.sandbox.market.access import FINANCE_TOKEN
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.market.market_support import WINDOW, connect_market
from tests.support.market_official import OfficialCheck

Context = Callable[..., Any]
Operator = Callable[..., Any]

CREATED = {"date_from": "2026-06-01", "date_to": "2026-06-02"}


def refused(task: Any, context: Context, kind: type[Exception], *words: str) -> None:
    with pytest.raises(kind) as raised:
        task.execute(context())
    assert isinstance(raised.value, AirflowFailException)
    message = str(raised.value)
    assert "\n" not in message
    assert [word for word in words if word not in message] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (CREATED | WINDOW, ["date_from/date_to and update_from/update_to exclude each other"]),
        (CREATED | {"order_ids": [1]}, ["date_from/date_to and order_ids exclude each other"]),
        (WINDOW | {"update_to": "2026-05-31"}, ["update_to 2026-05-31 lies before update_from 2026-06-01"]),
        ({"date_from": "2026-06-01"}, ["date_from and date_to belong together"]),
        ({"date_from": "2026-02-30", "date_to": "2026-03-01"}, ["date_from is not a day that exists", "2026-01-31"]),
        ({"date_from": "01.06.2026", "date_to": "2026-03-01"}, ["date_from is not a day"]),
        ({"date_from": "None", "date_to": "2026-03-01"}, ["date_from is not a day"]),
        ({"date_from": datetime(2026, 6, 1), "date_to": "2026-06-02"}, ["date_from is a moment", "Give a date"]),
        ({"order_ids": []}, ["order_ids is an empty list"]),
        ({"order_ids": "12"}, ["order_ids must be a list"]),
        ({"order_ids": [1, 0]}, ["whole numbers above 0"]),
        ({"order_ids": [1.5]}, ["whole numbers above 0"]),
        ({"order_ids": [True]}, ["whole numbers above 0"]),
        ({"order_ids": [2**63]}, ["whole numbers above 0"]),
        ({"statuses": []}, ["statuses is an empty list"]),
        ({"statuses": "DELIVERED"}, ["statuses must be a list"]),
        ({"statuses": [None]}, ["statuses must be words"]),
        ({"statuses": [" "]}, ["statuses must be words"]),
        ({"has_cis": "yes"}, ["has_cis must be True, False"]),
        ({"page_size": 500}, ["page_size must be a whole number from 1 to 200"]),
        ({"page_size": 0}, ["page_size must be a whole number from 1 to 200"]),
        ({"page_size": "50"}, ["page_size must be a whole number"]),
        *(({"parallel": wrong}, ["parallel must be a whole number from 1 to 2"]) for wrong in (0, 3, "2", True, 2.0)),
        ({"output_format": "csv"}, ["output_format must be one of jsonl.gz, jsonl, parquet"]),
        ({"path": " "}, ["path is empty"]),
        ({"campaign_id": "shop"}, ["campaign_id must be a whole number"]),
        ({"market_conn_id": "nowhere", "campaign_id": 1}, ["no connection 'nowhere'"]),
    ],
    ids=str,
)
def test_arguments(
    market: SandboxServer, operator: Operator, context: Context, arguments: dict[str, Any], words: list[str]
) -> None:
    refused(operator(**arguments), context, ConfigurationError, *words)
    assert market.client.requests() == []


def test_a_status_the_service_does_not_know_is_told_before_and_after(
    market: SandboxServer,
    operator: Operator,
    context: Context,
    official: OfficialCheck,
    caplog: pytest.LogCaptureFixture,
) -> None:
    official.free_words = True
    words = ("'delivred' is no status this package knows", "Did you mean DELIVERED?")
    refused(operator(statuses=["delivred"]), context, ServiceRefused, "400 (BAD_REQUEST)", "'statuses'", *words)
    assert all(word in caplog.text for word in words)


def test_no_store(market: SandboxServer, operator: Operator, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    connect_market(monkeypatch, market.url, campaign_id=None)
    refused(operator(), context, ConfigurationError, "No store", "give campaign_id")


def test_parquet_without_its_extra(
    market: SandboxServer, operator: Operator, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    refused(operator(output_format="parquet"), context, ConfigurationError, "[parquet]")


@pytest.mark.parametrize(
    ("campaign_id", "words"),
    [
        (1005, ["403 (FORBIDDEN)", "Store 1005 is not this key's", "it sees 1001 (FBS)", "Correct campaign_id"]),
        (77, ["404 (NOT_FOUND)", "Store 77 is not this key's"]),
        (1003, ["switched off (DISABLED_BY_INACTIVITY)"]),
        (1004, ["Campaign type is not allowed", "FBY, FBS or DBS"]),
    ],
)
def test_stores_that_cannot_be_read(
    market: SandboxServer, operator: Operator, context: Context, campaign_id: int, words: list[str]
) -> None:
    refused(operator(campaign_id=campaign_id), context, ServiceRefused, *words)


def test_an_expired_key(
    market: SandboxServer, operator: Operator, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect_market(monkeypatch, market.url, token="an-expired-key")
    refused(operator(), context, ServiceRefused, "401 (UNAUTHORIZED)", "Make an Api-Key")
    assert len(market.client.requests()) == 1


def test_a_key_without_the_scope(
    market: SandboxServer, operator: Operator, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect_market(monkeypatch, market.url, token=FINANCE_TOKEN)
    refused(operator(), context, ServiceRefused, "403 (FORBIDDEN)", "The key lacks a scope", "FINANCE_AND_ACCOUNTING")


def test_a_refusal_stays_what_it_is_when_nothing_can_be_found_out(
    market: SandboxServer, operator: Operator, context: Context, naps: list[float]
) -> None:
    market.client.add_fault(preset="market_forbidden", path="stats/orders")
    market.client.add_fault(preset="market_internal", path="auth/token", times=None)
    refused(operator(), context, ServiceRefused, "Access denied", "inventory-and-order-processing:read-only")


def test_a_refusal_without_a_visible_cause(market: SandboxServer, operator: Operator, context: Context) -> None:
    market.client.add_fault(preset="market_forbidden", path="stats/orders")
    refused(operator(), context, ServiceRefused, "Access denied", "inventory-and-order-processing:read-only")
