# SPDX-License-Identifier: Apache-2.0
"""Goals: made as often as they are sent, refused when they cannot work, joined by the CRM ones."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings

HEADERS = {"Authorization": "OAuth sandbox-token"}
CRM_TYPES = {"cdp_order_in_progress", "cdp_order_paid", "cdp_order_spam", "cdp_order_cancelled"}


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxServer]:
    with SandboxServer(SandboxSettings(processing_seconds=0)) as server:
        yield server


@pytest.fixture
def server(running: SandboxServer) -> SandboxServer:
    running.client.reset()
    return running


def url(server: SandboxServer, counter: int = 101) -> str:
    return f"{server.url}/management/v1/counter/{counter}/goals"


def goal(**changes: Any) -> dict[str, Any]:
    return {"goal": {"name": "Call", "type": "action", "conditions": [{"type": "exact", "url": "call_ok"}], **changes}}


def listed(server: SandboxServer, counter: int = 101) -> list[dict[str, Any]]:
    response = requests.get(url(server, counter), headers=HEADERS, params={"useDeleted": "false"}, timeout=30)
    goals: list[dict[str, Any]] = response.json()["goals"]
    return goals


def upload(server: SandboxServer, content: str) -> dict[str, Any]:
    response = requests.post(
        f"{server.url}/cdp/api/v1/counter/101/data/simple_orders?merge_mode=SAVE",
        headers=HEADERS,
        files={"file": ("data.csv", content)},
        timeout=30,
    )
    uploading: dict[str, Any] = response.json()["uploading"]
    return uploading


def test_each_post_makes_another_goal(server: SandboxServer) -> None:
    made = [requests.post(url(server), headers=HEADERS, json=goal(), timeout=30).json()["goal"] for _ in range(2)]

    assert made[0]["id"] != made[1]["id"]
    assert made[0]["conditions"] == [{"type": "exact", "url": "call_ok"}]
    assert (made[0]["goal_source"], made[0]["name"], made[0]["type"]) == ("user", "Call", "action")
    assert listed(server) == made
    assert listed(server, 103) == []


def test_documented_content_type_and_options_are_taken(server: SandboxServer) -> None:
    response = requests.post(
        url(server),
        headers={**HEADERS, "Content-Type": "application/x-yametrika+json"},
        data='{"goal":{"name":"Бронь","type":"action","conditions":[{"type":"exact","url":"бронь"}],'
        '"default_price":1.5,"flag":"order"}}'.encode(),
        timeout=30,
    )

    assert response.status_code == 200
    assert response.json()["goal"]["default_price"] == 1.5
    assert listed(server)[0]["conditions"][0]["url"] == "бронь"


@pytest.mark.parametrize(
    ("changes", "error_type"),
    [
        *(({"conditions": [{"type": "exact", "url": f"a{sign}b"}]}, "invalid_parameter") for sign in '/\\&#?="+'),
        ({"conditions": [{"type": "contain", "url": "a/b"}]}, "invalid_parameter"),
        ({"conditions": [{"type": "equals", "url": "a"}]}, "invalid_parameter"),
        ({"conditions": [{"type": "exact", "url": ""}]}, "missing_parameter"),
        ({"conditions": [{"type": "exact"}]}, "invalid_json"),
        ({"conditions": []}, "invalid_parameter"),
        ({"name": "x" * 256}, "invalid_parameter"),
        ({"name": ""}, "missing_parameter"),
        ({"type": "url"}, "invalid_parameter"),
        ({"flag": "cart"}, "invalid_parameter"),
        ({"default_price": "1"}, "invalid_json"),
        ({"default_price": 10**400}, "invalid_json"),
        ({"is_favorite": 1}, "invalid_json"),
        ({"is_retargeting": 1}, "invalid_json"),
    ],
)
def test_goal_that_cannot_work_is_refused(server: SandboxServer, changes: dict[str, Any], error_type: str) -> None:
    response = requests.post(url(server), headers=HEADERS, json=goal(**changes), timeout=30)

    assert response.status_code == 400
    assert response.json()["errors"][0]["error_type"] == error_type
    assert listed(server) == []


@pytest.mark.parametrize("body", ["", "{", "[]", '{"name": "x"}', '{"goal": 1}', '{"goal": {"default_price": NaN}}'])
def test_body_that_is_no_goal(server: SandboxServer, body: str) -> None:
    headers = {**HEADERS, "Content-Type": "application/json"}
    response = requests.post(url(server), headers=headers, data=body, timeout=30)

    assert response.status_code == 400
    assert response.json()["errors"][0]["error_type"] in {"invalid_json", "missing_parameter"}


def test_form_instead_of_json_is_refused(server: SandboxServer) -> None:
    response = requests.post(url(server), headers=HEADERS, data={"goal": "x"}, timeout=30)

    assert response.json()["errors"][0]["error_type"] == "invalid_json"


def test_regular_expression_may_hold_what_an_identifier_may_not(server: SandboxServer) -> None:
    body = goal(conditions=[{"type": "regexp", "url": "^a/b?$"}])

    assert requests.post(url(server), headers=HEADERS, json=body, timeout=30).status_code == 200


def test_crm_goals_come_with_the_first_good_upload_only(server: SandboxServer) -> None:
    assert upload(server, "create_date_time,client_ids\nbad,1\n")["api_validation_status"] == "FAILED"
    assert listed(server) == []

    for _ in range(2):
        assert upload(server, "create_date_time,client_ids\n2025-03-04,1\n")["api_validation_status"] == "PASSED"
    assert len(listed(server)) == 4
    assert {found["type"] for found in listed(server)} == CRM_TYPES
    assert {found["goal_source"] for found in listed(server)} == {"auto"}


def test_upload_notes_only_goals_that_do_not_exist(server: SandboxServer) -> None:
    requests.post(url(server), headers=HEADERS, json=goal(), timeout=30)
    contains = goal(conditions=[{"type": "contain", "url": "lead"}])
    requests.post(url(server), headers=HEADERS, json=contains, timeout=30)

    upload(server, 'id,create_date_time,client_ids,order_status,goals\nA,2025-03-04,1,call_ok,"call_ok:1,lead"\n')

    (note,) = server.client.uploads()[0]["sandbox_notes"]
    assert (note["kind"], note["examples"]) == ("unknown_goals", ["lead"])
