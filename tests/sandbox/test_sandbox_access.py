# SPDX-License-Identifier: Apache-2.0
"""Tokens, rights, counters and the list of uploads."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import requests

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings

FILE = "id,create_date_time,client_ids\nA,2025-03-04,1\n"
HEADERS = {"Authorization": "OAuth sandbox-token"}
UPLOAD = "/cdp/api/v1/counter/{}/data/simple_orders?merge_mode=SAVE"
LAST = "/cdp/api/v1/counter/{}/last_uploadings"
COUNTER = "/management/v1/counter/{}"
GOALS = "/management/v1/counter/{}/goals"


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxServer]:
    with SandboxServer(SandboxSettings(processing_seconds=0, timezone="Europe/Berlin")) as server:
        yield server


@pytest.fixture
def server(running: SandboxServer) -> SandboxServer:
    running.client.reset()
    return running


def get(server: SandboxServer, path: str, token: str | None = "OAuth sandbox-token", **query: str) -> requests.Response:
    headers = {} if token is None else {"Authorization": token}
    return requests.get(server.url + path, headers=headers, params=query, timeout=30)


def send(server: SandboxServer, counter: object = 101, token: str = "OAuth sandbox-token") -> requests.Response:
    return requests.post(
        server.url + UPLOAD.format(counter),
        headers={"Authorization": token},
        files={"file": ("data.csv", FILE, "text/csv")},
        timeout=30,
    )


def error_of(response: requests.Response) -> tuple[int, str]:
    body = response.json()
    assert body["code"] == response.status_code
    assert body["message"] == body["errors"][0]["message"]
    return response.status_code, body["errors"][0]["error_type"]


@pytest.mark.parametrize("path", [COUNTER.format(101), "/management/v1/counters", GOALS.format(101), LAST.format(101)])
@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (None, (401, "unauthorized")),
        ("Bearer sandbox-token", (401, "unauthorized")),
        ("OAuthsandbox-token", (401, "unauthorized")),
        ("OAuth  sandbox-token", (403, "invalid_token")),
        ("OAuth another", (403, "invalid_token")),
    ],
)
def test_token_is_needed(server: SandboxServer, path: str, token: str | None, expected: tuple[int, str]) -> None:
    assert error_of(get(server, path, token)) == expected


@pytest.mark.parametrize("name", ["oauth_token", "access_token"])
def test_a_token_in_the_address_is_none(server: SandboxServer, name: str) -> None:
    assert error_of(get(server, COUNTER.format(101), None, **{name: "sandbox-token"})) == (401, "unauthorized")
    assert "sandbox-token" not in str(server.client.requests())


def test_bad_token_has_the_observed_body(server: SandboxServer) -> None:
    assert get(server, COUNTER.format(101), "OAuth another").json() == {
        "errors": [{"error_type": "invalid_token", "message": "Invalid oauth_token"}],
        "code": 403,
        "message": "Invalid oauth_token",
    }


def test_read_token_reads_and_does_not_write(server: SandboxServer) -> None:
    read = "OAuth sandbox-read-token"

    assert get(server, COUNTER.format(101), read).status_code == 200
    assert get(server, LAST.format(101), read).status_code == 200
    assert error_of(send(server, token=read)) == (403, "access_denied")
    created = requests.post(server.url + GOALS.format(101), headers={"Authorization": read}, json={}, timeout=30)
    assert error_of(created) == (403, "access_denied")
    assert server.client.uploads() == []


@pytest.mark.parametrize(
    ("counter", "reading", "writing"),
    [
        ("101", None, None),
        ("103", None, None),
        ("102", None, (403, "access_denied")),
        ("104", (403, "access_denied"), (403, "access_denied")),
        ("999", (404, "not_found"), (404, "not_found")),
        ("abc", (400, "invalid_parameter"), (400, "invalid_parameter")),
        ("99999999999", (400, "invalid_parameter"), (400, "invalid_parameter")),
    ],
)
def test_rights_to_counters(
    server: SandboxServer, counter: str, reading: tuple[int, str] | None, writing: tuple[int, str] | None
) -> None:
    for path in (COUNTER, GOALS, LAST):
        response = get(server, path.format(counter))
        assert response.status_code == 200 if reading is None else error_of(response) == reading
    response = send(server, counter)
    assert response.status_code == 200 if writing is None else error_of(response) == writing


def test_large_refused_upload_still_gets_its_answer(server: SandboxServer) -> None:
    response = requests.post(
        server.url + UPLOAD.format(102),
        headers={"Authorization": "OAuth sandbox-token"},
        files={"file": ("data.csv", b"x" * 20_000_000, "text/csv")},
        timeout=60,
    )

    assert error_of(response) == (403, "access_denied")
    assert server.client.requests()[0]["request_bytes"] > 20_000_000


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/management/v1/nothing", (404, "not_found")),
        ("POST", "/no/such/root", (404, "not_found")),
        ("POST", "/cdp/api/v1/counter/101/data/orders?merge_mode=SAVE", (404, "not_found")),
        ("GET", UPLOAD.format(101), (405, "method_not_allowed")),
        ("OPTIONS", "/management/v1/counters", (405, "method_not_allowed")),
        ("PUT", "/stat/v1/data", (405, "method_not_allowed")),
    ],
)
def test_unknown_path_or_method_is_answered_in_shape(
    server: SandboxServer, method: str, path: str, expected: tuple[int, str]
) -> None:
    response = requests.request(method, server.url + path, headers=HEADERS, timeout=30)

    assert error_of(response) == expected
    assert response.json()["code"] == expected[0]


def test_head_is_a_get_without_its_body(server: SandboxServer) -> None:
    url = f"{server.url}/management/v1/counter/101"
    head, whole = (requests.request(method, url, headers=HEADERS, timeout=30) for method in ("HEAD", "GET"))

    assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", str(len(whole.content)))
    assert requests.head(f"{server.url}/management/v1/counter/104", headers=HEADERS, timeout=30).status_code == 403


def test_older_paths_end_in_json(server: SandboxServer) -> None:
    for path in ("/management/v1/counters", "/management/v1/counter/101", "/management/v1/counter/101/goals"):
        assert get(server, f"{path}.json").json() == get(server, path).json()


def test_a_missing_right_has_the_observed_text(server: SandboxServer) -> None:
    assert get(server, "/management/v1/counter/104").json()["message"] == "Access is denied"


def test_counter_object(server: SandboxServer) -> None:
    counter = get(server, COUNTER.format(101)).json()["counter"]
    assert (counter["id"], counter["name"], counter["permission"]) == (101, "Demo shop", "own")
    assert counter["time_zone_name"] == "Europe/Berlin"
    assert counter["status"] == "Active"
    assert counter["time_zone_offset"] in {60, 120}
    assert "goals" not in counter
    assert "counter_flags" not in counter

    east = get(server, COUNTER.format(103), field="goals,counter_flags").json()["counter"]
    assert east["time_zone_name"] == "Asia/Vladivostok"
    assert east["goals"] == []
    assert east["counter_flags"]["collect_first_party_data"] is True
    assert error_of(get(server, COUNTER.format(101), field="goals, grants")) == (400, "invalid_parameter")


@pytest.mark.parametrize(
    ("query", "rows", "ids"),
    [
        ({}, 3, [101, 102, 103]),
        ({"per_page": "1"}, 3, [101]),
        ({"per_page": "2", "offset": "2"}, 3, [102, 103]),
        ({"offset": "0", "per_page": "1"}, 3, [101]),
        ({"offset": "4"}, 3, []),
        ({"permission": "own"}, 2, [101, 103]),
        ({"permission": "own,view"}, 3, [101, 102, 103]),
        ({"search_string": "FAR east"}, 1, [103]),
        ({"search_string": "partner.example"}, 1, [102]),
        ({"counter_ids": "103,104,999"}, 1, [103]),
        ({"status": "Deleted"}, 0, []),
    ],
)
def test_counter_list(server: SandboxServer, query: dict[str, str], rows: int, ids: list[int]) -> None:
    body = get(server, "/management/v1/counters", **query).json()

    assert body["rows"] == rows
    assert [counter["id"] for counter in body["counters"]] == ids


@pytest.mark.parametrize(
    "query", [{"per_page": "0"}, {"offset": "-1"}, {"permission": "owner"}, {"counter_ids": "a"}, {"per_page": "x"}]
)
def test_counter_list_parameters(server: SandboxServer, query: dict[str, str]) -> None:
    assert error_of(get(server, "/management/v1/counters", **query)) == (400, "invalid_parameter")


def test_uploads_are_listed_newest_first_per_counter(server: SandboxServer) -> None:
    sent = [send(server).json()["uploading"] for _ in range(12)]
    send(server, 103)

    listed = get(server, LAST.format(101)).json()["uploadings"]
    assert listed == sent[::-1][:10]
    assert len(get(server, LAST.format(101), limit="1000", source="API").json()["uploadings"]) == 12
    assert len(get(server, LAST.format(101), limit="1").json()["uploadings"]) == 1


def test_failed_upload_is_listed_with_its_errors(server: SandboxServer) -> None:
    requests.post(
        server.url + UPLOAD.format(101),
        headers={"Authorization": "OAuth sandbox-token"},
        files={"file": ("data.csv", FILE.replace("2025-03-04", "yesterday"))},
        timeout=30,
    )

    (listed,) = get(server, LAST.format(101)).json()["uploadings"]
    assert listed["api_validation_status"] == "FAILED"
    assert len(listed["api_validation_errors"]) == 1


def test_upload_is_listed_only_after_its_processing_time(server: SandboxServer) -> None:
    server.client.change_settings(processing_seconds=3600)
    send(server)

    assert get(server, LAST.format(101)).json() == {"uploadings": []}
    assert server.client.uploads()[0]["listed"] is False
    assert len(server.client.orders()) == 1

    server.client.change_settings(processing_seconds=0)
    assert len(get(server, LAST.format(101)).json()["uploadings"]) == 1
    assert server.client.uploads()[0]["listed"] is True


@pytest.mark.parametrize("at_once", [True, False])
def test_an_answer_has_the_final_status_or_none_yet(server: SandboxServer, at_once: bool) -> None:
    server.client.change_settings(uploads_judged_at_once=at_once)
    assert send(server).json()["uploading"].get("api_validation_status") == ("PASSED" if at_once else None)
    assert get(server, LAST.format(101)).json()["uploadings"][0]["api_validation_status"] == "PASSED"


@pytest.mark.parametrize(("counter", "zone"), [(101, "Europe/Berlin"), (103, "Asia/Vladivostok")])
def test_upload_time_is_counter_time(server: SandboxServer, counter: int, zone: str) -> None:
    text = send(server, counter).json()["uploading"]["datetime"]

    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", text)
    now = datetime.now(ZoneInfo(zone)).replace(tzinfo=None)
    assert abs(now - datetime.fromisoformat(text)) < timedelta(minutes=1)


def test_offset_is_strict_and_takes_both_forms(server: SandboxServer) -> None:
    moment = datetime.fromisoformat(send(server).json()["uploading"]["datetime"])
    later = moment + timedelta(seconds=1)
    zoned = later.replace(tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)

    def found(offset: str) -> int:
        return len(get(server, LAST.format(101), datetime_offset=offset).json()["uploadings"])

    assert found(str(moment)) == 0
    assert found(str(later)) == 1
    assert found(zoned.strftime("%Y-%m-%dT%H:%M:%S.000Z")) == 1
    assert found((zoned - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S.000Z")) == 0


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "1001"},
        {"limit": "-1"},
        {"limit": "ten"},
        {"source": "FILE"},
        {"datetime_offset": "2020-02-10"},
        {"datetime_offset": "2020-02-31 10:00:00"},
        {"datetime_offset": "2020-02-10T10:00:00+03:00"},
        {"datetime_offset": "1581321600"},
        {"datetime_offset": ""},
    ],
)
def test_last_uploadings_parameters(server: SandboxServer, query: dict[str, str]) -> None:
    assert error_of(get(server, LAST.format(101), **query)) == (400, "invalid_parameter")
