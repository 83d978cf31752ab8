# SPDX-License-Identifier: Apache-2.0
"""The hook against a scripted server: addresses, where the token goes, the test button, and its calls."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from airflow.providers.common.compat.sdk import Connection

from airflow_provider_yandex_orders.exceptions import ConfigurationError, ServiceRefused, ServiceUnavailable
from airflow_provider_yandex_orders.hooks.altcraft import AltcraftHook
from tests.unit.http.scripted_server import Reply, ScriptedServer, json_reply

TOKEN = "a-secret-token-of-the-platform"
BASE = "/api/v1.1/market/orders"
OK = {"error": 0, "error_text": ""}
ORDER = {"external_id": "A-1", "lines": [{"count": 2}], "tags": ["one", "two"]}


def hook_of(extra: dict[str, Any] | None = None, **fields: Any) -> AltcraftHook:
    given = {"conn_id": "a", "conn_type": "altcraft", "password": TOKEN, **fields}
    return AltcraftHook("a", connection=Connection(**given, extra=json.dumps(extra or {})))


@pytest.fixture
def hook(server: ScriptedServer, naps: list[float]) -> AltcraftHook:
    return hook_of(host=server.url)


def sent(server: ScriptedServer) -> list[dict[str, Any]]:
    return [json.loads(seen.body) for seen in server.seen]


class TestConnection:
    def test_the_host_is_the_users(self) -> None:
        assert hook_of(host="ru.platform.example").base_url == "https://ru.platform.example"
        with pytest.raises(ConfigurationError, match="names no host: Altcraft needs one"):
            _ = hook_of().base_url

    @pytest.mark.parametrize("token", [None, "", "two words"])
    def test_no_token(self, token: str | None) -> None:
        with pytest.raises(ConfigurationError, match="token"):
            hook_of(host="http://127.0.0.1:9", password=token).order_status("A-1")

    @pytest.mark.parametrize("auth_type", [None, "", "body"])
    def test_the_token_goes_into_the_body(
        self, server: ScriptedServer, naps: list[float], auth_type: str | None
    ) -> None:
        server.script(json_reply(OK))
        hook_of({"auth_type": auth_type}, host=server.url).order_status("A-1")
        assert sent(server) == [{"token": TOKEN, "external_id": "A-1"}]
        assert "Authorization" not in server.seen[0].headers

    def test_or_into_a_header(self, server: ScriptedServer, naps: list[float]) -> None:
        server.script(json_reply(OK))
        hook_of({"auth_type": "bearer"}, host=server.url).order_status("A-1")
        assert sent(server) == [{"external_id": "A-1"}]
        assert server.seen[0].headers["Authorization"] == f"Bearer {TOKEN}"

    def test_and_nowhere_else(self) -> None:
        with pytest.raises(ConfigurationError, match="body or bearer"):
            hook_of({"auth_type": "query"}, host="http://127.0.0.1:9").order_status("A-1")


class TestButton:
    @pytest.mark.parametrize(
        ("reply", "works", "said"),
        [
            (json_reply({**OK, "result": [{"external_id": "A"}]}), True, "may list orders (there is an order)"),
            (json_reply(OK), True, "no order yet"),
            (json_reply({"error": 401, "error_text": f"{TOKEN} is bad"}), False, "*** is bad"),
            (json_reply({"error": 403, "error_text": ""}), False, "market roles"),
            (Reply(200, b"<html>"), False, "is not the platform"),
            (Reply(404, b"none"), False, "without /api/v1.1"),
            (Reply(503, b"later"), False, "The next try may pass"),
            (Reply(act="cut"), False, "cut the connection"),
        ],
    )
    def test_it_says_what_is_missing(
        self, server: ScriptedServer, hook: AltcraftHook, reply: Reply, works: bool, said: str
    ) -> None:
        server.script(reply)
        result, message = hook.test_connection()
        assert result is works
        assert said in message
        assert TOKEN not in message
        # One question that changes nothing.
        assert [(seen.method, seen.path) for seen in server.seen] == [("POST", f"{BASE}/list")]
        assert sent(server)[0]["limit"] == 1


class TestImport:
    def test_json(self, server: ScriptedServer, hook: AltcraftHook) -> None:
        server.script(json_reply(OK))
        fields, statuses = [{"external_id": "f"}], [{"external_id": "s"}]
        answer = hook.import_orders([ORDER], skip_triggers=False, custom_fields=fields, custom_line_statuses=statuses)
        assert answer == OK
        assert sent(server) == [
            {
                "token": TOKEN,
                "custom_fields": fields,
                "custom_line_statuses": statuses,
                "skip_triggers": False,
                "data": [ORDER],
            }
        ]
        assert server.seen[0].path == f"{BASE}/import"
        assert server.seen[0].headers["Content-Type"] == "application/json"
        assert server.seen[0].headers["Accept"] == "application/json"

    @pytest.mark.parametrize(
        ("xml_data", "data"),
        [
            ("rows", "<data><row>{0}</row><row>{0}</row></data>"),
            ("repeated", "<data>{0}</data><data>{0}</data>"),
        ],
    )
    def test_xml(self, server: ScriptedServer, hook: AltcraftHook, xml_data: str, data: str) -> None:
        server.script(json_reply(OK))
        hook.import_orders([ORDER, ORDER], skip_triggers=True, body_format="xml", xml_data=xml_data)
        order = "<external_id>A-1</external_id><lines><count>2</count></lines><tags>one</tags><tags>two</tags>"
        expected = f"<xml><token>{TOKEN}</token><skip_triggers>true</skip_triggers>{data.format(order)}</xml>"
        assert ET.canonicalize(server.seen[0].body.decode()) == expected
        assert server.seen[0].headers["Content-Type"] == "application/xml"

    def test_texts_are_escaped(self, server: ScriptedServer, hook: AltcraftHook) -> None:
        server.script(json_reply(OK))
        hook.import_orders([{"external_id": '</row>&"Ж'}], skip_triggers=True, body_format="xml")
        assert ET.fromstring(server.seen[0].body).findtext("data/row/external_id") == '</row>&"Ж'

    @pytest.mark.parametrize("first", [Reply(503), Reply(502), Reply(504), Reply(act="cut"), Reply(act="half")])
    @pytest.mark.parametrize("body_format", ["json", "xml"])
    def test_what_may_have_arrived_is_sent_again_without_triggers(
        self, server: ScriptedServer, hook: AltcraftHook, first: Reply, body_format: str
    ) -> None:
        server.script(first, first, json_reply(OK))
        hook.import_orders([ORDER], skip_triggers=False, body_format=body_format)
        skips = [b'"skip_triggers":true' in seen.body or b">true<" in seen.body for seen in server.seen]
        assert skips == [False, True, True]

    def test_what_was_not_taken_is_sent_as_it_was(self, server: ScriptedServer, hook: AltcraftHook) -> None:
        server.script(Reply(429), Reply(429), json_reply(OK))
        hook.import_orders([ORDER], skip_triggers=False)
        assert [each["skip_triggers"] for each in sent(server)] == [False] * 3

    def test_five_times_and_no_more(self, server: ScriptedServer, hook: AltcraftHook, naps: list[float]) -> None:
        server.script(Reply(503))
        with pytest.raises(ServiceUnavailable):
            hook.import_orders([ORDER], skip_triggers=False)
        assert (len(server.seen), len(naps)) == (5, 4)

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 500, 501])
    def test_other_statuses_are_not_tried_again(self, server: ScriptedServer, hook: AltcraftHook, status: int) -> None:
        server.script(Reply(status))
        with pytest.raises(ServiceRefused):
            hook.import_orders([ORDER], skip_triggers=False)
        assert len(server.seen) == 1

    def test_an_error_tells_all_that_is_known(self, server: ScriptedServer, hook: AltcraftHook) -> None:
        server.script(json_reply({"error": "5001", "error_text": "Strange."}))
        with pytest.raises(ServiceRefused) as raised:
            hook.import_orders([ORDER], skip_triggers=False)
        assert f"answered 200 (error 5001) to POST {BASE}/import: Strange. " in str(raised.value)
        assert raised.value.answer is not None
        assert (raised.value.answer.error_type, raised.value.answer.said) == ("error 5001", "Strange.")
        assert "A-1" not in str(raised.value)

    @pytest.mark.parametrize("arguments", [{"body_format": "csv"}, {"xml_data": "list"}])
    def test_wrong_arguments(self, hook: AltcraftHook, arguments: dict[str, Any]) -> None:
        with pytest.raises(ConfigurationError, match="body_format must be json or xml"):
            hook.import_orders([ORDER], skip_triggers=True, **arguments)


class TestStatus:
    @pytest.mark.parametrize("result", [{"endpoint": "e", "status": "paid"}, [{"endpoint": "e", "status": "paid"}]])
    def test_in_both_shapes(self, server: ScriptedServer, hook: AltcraftHook, result: Any) -> None:
        server.script(json_reply({**OK, "result": result}))
        assert hook.order_status("A-1") == {"endpoint": "e", "status": "paid"}

    @pytest.mark.parametrize(
        "answer",
        [{**OK, "result": []}, {**OK, "result": {}}, OK, {"error": 404, "error_text": ""}, {"error": "5002"}],
    )
    def test_an_order_that_is_not_there(self, server: ScriptedServer, hook: AltcraftHook, answer: Any) -> None:
        server.script(json_reply(answer))
        assert hook.order_status("A-1") is None

    @pytest.mark.parametrize("reply", [json_reply({"error": 401}), json_reply({"error": 403}), Reply(404, b"no")])
    def test_a_question_that_cannot_be_asked(self, server: ScriptedServer, hook: AltcraftHook, reply: Reply) -> None:
        server.script(reply)
        with pytest.raises(ServiceRefused):
            hook.order_status("A-1")

    def test_states(self, server: ScriptedServer, hook: AltcraftHook) -> None:
        replies = [{**OK, "result": {"status": status}} for status in ("new", "new")]
        server.script(*map(json_reply, replies), json_reply({"error": 404}), json_reply({**OK, "result": {"x": 1}}))
        states = hook.order_states({"A": None, "B": "paid", "C": None, "D": "paid"}, ["A", "B", "C", "D"])
        assert {key: (state.status, state.final, state.detail) for key, state in states.items()} == {
            "A": ("new", True, ""),
            "B": ("new", False, "expected paid"),
            "D": ("UNKNOWN", False, "expected paid"),
        }


class TestList:
    def page(self, pointer: Any, *ids: int) -> Reply:
        return json_reply({**OK, "result": [{"external_id": each} for each in ids], "next_from_id": pointer})

    def ids(self, hook: AltcraftHook, **arguments: Any) -> list[Any]:
        return [order["external_id"] for order in hook.iter_orders(**arguments)]

    def test_page_by_page(self, server: ScriptedServer, hook: AltcraftHook) -> None:
        server.script(self.page("p1", 1, 2), self.page("p2", 3), self.page("", 4))
        assert self.ids(hook, endpoint="e", limit=2) == [1, 2, 3, 4]
        assert [each["from_id"] for each in sent(server)] == ["", "p1", "p2"]
        assert {each["endpoint"] for each in sent(server)} == {"e"}

    @pytest.mark.parametrize(
        ("second", "ids"),
        [
            (json_reply({**OK, "result": [], "next_from_id": "p2"}), [1]),
            (json_reply({**OK, "next_from_id": "p2"}), [1]),
            (json_reply({**OK, "result": None}), [1]),
            (json_reply({**OK, "result": [{"external_id": 2}]}), [1, 2]),
            (json_reply({**OK, "result": [{"external_id": 2}], "next_from_id": None}), [1, 2]),
            (json_reply({**OK, "result": [{"external_id": 2}], "next_from_id": "p1"}), [1, 2]),
        ],
    )
    def test_its_ends(self, server: ScriptedServer, hook: AltcraftHook, second: Reply, ids: list[int]) -> None:
        server.script(self.page("p1", 1), second)
        assert self.ids(hook) == ids
        assert len(server.seen) == 2

    def test_pointers_that_go_round(self, server: ScriptedServer, hook: AltcraftHook) -> None:
        server.script(*[self.page(f"p{number % 2}", number) for number in range(10)])
        with pytest.raises(ServiceRefused, match="no end after 6 answers"):
            self.ids(hook, max_pages=6)
        assert len(server.seen) == 6
