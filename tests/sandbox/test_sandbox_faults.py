# SPDX-License-Identifier: Apache-2.0
"""Faults: which request they meet, whether it took effect, what the client sees. On both HTTP parsers of uvicorn."""

import json
import socket
import time
from collections.abc import Iterator
from typing import Any, Literal

import pytest
import requests

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings

HEADERS = {"Authorization": "OAuth sandbox-token"}
FILE = "id,create_date_time,client_ids\nA,2025-03-04,1\n"
BROKEN = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)
Parser = Literal["h11", "httptools"]


@pytest.fixture(scope="module", params=["h11", "httptools"])
def running(request: pytest.FixtureRequest) -> Iterator[SandboxServer]:
    parser: Parser = request.param
    if parser == "httptools":
        pytest.importorskip("httptools")
    with SandboxServer(SandboxSettings(processing_seconds=0), http=parser) as server:
        yield server


@pytest.fixture
def server(running: SandboxServer) -> SandboxServer:
    running.client.reset()
    return running


def send(server: SandboxServer, content: str | bytes = FILE, timeout: float = 30) -> requests.Response:
    return requests.post(
        f"{server.url}/cdp/api/v1/counter/101/data/simple_orders?merge_mode=SAVE",
        headers=HEADERS,
        files={"file": ("data.csv", content, "text/csv")},
        timeout=timeout,
    )


def counter(server: SandboxServer, timeout: float = 30, **query: str) -> requests.Response:
    url = f"{server.url}/management/v1/counter/101"
    return requests.get(url, headers=HEADERS, params=query, timeout=timeout)


def received(server: SandboxServer) -> int:
    rows: int = server.client.summary()["rows_received"]
    return rows


@pytest.mark.parametrize(("moment", "rows"), [("before", 0), ("after", 1)])
def test_answer(server: SandboxServer, moment: str, rows: int) -> None:
    body = {"message": "not now", "list": [1]}
    server.client.add_fault(
        method="post", path="simple_orders$", moment=moment, status=503, body=body, headers={"Retry-After": "7"}
    )

    response = send(server)

    assert (response.status_code, response.json(), response.headers["Retry-After"]) == (503, body, "7")
    assert response.headers["Content-Type"] == "application/json"
    assert received(server) == rows
    assert send(server).status_code == 200


@pytest.mark.parametrize(("moment", "rows"), [("before", 0), ("after", 1)])
def test_drop(server: SandboxServer, moment: str, rows: int) -> None:
    fault = server.client.add_fault(path="simple_orders", moment=moment, action="drop")

    with pytest.raises(BROKEN):
        send(server)

    assert received(server) == rows
    (logged,) = server.client.requests()
    assert (logged["status"], logged["fault"]) == (None, fault["id"])
    assert send(server).status_code == 200


@pytest.mark.parametrize("size", [10, 5_000_000])
def test_drop_waits_for_the_whole_request(server: SandboxServer, size: int) -> None:
    server.client.add_fault(path="simple_orders", action="drop")

    with pytest.raises(BROKEN):
        send(server, b"x" * size)

    assert server.client.requests()[0]["request_bytes"] > size


def test_truncate_after(server: SandboxServer) -> None:
    server.client.add_fault(path="simple_orders", moment="after", action="truncate")

    with pytest.raises(BROKEN):
        send(server)

    assert received(server) == 1
    assert server.client.requests()[0]["status"] == 200


