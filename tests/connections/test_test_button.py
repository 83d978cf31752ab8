# SPDX-License-Identifier: Apache-2.0
"""What "Test" says of a connection, sentence by sentence, with the sandbox as the service."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import Connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.hooks.altcraft import AltcraftHook
from airflow_provider_yandex_orders.hooks.market import MarketHook
from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.support.ports import free_port

TOKEN = "sandbox-token"
READ_TOKEN = "sandbox-read-token"
WRITING = "Reading works; whether the token may write shows with the first upload."
HOOKS: list[Any] = [MetricaHook, MarketHook, AltcraftHook]
READS: dict[Any, Callable[[Any], Any]] = {
    MetricaHook: lambda hook: hook.counter_id(),
    MarketHook: lambda hook: hook.campaign_id(),
    AltcraftHook: lambda hook: hook.order_status("A-1"),
}
ID_FIELDS = {MetricaHook: {"counter_id": "101"}, MarketHook: {"campaign_id": "1001"}, AltcraftHook: {}}


def hook_of(kind: Any, host: str | None, extra: Any = None, **fields: Any) -> Any:
    """A hook with a connection of these fields; an extra that is no text is written as JSON."""
    text = extra if isinstance(extra, str) else json.dumps({} if extra is None else extra)
    fields.setdefault("password", TOKEN)
    connection = Connection(conn_id="c", conn_type=kind.conn_type, host=host, extra=text, **fields)
    return kind("c", connection=connection)


def said(kind: Any, host: str | None, extra: Any = None, **fields: Any) -> tuple[bool, str]:
    """The answer of the button."""
    answer: tuple[bool, str] = hook_of(kind, host, extra, **fields).test_connection()
    return answer


class TestMetrica:
    def test_reading_works_and_writing_is_not_claimed(self, yandex_sandbox: SandboxServer) -> None:
        told = f"Counter 101 (Demo shop, Europe/Moscow): its account may edit (permission 'own'). {WRITING}"
        for token in (TOKEN, READ_TOKEN):  # nothing tells the two apart but an upload
            assert said(MetricaHook, yandex_sandbox.url, {"counter_id": 101}, password=token) == (True, told)

    def test_no_counter(self, yandex_sandbox: SandboxServer) -> None:
        works, told = said(MetricaHook, yandex_sandbox.url)
        assert works
        assert told == (
            "The token works and sees 3 counter(s). No counter in the connection: each task must name one. " + WRITING
        )

    @pytest.mark.parametrize(
        ("counter", "words"),
        [
            (102, ["Counter 102 (Partner shop", "may only look (permission 'view')", "need edit rights"]),
            (104, ["The token works and sees 3 counter(s), but not counter 104", "correct counter_id, or give"]),
            (999, ["Check counter_id"]),
            ("1 01", ["counter_id must be a whole number"]),
            ("shop", ["counter_id must be a whole number"]),
            ("١٠١", ["counter_id must be a whole number"]),
        ],
    )
    def test_a_counter_that_will_not_do(self, yandex_sandbox: SandboxServer, counter: Any, words: list[str]) -> None:
        works, told = said(MetricaHook, yandex_sandbox.url, {"counter_id": counter})
        assert not works
        assert [word for word in words if word not in told] == []

    def test_space_around_a_counter_is_nothing(self, yandex_sandbox: SandboxServer) -> None:
        assert said(MetricaHook, yandex_sandbox.url, {"counter_id": " 101\u00a0"})[0]

    def test_a_missing_scope(self, yandex_sandbox: SandboxServer) -> None:
        yandex_sandbox.client.add_fault(path="/management/", preset="access_denied", times=2)
        works, told = said(MetricaHook, yandex_sandbox.url, {"counter_id": 101})
        assert not works
        assert "may neither read counter 101 nor list counters" in told
        assert "it lacks a scope. Get one with metrika:write, or with metrika:read and metrika:offline_data." in told

    def test_a_service_that_fails_meanwhile(self, yandex_sandbox: SandboxServer) -> None:
        yandex_sandbox.client.add_fault(path="/management/v1/counters", preset="backend_error")
        works, told = said(MetricaHook, yandex_sandbox.url, {"counter_id": 104})
        assert (works, "edit rights" in told) == (False, True)

    def test_a_wrong_token(self, yandex_sandbox: SandboxServer) -> None:
        works, told = said(MetricaHook, yandex_sandbox.url, {"counter_id": 101}, password="y0_another")
        assert not works
        assert "(invalid_token)" in told
        assert "Get a new OAuth token" in told
        assert "y0_another" not in told

    @pytest.mark.parametrize(
        ("extra", "meant"), [({"counter": 101}, "counter_id"), ({"counterId": 101, "counter_id": 101}, "counter_id")]
    )
    def test_a_typing_error_in_the_extra(self, yandex_sandbox: SandboxServer, extra: Any, meant: str) -> None:
        works, told = said(MetricaHook, yandex_sandbox.url, extra)
        assert not works
        assert f"which is not read: did you mean {meant!r}?" in told

    def test_what_is_declared_is_known(self, yandex_sandbox: SandboxServer) -> None:
        works, told = said(
            MetricaHook, yandex_sandbox.url, {"counter_id": 101, "token_issued": date.today().isoformat()}
        )
        assert (works, told.endswith(WRITING)) == (True, True)


def through_airflow(kind: Any, **fields: Any) -> tuple[bool, str]:
    """The answer as Airflow's server and command line get it: the form goes by way of an environment variable."""
    from airflow.models.connection import Connection as Stored

    fields = {"password": TOKEN, **fields}
    stored = Stored(conn_id="drawn_at_random", conn_type=kind.conn_type, **fields)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_DRAWN_AT_RANDOM", stored.get_uri())
        works, told = stored.test_connection()
    assert "drawn_at_random" not in told
    return works, told


