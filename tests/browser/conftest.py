# SPDX-License-Identifier: Apache-2.0
"""One Airflow, one sandbox and one browser for all tests in the browser."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_yandex_orders.demo import crm
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings
from tests.support.browser import BrowserUnavailable, chromium, window
from tests.support.examples import EXAMPLES
from tests.support.live_airflow import LiveAirflow
from tests.support.some_dags import USERS, SomeDags

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 3, 2)
ORDERS = 500
"""Of the CRM; far from now: the scheduled run that unpausing starts finds nothing."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They start a whole Airflow."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.live)


class AirflowWithUsers(LiveAirflow):
    """An Airflow that people sign in to."""

    def token(self, user: str = "admin") -> str:
        body = {"username": user, "password": user * 2}
        return str(self.request("POST", "/auth/token", json=body).json()["access_token"])


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with ExitStack() as stack:
        try:
            started = stack.enter_context(chromium())
        except BrowserUnavailable as reason:
            pytest.skip(str(reason))
        yield started


@pytest.fixture(scope="package")
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(SandboxSettings(processing_seconds=0, linked_share=0.8)) as server:
        yield server


# The browser comes first: where there is none, nothing else is started.
@pytest.fixture(scope="package")
def airflow(
    browser: Browser, sandbox: SandboxServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AirflowWithUsers]:
    folder = tmp_path_factory.mktemp("browser")
    dags = folder / "dags"
    dags.mkdir()
    for path in Path(__file__).parent.glob("dags/*.py"):
        shutil.copy(path, dags)
    # A try that Airflow loses on a busy machine is not made up for five minutes later.
    example = (EXAMPLES / "crm_to_metrica_daily.py").read_text(encoding="utf-8")
    (dags / "crm_to_metrica_daily.py").write_text(example.replace("timedelta(minutes=5)", "timedelta(seconds=5)"))
    with sqlite3.connect(folder / "crm.db") as connection:
        crm.create(connection, today=TODAY, limit=ORDERS)
    passwords = folder / "passwords.json"
    passwords.write_text(json.dumps({user: user * 2 for user in USERS}))
    access = {"host": sandbox.url, "password": "sandbox-token"}
    metrica = {"conn_type": "yandex_metrica", **access, "extra": {"counter_id": 101}}
    environment = {
        # The services import the auth manager of the tests.
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "AIRFLOW__CORE__AUTH_MANAGER": f"{SomeDags.__module__}.{SomeDags.__name__}",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{user}:{role}" for user, role in USERS.items()),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW_CONN_CRM": json.dumps({"conn_type": "sqlite", "host": str(folder / "crm.db")}),
        "AIRFLOW_CONN_YANDEX_METRICA_DEFAULT": json.dumps(metrica),
        "AIRFLOW_CONN_YANDEX_MARKET_DEFAULT": json.dumps({"conn_type": "yandex_market", **access}),
        "AIRFLOW_CONN_ALTCRAFT_DEFAULT": json.dumps({"conn_type": "altcraft", **access}),
    }
    with AirflowWithUsers(folder / "home", dags, environment) as running:
        yield running


@pytest.fixture
def windows(airflow: AirflowWithUsers, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens windows: ``windows(user, **options)``, with a user signed in (``None``: with nobody)."""
    with ExitStack() as stack:

        def opened(user: str | None = "admin", **options: Any) -> Page:
            page = stack.enter_context(window(browser, airflow.url, **options))
            if user is not None:
                page.context.add_cookies([{"name": "_token", "value": airflow.token(user), "url": airflow.url}])
            return page

        yield opened