@pytest.mark.parametrize("size", [10, 8_000_000])
def test_truncate_sends_headers_and_half_of_the_body(server: SandboxServer, size: int) -> None:
    server.client.add_fault(path="counter", action="truncate", status=200, body="x" * size)

    with requests.get(f"{server.url}/management/v1/counter/101", headers=HEADERS, stream=True, timeout=30) as response:
        assert response.status_code == 200
        assert response.headers["Content-Length"] == str(size)
        assert len(response.raw.read(size // 2)) == size // 2
        with pytest.raises(BROKEN):
            list(response.iter_content(1))


def test_delay_before_is_felt_and_then_answered(server: SandboxServer) -> None:
    server.client.add_fault(action="delay", seconds=0.4)

    started = time.monotonic()
    assert send(server).status_code == 200
    assert time.monotonic() - started >= 0.4
    assert received(server) == 1


@pytest.mark.parametrize(("moment", "rows"), [("before", 0), ("after", 1)])
def test_client_that_gives_up_during_a_delay(server: SandboxServer, moment: str, rows: int) -> None:
    server.client.add_fault(path="simple_orders", moment=moment, action="delay", seconds=1.2)

    with pytest.raises(requests.ReadTimeout):
        send(server, timeout=0.5)

    time.sleep(1.2)
    assert received(server) == rows


def test_seconds_go_with_every_action(server: SandboxServer) -> None:
    server.client.add_fault(preset="timeout", seconds=0.4)

    started = time.monotonic()
    assert counter(server).status_code == 504
    assert time.monotonic() - started >= 0.4


def test_skip_and_times(server: SandboxServer) -> None:
    server.client.add_fault(path="counter/101$", skip=1, times=2, preset="backend_error")

    assert [counter(server).status_code for _ in range(5)] == [200, 503, 503, 200, 200]
    (fault,) = server.client.faults()
    assert (fault["seen"], fault["hits"]) == (5, 2)


def test_faults_play_out_in_the_order_they_were_made(server: SandboxServer) -> None:
    server.client.add_fault(preset="backend_error")
    server.client.add_fault(preset="quota_requests_by_ip")

    assert [counter(server).status_code for _ in range(3)] == [503, 429, 200]


def test_times_null_lasts_until_cleared(server: SandboxServer) -> None:
    server.client.add_fault(times=None, preset="backend_error")

    assert {counter(server).status_code for _ in range(4)} == {503}
    server.client.clear_faults()
    assert counter(server).status_code == 200
    assert server.client.faults() == []


def test_only_the_named_requests_are_met(server: SandboxServer) -> None:
    server.client.add_fault(method="POST", times=None, preset="backend_error")
    server.client.add_fault(path="^/management/v1/counter/103$", times=None, preset="timeout")
    server.client.add_fault(query="field=goals", times=None, preset="conflict")

    assert counter(server).status_code == 200
    assert counter(server, field="goals").status_code == 409
    assert send(server).status_code == 503


def test_control_api_and_page_are_never_met(server: SandboxServer) -> None:
    server.client.add_fault(times=None, action="drop")

    assert requests.get(server.url, timeout=30).status_code == 200
    assert server.client.faults()[0]["seen"] == 0


@pytest.mark.parametrize(
    "spec",
    [
        {"path": "("},
        {"preset": "no_such"},
        {"action": "explode"},
        {"action": "delay"},
        {"action": "drop", "status": 503},
        {"action": "truncate"},
        {"preset": "timeout", "body": "x"},
        {"times": 0},
        {"skip": -1},
        {"statuscode": 503},
    ],
)
def test_fault_that_makes_no_sense_is_refused(server: SandboxServer, spec: dict[str, Any]) -> None:
    with pytest.raises(requests.HTTPError) as caught:
        server.client.add_fault(**spec)

    assert caught.value.response is not None
    assert caught.value.response.status_code == 422
    assert server.client.faults() == []


def test_fault_in_the_form_of_the_documentation(server: SandboxServer) -> None:
    spec = {
        "method": "POST",
        "path": "/data/simple_orders",
        "skip": 0,
        "times": 1,
        "moment": "after",
        "action": "answer",
        "status": 503,
        "body": "no",
        "headers": {"X-A": "b"},
    }
    response = requests.post(f"{server.url}/_sandbox/faults", data=json.dumps(spec).encode(), timeout=30)

    assert response.status_code == 200
    assert {name: response.json()[name] for name in spec} == spec
    answer = send(server)
    assert (answer.status_code, answer.text, answer.headers["X-A"]) == (503, "no", "b")


def test_faults_leave_the_server_s_log_clean(server: SandboxServer, caplog: pytest.LogCaptureFixture) -> None:
    server.client.add_fault(path="simple_orders", action="drop")
    server.client.add_fault(path="simple_orders", moment="after", action="drop")
    server.client.add_fault(path="simple_orders", moment="after", action="truncate")
    server.client.add_fault(path="simple_orders", action="delay", seconds=0.6)

    for _ in range(3):
        with pytest.raises(BROKEN):
            send(server)
    with pytest.raises(requests.ReadTimeout):
        send(server, timeout=0.3)
    time.sleep(0.6)

    assert counter(server).status_code == 200
    assert [record.getMessage() for record in caplog.records if record.name == "uvicorn.error"] == []


def test_client_that_leaves_in_the_middle_of_its_upload(
    server: SandboxServer, caplog: pytest.LogCaptureFixture
) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(
            b"POST /cdp/api/v1/counter/101/data/simple_orders?merge_mode=SAVE HTTP/1.1\r\nHost: x\r\n"
            b"Authorization: OAuth sandbox-token\r\nContent-Length: 1000\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n"
            b'Content-Disposition: form-data; name="file"; filename="data.csv"\r\n\r\nid,create'
        )
        time.sleep(0.2)
    time.sleep(0.3)

    assert server.client.uploads() == []
    assert [record.getMessage() for record in caplog.records if record.name == "uvicorn.error"] == []


def test_stop_does_not_wait_for_a_long_delay() -> None:
    with SandboxServer() as server:
        server.client.add_fault(action="delay", seconds=600)
        with pytest.raises(requests.ReadTimeout):
            counter(server, timeout=0.3)
        started = time.monotonic()
    assert time.monotonic() - started < 4
