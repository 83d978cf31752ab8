# SPDX-License-Identifier: Apache-2.0
"""Calls to the sandbox's Metrica that several tests make, and what an answer says."""

import json
from typing import Any

import requests

from airflow_provider_yandex_orders.sandbox.server import SandboxServer

HEADERS = {"Authorization": "OAuth sandbox-token"}


def send_csv(server: SandboxServer, kind: str, content: str | bytes, **query: str) -> requests.Response:
    return requests.post(
        f"{server.url}/cdp/api/v1/counter/101/data/{kind}/csv",
        params={"merge_mode": "SAVE", **query},
        headers=HEADERS,
        files={"file": ("data.csv", content, "text/csv")},
        timeout=30,
    )


def send_json(server: SandboxServer, kind: str, body: Any, **query: str) -> requests.Response:
    """``body`` is a list of rows, or the whole body as text or bytes."""
    return requests.post(
        f"{server.url}/cdp/api/v1/counter/101/data/{kind}/json",
        params={"merge_mode": "SAVE", **query},
        headers={**HEADERS, "Content-Type": "application/json"},
        data=body if isinstance(body, str | bytes) else json.dumps({kind: body}),
        timeout=30,
    )


def passed(response: requests.Response) -> dict[str, Any]:
    """The ``uploading`` object of a CRM upload that passed."""
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()["uploading"]
    assert found["api_validation_status"] == "PASSED", found
    return found


def failed(response: requests.Response) -> list[str]:
    """What is wrong with a CRM upload that was taken and failed."""
    assert response.status_code == 200, response.text
    found = response.json()["uploading"]
    assert found["api_validation_status"] == "FAILED"
    errors: list[str] = found["api_validation_errors"]
    return errors


def refused(response: requests.Response) -> tuple[str, str | None]:
    """Type and location of the error of a request refused with 400."""
    assert response.status_code == 400, response.text
    error = response.json()["errors"][0]
    return error["error_type"], error.get("location")


def notes_of(server: SandboxServer) -> dict[str, dict[str, Any]]:
    """The notes on the newest CRM upload, by kind."""
    return {note["kind"]: note for note in server.client.uploads()[0]["sandbox_notes"]}


def conversions_url(server: SandboxServer, rest: str, counter: str = "101") -> str:
    return f"{server.url}/management/v1/counter/{counter}/offline_conversions/{rest}"


def send_conversions(
    server: SandboxServer, content: str | bytes, counter: str = "101", **query: str
) -> requests.Response:
    return requests.post(
        conversions_url(server, "upload", counter),
        params=query,
        headers=HEADERS,
        files={"file": ("data.csv", content, "text/csv")},
        timeout=30,
    )


def upload_conversions(server: SandboxServer, content: str, **query: str) -> dict[str, Any]:
    """The ``uploading`` object of conversions that were taken."""
    response = send_conversions(server, content, **query)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()["uploading"]
    return found


def conversion_status(server: SandboxServer, upload_id: object) -> dict[str, Any]:
    """The ``uploading`` object of an earlier upload of conversions."""
    response = requests.get(conversions_url(server, f"uploading/{upload_id}"), headers=HEADERS, timeout=30)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()["uploading"]
    return found


def add_goal(server: SandboxServer, identifier: str, condition: str = "exact") -> None:
    body: Any = {"goal": {"name": "A goal", "type": "action", "conditions": [{"type": condition, "url": identifier}]}}
    url = f"{server.url}/management/v1/counter/101/goals"
    assert requests.post(url, headers=HEADERS, json=body, timeout=30).status_code == 200
