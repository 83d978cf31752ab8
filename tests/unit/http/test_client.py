# SPDX-License-Identifier: Apache-2.0
"""The client against a real server that fails in every way there is."""

from __future__ import annotations

import gzip
import socket
import traceback
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.exceptions import (
    ConfigurationError,
    PassingError,
    PermanentError,
    QuotaExceeded,
    ServiceRefused,
    ServiceUnavailable,
)
from airflow_provider_yandex_orders.http import answers
from airflow_provider_yandex_orders.http import client as client_module
from airflow_provider_yandex_orders.http.client import LONGEST_PAUSE, ServiceClient
from airflow_provider_yandex_orders.metrica.api import read_failure
from tests.unit.http.scripted_server import Reply, ScriptedServer, error_reply, json_reply

TOKEN = "y0_AgAAAASecretToken"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
PATH = "/cdp/api/v1/counter/1/data/simple_orders"
pytestmark = pytest.mark.usefixtures("naps")


def client_of(url: str, **changes: Any) -> ServiceClient:
    settings: dict[str, Any] = {"attempts": 3, "timeout": (2.0, 5.0), **changes}
    headers = {"Authorization": f"OAuth {TOKEN}"}
    return ServiceClient(service="Yandex Metrica", base_url=url, headers=headers, read_failure=read_failure, **settings)


@pytest.fixture
def client(server: ScriptedServer) -> ServiceClient:
    return client_of(server.url)


def failure(client: ServiceClient, method: str = "POST", **arguments: Any) -> PermanentError | PassingError:
    try:
        client.call(method, PATH, doing="Upload part-00001.csv", **arguments)
    except (PermanentError, PassingError) as error:
        caught: PermanentError | PassingError = error
    else:
        raise AssertionError("the call went through")
    assert str(caught).startswith("Upload part-00001.csv: ")
    assert TOKEN not in "".join(traceback.format_exception(caught)) + repr(caught)
    return caught


def test_a_good_request(server: ScriptedServer, client: ServiceClient) -> None:
    server.script(json_reply({"Ж": [1]}))
    answer = client.call("POST", "/p", doing="x", params={"a": "1", "b": None, "c": "я"}, json={"q": "ж"})
    assert answer == {"Ж": [1]}
    (seen,) = server.seen
    assert (seen.method, seen.path) == ("POST", "/p?a=1&c=%D1%8F")
    assert seen.body.decode() == '{"q":"ж"}'
    assert seen.headers["Content-Type"] == "application/json"
    assert seen.headers["Authorization"] == f"OAuth {TOKEN}"
    assert seen.headers["User-Agent"].startswith("airflow-provider-yandex-orders/")


def test_a_path_prefix_of_the_host(server: ScriptedServer) -> None:
    server.script(json_reply({}))
    client_of(f"{server.url}/metrica/").call("GET", "/p", doing="x")
    assert server.seen[0].path == "/metrica/p"


# error_type, its documented status, class, error_type again in the message
PERMANENT = [
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
]
PASSING = [
    ("backend_error", 503),
    ("timeout", 504),
    ("quota_requests_by_ip", 429),
    ("quota_requests_by_ip", 420),
    ("quota_requests_by_ip", 403),
    ("quota_parallel_requests", 429),
    ("quota_parallel_requests", 420),
    (None, 420),
    (None, 429),
    (None, 500),
    (None, 503),
    (None, 504),
    ("unheard_of", 500),
]
QUOTA = [
    (word, status)
    for word in (
        "quota_requests_by_uid",
        "quota_requests_by_counter_id",
        "quota_delegate_requests",
        "quota_grants_requests",
    )
    for status in (429, 420, 403)
]


def told(error: Exception, status: int, error_type: str | None) -> None:
    message = str(error)
    named = f" ({error_type})" if error_type else ""
    assert f"Yandex Metrica answered {status}{named} to POST {PATH}: The words of the service. " in message
    answer = getattr(error, "answer", None)
    assert answer is not None
    assert (answer.method, answer.path, answer.http_status, answer.error_type) == ("POST", PATH, status, error_type)


@pytest.mark.parametrize(("error_type", "status"), PERMANENT)
def test_permanent_errors_fail_at_once(
    server: ScriptedServer, client: ServiceClient, error_type: str, status: int
) -> None:
    server.script(error_reply(status, error_type, "The words of the service."))
    error = failure(client)
    assert type(error) is ServiceRefused
    told(error, status, error_type)
    assert len(server.seen) == 1


