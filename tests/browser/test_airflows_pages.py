# SPDX-License-Identifier: Apache-2.0
"""A new user's first steps in Airflow's own pages: sign in, connect, run an example."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.browser.conftest import ORDERS, TODAY, AirflowWithUsers
from tests.support.browser import picture

if TYPE_CHECKING:
    from playwright.sync_api import Page

EXAMPLE = "crm_to_metrica_daily"


def test_people_sign_in_by_the_form(windows: Callable[..., Page]) -> None:
    page = windows(None)
    page.goto("/dags")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("adminadmin")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name=EXAMPLE).first.wait_for()


def test_a_connection_is_filled_in_by_its_form(
    airflow: AirflowWithUsers, sandbox: SandboxServer, windows: Callable[..., Page]
) -> None:
    page = windows()
    page.goto("/connections")
    page.get_by_role("button", name="Add Connection").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Connection ID").fill("my_metrica")
    form.get_by_role("combobox").fill("Metrica")
    page.get_by_role("option", name="Yandex Metrica").click()
    form.get_by_label("Host").fill(sandbox.url)
    token = form.get_by_label("OAuth token")
    assert token.get_attribute("type") == "password"
    token.fill("sandbox-token")
    form.get_by_label("Counter id").fill("101")
    picture(page, "connection-form", airflow.home)
    form.get_by_role("button", name="Save").click()
    page.get_by_role("row", name="my_metrica").wait_for()

    stored = airflow.api("GET", "connections/my_metrica")
    airflow.request("DELETE", "/api/v2/connections/my_metrica")
    assert (stored["host"], stored["password"]) == (sandbox.url, "***")
    answer = airflow.api("POST", "connections/test", json={**stored, "password": "sandbox-token"})
    assert answer["status"] is True, answer


def test_an_example_is_run(airflow: AirflowWithUsers, sandbox: SandboxServer, windows: Callable[..., Page]) -> None:
    sandbox.client.reset()
    page = windows()
    page.goto(f"/dags/{EXAMPLE}")
    page.get_by_role("button", name="Trigger").first.click()
    dialog = page.get_by_role("dialog").filter(has_text="Trigger Dag")
    page.get_by_test_id("datetime-input").click()
    page.get_by_placeholder("YYYY/MM/DD").fill(f"{TODAY:%Y/%m/%d}")
    page.get_by_placeholder("HH:mm").fill("00:00")
    dialog.get_by_role("heading", name="Trigger Dag").click()
    dialog.get_by_role("button", name="Trigger", exact=True).click()
    dialog.wait_for(state="hidden")
    runs = airflow.api("GET", f"dags/{EXAMPLE}/dagRuns", params={"run_type": "manual"})["dag_runs"]
    run_id = runs[0]["dag_run_id"]
    assert airflow.wait(EXAMPLE, run_id, timeout=600) == "success"
    page.goto(f"/dags/{EXAMPLE}/runs/{run_id}/tasks/upload_orders?tab=xcom")
    page.get_by_text("upload_orders").first.wait_for()
    sent = airflow.xcom(EXAMPLE, run_id, "upload_orders")["rows_sent"]
    assert sandbox.client.summary(101)["orders"] == sent > ORDERS // 2
    whole = {"x": 0, "y": 0, "width": 1280, "height": 654}  # below it the log names folders of this machine
    picture(page, "task-page", airflow.home, clip=whole)
