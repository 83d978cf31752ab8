# SPDX-License-Identifier: Apache-2.0
"""The sandbox's page as people use it: at any width, light or dark, by keyboard, and without a script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from airflow_provider_yandex_orders.operators.metrica import MetricaUploadSimpleOrdersOperator
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sandbox.settings import METRICA_QUOTAS, SandboxSettings
from tests.support.browser import HEIGHT, NARROW, WIDTH, faint, moving_picture, picture, window
from tests.support.connections import connect

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ORDERS = """\
id,create_date_time,client_ids,order_status,revenue,currency
A,{day} 10:00:00,77,PAID,1200.50,RUB
B,{day} 11:00:00,78,PAID,{revenue},RUB
C,{day} 12:00:00,79,paid,310,RUB
D,{day} 13:00:00,79,CANCELLED,90,RUB
"""
CONVERSION = "ClientId,Target,DateTime,Price,Currency\n77,sale,1741082400,10,RUB\n"


def upload(server: SandboxServer, revenue: str = "88.20") -> None:
    send(
        server,
        "cdp/api/v1/counter/101/data/simple_orders?merge_mode=SAVE",
        ORDERS.format(day="2026-03-01", revenue=revenue),
    )


def send(server: SandboxServer, path: str, content: str) -> None:
    headers, files = {"Authorization": "OAuth sandbox-token"}, {"file": ("data.csv", content, "text/csv")}
    requests.post(f"{server.url}/{path}", headers=headers, files=files, timeout=60)


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxServer]:
    with SandboxServer(SandboxSettings(processing_seconds=0, market_orders_per_day=40, **METRICA_QUOTAS)) as server:
        yield server


@pytest.fixture
def server(running: SandboxServer) -> SandboxServer:
    """A sandbox that a day's work has been through: good uploads, a bad one, doubles, a fault."""
    running.client.reset()
    upload(running)
    upload(running, "much")
    upload(running)
    for _ in range(2):
        send(running, "management/v1/counter/101/offline_conversions/upload", CONVERSION)
    line = {"external_id": "L", "sku": "S", "final_price_per_item": "5", "count": 1, "status": "paid"}
    order = {"external_id": "7", "endpoint": "shop", "status": "paid", "currency": "RUB", "total_price": "5"}
    document: Any = {
        "token": "sandbox-token",
        "data": [{**order, "create_time": "2026-03-01T10:00:00Z", "lines": [line]}],
    }
    for email in ("", "a@shop.example"):
        document["data"][0]["email"] = email
        requests.post(f"{running.url}/api/v1.1/market/orders/import", json=document, timeout=60)
    period, key = {"dateFrom": "2026-03-01", "dateTo": "2026-03-03"}, {"Api-Key": "sandbox-token"}
    requests.post(f"{running.url}/v2/campaigns/1001/stats/orders", json=period, headers=key, timeout=60)
    running.client.add_fault(path="/data/", method="POST", preset="backend_error")
    upload(running)
    return running


def overflow(page: Page) -> int:
    """Pixels that the page must be scrolled sideways."""
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [NARROW, WIDTH])
def test_all_of_it_can_be_read(
    browser: Browser, server: SandboxServer, tmp_path: Path, width: int, scheme: str
) -> None:
    with window(browser, server.url, viewport={"width": width, "height": HEIGHT}, color_scheme=scheme) as page:
        page.goto("/")
        for line in page.locator("#metrica summary").all():
            line.click()
        assert overflow(page) == 0
        assert faint(page) == []
        for name in ("What came more than once", "Orders by status", "The newest calls, times in UTC"):
            assert page.get_by_role("table", name=name).get_by_role("row").count() > 1
        if (width, scheme) == (WIDTH, "light"):
            page.evaluate("scrollTo(0, 0)")
            picture(page, "sandbox-page", tmp_path)


