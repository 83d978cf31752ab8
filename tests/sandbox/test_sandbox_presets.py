# SPDX-License-Identifier: Apache-2.0
"""Fault presets: the documented error answers, and answers that are no JSON."""

from collections.abc import Iterator

import pytest
import requests

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxServer]:
    with SandboxServer(SandboxSettings(processing_seconds=0)) as server:
        yield server


@pytest.fixture
def server(running: SandboxServer) -> SandboxServer:
    running.client.reset()
    return running


def counter(server: SandboxServer) -> requests.Response:
    url = f"{server.url}/management/v1/counter/101"
    return requests.get(url, headers={"Authorization": "OAuth sandbox-token"}, timeout=30)


@pytest.mark.parametrize(
    ("preset", "status"),
    [
        ("quota_requests_by_ip", 429),
        ("quota_parallel_requests", 429),
        ("quota_requests_by_uid", 429),
        ("quota_requests_by_counter_id", 429),
        ("quota_delegate_requests", 429),
        ("quota_grants_requests", 429),
        ("backend_error", 503),
        ("timeout", 504),
        ("invalid_token", 403),
        ("unauthorized", 401),
        ("access_denied", 403),
        ("counter_in_connect", 403),
        ("invalid_parameter", 400),
        ("missing_parameter", 400),
        ("invalid_uploading", 400),
        ("invalid_json", 400),
        ("limit_exceeded", 400),
        ("query_error", 400),
        ("too_much_rows", 400),
        ("filter_limits", 400),
        ("not_found", 404),
        ("not_acceptable", 406),
        ("conflict", 409),
    ],
)
def test_presets_have_the_documented_shape(server: SandboxServer, preset: str, status: int) -> None:
    server.client.add_fault(preset=preset)

    response = counter(server)

    body = response.json()
    assert response.status_code == status
    assert set(body) == {"errors", "code", "message"}
    assert body["code"] == status
    assert body["errors"] == [{"error_type": preset, "message": body["message"]}]


@pytest.mark.parametrize("status", [420, 403])
def test_preset_with_another_status(server: SandboxServer, status: int) -> None:
    server.client.add_fault(preset="quota_requests_by_uid", status=status)

    response = counter(server)

    assert (response.status_code, response.json()["code"]) == (status, status)


def test_answers_that_are_no_json(server: SandboxServer) -> None:
    server.client.add_fault(preset="html_ok")
    server.client.add_fault(preset="empty")

    html = counter(server)
    assert (html.status_code, html.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert html.text.startswith("<html>")
    empty = counter(server)
    assert (empty.status_code, empty.content) == (200, b"")


@pytest.mark.parametrize(
    ("preset", "status", "error_type"),
    [("unknown_upload", 400, "invalid_parameter"), ("quota_reports", 429, "quota_requests_by_uid")],
)
def test_presets_of_one_answer(server: SandboxServer, preset: str, status: int, error_type: str) -> None:
    server.client.add_fault(preset=preset)

    response = counter(server)

    assert response.status_code == status
    assert response.json()["errors"] == [{"error_type": error_type, "message": response.json()["message"]}]
