# SPDX-License-Identifier: Apache-2.0
"""The links on the pages of tasks, followed by a click after a run: each leads to a page that is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.browser.conftest import AirflowWithUsers

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

DAG_ID = "three_services"
# The rejects lie in a file of this machine, which no browser opens: there is no link to them, and their reasons stand
# on the page of the delivery.
DELIVERY, COUNTER, CABINET = "Delivery", "Counter in Metrica", "Cabinet at Market"
LINKS = {
    "metrica": {COUNTER: "orders that", DELIVERY: "simple orders, counter 101"},
    "rejected": {COUNTER: "orders that", DELIVERY: "no_identifier"},
    "altcraft": {DELIVERY: "altcraft orders"},
    "market": {CABINET: "Yandex Market"},
}
"""Of each task, and what the page that each leads to says."""


@pytest.fixture(scope="module")
def run_id(airflow: AirflowWithUsers) -> str:
    """A run that is over."""
    started = airflow.trigger(DAG_ID, conf={"folder": str(airflow.home / "stats")})
    airflow.wait(DAG_ID, started, timeout=300)
    states = airflow.task_states(DAG_ID, started)
    assert states.pop("rejected") == "failed"
    assert set(states.values()) == {"success"}, airflow.why(DAG_ID, [started])
    return started


@pytest.mark.parametrize("task_id", LINKS)
def test_each_link_leads_to_a_page(
    airflow: AirflowWithUsers, sandbox: SandboxServer, run_id: str, windows: Callable[..., Page], task_id: str
) -> None:
    page = windows()
    page.goto(f"/dags/{DAG_ID}/runs/{run_id}/tasks/{task_id}/details")
    # Beside the task's facts, not in its log.
    links = page.get_by_role("heading", name="Extra Links").locator("xpath=..").get_by_role("link")
    links.first.wait_for()
    assert set(links.all_inner_texts()) == set(LINKS[task_id])
    for name, said in LINKS[task_id].items():
        link = links.filter(has_text=name)
        if name == DELIVERY:  # in place of the task's page
            link.click()
            led, place = page, f"{airflow.url}/yandex-orders/delivery?**task_id={task_id}&**"
        else:
            with page.expect_popup() as opened:
                link.click()
            led, place = opened.value, f"{sandbox.url}/"
        led.wait_for_url(place)
        led.get_by_role("main").get_by_text(said).first.wait_for()


def test_a_delivery_is_a_tab_of_its_task(airflow: AirflowWithUsers, run_id: str, windows: Callable[..., Page]) -> None:
    """As an Airflow with tabs for some operators (3.4) shows it; of a task that is not mapped it names no index."""
    task = "dag_id={DAG_ID}&run_id={RUN_ID}&task_id={TASK_ID}&map_index={MAP_INDEX}"
    href = f"/yandex-orders/delivery?{task}"
    tab = {"name": "Delivery", "href": href, "destination": "task_instance", "url_route": "yandex-orders-delivery"}
    page = windows()

    def with_tab(route: Route) -> None:
        answer = route.fetch()
        told = answer.json()
        ours = next(one for one in told["plugins"] if one["name"] == "yandex_orders")
        ours["external_views"] = [*(one for one in ours["external_views"] if one["destination"] == "nav"), tab]
        route.fulfill(response=answer, json=told)

    page.route("**/api/v2/plugins*", with_tab)
    page.goto(f"/dags/{DAG_ID}/runs/{run_id}/tasks/rejected")
    page.get_by_role("link", name="Delivery", exact=True).click()
    frame = page.frame_locator("iframe")
    frame.get_by_text("no_identifier").wait_for()
    frame.get_by_role("link", name="rejected", exact=True).click()  # the task, in the place of the tab
    page.wait_for_url("**/runs/**/tasks/rejected")
