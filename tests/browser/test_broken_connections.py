# SPDX-License-Identifier: Apache-2.0
"""The button "Test" on Airflow's page of connections: what a person reads there of a connection that does not work."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.browser.conftest import AirflowWithUsers
from tests.support.browser import HEIGHT
from tests.support.live_airflow import LiveAirflowError
from tests.support.ports import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

METRICA, MARKET, ALTCRAFT = "yandex_metrica", "yandex_market", "altcraft"
FAILED = "Test Connection Failed"

# What is wrong, how the connection differs from one that works, and the cure that the answer must name. {sandbox} and
# {closed} are places of the test.
BROKEN: dict[str, tuple[str, dict[str, Any], str]] = {
    "wrong_token": (
        METRICA,
        {"password": "y0_wrong"},
        "Get a new OAuth token and put it into the connection's password",
    ),
    "no_token": (METRICA, {"password": None}, "put it into the password field"),
    "only_to_look_at": (METRICA, {"login": "102"}, "the counter's owner gives them under Settings, Access"),
    "of_somebody_else": (METRICA, {"login": "104"}, "give the account of the token edit rights on the counter"),
    "no_number": (METRICA, {"login": "my shop"}, "must be a whole number above 0, as Metrica shows it"),
    "misspelt_field": (METRICA, {"login": None, "extra": {"counter": 101}}, "did you mean 'counter_id'?"),
    "no_such_name": (METRICA, {"host": "https://metrica.invalid"}, "Check the connection's host, the network"),
    "revoked_key": (MARKET, {"password": "ACMA:revoked"}, "Make an Api-Key in the cabinet (Settings, API and modules)"),
    "oauth_as_key": (MARKET, {"password": "y0_token"}, 'put {"auth_type": "oauth"} into the extra'),
    "no_such_store": (MARKET, {"login": "77777"}, "it sees 1001 (FBS), 1002 (FBY), 1003 (DBS), 1004 (LAAS). Correct"),
    "closed_port": (MARKET, {"host": "http://{closed}"}, "cannot be reached on POST /v2/auth/token. Check the"),
    "no_host": (ALTCRAFT, {"host": None}, "Put its address, as https://your-platform.example.com, into the host field"),
    "not_the_root": (ALTCRAFT, {"host": "http://{sandbox}/login"}, "the platform's own address, without /api/v1.1"),
    "token_refused": (ALTCRAFT, {"password": "another"}, "Make a token with the market roles, under Settings, Tokens"),
    "plain_http": (ALTCRAFT, {"host": "{sandbox}"}, "write the connection's host as http://{sandbox}"),
}
WORKING = {METRICA: {"login": "101"}, MARKET: {"login": "1001"}, ALTCRAFT: {}}


@contextmanager
def stored(airflow: AirflowWithUsers, connections: list[dict[str, Any]]) -> Iterator[None]:
    """Connections that Airflow lists meanwhile."""
    for connection in connections:
        airflow.api("POST", "connections", json=connection)
    try:
        yield
    finally:
        for connection in connections:
            airflow.request("DELETE", f"/api/v2/connections/{connection['connection_id']}")


def row_of(page: Page, connection_id: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("cell", name=connection_id, exact=True))


def pressed(page: Page, connection_id: str) -> tuple[int, str]:
    """The button pressed: the status of the answer, and what the page shows of it."""
    with page.expect_response("**/connections/test") as awaited:
        # By the keyboard: the message of the press before may lie over the button.
        row_of(page, connection_id).get_by_role("button", name="Test Connection").press("Enter")
    answer = awaited.value
    shown = page.get_by_role("status").filter(has_text=answer.json()["message"] if answer.ok else "Bad Request").last
    shown.wait_for()
    words, box = shown.inner_text(), shown.bounding_box()
    assert box is not None
    assert box["height"] < HEIGHT / 2, f"{connection_id}: too long for a small screen: {words}"
    return answer.status, words


def test_each_of_many_broken_ones_is_told_its_cure(
    airflow: AirflowWithUsers, sandbox: SandboxServer, windows: Callable[..., Page]
) -> None:
    places = {"{sandbox}": sandbox.url.removeprefix("http://"), "{closed}": f"127.0.0.1:{free_port()}"}

    def filled(text: Any) -> Any:
        for name, place in places.items() if isinstance(text, str) else ():
            text = text.replace(name, place)
        return text

    connections = []
    for name, (kind, fields, _cure) in BROKEN.items():
        working = {"host": sandbox.url, "password": "sandbox-token", "port": 443, **WORKING[kind]}
        made = {"connection_id": name, "conn_type": kind, **working, **fields}
        connections.append({**made, "host": filled(made["host"]), "extra": json.dumps(fields.get("extra", {}))})
    troubles = {}
    with stored(airflow, connections):
        page = windows(viewport={"width": 1280, "height": 2 * HEIGHT})  # all rows beside all messages
        page.goto("/connections")
        for connection in connections:
            name, cure = connection["connection_id"], filled(BROKEN[connection["connection_id"]][2])
            _status, words = pressed(page, name)
            if not words.startswith(FAILED) or cure not in words or str(connection["password"]) in words:
                troubles[name] = words
    assert troubles == {}


def test_without_a_port_the_form_says_what_to_do(
    airflow: AirflowWithUsers, sandbox: SandboxServer, windows: Callable[..., Page]
) -> None:
    """Airflow 3.3 tests a stored connection without a port as if it had the port 0, and refuses that as another
    place than the stored one, in two words and before any hook is asked: only the form can tell the way round."""
    fields = {"conn_type": METRICA, "host": sandbox.url, "password": "sandbox-token", "login": "101"}
    without, with_port = {**fields, "connection_id": "without"}, {**fields, "connection_id": "with_port", "port": 443}
    with stored(airflow, [without, with_port]):
        page = windows()
        page.goto("/connections")
        status, words = pressed(page, "with_port")
        assert (status, words.startswith("Test Connection Successful")) == (200, True)
        status, words = pressed(page, "without")
        assert (status, words) == (400, f"{FAILED}\nBad Request") or words.startswith("Test Connection Successful")
        row_of(page, "without").get_by_role("button", name="Edit Connection").press("Enter")
        hint = page.get_by_role("dialog").get_by_label("Port").get_attribute("placeholder") or ""
        assert hint.startswith('443, so that "Test" works')


def test_an_extra_that_is_no_json_is_stopped_by_airflow_itself(airflow: AirflowWithUsers) -> None:
    """It stores no such connection, so the page has none whose button could be pressed."""
    broken = {"connection_id": "no_json", "conn_type": METRICA, "extra": "counter_id=101"}
    with pytest.raises(LiveAirflowError, match=r"422.*must be a valid JSON object"):
        airflow.api("POST", "connections", json=broken)
