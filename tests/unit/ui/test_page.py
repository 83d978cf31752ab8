# SPDX-License-Identifier: Apache-2.0
"""The page's answers to addresses that nobody meant, and to those who are not signed in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_yandex_orders.exceptions import RejectedRowsError
from airflow_provider_yandex_orders.operators.metrica import MetricaUploadSimpleOrdersOperator
from airflow_provider_yandex_orders.sandbox.server import SandboxServer

pytest.importorskip("airflow.api_fastapi.core_api.security", reason="this Airflow has no such pages")

if TYPE_CHECKING:
    from starlette.testclient import TestClient


@pytest.fixture
def nobody(airflow_db: None) -> TestClient:
    """A browser in which nobody is signed in."""
    from airflow.api_fastapi.app import create_auth_manager
    from starlette.testclient import TestClient

    from airflow_provider_yandex_orders.ui.page import page

    create_auth_manager()
    return TestClient(page, follow_redirects=False)


@pytest.fixture
def browser(nobody: TestClient, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """A browser of an admin who may read ``a_dag``."""
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.api_fastapi.core_api.security import get_user

    from airflow_provider_yandex_orders.ui.page import _readable, page

    answers = {get_user: lambda: SimpleAuthManagerUser(username="admin", role="admin"), _readable: lambda: ["a_dag"]}
    monkeypatch.setattr(page, "dependency_overrides", answers)
    return nobody


@pytest.mark.parametrize("days", ["²", "٧", "-7", "", "8", "9" * 5000])
def test_what_is_no_period_chooses_none(browser: TestClient, days: str) -> None:
    answer = browser.get("/", params={"days": days})
    assert (answer.status_code, "Last 30 days" in answer.text) == (200, True)


@pytest.mark.parametrize(
    "address",
    [
        *(f"/delivery?delivery_id={wrong}" for wrong in ("x", 1, 2**31, 2**64, "1.5")),
        *(f"/delivery?dag_id=a_dag&run_id=r&task_id=t&map_index={wrong}" for wrong in ("x", 2**31, 2**64)),
        *(f"/?before={wrong}" for wrong in ("x", 2**31, 2**64)),
        f"/delivery?delivery_id=1&after={2**64}",
        "/nowhere",
        "/static/nothing.js",
    ],
)
def test_what_is_not_there_is_a_page_that_says_so(browser: TestClient, address: str) -> None:
    answer = browser.get(address)
    assert (answer.status_code, "Nothing to show here" in answer.text) == (404, True)
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("method", "address"), [("GET", "/"), ("GET", "/delivery"), ("GET", "/search"), ("POST", "/search")]
)
def test_who_is_not_signed_in_is_sent_to_sign_in(nobody: TestClient, method: str, address: str) -> None:
    answer = nobody.request(method, address)
    assert (answer.status_code, "login" in answer.headers["Location"]) == (303, True)


def test_of_a_search_no_more_is_read_than_a_key(browser: TestClient) -> None:
    sent: list[dict[str, Any]] = []
    pieces = iter([b"key=A-1&more=", *[b"x" * 9000] * 3])

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": next(pieces), "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/search", "query_string": b"", "headers": [], "root_path": ""}
    asyncio.run(browser.app({**scope, "http_version": "1.1"}, receive, send))  # type: ignore[arg-type]
    assert sent[0]["status"] == 200
    assert len(list(pieces)) == 1


def test_an_upload_that_failed_for_its_rejects_tells_them(
    metrica: SandboxServer, context: Callable[..., dict[str, Any]], browser: TestClient
) -> None:
    order = {"create_date_time": "2026-11-25 10:00:00", "emails": "buyer@example.com"}
    orders = [{**order, "id": f"A-{price}", "revenue": price} for price in ("10", "much", "more")]
    with pytest.raises(RejectedRowsError):
        MetricaUploadSimpleOrdersOperator(task_id="upload", source=orders).execute(context())  # type: ignore[arg-type]
    for address in ("/", "/delivery?delivery_id=1"):
        told = browser.get(address).text
        reasons = told.partition("Rejected by reason</h2>")[2].partition("</section>")[0]
        assert "<code>not_a_number</code>" in reasons
        assert '<td class="n">2</td>' in reasons