def test_a_fault_is_switched_on_and_off_by_keyboard(browser: Browser, server: SandboxServer) -> None:
    with window(browser, server.url) as page:
        page.goto("/")
        page.get_by_role("group", name="Altcraft").get_by_label("Requests it meets").select_option("all")
        button = page.get_by_role("button", name="Imports get 503")
        for _ in range(60):
            if button.evaluate("one => one === document.activeElement"):
                break
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.get_by_role("status").filter(has_text="Imports get 503: done.").wait_for()
        assert server.client.faults()[-1]["preset"] == "altcraft_unavailable"
        assert server.client.faults()[-1]["times"] is None

        page.get_by_role("button", name="Switch off fault 2").press("Enter")
        page.get_by_text("Imports get 503: met").wait_for(state="detached")
        assert len(server.client.faults()) == 1
        switch = page.get_by_role("switch", name="Uploads are taken and fail later")
        switch.press("Space")
        page.wait_for_function("document.getElementById('set-uploads_fail_later').ariaChecked === 'true'")
        assert server.client.settings()["uploads_fail_later"] is True


def test_what_comes_shows_by_itself_and_disturbs_nobody(browser: Browser, server: SandboxServer) -> None:
    with window(browser, server.url) as page:
        page.clock.install()
        page.goto("/")
        refused = page.locator("summary", has_text="FAILED")
        refused.focus()
        page.keyboard.press("Enter")
        page.get_by_text("1 row: revenue must be a decimal number").wait_for()
        before = page.locator(".uploads > li").count()
        upload(server)
        page.clock.run_for(3000)
        page.wait_for_function("before => document.querySelectorAll('.uploads > li').length > before", arg=before)
        assert refused.locator("..").get_attribute("open") is not None
        assert refused.evaluate("one => one === document.activeElement")

        page.get_by_label("Hold still").check()
        upload(server)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.clock.run_for(10_000)
        assert asked == []
        assert page.locator(".uploads > li").count() == before + 1


def test_a_page_whose_sandbox_has_ended_says_so(browser: Browser) -> None:
    with SandboxServer(SandboxSettings(processing_seconds=0)) as ending:
        upload(ending)
        with window(browser, ending.url) as page:
            page.goto("/")
            ending.stop()
            page.get_by_text("The sandbox does not answer: it has ended.").wait_for()
            assert page.get_by_text("PASSED: taken").is_visible()


def test_the_buttons_work_without_a_script(browser: Browser, server: SandboxServer) -> None:
    with window(browser, server.url, java_script_enabled=False) as page:
        page.goto("/")
        page.get_by_role("button", name="The key may not read orders").click()
        page.get_by_text("Market: The key may not read orders: met 0 of 1").wait_for()
        assert page.url.endswith("/#faults")


def test_the_days_of_a_shop_show_one_by_one(
    browser: Browser,
    tmp_path: Path,
    yandex_context: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    naps: list[float],
) -> None:
    rows = [
        {
            "id": f"A-{number}",
            "create_date_time": f"2026-03-01 {number % 24:02}:10:00",
            "revenue": f"{number * 7 + 90}.50",
        }
        | {"emails": f"buyer{number}@shop.example", "order_status": "IN_PROGRESS", "currency": "RUB"}
        for number in range(240)
    ]
    paid = [row | {"order_status": "PAID"} for row in rows[:150]]
    with SandboxServer(SandboxSettings(processing_seconds=0, **METRICA_QUOTAS)) as server:
        connect(monkeypatch, server.url)

        def sent(source: list[dict[str, str]]) -> int:
            task = MetricaUploadSimpleOrdersOperator(
                task_id="upload_orders", source=source, changed_only=True, staging_path=str(tmp_path / "staging")
            )
            return int(task.execute(yandex_context())["rows_sent"])

        shots = []
        with window(browser, server.url) as page:
            for source, faults, rows_sent in (([], 0, 0), (rows, 0, 240), (rows, 0, 0), (paid, 2, 150)):
                if faults:
                    server.client.add_fault(path="simple_orders", preset="backend_error", times=faults)
                assert sent(source) == rows_sent
                page.goto("/")
                shots.append(page.screenshot(animations="disabled", caret="hide"))
        moving_picture(shots, "days")
