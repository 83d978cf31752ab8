# SPDX-License-Identifier: Apache-2.0
"""Metrica's quotas: each refuses the next request, in its own words, and lets go again."""

import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
import requests

from airflow_provider_yandex_orders.sandbox.metrica import quotas
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sandbox.settings import METRICA_QUOTAS

COUNTERS = "/management/v1/counters"
UPLOAD = "/cdp/api/v1/counter/101/data/simple_orders?merge_mode=SAVE"
REPORT = "/stat/v1/data?ids=101&metrics=ym:s:cdpOrdersAllOrders"
CSV = {"file": ("data.csv", "id,create_date_time,client_ids\nA,2025-03-04,1\n", "text/csv")}


def call(server: SandboxServer, path: str, method: str = "GET", token: str = "sandbox-token") -> requests.Response:
    headers = {"Authorization": f"OAuth {token}"}
    return requests.request(
        method, server.url + path, headers=headers, files=CSV if method == "POST" else None, timeout=30
    )


def refusal(response: requests.Response) -> str:
    body = response.json()
    assert (response.status_code, body["code"]) == (429, 429), body
    return str(body["errors"][0]["error_type"])


def test_nothing_is_limited_unless_it_is_said(yandex_sandbox: SandboxServer) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: call(yandex_sandbox, COUNTERS).status_code, range(60)))
    assert set(answers) == {200}


def test_three_at_once(yandex_sandbox: SandboxServer) -> None:
    yandex_sandbox.client.change_settings(metrica_parallel_requests=3)
    address = urlsplit(yandex_sandbox.url)
    running = []
    for _ in range(3):  # each waits for a body that does not come
        connection = HTTPConnection(address.netloc, timeout=30)
        connection.putrequest("POST", address.path + UPLOAD)
        connection.putheader("Authorization", "OAuth sandbox-token")
        connection.putheader("Content-Type", "multipart/form-data; boundary=x")
        connection.putheader("Content-Length", "10")
        connection.endheaders()
        running.append(connection)
    while len(yandex_sandbox.client.requests()) < 3:
        pass

    assert refusal(call(yandex_sandbox, COUNTERS)) == "quota_parallel_requests"
    assert call(yandex_sandbox, COUNTERS, token="sandbox-read-token").status_code == 200  # another user

    for connection in running:
        connection.send(b"--x--\r\n\r\n\r\n"[:10])
        connection.getresponse().read()
        connection.close()
    assert call(yandex_sandbox, COUNTERS).status_code == 200


def test_so_many_in_a_second(yandex_sandbox: SandboxServer) -> None:
    yandex_sandbox.client.change_settings(metrica_requests_per_second=2)
    started = time.monotonic()
    answers = [call(yandex_sandbox, COUNTERS) for _ in range(3)]
    if time.monotonic() - started < 1:
        assert [answer.status_code for answer in answers[:2]] == [200, 200]
        assert refusal(answers[2]) == "quota_requests_by_ip"
    while (answer := call(yandex_sandbox, COUNTERS)).status_code != 200:
        assert refusal(answer) == "quota_requests_by_ip"
    assert time.monotonic() - started >= 1


def test_so_many_a_day_by_user_counter_and_group(yandex_sandbox: SandboxServer) -> None:
    yandex_sandbox.client.change_settings(metrica_requests_per_day=2)
    reader = "sandbox-read-token"

    assert [call(yandex_sandbox, f"/management/v1/counter/{counter}").status_code for counter in (101, 103)] == [
        200
    ] * 2
    assert refusal(call(yandex_sandbox, "/management/v1/counter/101")) == "quota_requests_by_uid"
    assert call(yandex_sandbox, UPLOAD, "POST").status_code == 200  # writes are counted apart
    assert call(yandex_sandbox, REPORT).status_code == 200  # so are reports
    assert call(yandex_sandbox, "/management/v1/counter/101", token=reader).status_code == 200
    assert refusal(call(yandex_sandbox, "/management/v1/counter/101", token=reader)) == "quota_requests_by_counter_id"
    yandex_sandbox.client.reset()
    assert call(yandex_sandbox, "/management/v1/counter/101").status_code == 200


def test_so_many_reports_in_five_minutes(yandex_sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> None:
    later = [0.0]
    clock = SimpleNamespace(time=time.time, monotonic=lambda: time.monotonic() + later[0])
    monkeypatch.setattr(quotas, "time", clock)
    yandex_sandbox.client.change_settings(metrica_reports_per_window=2)

    assert [call(yandex_sandbox, REPORT).status_code for _ in range(2)] == [200, 200]
    later[0] = 200
    refused = call(yandex_sandbox, REPORT)
    assert refusal(refused) == "quota_requests_by_uid"
    assert "5 minutes" in refused.json()["message"]
    assert call(yandex_sandbox, COUNTERS).status_code == 200
    assert call(yandex_sandbox, REPORT, token="sandbox-read-token").status_code == 200  # another user
    later[0] = 310  # the first two are five minutes old
    assert refusal(call(yandex_sandbox, REPORT)) == "quota_requests_by_uid"
    later[0] = 501  # five minutes after the one that was too many
    assert [call(yandex_sandbox, REPORT).status_code for _ in range(2)] == [200, 200]


def test_the_documented_quotas(yandex_sandbox: SandboxServer) -> None:
    yandex_sandbox.client.change_settings(**METRICA_QUOTAS)
    shown = yandex_sandbox.client.settings()

    assert shown["metrica_parallel_requests"] == 3
    assert shown["metrica_requests_per_second"] == 30
    assert shown["metrica_requests_per_day"] == 5000
    assert shown["metrica_reports_per_window"] == 200


@pytest.mark.parametrize("name", METRICA_QUOTAS)
def test_a_quota_is_a_number(yandex_sandbox: SandboxServer, name: str) -> None:
    with pytest.raises(requests.HTTPError, match="422"):
        yandex_sandbox.client.change_settings(**{name: -1})
