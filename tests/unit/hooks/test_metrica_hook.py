# SPDX-License-Identifier: Apache-2.0
"""The hook of Metrica: connections of every form, and its calls against a real server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import Connection, ObjectStoragePath

from airflow_provider_yandex_orders.exceptions import ConfigurationError, ServiceRefused
from airflow_provider_yandex_orders.hooks.metrica import LIST_LIMIT, MetricaHook, crm_upload_state
from tests.unit.http.scripted_server import Reply, ScriptedServer, error_reply, json_reply
from tests.unit.http.test_multipart import file_of
from tests.unit.unit_support import set_connection

TOKEN = "y0_AgAAAASecretToken"
COUNTER = {"id": 24, "name": "Shop", "permission": "edit", "time_zone_name": "Europe/Moscow"}


def hook_of(extra: dict[str, Any] | None = None, **fields: Any) -> MetricaHook:
    given = {"conn_id": "m", "conn_type": "yandex_metrica", "password": TOKEN, **fields}
    return MetricaHook("m", connection=Connection(**given, extra=json.dumps(extra or {})))


@pytest.fixture
def hook(server: ScriptedServer, naps: list[float]) -> MetricaHook:
    return hook_of({"counter_id": "24"}, host=server.url)


# --- the connection ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({}, "https://api-metrika.yandex.net"),
        ({"host": ""}, "https://api-metrika.yandex.net"),
        ({"host": " api-metrica.yandex.net "}, "https://api-metrica.yandex.net"),
        ({"host": "https://api-metrica.yandex.net/"}, "https://api-metrica.yandex.net"),
        ({"host": "proxy.local", "port": 8443}, "https://proxy.local:8443"),
        ({"host": "http://127.0.0.1", "port": 8765}, "http://127.0.0.1:8765"),
        ({"host": "http://127.0.0.1:8765"}, "http://127.0.0.1:8765"),
        ({"host": "http://127.0.0.1:8765", "port": 9}, "http://127.0.0.1:8765"),
        ({"host": "127.0.0.1", "port": 8765, "schema": "http"}, "http://127.0.0.1:8765"),
        ({"host": "http://localhost:1/metrica/"}, "http://localhost:1/metrica"),
        ({"host": "http://localhost:1/metrica/", "port": 9}, "http://localhost:1/metrica"),
        ({"host": "http://localhost/metrica", "port": 9}, "http://localhost:9/metrica"),
        ({"host": "http://[::1]", "port": 9}, "http://[::1]:9"),
        ({"port": 9}, "https://api-metrika.yandex.net:9"),
    ],
)
def test_hosts(fields: dict[str, Any], url: str) -> None:
    assert hook_of(**fields).base_url == url


@pytest.mark.parametrize(
    ("host", "warned"),
    [
        ("http://proxy.local", True),
        ("http://localhost.evil.example", True),
        ("http://127.0.0.1.evil.example", True),
        ("http://localhost:8765", False),
        ("http://127.0.0.1/x", False),
        ("http://[::1]:8765", False),
        ("https://proxy.local", False),
    ],
)
def test_a_token_without_tls_is_warned_of(
    host: str, warned: bool, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    assert hook_of(host=host).base_url == host
    logged = caplog.text + capsys.readouterr().out  # Airflow 2 logs to the one, Airflow 3 to the other
    assert ("travels unencrypted" in logged) is warned


@pytest.mark.parametrize(
    "uri",
    [
        "yandex-metrica://:y0_AgAAAASecretToken@/?counter_id=24",
        json.dumps({"conn_type": "yandex_metrica", "password": f" {TOKEN}\n", "extra": {"counter_id": 24}}),
    ],
)
def test_a_connection_from_the_environment(monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", uri)
    hook = MetricaHook("shop")
    assert hook.counter_id() == 24
    assert hook.base_url == "https://api-metrika.yandex.net"
    assert hook.get_conn().session.headers["Authorization"] == f"OAuth {TOKEN}"


def test_the_constructor_asks_for_nothing() -> None:
    hook = MetricaHook("no_such_connection")
    assert hook.metrica_conn_id == hook.conn_id == "no_such_connection"
    assert MetricaHook().conn_id == "yandex_metrica_default"
    with pytest.raises(ConfigurationError, match=r"no connection 'no_such_connection'.*'yandex_metrica'"):
        hook.counter(1)


@pytest.mark.parametrize("token", [None, "", "  "])
def test_no_token(token: str | None) -> None:
    with pytest.raises(ConfigurationError, match="'m' has no token"):
        hook_of(password=token).get_conn()


@pytest.mark.parametrize("token", [f"OAuth {TOKEN}", f"{TOKEN}\nX-Evil: 1", f"{TOKEN}ы", f"{TOKEN}\u00a0x"])
def test_a_token_that_is_none(token: str) -> None:
    with pytest.raises(ConfigurationError, match="without the word OAuth") as caught:
        hook_of(password=token).get_conn()
    assert "Secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("given_", "extra", "wanted"),
    [
        (None, "24", 24),
        (None, 24, 24),
        ("", "24", 24),
        (7, "24", 7),
        ("7", None, 7),
        (" 7 ", None, 7),
    ],
)
def test_counter_ids(given_: Any, extra: Any, wanted: int) -> None:
    assert hook_of({"counter_id": extra}).counter_id(given_) == wanted


@pytest.mark.parametrize("extra", [{}, {"counter_id": ""}, {"counter_id": None}])
def test_no_counter_id(extra: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="No counter"):
        hook_of(extra).counter_id()


@pytest.mark.parametrize("value", ["abc", "None", "24.0", 24.0, "-24", "2 4", True, [24], "{{ x }}", "²"])
def test_bad_counter_ids(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="must be a whole number"):
        hook_of().counter_id(value)
    with pytest.raises(ConfigurationError, match="must be a whole number"):
        hook_of({"counter_id": value}).counter_id()


# --- the test button -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "works", "said"),
    [
        (json_reply({"counter": COUNTER}), True, ["Counter 24 (Shop, Europe/Moscow)", "may upload", "'edit'"]),
        (json_reply({"counter": {**COUNTER, "permission": "own"}}), True, ["may upload"]),
        (json_reply({"counter": {**COUNTER, "permission": "view"}}), False, ["may only look", "'view'", "edit rights"]),
        (json_reply({"counter": {**COUNTER, "permission": "new_word"}}), False, ["'new_word'"]),
        (error_reply(403, "invalid_token", "Invalid oauth_token"), False, ["Invalid oauth_token", "new OAuth token"]),
        (error_reply(403, "access_denied", "Access is denied"), False, ["edit rights", "metrika:write"]),
        (error_reply(404, "not_found", "No such counter"), False, ["No such counter", "Check counter_id"]),
        (error_reply(503, "backend_error", "Later"), False, ["Later"]),
        (Reply(200, b"<html>"), False, ["login page"]),
        (Reply(act="cut"), False, ["cut the connection"]),
    ],
)
def test_the_test_button(server: ScriptedServer, hook: MetricaHook, reply: Reply, works: bool, said: list[str]) -> None:
    server.script(reply)
    result, message = hook.test_connection()
    assert result is works
    assert all(part in message for part in said)
    assert "Secret" not in message
    assert server.seen[0].path == "/management/v1/counter/24"


def test_the_test_button_without_a_counter(server: ScriptedServer, naps: list[float]) -> None:
    server.script(json_reply({"rows": 3, "counters": []}))
    works, message = hook_of(host=server.url).test_connection()
    assert works
    assert "sees 3 counter(s)" in message
    assert server.seen[0].path == "/management/v1/counters?per_page=1"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"password": None}, "no token"),
        ({"host": "ftp://x"}, "valid address"),
        ({"host": "https://api-metrika.invalid"}, "cannot be resolved"),
    ],
)
def test_the_test_button_without_a_server(naps: list[float], fields: dict[str, Any], said: str) -> None:
    works, message = hook_of(**fields).test_connection()
    assert not works
    assert said in message


def test_the_test_button_with_a_counter_that_is_none() -> None:
    works, message = hook_of({"counter_id": "shop"}).test_connection()
    assert (works, "whole number" in message) == (False, True)


# --- calls ---------------------------------------------------------------------------------------------------------

UPLOADING = {"uploading_id": "u-1", "api_validation_status": "PASSED", "elements_count": 1}


@pytest.mark.parametrize("as_text", [True, False])
def test_upload(server: ScriptedServer, hook: MetricaHook, folder: ObjectStoragePath, as_text: bool) -> None:
    path = folder / "part-00001.csv"
    path.write_bytes("id\nЖ-1\n".encode())
    server.script(json_reply({"uploading": UPLOADING}))
    answer = hook.upload_simple_orders(None, str(path) if as_text else path, merge_mode="UPDATE")
    assert answer == UPLOADING
    (seen,) = server.seen
    assert (seen.method, seen.path) == (
        "POST",
        "/cdp/api/v1/counter/24/data/simple_orders?merge_mode=UPDATE&delimiter_type=COMMA",
    )
    assert seen.headers["Authorization"] == f"OAuth {TOKEN}"
    assert TOKEN not in seen.path + seen.body.decode()
    assert file_of(seen).decode() == "id\nЖ-1\n"


def test_upload_of_no_file(server: ScriptedServer, hook: MetricaHook, tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(ConfigurationError, match="no file"):
            hook.upload_simple_orders(None, str(path))
    assert server.seen == []


def test_a_refused_upload_names_the_file(server: ScriptedServer, hook: MetricaHook, tmp_path: Path) -> None:
    (tmp_path / "part-00007.csv").write_text("id\n")
    server.script(error_reply(400, "invalid_uploading", "Column 3 is unknown"))
    with pytest.raises(ServiceRefused, match=r"Upload part-00007\.csv: .*Column 3 is unknown"):
        hook.upload_simple_orders(7, str(tmp_path / "part-00007.csv"))
    assert server.seen[0].path.startswith("/cdp/api/v1/counter/7/")


@pytest.mark.parametrize(
    ("status", "final", "good"),
    [("PASSED", True, True), ("FAILED", True, False), ("NEW_WORD", False, False), (None, False, False)],
)
def test_upload_states(status: str | None, final: bool, good: bool) -> None:
    state = crm_upload_state({"uploading_id": "u", "api_validation_status": status, "elements_count": 3})
    assert (state.upload_id, state.final, state.good, state.rows_accepted) == ("u", final, good, 3)
    assert state.status == (status or "UNKNOWN")


def test_errors_of_an_upload_hold_no_personal_data() -> None:
    errors = ["row 1: ivan@example.com", "row 2: +7 (999) 555-11-11"]
    detail = crm_upload_state({"uploading_id": "u", "api_validation_errors": errors}).detail
    assert detail == "row 1: <e-mail>; row 2: <number>"


def listed(first: int, last: int) -> list[dict[str, Any]]:
    """Uploads of one second each, newest first."""
    return [
        {
            "uploading_id": f"u{number}",
            "api_validation_status": "PASSED",
            "datetime": f"2025-03-04 {number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}",
        }
        for number in range(first, last, -1)
    ]


def test_states_are_looked_for_page_by_page(server: ScriptedServer, hook: MetricaHook) -> None:
    pages = [listed(3000, 2000), listed(2000, 1000), listed(1000, 990)]
    server.script(*[json_reply({"uploadings": page}) for page in pages])
    assert set(hook.crm_upload_states(None, ["u2999", "u2500"])) == {"u2999", "u2500"}
    assert [seen.path for seen in server.seen] == [f"/cdp/api/v1/counter/24/last_uploadings?limit={LIST_LIMIT}"]

    server.script(*[json_reply({"uploadings": page}) for page in pages])
    found = hook.crm_upload_states(None, ["u2999", "u995", "nowhere"])
    assert set(found) == {"u2999", "u995"}
    assert len(server.seen) == 3
    assert "datetime_offset=2025-03-04+00%3A33%3A21" in server.seen[1].path


def test_states_of_a_list_that_does_not_move(server: ScriptedServer, hook: MetricaHook) -> None:
    server.script(
        json_reply({"uploadings": [{**each, "datetime": "2025-03-04 00:00:00"} for each in listed(3000, 2000)]})
    )
    assert hook.crm_upload_states(None, ["nowhere"]) == {}
    assert len(server.seen) == 2
    server.script(json_reply({"uploadings": None}))
    assert hook.crm_upload_states(None, ["nowhere"]) == {}


def test_last_uploadings(server: ScriptedServer, hook: MetricaHook) -> None:
    server.script(json_reply({"uploadings": [UPLOADING]}))
    assert hook.last_uploadings(limit=5) == [UPLOADING]
    assert server.seen[0].path.endswith("last_uploadings?limit=5")


@pytest.mark.parametrize("conn_type", ["yandex_metrica", "http"])
def test_connections_of_the_environment_reach_the_server(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, conn_type: str
) -> None:
    fields = {"conn_type": conn_type, "host": server.url, "password": TOKEN, "extra": {"counter_id": 24}}
    set_connection(monkeypatch, "shop", fields)
    server.script(json_reply({"counter": COUNTER}))
    assert MetricaHook("shop").counter()["name"] == "Shop"
