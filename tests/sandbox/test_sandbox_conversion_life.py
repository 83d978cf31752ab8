# SPDX-License-Identifier: Apache-2.0
"""Offline conversions: what is counted, the way to the final status, and how uploads are found."""

import time
from collections.abc import Iterator
from datetime import datetime

import pytest
import requests

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings
from tests.sandbox.metrica_calls import (
    HEADERS,
    add_goal,
    conversion_status,
    conversions_url,
    refused,
    send_conversions,
    upload_conversions,
)

HEADER = "ClientId,UserId,Yclid,PurchaseId,Target,DateTime,Price,Currency\n"
PAST = 1_741_090_800


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxServer]:
    settings = SandboxSettings(processing_seconds=0, linked_share=1, max_reported_errors=3, max_upload_bytes=100_000)
    with SandboxServer(settings) as server:
        yield server


@pytest.fixture
def server(running: SandboxServer) -> SandboxServer:
    running.client.reset()
    add_goal(running, "paid")
    return running


def line(number: int = 1, target: str = "paid", price: str = "", currency: str = "") -> str:
    return f"{number},,,,{target},{PAST},{price},{currency}\n"


def test_upload_and_its_status(server: SandboxServer) -> None:
    content = HEADER + line(1, price="10.50", currency="RUB") + f",u 1,77,P-1,paid,{PAST},,\n"

    answer = upload_conversions(server, content, comment="ночной1")

    assert set(answer) == {
        "id",
        "create_time",
        "source_quantity",
        "line_quantity",
        "comment",
        "client_id_type",
        "status",
        "type",
        "linked_quantity",
        "user_not_found_quantity",
        "goal_not_found_quantity",
    }
    assert answer["id"] > 2**31
    assert datetime.fromisoformat(answer["create_time"]).utcoffset() is not None
    assert (answer["source_quantity"], answer["line_quantity"], answer["comment"]) == (2, 2, "ночной1")
    assert (answer["status"], answer["linked_quantity"], answer["type"]) == ("UPLOADED", 0, "BASIC")
    final = conversion_status(server, answer["id"])
    assert (final["status"], final["linked_quantity"]) == ("PROCESSED", 2)
    assert {name: value for name, value in final.items() if name not in {"status", "linked_quantity"}} == {
        name: value for name, value in answer.items() if name not in {"status", "linked_quantity"}
    }
    first, second = server.client.conversions(101)
    assert (first["ClientId"], first["UserId"], first["Price"], first["Currency"]) == ("1", None, "10.50", "RUB")
    assert (second["UserId"], second["Yclid"], second["PurchaseId"], second["Price"]) == ("u 1", "77", "P-1", None)
    assert first["goal_found"] is first["visitor_found"] is True
    assert first["upload_ids"] == [answer["id"]]
    (kept,) = server.client.uploads(kind="conversions")
    assert (kept["bytes"], kept["line_errors"], kept["status"]) == (len(content.encode()), [], "PROCESSED")
    assert server.client.uploads() == []


def test_status_waits_for_the_processing_time(server: SandboxServer) -> None:
    server.client.change_settings(processing_seconds=7200)
    answer = upload_conversions(server, HEADER + line())
    assert conversion_status(server, answer["id"])["status"] == "UPLOADED"

    server.client.change_settings(processing_seconds=0)
    assert conversion_status(server, answer["id"])["status"] == "PROCESSED"


def test_whole_chain_is_seen_in_order(server: SandboxServer) -> None:
    server.client.change_settings(processing_seconds=0.8, conversions_start_prepared=True)
    answer = upload_conversions(server, HEADER + line())

    seen = [answer["status"]]
    end = time.monotonic() + 20
    while seen[-1] != "PROCESSED" and time.monotonic() < end:
        found = conversion_status(server, answer["id"])
        assert found["linked_quantity"] == (1 if found["status"] == "PROCESSED" else 0)
        if found["status"] != seen[-1]:
            seen.append(found["status"])
        time.sleep(0.02)
    assert seen == ["PREPARED", "UPLOADED", "EXPORTED", "MATCHED", "PROCESSED"]


def test_older_answers_have_no_counts(server: SandboxServer) -> None:
    server.client.change_settings(conversion_counts=False)
    content = f"PurchaseId,Target,DateTime\nP,paid,{PAST}\n"

    assert set(conversion_status(server, upload_conversions(server, content)["id"])) == {
        "id",
        "create_time",
        "source_quantity",
        "line_quantity",
        "comment",
        "status",
    }


