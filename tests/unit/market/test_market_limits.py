# SPDX-License-Identifier: Apache-2.0
"""Limits of requests: when they end by the service's own clock, and for whom they hold."""

from __future__ import annotations

import time
from email.utils import formatdate

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