@pytest.mark.parametrize(("error_type", "status"), PASSING)
def test_passing_errors_are_tried_again(
    server: ScriptedServer, client: ServiceClient, error_type: str | None, status: int, naps: list[float]
) -> None:
    server.script(error_reply(status, error_type, "The words of the service."))
    error = failure(client)
    assert type(error) is ServiceUnavailable
    assert error.retry_after is None
    told(error, status, error_type)
    assert len(server.seen) == client.attempts == 3
    assert [1 <= nap <= 35 for nap in naps] == [True, True]
    assert ("3 tries got no better answer: if other requests pass, it may be this request" in str(error)) == (
        status >= 500
    )

    server.script(error_reply(status, error_type, "x"), json_reply({"ok": 1}))
    assert client.call("POST", PATH, doing="x") == {"ok": 1}


@pytest.mark.parametrize(("error_type", "status"), QUOTA)
def test_long_quotas_are_left_to_airflow(
    server: ScriptedServer, client: ServiceClient, error_type: str, status: int, naps: list[float]
) -> None:
    server.script(error_reply(status, error_type, "The words of the service."))
    now = datetime.now(UTC)
    error = failure(client)
    if now.minute == 59:
        pytest.skip("the hour is about to end: the wait is short enough to be made at once")
    assert type(error) is QuotaExceeded
    told(error, status, error_type)
    assert error.retry_after is not None
    if "requests_by" in error_type:
        midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        assert timedelta(0) <= now + timedelta(seconds=error.retry_after) - midnight <= timedelta(minutes=2)
        assert f"{midnight:%Y-%m-%d} 00:0" in str(error)
    else:
        assert error.retry_after <= 3660
    assert (len(server.seen), naps) == (1, [])


@pytest.mark.parametrize(("seconds", "requests"), [("7", 3), ("0", 3), ("60", 3), ("61", 1), ("90000", 1)])
@pytest.mark.parametrize(("status", "error_type"), [(429, "quota_requests_by_ip"), (503, "backend_error")])
def test_retry_after(
    server: ScriptedServer,
    client: ServiceClient,
    naps: list[float],
    status: int,
    error_type: str,
    seconds: str,
    requests: int,
) -> None:
    server.script(error_reply(status, error_type, "x", Retry_After=seconds))
    error = failure(client)
    assert isinstance(error, ServiceUnavailable)
    assert error.retry_after == float(seconds)
    assert len(server.seen) == requests
    assert naps == [float(seconds)] * (requests - 1)
    assert LONGEST_PAUSE == 60


def test_no_personal_data_in_a_message(server: ScriptedServer, client: ServiceClient) -> None:
    server.script(error_reply(400, "invalid_uploading", "row 3: ivan@example.com +7 (999) 555-11-11 89995551111"))
    message = str(failure(client))
    assert "row 3: <e-mail> <number>" in message
    assert "999" not in message


# --- answers that are none -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 403, 404, 502])
@pytest.mark.parametrize("body", [b"<html>ivan@example.com, log in</html>", b"", b'{"a": '])
def test_html_and_nothing_in_place_of_json(server: ScriptedServer, status: int, body: bytes) -> None:
    server.script(Reply(status, body, {"Content-Type": "text/html"}))
    error = failure(client_of(server.url, attempts=1))
    message = str(error)
    assert str(status) in message
    assert "log in" not in message
    assert "ivan" not in message
    assert isinstance(error, ServiceUnavailable if status in (200, 502) else ServiceRefused)
    if status == 200:
        assert f"{len(body)} bytes of text/html" in message
        assert "a proxy or a login page" in message


def test_json_in_another_encoding(server: ScriptedServer, client: ServiceClient) -> None:
    body = '{"errors": [{"error_type": "access_denied", "message": "Нет доступа"}], "x": "Ж"}'.encode("cp1251")
    server.script(Reply(403, body, {}))
    error = failure(client)
    assert type(error) is ServiceRefused
    assert "answered 403 (access_denied)" in str(error)
    server.script(Reply(200, body, {}))
    error = failure(client)
    assert type(error) is ServiceUnavailable
    assert "that are not JSON" in str(error)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(server: ScriptedServer, client: ServiceClient, status: int) -> None:
    server.script(Reply(status, b"", {"Location": f"{server.url}/elsewhere"}))
    error = failure(client)
    assert type(error) is ServiceRefused
    assert "has moved" in str(error)
    assert [seen.path for seen in server.seen] == [PATH]