def test_no_known_visitor_is_a_failure(server: SandboxServer) -> None:
    server.client.change_settings(linked_share=0)
    answer = upload_conversions(server, HEADER + line(1) + line(2, target="other"))

    found = conversion_status(server, answer["id"])
    assert found["status"] == "LINKAGE_FAILURE"
    counts = (found["linked_quantity"], found["user_not_found_quantity"], found["goal_not_found_quantity"])
    assert counts == (0, 1, 1)


def test_each_line_counts_once(server: SandboxServer) -> None:
    server.client.change_settings(linked_share=0.5)
    content = HEADER + "".join(line(number, "paid" if number % 4 else "other") for number in range(400))
    found = conversion_status(server, upload_conversions(server, content)["id"])

    assert found["goal_not_found_quantity"] == 100
    assert found["linked_quantity"] + found["user_not_found_quantity"] == 300
    assert 100 < found["linked_quantity"] < 200
    again = conversion_status(server, upload_conversions(server, content)["id"])
    assert again["linked_quantity"] == found["linked_quantity"]
    summary = server.client.summary(101)["kinds"]["conversions"]
    assert (summary["linked"], summary["goal_not_found"]) == (found["linked_quantity"], 100)
    assert summary["by_target"] == {"other": 100, "paid": 300}


@pytest.mark.parametrize("condition", ["exact", "contain"])
def test_target_is_the_identifier_of_a_goal(server: SandboxServer, condition: str) -> None:
    add_goal(server, "lead", condition)
    found = conversion_status(server, upload_conversions(server, HEADER + line(target="lead"))["id"])

    assert (found["linked_quantity"], found["goal_not_found_quantity"]) == (1, 0)


@pytest.mark.parametrize("condition", ["regexp", "start"])
def test_other_conditions_have_no_identifier(server: SandboxServer, condition: str) -> None:
    add_goal(server, "lead", condition)
    found = conversion_status(
        server, upload_conversions(server, HEADER + line(target="lead") + line(target="A goal"))["id"]
    )

    assert (found["goal_not_found_quantity"], found["status"]) == (2, "PROCESSED")
    (note,) = server.client.uploads(kind="conversions")[0]["sandbox_notes"]
    assert (note["kind"], note["examples"]) == ("unknown_goals", ["A goal", "lead"])


@pytest.mark.parametrize("upload_id", ["5000000009", "0", "-1", "abc", "9" * 40])
def test_unknown_upload_id(server: SandboxServer, upload_id: str) -> None:
    response = requests.get(conversions_url(server, f"uploading/{upload_id}"), headers=HEADERS, timeout=30)

    assert response.status_code == 400
    assert response.json() == {
        "errors": [{"error_type": "invalid_parameter", "message": "No object with specified ID."}],
        "code": 400,
        "message": "No object with specified ID.",
    }


def test_upload_of_another_counter_is_unknown(server: SandboxServer) -> None:
    found = send_conversions(server, HEADER + line(), counter="103").json()["uploading"]

    response = requests.get(conversions_url(server, f"uploading/{found['id']}"), headers=HEADERS, timeout=30)
    assert response.status_code == 400
    assert found["goal_not_found_quantity"] == 0
    own = requests.get(conversions_url(server, f"uploading/{found['id']}", "103"), headers=HEADERS, timeout=30).json()
    assert own["uploading"]["goal_not_found_quantity"] == 1


def test_list_of_uploads(server: SandboxServer) -> None:
    sent = [upload_conversions(server, HEADER + line(number), comment=str(number))["id"] for number in range(3)]
    upload_conversions(server, HEADER + line(9), type="CALLS")

    def ids(**query: str) -> list[int]:
        response = requests.get(conversions_url(server, "uploadings"), params=query, headers=HEADERS, timeout=30)
        return [found["id"] for found in response.json()["uploadings"]]

    assert ids(type="BASIC") == sent[::-1]
    assert ids(limit="2", offset="1") == sent[1::-1]
    assert ids() == sent[::-1]
    assert len(ids(type="CALLS")) == 1
    for query in ({"limit": "0"}, {"offset": "-1"}, {"type": "ALL"}):
        response = requests.get(conversions_url(server, "uploadings"), params=query, headers=HEADERS, timeout=30)
        assert refused(response)[0] == "invalid_parameter"


def test_upload_that_was_answered_with_an_error_is_found_in_the_list(server: SandboxServer) -> None:
    server.client.add_fault(path="offline_conversions/upload$", moment="after", action="answer", preset="timeout")
    assert send_conversions(server, HEADER + line(), comment="marker7").status_code == 504

    (found,) = requests.get(conversions_url(server, "uploadings"), headers=HEADERS, timeout=30).json()["uploadings"]
    assert found["comment"] == "marker7"
