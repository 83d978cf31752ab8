# SPDX-License-Identifier: Apache-2.0
"""The comparison of a live service with the sandbox, held between two sandboxes of different switches."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from airflow_provider_yandex_orders.sandbox.__main__ import main
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.support.ports import free_port

EXTRAS: dict[str, dict[str, Any]] = {
    "yandex_metrica": {"counter_id": 101},
    "yandex_market": {"campaign_id": 1001},
    "altcraft": {},
}
TOKEN = "sandbox-token"
Compare = Callable[..., tuple[int, str]]


@pytest.fixture
def compare(
    yandex_sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Compare:
    """Runs the command for a connection of a type that points at the sandbox; its exit code and words."""

    def run(conn_type: str, /, *options: str, **connection: Any) -> tuple[int, str]:
        given = {"conn_type": conn_type, "host": yandex_sandbox.url, "password": TOKEN, "extra": EXTRAS[conn_type]}
        monkeypatch.setenv("AIRFLOW_CONN_THE_LIVE_ONE", json.dumps(given | connection))
        code = main(["compare", "--conn-id", "the_live_one", *options])
        told = capsys.readouterr()
        assert TOKEN not in told.out + told.err
        return code, told.out + told.err

    return run


@pytest.mark.parametrize("conn_type", EXTRAS)
def test_a_sandbox_is_like_itself(compare: Compare, yandex_sandbox: SandboxServer, conn_type: str) -> None:
    code, told = compare(conn_type)
    asked = len(yandex_sandbox.client.requests())
    assert (code, told.count("- alike"), told.count("## ")) == (0, asked, asked)
    assert asked >= 5
    assert f"{asked} of {asked} calls are alike" in told


@pytest.mark.parametrize("conn_type", EXTRAS)
def test_nothing_is_changed(compare: Compare, yandex_sandbox: SandboxServer, conn_type: str) -> None:
    before = yandex_sandbox.client.summary(), yandex_sandbox.client.altcraft_summary()
    compare(conn_type)
    assert (yandex_sandbox.client.summary(), yandex_sandbox.client.altcraft_summary()) == before
    assert yandex_sandbox.client.uploads() == yandex_sandbox.client.uploads(kind="conversions") == []


def test_on_demand_one_order_goes_to_the_counter_named(compare: Compare, yandex_sandbox: SandboxServer) -> None:
    code, told = compare("yandex_metrica", "--write", "--counter", "103", extra={"counter_id": 102})
    assert code == 0, told
    assert "## POST /cdp/api/v1/counter/{counter}/data/simple_orders?merge_mode=SAVE\n- alike" in told
    (order,) = yandex_sandbox.client.orders()
    assert yandex_sandbox.client.orders(103) == [order]


def test_switches_of_market_show(compare: Compare, yandex_sandbox: SandboxServer) -> None:
    yandex_sandbox.client.change_settings(market_numbered_pages=1, market_longest_period_days=400)
    code, told = compare("yandex_market")
    assert code == 1
    calls = {call.partition("\n")[0]: call.splitlines()[1:] for call in told.split("## ")[1:]}
    assert calls["GET /v2/campaigns?limit=1"][0].startswith("- $.paging: only the sandbox has it (object)")
    (long,) = (lines for call, lines in calls.items() if "- status: the service 400, the sandbox 200" in lines)
    assert "- $.errors: only the service has it (list)" in long
    assert sum(lines[0] == "- alike" for lines in calls.values()) >= len(calls) - 3


def test_switches_of_metrica_show(compare: Compare, yandex_sandbox: SandboxServer) -> None:
    yandex_sandbox.client.change_settings(conversion_counts=0)
    requests.post(
        f"{yandex_sandbox.url}/management/v1/counter/101/offline_conversions/upload",
        headers={"Authorization": f"OAuth {TOKEN}"},
        files={"file": ("a.csv", "ClientId,Target,DateTime\n1,order,1700000000\n")},
        timeout=30,
    ).raise_for_status()
    code, told = compare("yandex_metrica")
    assert code == 1
    assert told.count("only the sandbox has it") >= 3
    assert "- $.uploadings[].linked_quantity: only the sandbox has it (whole number)" in told


def test_neither_values_nor_what_is_personal_is_shown(compare: Compare, yandex_sandbox: SandboxServer) -> None:
    personal = "Access denied for Иван Петров, ivan.petrov@example.com, +7 999 555-11-11, by sandbox-token, counter 101"
    body = {"errors": [{"error_type": "access_denied", "message": personal}], "code": 403, "message": personal}
    yandex_sandbox.client.add_fault(path="/goals$", status=403, body=body)
    person = {"owner_login": "ivan.petrov", "name": "Иван Петров", "79995551111": 1, "since": "2026-11-26"}
    yandex_sandbox.client.add_fault(path="counter/101$", status=200, body={"counter": person})
    yandex_sandbox.client.add_fault(path="last_uploadings$", status=502, preset="html")
    code, told = compare("yandex_metrica")
    assert code == 1
    assert not [word for word in ("etrov", "Петров", "Иван", "999", "555", " 101") if word in told]
    assert "- $.counter.since: only the service has it (date)" in told
    assert "- $.counter.<name>: only the service has it (whole number)" in told
    assert '"access_denied"' in told
    assert "Access denied for" in told
    assert "counter <counter_id>" in told
    assert "- $: the service no JSON, the sandbox object" in told


@pytest.mark.parametrize(
    ("options", "connection", "words"),
    [
        (["--write"], {}, "--write needs --counter"),
        (["--write", "--counter", "7"], {"conn_type": "altcraft"}, "--write is for"),
        ([], {"conn_type": "http"}, "is none of yandex_metrica, yandex_market, altcraft"),
        ([], {"password": ""}, "has no password"),
        ([], {"conn_type": "altcraft", "host": ""}, "has no host"),
        ([], {"extra": {}}, "has no counter_id, or none that is a number"),
        ([], {"host": "http://127.0.0.1:{port}"}, "does not answer (ConnectionError)"),
        ([], {"host": "127.0.0.1", "port": "{port}", "schema": "http"}, "does not answer (ConnectionError)"),
    ],
    ids=str,
)
def test_what_cannot_be_compared(compare: Compare, options: list[str], connection: dict[str, Any], words: str) -> None:
    port = free_port()
    meant = {name: value.format(port=port) if name in ("host", "port") else value for name, value in connection.items()}
    code, told = compare("yandex_metrica", *options, **meant)
    assert code == 2
    assert words in told


def test_no_such_connection(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "--conn-id", "nobody"]) == 2
    assert "the connection 'nobody' cannot be read" in capsys.readouterr().err
