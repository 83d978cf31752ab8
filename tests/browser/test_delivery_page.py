# SPDX-License-Identifier: Apache-2.0
"""The page of deliveries in Airflow: what it tells, to whom, and in which states."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.browser import history
from tests.browser.conftest import AirflowWithUsers
from tests.support.browser import HEIGHT, NARROW, faint, picture

if TYPE_CHECKING:
    from playwright.sync_api import Page

LIST = "/yandex-orders/"


@pytest.fixture
def empty(airflow: AirflowWithUsers) -> Iterator[None]:
    """Nothing was sent yet; what others had sent is put back."""
    file = airflow.home / "yandex_orders" / "journal.db"
    kept = file.read_bytes() if file.exists() else None
    file.unlink(missing_ok=True)
    yield
    if kept is not None:
        file.write_bytes(kept)


@pytest.fixture(scope="module")
def month(airflow: AirflowWithUsers, sandbox: SandboxServer) -> None:
    """A month of deliveries and nothing else."""
    (airflow.home / "yandex_orders" / "journal.db").unlink(missing_ok=True)
    sandbox.client.reset()
    history.fill(airflow.home, sandbox.url)


def ids(page: Page) -> set[str]:
    """Deliveries that the page links to."""
    links = page.locator("main a[href*='delivery_id=']").evaluate_all("all => all.map(each => each.href)")
    return {link.rpartition("=")[2] for link in links}


def find(page: Page, key: str) -> str:
    """What the page says of a row."""
    page.get_by_label("Find a row by its key").fill(key)
    page.get_by_role("button", name="Find").click()
    page.wait_for_url("**/search")
    return page.inner_text("main")


def test_an_empty_journal_says_when_deliveries_come(empty: None, windows: Callable[..., Page]) -> None:
    page = windows()
    page.goto(LIST)
    assert "No delivery yet" in page.inner_text("main")
    assert "journal_conn_id" in page.inner_text("main")


def test_airflow_shows_it_and_its_links_lead_into_airflow(
    month: None, airflow: AirflowWithUsers, windows: Callable[..., Page]
) -> None:
    page = windows()
    page.goto("/plugin/yandex-orders")
    frame = page.frame_locator("iframe")
    frame.locator("#chart-rows canvas").wait_for()
    frame.locator("#chart-shares canvas").wait_for()
    picture(page, "deliveries", airflow.home)
    frame.get_by_label("DAG", exact=True).select_option(history.ORDERS_DAG)
    frame.get_by_role("link", name="Show all").wait_for()
    frame.get_by_role("link", name=re.compile(r"^Delivery \d+, begun")).nth(1).click()
    frame.get_by_role("heading", name="Parts").wait_for()
    assert "RUB" in frame.locator("main").inner_text()
    assert "not_a_number" in frame.locator("main").inner_text()
    picture(page, "delivery", airflow.home)
    frame.get_by_role("link", name="upload_orders", exact=True).click()
    page.wait_for_url(f"**/dags/{history.ORDERS_DAG}/runs/**/tasks/upload_orders")


def test_the_filter_counts_the_same_as_the_list(month: None, windows: Callable[..., Page]) -> None:
    page = windows()
    page.goto(LIST)
    everything = ids(page)
    page.get_by_label("Outcome", exact=True).select_option("rejected")
    page.wait_for_url("**/?*outcome=rejected*")
    rejected = ids(page)
    assert rejected < everything
    assert page.locator(".tiles strong").first.inner_text() == str(len(rejected))
    page.get_by_label("DAG", exact=True).select_option("guests_orders")
    page.get_by_role("heading", name="Nothing fits").wait_for()


@pytest.mark.parametrize("width", [NARROW, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_and_can_be_read_in_both_themes(
    month: None, airflow: AirflowWithUsers, windows: Callable[..., Page], theme: str, width: int
) -> None:
    page = windows(viewport={"width": width, "height": HEIGHT}, color_scheme=theme)
    for address in (LIST, f"{LIST}delivery?delivery_id=2", f"{LIST}search"):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert faint(page) == []
    page.goto(LIST)
    page.locator("#chart-rows canvas").wait_for()
    if (width, theme) == (NARROW, "dark"):
        picture(page, "deliveries-narrow", airflow.home)
    # The theme that people chose in Airflow stands over that of their system.
    other = "light" if theme == "dark" else "dark"
    ground = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(ground)
    page.evaluate(f"localStorage.setItem('theme', '{other}')")
    page.reload()
    assert page.evaluate(ground) != before


def test_a_keyboard_reaches_everything(month: None, windows: Callable[..., Page]) -> None:
    page = windows()
    page.goto(LIST)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    reached = []
    for _ in range(200):
        page.keyboard.press("Tab")
        name = page.evaluate(
            "(({ariaLabel, name, textContent}) => (ariaLabel || name || textContent).trim())(document.activeElement)"
        )
        reached.append(name)
        if name.startswith("Delivery "):
            break
    assert {"days", "dag_id", "outcome", "The numbers as a table", "Deliveries"} <= set(reached)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=re.compile(r"^Delivery \d+")).wait_for()


def test_a_screen_reader_finds_names_for_everything(month: None, windows: Callable[..., Page]) -> None:
    page = windows()
    for address in (LIST, f"{LIST}delivery?delivery_id=2"):
        page.goto(address)
        assert page.locator("html[lang=en], main, h1").count() == 3
        assert page.locator("table:not(:has(caption))").count() == page.locator("table.u-legend").count()
        assert page.locator("th:not([scope])").count() == page.locator("table.u-legend th").count()
        fields = page.locator("select, input:not([type=hidden])")
        assert fields.evaluate_all("all => all.filter((each) => !each.labels.length).length") == 0
        assert page.locator("canvas").count() == page.locator("[role=img][aria-label] canvas").count()


def test_a_row_is_found_by_its_key_which_stays_in_the_request(
    month: None, airflow: AirflowWithUsers, windows: Callable[..., Page]
) -> None:
    page = windows()
    page.goto(LIST)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    assert "Sent 1 time" in find(page, history.KEY)
    assert history.ORDERS_DAG in page.inner_text("main")
    assert "Never sent" in find(page, "PLANTED-key-4711")
    assert not any("4711" in url or history.KEY in url for url in asked)
    assert "PLANTED-key-4711" not in page.content() + airflow.all_logs()


def test_who_may_not_read_a_dag_sees_no_delivery_of_it(month: None, windows: Callable[..., Page]) -> None:
    mine, page = windows(), windows("guest")
    mine.goto(f"{LIST}?days=30&dag_id={history.GUEST_DAG}")
    page.goto(LIST)
    assert ids(page) == ids(mine) != set()
    told = page.content()
    assert history.ORDERS_DAG not in told
    assert history.SHOPS_DAG not in told
    assert "yandex_metrica_default" not in told  # whose requests: for those who may see the connection
    mine.goto(f"{LIST}?dag_id={history.ORDERS_DAG}")
    for delivery in ids(mine):
        answer = page.goto(f"{LIST}delivery?delivery_id={delivery}")
        assert answer is not None
        assert answer.status == 404
    assert "Never sent" in find(page, history.KEY)
    assert "Sent 1 time" in find(page, history.GUEST_KEY)


def test_who_is_not_signed_in_comes_back_after_signing_in(month: None, windows: Callable[..., Page]) -> None:
    page = windows(None)
    page.goto(f"{LIST}delivery?delivery_id=2")
    page.get_by_label("Username").fill("viewer")
    page.get_by_label("Password").fill("viewerviewer")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Delivery 2").wait_for()


def test_the_newest_delivery_of_a_task_is_at_the_address_of_its_link(month: None, windows: Callable[..., Page]) -> None:
    page = windows()
    run_id = f"scheduled__{history.day_before(1)}T00%3A00%3A00%2B00%3A00"
    address = f"{LIST}delivery?dag_id={history.ORDERS_DAG}&run_id={run_id}&task_id=upload_orders"
    page.goto(f"{address}&map_index=-1")
    assert run_id.replace("%3A", ":").replace("%2B", "+") in page.inner_text("main")
    answer = page.goto(f"{address}&map_index=7")
    assert answer is not None
    assert answer.status == 404
    assert "may not read its DAG" in page.inner_text("main")


def test_a_journal_that_cannot_be_read_says_what_to_do(
    month: None, airflow: AirflowWithUsers, windows: Callable[..., Page]
) -> None:
    page = windows()
    file = airflow.home / "yandex_orders" / "journal.db"
    kept = file.read_bytes()
    try:
        file.write_bytes(b"no database at all" * 100)
        answer = page.goto(LIST)
        assert answer is not None
        assert answer.status == 503
        assert "journal_conn_id" in page.get_by_role("alert").inner_text()
    finally:
        file.write_bytes(kept)
    page.get_by_role("link", name="Try again").click()
    page.locator("#chart-rows canvas").wait_for()


def test_a_page_that_is_awaited_says_so(month: None, windows: Callable[..., Page]) -> None:
    page = windows()
    page.goto(LIST)
    page.evaluate("addEventListener('submit', (event) => event.preventDefault())")  # the answer never comes
    page.get_by_label("Period", exact=True).select_option("90")
    page.locator("body[aria-busy]").wait_for()
