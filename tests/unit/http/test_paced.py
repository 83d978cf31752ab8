# SPDX-License-Identifier: Apache-2.0
"""Requests keep to a service's limits by themselves, whatever tasks share the process."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.http.paced import Lane
from airflow_provider_yandex_orders.sandbox.server import SandboxServer


def test_no_more_requests_begin_in_a_second_than_may() -> None:
    lane = Lane(at_once=8, a_second=5)
    begun: list[float] = []

    def request() -> None:
        lane.pace()
        begun.append(time.monotonic())

    with ThreadPoolExecutor(8) as threads:
        for _ in range(12):
            threads.submit(request)
    begun.sort()
    assert all(later - earlier > 0.98 for earlier, later in zip(begun, begun[5:], strict=False))
    assert begun[4] - begun[0] < 0.5  # and no fewer


def test_three_requests_of_a_user_at_a_time(metrica: SandboxServer) -> None:
    metrica.client.add_fault(path="counter/101", action="delay", seconds=0.2, times=None)
    with ThreadPoolExecutor(9) as threads:
        answers = [threads.submit(lambda: MetricaHook().counter(101)) for _ in range(9)]
        assert all(answer.result()["id"] == 101 for answer in answers)
    log = [each for each in metrica.client.requests() if each["path"].endswith("counter/101")]
    begun = [datetime.fromisoformat(each["time"]).timestamp() for each in log]
    ended = [begin + each["seconds"] for begin, each in zip(begun, log, strict=True)]
    under_way = [
        sum(begin <= moment < end - 0.005 for begin, end in zip(begun, ended, strict=True)) for moment in begun
    ]
    assert (len(log), max(under_way)) == (9, 3)
