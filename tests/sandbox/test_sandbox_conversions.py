# SPDX-License-Identifier: Apache-2.0
"""Offline conversions: which files and lines are kept, and what a repeated one does."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

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


@pytest.mark.parametrize(
    "bad",
    [
        f"1.7E+18,,,,paid,{PAST},,",
        f"-1,,,,paid,{PAST},,",
        f",,x,,paid,{PAST},,",
        f"1,,,,,{PAST},,",
        "1,,,,paid,,,",
        "1,,,,paid,2025-03-04 15:20:00,,",
        "1,,,,paid,-5,,",
        f"1,,,,paid,{PAST}000,,",
        f"1,,,,paid,{PAST}.5,,",
        "1,,,,paid,{future},,",
        f'1,,,,paid,{PAST},"10,50",',
        f"1,,,,paid,{PAST},-1,",
        f"1,,,,paid,{PAST},ten,",
        f"1,,,,paid,{PAST},10,rub",
        f"1,,,,paid,{PAST},10,RU",
        f"1,,,,a/b,{PAST},,",
        f"1,,,,paid,{PAST}",
    ],
)
def test_bad_line_is_dropped_and_the_rest_kept(server: SandboxServer, bad: str) -> None:
    answer = upload_conversions(server, HEADER + line(1) + bad.format(future=int(time.time()) + 3600) + "\n" + line(2))

    assert (answer["source_quantity"], answer["line_quantity"]) == (3, 2)
    assert [found["ClientId"] for found in server.client.conversions()] == ["1", "2"]
    (error,) = server.client.uploads(kind="conversions")[0]["line_errors"]
    assert error.startswith("line 3")
    assert "1.7E+18" not in error


def test_file_without_a_good_line(server: SandboxServer) -> None:
    answer = upload_conversions(server, HEADER + ",,,,,,,\n" * 5)

    assert (answer["source_quantity"], answer["line_quantity"]) == (5, 0)
    assert conversion_status(server, answer["id"])["status"] == "LINKAGE_FAILURE"
    assert len(server.client.uploads(kind="conversions")[0]["line_errors"]) == 4


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(HEADER.encode(), id="no lines"),
        pytest.param(b"\xef\xbb\xbfClientId,Target,DateTime\n1,paid,1\n", id="byte order mark"),
        pytest.param("ClientId,Target,DateTime\n1,оплата,1\n".encode("cp1251"), id="cp1251"),
        pytest.param(b"ClientID,Target,DateTime\n1,paid,1\n", id="other spelling"),
        pytest.param(b"ClientId, Target,DateTime\n1,paid,1\n", id="space in a column"),
        pytest.param(b"ClientId;Target;DateTime\n1;paid;1\n", id="other delimiter"),
        pytest.param(b"ClientId,DateTime\n1,1\n", id="no target"),
        pytest.param(b"ClientId,Target\n1,paid\n", id="no time"),
        pytest.param(b"1,paid,1\n2,paid,1\n", id="no header"),
        pytest.param(b"ClientId,Target,DateTime\n" + b"1,paid,1\n" * 20_000, id="over the size limit"),
    ],
)
def test_shapeless_file_is_refused_whole(server: SandboxServer, content: bytes) -> None:
    assert refused(send_conversions(server, content)) == ("invalid_uploading", "file")
    assert server.client.uploads(kind="conversions") == server.client.conversions() == []


@pytest.mark.parametrize(
    ("query", "location"),
    [
        ({"comment": "x" * 256}, "comment"),
        ({"comment": "two words"}, "comment"),
        ({"comment": "a-b"}, "comment"),
        ({"type": "basic"}, "type"),
        ({"client_id_type": "PURCHASE_ID"}, "client_id_type"),
    ],
)
def test_parameters_are_checked(server: SandboxServer, query: dict[str, str], location: str) -> None:
    assert refused(send_conversions(server, HEADER + line(), **query)) == ("invalid_parameter", location)


def test_legacy_client_id_type(server: SandboxServer) -> None:
    content = f"Yclid,Target,DateTime\n1,paid,{PAST}\n"

    assert upload_conversions(server, content)["client_id_type"] == "YCLID"
    assert upload_conversions(server, content, client_id_type="YCLID")["client_id_type"] == "YCLID"
    assert upload_conversions(server, HEADER + line(), client_id_type="USER_ID")["client_id_type"] == "USER_ID"
    assert refused(send_conversions(server, content, client_id_type="CLIENT_ID"))[0] == "invalid_uploading"


def test_repeated_row_overwrites_the_revenue(server: SandboxServer) -> None:
    first = upload_conversions(
        server, HEADER + line(1, price="100", currency="RUB") + line(2, price="5", currency="RUB")
    )
    second = upload_conversions(server, HEADER + line(1, price="250.10", currency="EUR") + line(1))

    again, once = server.client.conversions()
    assert (again["Price"], again["Currency"], again["times_received"]) == ("250.10", "EUR", 3)
    assert (once["Price"], once["times_received"]) == ("5", 1)
    assert again["upload_ids"] == [first["id"], second["id"]]
    notes = {note["kind"]: note["count"] for note in server.client.uploads(kind="conversions")[0]["sandbox_notes"]}
    assert notes == {"repeated_rows": 2}
    summary = server.client.summary()["kinds"]["conversions"]
    assert (summary["conversions"], summary["rows_received"], summary["conversions_received_more_than_once"]) == (
        2,
        4,
        1,
    )
    assert summary["revenue"] == {"EUR": "250.10", "RUB": "5"}


def test_every_row_that_came_stands_as_an_effect(server: SandboxServer) -> None:
    uploads = [
        upload_conversions(server, HEADER + line(1, price=price, currency="RUB")) for price in ("100", "100", "7")
    ]

    (found,) = server.client.conversions()
    assert [(effect["upload_id"], effect["Price"]) for effect in found["effects"]] == [
        (uploads[0]["id"], "100"),
        (uploads[1]["id"], "100"),
        (uploads[2]["id"], "7"),
    ]
    moments = [datetime.fromisoformat(effect["received_at"]) for effect in found["effects"]]
    assert moments == sorted(moments)
    assert (datetime.now(UTC) - moments[0]).total_seconds() < 600
    summary = server.client.summary(101)["kinds"]["conversions"]
    assert (summary["revenue"], summary["revenue_received"]) == ({"RUB": "7"}, {"RUB": "207"})


@pytest.mark.parametrize("content", [HEADER + f",,,,paid,{PAST},,\n" + line(1), f"Target,DateTime\npaid,{PAST}\n"])
def test_rows_without_identifier_are_taken_and_not_attributed(server: SandboxServer, content: str) -> None:
    rows = content.count("\n") - 1
    answer = upload_conversions(server, content)

    assert answer["line_quantity"] == rows
    found = conversion_status(server, answer["id"])
    assert (found["user_not_found_quantity"], found["linked_quantity"]) == (1, rows - 1)
    assert found["status"] == ("PROCESSED" if rows > 1 else "LINKAGE_FAILURE")
    (note,) = server.client.uploads(kind="conversions")[0]["sandbox_notes"]
    assert (note["kind"], note["count"]) == ("rows_without_identifiers", 1)


def test_chats_need_no_target(server: SandboxServer) -> None:
    answer = upload_conversions(server, f"ClientId,DateTime\n1,{PAST}\n", type="CHATS")

    found = conversion_status(server, answer["id"])
    assert (found["type"], found["linked_quantity"], found["goal_not_found_quantity"]) == ("CHATS", 1, 0)
    listed = requests.get(conversions_url(server, "uploadings"), headers=HEADERS, timeout=30).json()["uploadings"]
    assert listed == []  # the list is that of BASIC ones where nothing is said


def test_uploads_with_another_end_than_they_began(server: SandboxServer) -> None:
    server.client.change_settings(uploads_fail_later=True)
    failing = upload_conversions(server, HEADER + line(1))
    server.client.change_settings(uploads_fail_later=False, uploads_never_listed=True)
    unlisted = upload_conversions(server, HEADER + line(2))
    server.client.change_settings(uploads_never_listed=False, listing_lag_seconds=3600)
    late = upload_conversions(server, HEADER + line(3))
    server.client.change_settings(listing_lag_seconds=0)

    assert {answer["status"] for answer in (failing, unlisted, late)} == {"UPLOADED"}
    assert conversion_status(server, failing["id"])["status"] == "LINKAGE_FAILURE"
    assert [found["ClientId"] for found in server.client.conversions()] == ["2", "3"]
    listed = requests.get(conversions_url(server, "uploadings"), headers=HEADERS, timeout=30).json()["uploadings"]
    assert [each["id"] for each in listed] == [failing["id"]]
    for answer in (unlisted, late):
        unknown = requests.get(conversions_url(server, f"uploading/{answer['id']}"), headers=HEADERS, timeout=30)
        assert refused(unknown) == ("invalid_parameter", None)


def test_other_identifier_target_or_time_is_another_conversion(server: SandboxServer) -> None:
    rows = [
        line(1),
        line(2),
        line(1, "other"),
        f"1,,,,paid,{PAST + 1},,\n",
        f"1,u,,,paid,{PAST},,\n",
        f",,1,,paid,{PAST},,\n",
    ]
    upload_conversions(server, HEADER + "".join(rows))

    assert [found["times_received"] for found in server.client.conversions()] == [1] * len(rows)


def test_unsupported_currency_takes_the_price_along(server: SandboxServer) -> None:
    upload_conversions(server, HEADER + line(1, price="100", currency="XXA"))

    (found,) = server.client.conversions()
    assert (found["Price"], found["Currency"]) == (None, None)
    (note,) = server.client.uploads(kind="conversions")[0]["sandbox_notes"]
    assert (note["kind"], note["count"]) == ("unsupported_currency", 1)


def test_rights(server: SandboxServer) -> None:
    reader = {"Authorization": "OAuth sandbox-read-token"}
    files = {"file": ("data.csv", HEADER + line())}

    assert requests.post(conversions_url(server, "upload"), headers=reader, files=files, timeout=30).status_code == 403
    assert send_conversions(server, HEADER + line(), counter="102").status_code == 403
    assert requests.get(conversions_url(server, "uploadings"), headers=reader, timeout=30).status_code == 200
    assert refused(requests.post(conversions_url(server, "upload"), headers=HEADERS, timeout=30)) == (
        "missing_parameter",
        "file",
    )
