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


def test_life_of_a_goal(server: SandboxServer) -> None:
    def call(method: str, body: Any = None) -> requests.Response:
        return requests.request(method, one, headers=HEADERS, json=body, timeout=30)

    made = requests.post(url(server), headers=HEADERS, json=goal(), timeout=30).json()["goal"]
    one = f"{url(server).removesuffix('s')}/{made['id']}"
    assert call("GET").json() == {"goal": made}

    changed = call("PUT", {"goal": {**made, "name": "Callback", "default_price": 9.5}}).json()["goal"]
    assert changed == {**made, "name": "Callback", "default_price": 9.5}
    assert listed(server) == [changed]
    assert call("PUT", {"goal": {**made, "id": 1}}).json()["errors"][0]["location"] == "id"
    assert call("PUT", goal(name="")).status_code == 400

    assert call("DELETE").json() == {"success": True}
    assert listed(server) == []
    assert {call(method, goal()).status_code for method in ("GET", "PUT", "DELETE")} == {404}
    kept = requests.get(url(server), headers=HEADERS, params={"useDeleted": "true"}, timeout=30).json()["goals"]
    assert kept == [{**changed, "status": "Deleted"}]
    upload(server, "id,create_date_time,client_ids,goals\nA,2025-03-04,1,call_ok\n")
    assert server.client.uploads()[0]["sandbox_notes"][0]["examples"] == ["call_ok"]


def test_rights_to_goals(server: SandboxServer) -> None:
    made = requests.post(url(server), headers=HEADERS, json=goal(), timeout=30).json()["goal"]
    reader = {"Authorization": "OAuth sandbox-read-token"}
    for method, status in (("GET", 200), ("PUT", 403), ("DELETE", 403)):
        one = f"{url(server).removesuffix('s')}/{made['id']}"
        assert requests.request(method, one, headers=reader, json=goal(), timeout=30).status_code == status
    elsewhere = f"{url(server, 103).removesuffix('s')}/{made['id']}"
    assert requests.get(elsewhere, headers=HEADERS, timeout=30).json()["errors"][0]["error_type"] == "not_found"


def test_what_a_list_gives_can_be_sent_back(server: SandboxServer) -> None:
    sent = goal(is_favorite=1, is_retargeting=True, prev_goal_id=0, id=77, status="Active", goal_source="auto")
    sent["goal"]["class"] = 0
    first = requests.post(url(server), headers=HEADERS, json=sent, timeout=30).json()["goal"]
    second = requests.post(url(server), headers=HEADERS, json={"goal": first}, timeout=30).json()["goal"]

    assert first["id"] != 77
    assert (first["goal_source"], first["is_retargeting"]) == ("user", True)
    assert {**second, "id": first["id"]} == first


@pytest.mark.parametrize(
    "other",
    [
        {"type": "url", "conditions": [{"type": "contain", "url": "/thanks?a=1"}]},
        {"type": "number", "depth": 3},
        {"type": "step", "steps": [goal()["goal"]]},
        {"type": "phone", "conditions": [{"type": "all_phones", "url": ""}], "hide_phone_number": 0},
        {"type": "visit_duration", "duration": 60},
        {"type": "chat"},
    ],
)
def test_goals_of_other_types_are_kept_and_listed(server: SandboxServer, other: dict[str, Any]) -> None:
    made = requests.post(url(server), headers=HEADERS, json={"goal": {"name": "Other", **other}}, timeout=30)

    assert made.status_code == 200, made.text
    (found,) = listed(server)
    assert found.items() >= other.items()


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
        ({"type": "cdp_order_paid"}, "invalid_parameter"),
        ({"flag": "cart"}, "invalid_parameter"),
        ({"default_price": "1"}, "invalid_json"),
        ({"default_price": 10**400}, "invalid_json"),
        ({"is_favorite": "yes"}, "invalid_json"),
        ({"favourite": 1}, "invalid_json"),
        ({"conditions": "call_ok"}, "invalid_json"),
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
    for condition, identifier in (("start", "lead"), ("contain", "form")):
        other = goal(conditions=[{"type": condition, "url": identifier}])
        requests.post(url(server), headers=HEADERS, json=other, timeout=30)

    upload(server, 'id,create_date_time,client_ids,order_status,goals\nA,2025-03-04,1,call_ok,"call_ok:1,lead,form"\n')

    (note,) = server.client.uploads()[0]["sandbox_notes"]
    assert (note["kind"], note["examples"]) == ("unknown_goals", ["lead"])