# --- no answer -----------------------------------------------------------------------------------------------------


@pytest.fixture
def free_port() -> Iterator[int]:
    """A port that is held and does not listen."""
    with closing(socket.socket()) as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_connection_refused(free_port: int, naps: list[float]) -> None:
    error = failure(client_of(f"http://127.0.0.1:{free_port}"))
    assert isinstance(error, ServiceUnavailable)
    assert not error.maybe_applied
    assert f"127.0.0.1:{free_port} cannot be reached on POST {PATH}" in str(error)
    assert len(naps) == 2


def test_connect_time_out(free_port: int) -> None:
    with closing(socket.socket()) as full:  # a queue of one that is taken: the next one waits
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = []
        for _ in range(3):
            each = socket.socket()
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
            waiting.append(each)
        error = failure(client_of(f"http://127.0.0.1:{port}", attempts=1, timeout=(0.3, 0.3)))
        for each in waiting:
            each.close()
    assert isinstance(error, ServiceUnavailable)
    assert not error.maybe_applied
    assert "cannot be reached" in str(error)


def test_a_name_that_does_not_resolve() -> None:
    error = failure(client_of("https://api-metrika.invalid", attempts=1))
    assert isinstance(error, ServiceUnavailable)
    assert not error.maybe_applied
    assert "api-metrika.invalid has a name that cannot be resolved" in str(error)


@pytest.mark.parametrize("act", ["cut", "half"])
@pytest.mark.parametrize(("method", "maybe"), [("POST", True), ("GET", False)])
def test_connection_cut(server: ScriptedServer, client: ServiceClient, act: str, method: str, maybe: bool) -> None:
    server.script(Reply(act=act))
    error = failure(client, method)
    assert isinstance(error, ServiceUnavailable)
    assert "cut the connection" in str(error)
    assert error.maybe_applied is maybe
    assert len(server.seen) == 3


def test_what_must_not_go_out_twice_takes_no_connection_that_may_just_be_closed(
    server: ScriptedServer, client: ServiceClient
) -> None:
    server.script(Reply(act="last"))
    for _ in range(3):  # each answer is the last on its connection, and the service does not say so
        client.call("POST", PATH, doing="Upload part-00001.csv", json={}, resend=False)
    assert (client.sent, len(server.seen)) == (3, 3)


def test_read_time_out(server: ScriptedServer) -> None:
    server.script(Reply(act="hang"))
    error = failure(client_of(server.url, attempts=1, timeout=(2.0, 0.2)))
    assert isinstance(error, ServiceUnavailable)
    assert "did not answer within 0.2 seconds" in str(error)
    assert error.maybe_applied


def test_tls_where_there_is_none(server: ScriptedServer) -> None:
    error = failure(client_of(server.url.replace("http://", "https://")))
    assert isinstance(error, ConfigurationError)
    assert "speaks plain HTTP" in str(error)
    assert f"write the connection's host as {server.url};" in str(error)


@pytest.mark.parametrize("url", ["ftp://host", "host", "http://", "https://a b", "https://[::1", "http://.host"])
def test_hosts_that_make_no_address(url: str, naps: list[float]) -> None:
    error = failure(client_of(url))
    assert isinstance(error, ConfigurationError)
    assert "https://host[:port]" in str(error)
    assert naps == []


def test_a_login_in_the_host_is_not_told(free_port: int) -> None:
    error = failure(client_of(f"http://user:secret@127.0.0.1:{free_port}", attempts=1))
    assert "secret" not in str(error)


# --- what may go out again -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "requests"),
    [
        (Reply(act="cut"), 1),
        (Reply(act="half"), 1),
        (error_reply(500, None, "x"), 1),
        (error_reply(503, "backend_error", "x"), 1),
        (error_reply(504, "timeout", "x"), 1),
        (Reply(200, b"<html>"), 1),
        (error_reply(429, "quota_requests_by_ip", "x"), 3),  # not taken
        (error_reply(420, "quota_parallel_requests", "x"), 3),
    ],
)
def test_what_would_double_goes_out_once(
    server: ScriptedServer, client: ServiceClient, reply: Reply, requests: int
) -> None:
    server.script(reply)
    error = failure(client, resend=False)
    assert isinstance(error, ServiceUnavailable)
    assert error.maybe_applied is (requests == 1)
    assert len(server.seen) == requests
    server.script(reply)
    failure(client, "GET", resend=False)
    assert len(server.seen) == 3


