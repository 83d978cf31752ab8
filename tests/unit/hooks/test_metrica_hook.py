# SPDX-License-Identifier: Apache-2.0
"""The hook of Metrica: connections of every form, and the test button. Its calls: ``test_metrica_calls``."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.hooks.base import PROBE_TIMEOUT
from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from tests.unit.hooks.metrica_support import COUNTER, TOKEN, hook_of
from tests.unit.http.scripted_server import Reply, ScriptedServer, error_reply, json_reply
from tests.unit.unit_support import set_connection

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
        (json_reply({"counter": COUNTER}), True, ["Counter 24 (Shop, Europe/Moscow)", "may edit", "Reading works"]),
        (json_reply({"counter": {**COUNTER, "permission": "own"}}), True, ["may edit"]),
        (json_reply({"counter": {**COUNTER, "permission": "view"}}), False, ["may only look", "'view'", "edit rights"]),
        (json_reply({"counter": {**COUNTER, "permission": "new_word"}}), False, ["'new_word'"]),
        (error_reply(403, "invalid_token", "Invalid oauth_token"), False, ["Invalid oauth_token", "new OAuth token"]),
        (json_reply({"counter": {**COUNTER, "permission": ["edit"]}}), False, ["may only look"]),
        (error_reply(404, "not_found", "No such counter"), False, ["No such counter", "Check counter_id"]),
        (error_reply(503, "backend_error", "Later"), False, ["Later"]),
        (Reply(200, b"<html>"), False, ["login page"]),
        (json_reply({}), False, ["without 'counter'"]),
        (json_reply([]), False, ["without 'counter'"]),
        (json_reply({"counter": None}), False, ["without 'counter'"]),
        (Reply(act="cut"), False, ["cut the connection"]),
    ],
)
def test_the_test_button(server: ScriptedServer, hook: MetricaHook, reply: Reply, works: bool, said: list[str]) -> None:
    server.script(reply)
    result, message = hook.test_connection()
    assert result is works
    assert all(part in message for part in said)
    assert "Secret" not in message
    assert [seen.path for seen in server.seen] == ["/management/v1/counter/24"]  # one attempt: somebody looks on


def test_the_test_button_does_not_wait(server: ScriptedServer, hook: MetricaHook, naps: list[float]) -> None:
    server.script(error_reply(503, "backend_error", "Later", Retry_After="30"))
    hook.test_connection()
    assert (len(server.seen), naps) == (1, [])
    assert hook.client.timeout == PROBE_TIMEOUT


def test_the_test_button_without_a_counter(server: ScriptedServer, naps: list[float]) -> None:
    server.script(json_reply({"rows": 3, "counters": []}))
    works, message = hook_of(host=server.url).test_connection()
    assert works
    assert "sees 3 counter(s)" in message
    assert server.seen[0].path == "/management/v1/counters?per_page=1"


@pytest.mark.parametrize("answer", [[], {}, "x", {"counters": 5}, {"counters": [5]}])
def test_the_test_button_without_a_counter_and_with_another_server(
    server: ScriptedServer, naps: list[float], answer: Any
) -> None:
    server.script(json_reply(answer))
    works, message = hook_of(host=server.url).test_connection()
    assert not works
    assert "without 'counters'" in message


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


@pytest.mark.parametrize("conn_type", ["yandex_metrica", "http"])
def test_connections_of_the_environment_reach_the_server(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, conn_type: str
) -> None:
    fields = {"conn_type": conn_type, "host": server.url, "password": TOKEN, "extra": {"counter_id": 24}}
    set_connection(monkeypatch, "shop", fields)
    server.script(json_reply({"counter": COUNTER}))
    assert MetricaHook("shop").counter()["name"] == "Shop"
