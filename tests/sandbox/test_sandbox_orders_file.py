# SPDX-License-Identifier: Apache-2.0
"""Which simple_orders files and requests the sandbox takes, and how it refuses the others."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings

HEADER = "id,create_date_time,client_uniq_id,client_ids,emails,phones,order_status,revenue,cost,goals,currency"
GOOD = (
    'A-1,2025-03-04 15:20:00,C-7,1700000000123456789,"a@x.example,b@x.example",79990000000,PAID,1500.50,,"g:300,h",RUB'
)

# The vendor's own sample: https://yandex.ru/dev/metrika/ru/data-import/simple-orders-prep
VENDOR_SAMPLE = """\
id,create_date_time,client_uniq_id,client_ids,emails,phones,order_status,revenue,cost,goals,currency
s_ord1,10.01.2024 11:56,s_user1,,"mail@example.com,mail2@example.com",,PAID,200,150,"oplata_cash:200,filial_1",
s_ord2,20.01.2024 11:59,,12345,mail3@example.com,,,200,150,,EUR
,12.02.2024,,34456,,79876543210,SPAM,,,plohoy_lead,
"""


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxServer]:
    with SandboxServer(
        SandboxSettings(processing_seconds=0, max_reported_errors=5, max_upload_bytes=100_000)
    ) as server:
        yield server


@pytest.fixture
def server(running: SandboxServer) -> SandboxServer:
    running.client.reset()
    return running


def send(server: SandboxServer, content: str | bytes, **query: str) -> requests.Response:
    return requests.post(
        f"{server.url}/cdp/api/v1/counter/101/data/simple_orders",
        params={"merge_mode": "SAVE", **query},
        headers={"Authorization": "OAuth sandbox-token"},
        files={"file": ("data.csv", content, "text/csv")},
        timeout=30,
    )


def uploading(response: requests.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()["uploading"]
    return found


def assert_refused(response: requests.Response, error_type: str, location: str | None = None) -> None:
    body = response.json()
    assert (response.status_code, body["code"]) == (400, 400)
    assert body["errors"][0]["error_type"] == error_type
    assert body["errors"][0]["message"] == body["message"]
    assert body["errors"][0].get("location") == location


def test_vendor_sample_passes_unchanged(server: SandboxServer) -> None:
    answer = uploading(send(server, VENDOR_SAMPLE))

    assert answer["api_validation_status"] == "PASSED"
    assert answer["elements_count"] == 3
    assert "api_validation_errors" not in answer
    first, second, third = server.client.orders(101)
    assert first["emails"] == ["mail@example.com", "mail2@example.com"]
    assert first["goals"] == ["oplata_cash:200", "filial_1"]
    assert first["create_date_time"] == "2024-01-10 11:56:00"
    assert (first["revenue"], first["cost"], first["currency"]) == ("200", "150", "RUB")
    assert (second["order_status"], second["currency"]) == ("PAID", "EUR")
    assert (third["id"], third["create_date_time"], third["order_status"]) == (None, "2024-02-12", "SPAM")
    notes = {note["kind"]: note for note in server.client.uploads()[0]["sandbox_notes"]}
    assert notes["orders_without_id"]["count"] == 1
    assert notes["unknown_goals"]["examples"] == ["filial_1", "oplata_cash", "plohoy_lead"]


def test_answer_has_the_documented_fields(server: SandboxServer) -> None:
    answer = uploading(send(server, f"{HEADER}\n{GOOD}\n"))

    assert set(answer) == {
        "uploading_id",
        "datetime",
        "api_validation_status",
        "elements_count",
        "entity_type",
        "uploading_format",
        "uploading_source",
    }
    assert (answer["entity_type"], answer["uploading_format"], answer["uploading_source"]) == ("SYSTEM", "CSV", "API")
    assert len(answer["uploading_id"].split("-")) == 5
    assert len(answer["datetime"]) == len("2025-03-04 15:20:00")


def test_semicolon_file_and_windows_line_ends(server: SandboxServer) -> None:
    content = "id;create_date_time;emails\r\nA;2025-03-04;a@x.example,b@x.example\r\n"

    assert uploading(send(server, content, delimiter_type="SEMICOLON"))["api_validation_status"] == "PASSED"
    assert server.client.orders()[0]["emails"] == ["a@x.example", "b@x.example"]


def test_one_bad_row_keeps_the_good_ones_out(server: SandboxServer) -> None:
    content = f"{HEADER}\n{GOOD}\nA-2,2025-03-04,,,,,PAID,1,,,\nA-3,2025-03-04,1\n\n"

    answer = uploading(send(server, content))

    assert answer["api_validation_status"] == "FAILED"
    assert answer["elements_count"] == 4
    assert [error.split(":")[0] for error in answer["api_validation_errors"]] == ["line 3", "line 4", "line 5"]
    assert "client_ids" in answer["api_validation_errors"][0]
    assert server.client.orders() == []
    assert server.client.summary()["orders"] == 0


def test_line_numbers_count_lines_inside_quotes(server: SandboxServer) -> None:
    content = 'id,create_date_time,client_ids\n"two\nlines",2025-03-04,1\nB,bad,1\n'

    (error,) = uploading(send(server, content))["api_validation_errors"]

    assert error.startswith("line 4, column create_date_time")


def test_errors_beyond_the_limit_are_counted(server: SandboxServer) -> None:
    content = "create_date_time,client_ids\n" + "bad,1\n" * 12

    errors = uploading(send(server, content))["api_validation_errors"]

    assert len(errors) == 6
    assert errors[-1] == "and 7 more errors"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"create_date_time,client_ids\n", id="no rows"),
        pytest.param(b"\xef\xbb\xbfcreate_date_time,client_ids\n2025-03-04,1\n", id="byte order mark"),
        pytest.param("create_date_time,client_ids,id\n2025-03-04,1,заказ\n".encode("cp1251"), id="cp1251"),
        pytest.param(b"create_date_time,client_ids,products\n2025-03-04,1,x\n", id="unknown column"),
        pytest.param(b"Create_Date_Time,client_ids\n2025-03-04,1\n", id="capitals in a column"),
        pytest.param(b"create_date_time, client_ids\n2025-03-04,1\n", id="space in a column"),
        pytest.param(b"create_date_time,client_ids,client_ids\n2025-03-04,1,1\n", id="repeated column"),
        pytest.param(b"id,client_ids\nA,1\n", id="no date column"),
        pytest.param(b"id,create_date_time\nA,2025-03-04\n", id="no identifier column"),
        pytest.param(b"create_date_time;client_ids\n2025-03-04;1\n", id="other delimiter"),
        pytest.param(b'create_date_time,client_ids\n"2025-03-04"x,1\n', id="broken quoting"),
        pytest.param(b'create_date_time,client_ids\n"2025-03-04,1\n', id="open quote"),
        pytest.param(b"create_date_time,client_ids\n" + b"2025-03-04,1\n" * 8000, id="over the size limit"),
    ],
)
def test_shapeless_file_is_refused_whole(server: SandboxServer, content: bytes) -> None:
    assert_refused(send(server, content), "invalid_uploading", "file")
    assert server.client.uploads() == []
    assert server.client.orders() == []


def test_header_less_file_does_not_put_a_customer_into_the_message(server: SandboxServer) -> None:
    response = send(server, "A-1,2025-03-04,ivan@x.example\n")

    assert_refused(response, "invalid_uploading", "file")
    assert "ivan" not in response.text


@pytest.mark.parametrize(
    ("query", "error_type", "location"),
    [
        ({"merge_mode": ""}, "missing_parameter", "merge_mode"),
        ({"merge_mode": "save"}, "invalid_parameter", "merge_mode"),
        ({"merge_mode": "REPLACE"}, "invalid_parameter", "merge_mode"),
        ({"delimiter_type": ";"}, "invalid_parameter", "delimiter_type"),
    ],
)
def test_parameters_are_checked(server: SandboxServer, query: dict[str, str], error_type: str, location: str) -> None:
    assert_refused(send(server, f"{HEADER}\n{GOOD}\n", **query), error_type, location)


@pytest.mark.parametrize(
    "request_parts",
    [
        pytest.param({"files": {"data": ("data.csv", GOOD)}}, id="other part name"),
        pytest.param({"files": {"file": (None, GOOD)}}, id="no file name"),
        pytest.param({"data": GOOD, "headers": {"Content-Type": "text/csv"}}, id="not multipart"),
        pytest.param({}, id="no body"),
    ],
)
def test_missing_file_part(server: SandboxServer, request_parts: dict[str, Any]) -> None:
    headers = {"Authorization": "OAuth sandbox-token", **request_parts.pop("headers", {})}
    response = requests.post(
        f"{server.url}/cdp/api/v1/counter/101/data/simple_orders",
        params={"merge_mode": "SAVE"},
        headers=headers,
        timeout=30,
        **request_parts,
    )

    assert_refused(response, "missing_parameter", "file")


def test_multipart_without_boundary(server: SandboxServer) -> None:
    response = requests.post(
        f"{server.url}/cdp/api/v1/counter/101/data/simple_orders?merge_mode=SAVE",
        headers={"Authorization": "OAuth sandbox-token", "Content-Type": "multipart/form-data"},
        data=GOOD,
        timeout=30,
    )

    assert_refused(response, "invalid_uploading")