def test_what_never_arrived_may_go_out_again(free_port: int, naps: list[float]) -> None:
    failure(client_of(f"http://127.0.0.1:{free_port}"), resend=False)
    assert len(naps) == 2


# --- the token -----------------------------------------------------------------------------------------------------


def test_netrc_does_not_replace_the_token(
    server: ScriptedServer, client: ServiceClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("default login somebody password something\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server.script(json_reply({}))
    client.call("GET", "/p", doing="x")
    assert server.seen[0].headers["Authorization"] == f"OAuth {TOKEN}"


def test_half_a_sign_spoils_no_answer(
    server: ScriptedServer, client: ServiceClient, caplog: pytest.LogCaptureFixture
) -> None:
    """A text that is cut in the middle of an emoji."""
    server.script(Reply(body=rb'{"a\ud83d": "\\ud800\\\uD83D", "b": ["\uDE00x", "\ud83d\ud83d\ude00\ude00"]}'))
    half = "\N{REPLACEMENT CHARACTER}"
    expected = {f"a{half}": rf"\ud800\{half}", "b": [f"{half}x", f"{half}\N{GRINNING FACE}{half}"]}
    assert client.call("GET", "/p", doing="Fetch orders") == expected
    assert "Fetch orders: 5 halves of signs" in caplog.text
    server.script(Reply(body=rb'{"a": "\ud83d\ude00", "b": "\\ud800"}'))
    caplog.clear()
    assert client.call("GET", "/p", doing="x") == {"a": "\N{GRINNING FACE}", "b": r"\ud800"}
    assert not caplog.text


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(body=b'{"a": "' + b"a" * 65_536, act="endless"), "answered with more than 1,000,000 bytes"),
        (
            Reply(body=gzip.compress(bytes(2_000_000)), headers={"Content-Encoding": "gzip"}),
            "more than 1,000,000 bytes",
        ),
        (Reply(body=b" " * 500, act="drip"), "was still sending after 1 seconds"),
        (Reply(body=b" ", headers={"Content-Length": "100"}, act="drip"), "was still sending after 1 seconds"),
        (Reply(body=b"HTTP/1.1 200 ...a", act="lines"), "was still sending after 1 seconds"),
        (Reply(body=b"HTTP/1.1 200 OK\r\nX-Long: ...a", act="lines"), "was still sending after 1 seconds"),
        (Reply(body=b"...HTTP/1.1 100 Continue\r\n\r\n", act="lines"), "was still sending after 1 seconds"),
        (Reply(body=CHUNKED + b"1;a=...a", act="lines"), "was still sending after 1 seconds"),
        (Reply(body=CHUNKED + b"0\r\n...X-Trailer: a\r\n", act="lines"), "was still sending after 1 seconds"),
        (Reply(body=b"HTTP/1.1 200 " + b"a" * 70_000 + b"...a", act="lines"), "cut the connection"),
        (Reply(body=b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 200 + b"...X: a\r\n", act="lines"), "cut the connection"),
        (Reply(body=CHUNKED + b"1;" + b"a" * 70_000 + b"...a", act="lines"), "cut the connection"),
    ],
    ids=[
        "large",
        "packed",
        "slow",
        "slower",
        "status line",
        "header",
        "continue",
        "chunk",
        "trailers",
        "long status line",
        "many headers",
        "long chunk line",
    ],
)
def test_an_answer_without_an_end_is_left(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, reply: Reply, words: str
) -> None:
    monkeypatch.setattr(client_module, "MOST_BYTES", 1_000_000)
    monkeypatch.setattr(answers, "MOST_SECONDS", 1.0)
    server.script(reply)
    error = failure(client_of(server.url, attempts=1, timeout=(2.0, 0.5)))
    assert isinstance(error, ServiceUnavailable)
    assert words in str(error)
    assert error.maybe_applied  # the service may have done what it was asked


def test_an_answer_that_comes_slowly_is_waited_for(server: ScriptedServer) -> None:
    server.script(Reply(body=b"1", headers={"Content-Length": "14"}, act="drip"))
    assert client_of(server.url, attempts=1, timeout=(2.0, 0.5)).call("GET", PATH, doing="x") == int("1" * 14)
