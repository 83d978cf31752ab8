# SPDX-License-Identifier: Apache-2.0
"""Limits of requests, by the service's own clock and for whom they hold; and how its other answers are read."""

from __future__ import annotations

import json
import time
from email.utils import formatdate

import pytest
from airflow.providers.common.compat.sdk import Connection

from airflow_provider_yandex_orders.hooks.market import MarketHook
from airflow_provider_yandex_orders.http.failures import FailureKind
from airflow_provider_yandex_orders.http.paced import lane_of
from airflow_provider_yandex_orders.market.api import read_budget, read_failure


def test_the_time_is_the_services_own() -> None:
    now = time.time() + 7 * 3600  # a clock that differs by hours
    headers = {"Date": formatdate(now, usegmt=True), "X-RateLimit-Resource-Until": formatdate(now + 900, usegmt=True)}
    fault = read_failure(420, headers, b'{"errors":[{"code":"X","message":"Hit rate limit of 5 requests per hour"}]}')
    assert fault is not None
    assert fault.retry_after == 901
    budget = read_budget({**headers, "X-RateLimit-Resource-Remaining": "3"})
    assert budget is not None
    assert (budget.remaining, round(budget.until - time.time())) == (3, 900)


def test_keys_have_lanes_of_their_own() -> None:
    lane = lane_of("https://a.example", "key", 2)
    assert lane_of("https://a.example", "key", 2) is lane
    assert lane_of("https://a.example", "other", 2) is not lane
    assert lane_of("https://b.example", "key", 2) is not lane


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((status, FailureKind.REFUSED) for status in (301, 400, 401, 403, 404, 405, 415)),
        *((status, FailureKind.BUSY) for status in (423, 503)),
        *((status, FailureKind.BROKEN) for status in (408, 499, 500, 502, 504)),
        *((status, FailureKind.QUOTA) for status in (420, 429)),
    ],
)
def test_what_each_status_means(status: int, kind: FailureKind) -> None:
    for errors in (None, [{"code": "X", "message": "Some words"}], [{"code": "X"}]):
        fault = read_failure(status, {}, json.dumps({"status": "ERROR", "errors": errors}).encode())
        assert fault is not None
        assert (fault.kind, fault.error_type) == (kind, "X" if errors else None)


def test_a_fault_of_the_service_can_be_followed_up() -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    for told, shown in ((trace, True), ("ivan@example.com", False)):
        fault = read_failure(500, {"traceparent": told}, b"")
        assert fault is not None
        assert (told in fault.advice) is shown


def test_the_default_host_and_more_time_than_the_service_takes() -> None:
    hook = MarketHook("m", connection=Connection(conn_id="m", conn_type="yandex_market", password="ACMA:x:y"))
    assert hook.base_url == "https://api.partner.market.yandex.ru"
    assert hook.client.timeout[1] > 10