GOOD = f"Counter 101 (Demo shop, Europe/Moscow): its account may edit (permission 'own'). {WRITING}"
BROKEN: dict[str, tuple[Any, dict[str, Any], str]] = {
    "no token": (MetricaHook, {"password": None}, "The connection has no token: put it into the password field."),
    "the word OAuth": (
        MetricaHook,
        {"password": "OAuth y0_token"},
        "The token of the connection has spaces, line ends or letters no token has: copy the token alone, without the "
        "word OAuth, into the password field.",
    ),
    "a wrong token": (
        MetricaHook,
        {"login": "101", "password": "y0_wrong"},
        "Read the settings of counter 101: Yandex Metrica answered 403 (invalid_token) to GET "
        "/management/v1/counter/101: Invalid oauth_token. Get a new OAuth token and put it into the connection's "
        "password.",
    ),
    "a counter to look at": (
        MetricaHook,
        {"login": "102"},
        "Counter 102 (Partner shop, Europe/Moscow): its account may only look (permission 'view'). Uploads need edit "
        "rights: the counter's owner gives them under Settings, Access.",
    ),
    "another's counter": (
        MetricaHook,
        {"login": "104"},
        "The token works and sees 3 counter(s), but not counter 104 (Access is denied): correct counter_id, or give "
        "the account of the token edit rights on the counter.",
    ),
    "no number": (
        MetricaHook,
        {"login": "my shop"},
        "counter_id must be a whole number above 0, as Metrica shows it beside the counter.",
    ),
    "two counters": (
        MetricaHook,
        {"login": "101", "extra": {"counter_id": 103}},
        "The connection names two: one in its form's id field (the login) and another one as counter_id in the extra. "
        "Leave one of them.",
    ),
    "a typing error": (
        MetricaHook,
        {"extra": {"counter": 101}},
        "The extra of the connection has 'counter', which is not read: did you mean 'counter_id'?",
    ),
    "a key that is a token": (
        MarketHook,
        {"login": "1001", "password": "y0_token"},
        'The connection has an OAuth token: put {"auth_type": "oauth"} into the extra, or an Api-Key into the password '
        "field.",
    ),
    "another's store": (
        MarketHook,
        {"login": "77777"},
        "Store 77777 is not this key's: it sees 1001 (FBS), 1002 (FBY), 1003 (DBS), 1004 (LAAS). Correct campaign_id.",
    ),
    "an unknown way": (
        MarketHook,
        {"extra": {"auth_type": "basic"}},
        "auth_type in the extra must be api_key or oauth.",
    ),
    "no host": (
        AltcraftHook,
        {"host": None},
        "The connection names no host: Altcraft needs one. Put its address, as https://your-platform.example.com, into "
        "the host field.",
    ),
    "the platform's token": (
        AltcraftHook,
        {"password": "another"},
        "List one order: Altcraft answered 200 (error 401) to POST /api/v1.1/market/orders/list: API token required. "
        "Make a token with the market roles, under Settings, Tokens, and put it into the connection's password. A host "
        "that wants it in the body needs the extra without auth_type.",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_set_up_by_way_of_airflow(yandex_sandbox: SandboxServer, case: str) -> None:
    kind, fields, told = BROKEN[case]
    fields = {"host": yandex_sandbox.url, **fields}
    if "extra" in fields:
        fields["extra"] = json.dumps(fields["extra"])
    assert through_airflow(kind, **fields) == (False, told)


@pytest.mark.parametrize("fields", [{"login": "101", "port": 80}, {"login": "101", "extra": '{"counter_id": 101}'}])
def test_the_counter_stands_in_the_form(yandex_sandbox: SandboxServer, fields: dict[str, Any]) -> None:
    assert through_airflow(MetricaHook, host=yandex_sandbox.url, **fields) == (True, GOOD)


@pytest.mark.parametrize(("scheme", "port"), [("https", 443), ("http", 80)])
def test_the_usual_port_changes_no_address(scheme: str, port: int) -> None:
    assert hook_of(MetricaHook, f"{scheme}://proxy.local", port=port).base_url == f"{scheme}://proxy.local"
    assert hook_of(MetricaHook, f"{scheme}://proxy.local", port=8443).base_url == f"{scheme}://proxy.local:8443"


@pytest.mark.parametrize(("days", "warns"), [(10, False), (334, False), (336, True), (400, True)])
def test_a_token_that_nears_its_year(
    yandex_sandbox: SandboxServer, logged: Callable[[], str], days: int, warns: bool
) -> None:
    issued = (date.today() - timedelta(days=days)).isoformat()
    hook = hook_of(MetricaHook, yandex_sandbox.url, {"counter_id": 101, "token_issued": issued})
    age = f"is {days} days old, and one lives about a year: get a new one, and put its day into token_issued."
    assert hook.test_connection() == (True, f"{GOOD} The token of the connection {age}" if warns else GOOD)
    assert (f"The token of the connection 'c' {age}" in logged()) is warns


def test_a_day_that_is_none_fails_no_task(yandex_sandbox: SandboxServer) -> None:
    hook = hook_of(MetricaHook, yandex_sandbox.url, {"counter_id": 101, "token_issued": "31.01.2026"})
    assert hook.counter()["id"] == 101
    assert hook.test_connection() == (
        True,
        f"{GOOD} token_issued of the connection is no date: write it as 2026-01-31.",
    )


class TestEachService:
    @pytest.mark.parametrize("kind", HOOKS)
    def test_unknown_fields_are_named(self, yandex_sandbox: SandboxServer, kind: Any) -> None:
        extra = {
            **ID_FIELDS[kind],
            "owner": "shop team",
            "ssl": True,
            "Иван Петров +79991234567": 1,
            "y0_AgAAtoken": 1,
        }
        works, told = said(kind, yandex_sandbox.url, extra)
        assert works, told
        assert told.endswith(" The extra has fields that are not read: 'owner', 'ssl', <value>, <value>.")

    @pytest.mark.parametrize("kind", HOOKS)
    @pytest.mark.parametrize(
        ("extra", "words"),
        [
            (5, "not a JSON object"),
            ([1], "not a JSON object"),
            ('"a"', "not a JSON object"),
            ("counter_id=1", "not JSON"),
        ],
    )
    def test_an_extra_that_is_no_object(self, kind: Any, extra: Any, words: str) -> None:
        text = extra if isinstance(extra, str) else json.dumps(extra)
        hook = hook_of(kind, "http://127.0.0.1:9", text)
        told = f'The extra of the connection is {words}: write it as {{"field": "value"}}, or leave it empty.'
        assert hook.test_connection() == (False, told)
        with pytest.raises(ConfigurationError, match=words):  # a task reads it before any request
            READS[kind](hook)

    @pytest.mark.parametrize("kind", HOOKS)
    @pytest.mark.parametrize("extra", ["", "{}", "null"])
    def test_an_empty_extra(self, kind: Any, extra: str) -> None:
        assert hook_of(kind, "http://127.0.0.1:9", extra).extra("counter_id") is None

    @pytest.mark.parametrize("kind", HOOKS)
    def test_plain_http_without_its_scheme(self, yandex_sandbox: SandboxServer, kind: Any) -> None:
        bare = yandex_sandbox.url.removeprefix("http://")
        works, told = said(kind, bare, ID_FIELDS[kind])
        assert not works
        assert f"the host {bare.partition('/')[0]} speaks plain HTTP" in told
        assert f"write the connection's host as http://{bare}" in told

    @pytest.mark.parametrize("kind", HOOKS)
    def test_a_host_that_cannot_be_reached(self, kind: Any) -> None:
        works, told = said(kind, f"http://127.0.0.1:{free_port()}", ID_FIELDS[kind])
        assert (works, "cannot be reached" in told) == (False, True)

    @pytest.mark.parametrize(
        ("kind", "path"),
        [
            (MetricaHook, "/management/v1"),
            (MetricaHook, "/management/v1/counter/101"),
            (MetricaHook, "/cdp/api/v1/"),
            (MetricaHook, "/stat/v1/data?ids=101"),
            (MarketHook, "/v2"),
            (MarketHook, "/v2/campaigns"),
            (AltcraftHook, "/api/v1.1"),
            (AltcraftHook, "/api/v1.1/market/orders/import"),
        ],
    )
    def test_a_host_with_the_path_of_the_api(self, yandex_sandbox: SandboxServer, kind: Any, path: str) -> None:
        works, told = said(kind, yandex_sandbox.url + path, ID_FIELDS[kind])
        assert works, told
        assert hook_of(kind, f"https://proxy.local/kept{path}").base_url == "https://proxy.local/kept"

    @pytest.mark.parametrize("host", ["https://management", "https://stat.local", "https://v2", "https://proxy/v2x"])
    @pytest.mark.parametrize("kind", HOOKS)
    def test_other_hosts_stay_as_they_are(self, kind: Any, host: str) -> None:
        assert hook_of(kind, host).base_url == host

    @pytest.mark.parametrize("kind", HOOKS)
    def test_the_port_0_of_a_form_is_none(self, yandex_sandbox: SandboxServer, kind: Any) -> None:
        assert said(kind, yandex_sandbox.url, ID_FIELDS[kind], port=0)[0]

    def test_the_platform_may_list(self, yandex_sandbox: SandboxServer) -> None:
        assert said(AltcraftHook, yandex_sandbox.url) == (
            True,
            "The token works and may list orders (there is no order yet). Reading works; whether the token may import "
            "shows with the first import.",
        )

    def test_a_wrong_token_of_the_platform(self, yandex_sandbox: SandboxServer) -> None:
        works, told = said(AltcraftHook, yandex_sandbox.url, password="another")
        assert (works, "market roles" in told) == (False, True)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["counter", "counters", "rows", "permission", "result", "error"]), inner)
    ),
    max_leaves=6,
)


@pytest.mark.parametrize("kind", [MetricaHook, AltcraftHook])
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    answer=json_values | st.fixed_dictionaries({"counter": json_values, "counters": json_values, "result": json_values})
)
def test_any_json_is_answered_with_a_sentence(yandex_sandbox: SandboxServer, kind: Any, answer: Any) -> None:
    yandex_sandbox.client.clear_faults()
    body = json.dumps({**answer, "error": 0} if isinstance(answer, dict) and kind is AltcraftHook else answer)
    yandex_sandbox.client.add_fault(
        path="/", times=9, status=200, body=body, headers={"content-type": "application/json"}
    )
    for extra in ({"counter_id": "101"}, {}) if kind is MetricaHook else ({},):
        works, told = said(kind, yandex_sandbox.url, extra)
        assert isinstance(works, bool)
        assert told.endswith((".", "?"))
