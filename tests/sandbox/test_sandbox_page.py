# SPDX-License-Identifier: Apache-2.0
"""The page: what came, what came twice and what was wrong with it in plain words, and faults by a click."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
import requests

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sandbox.settings import METRICA_QUOTAS, SandboxSettings

METRICA = {"Authorization": "OAuth sandbox-token"}
MARKET = {"Api-Key": "sandbox-token"}
FILE = """\
id,create_date_time,client_uniq_id,client_ids,emails,order_status,revenue,currency
A,2025-03-04 10:00:00,C1,,ivan@x.example,PAID,0.1,
B,2025-03-04 23:59:59,C1,,ivan@x.example,PAID,0.2,RUB
D,2025-03-05,,77,,PAID,9223372036853.01,EUR
F,2025-03-06,,78,,paid,,
"""


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxServer]:
    with SandboxServer(SandboxSettings(processing_seconds=0, **METRICA_QUOTAS)) as server:
        yield server


@pytest.fixture
def server(running: SandboxServer) -> SandboxServer:
    running.client.reset()
    return running


def upload(server: SandboxServer, content: str, path: str = "simple_orders") -> requests.Response:
    """Send a file of CRM data, or of conversions."""
    of_crm = path == "simple_orders"
    address = (
        f"cdp/api/v1/counter/101/data/{path}" if of_crm else "management/v1/counter/101/offline_conversions/upload"
    )
    parameters = {"merge_mode": "SAVE"} if of_crm else {}
    files = {"file": ("data.csv", content, "text/csv")}
    return requests.post(f"{server.url}/{address}", params=parameters, headers=METRICA, files=files, timeout=30)


def import_order(server: SandboxServer, **changes: Any) -> dict[str, Any]:
    line = {"external_id": "L", "sku": "S", "final_price_per_item": "5", "count": 1, "status": "paid"}
    order: dict[str, Any] = {
        "external_id": "Petrov-7",
        "endpoint": "shop",
        "status": "paid",
        "currency": "RUB",
        "total_price": "5",
    }
    order |= {"create_time": "2025-03-04T10:00:00Z", "email": "ivan@x.example", "lines": [line], **changes}
    body: dict[str, Any] = {"token": "sandbox-token", "data": [order]}
    answer: dict[str, Any] = requests.post(f"{server.url}/api/v1.1/market/orders/import", json=body, timeout=30).json()
    return answer


def press(server: SandboxServer, **pressed: str) -> requests.Response:
    return requests.post(f"{server.url}/_sandbox/page", data=pressed, timeout=30)


def words(server: SandboxServer) -> str:
    """The page as it is read, without tags."""
    page = requests.get(server.url, timeout=30).text.partition("<main")[2].partition("<script")[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_an_empty_page_says_what_it_is_and_needs_nothing_from_elsewhere(server: SandboxServer) -> None:
    answer = requests.get(server.url, timeout=30)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "This is not the real service." in answer.text
    assert words(server).count("Nothing yet.") >= 3
    # No address but the sandbox's own: nothing is loaded from elsewhere. The icon is in the page.
    assert "http" not in re.sub(r"http-equiv", "", answer.text.replace(server.url, ""))


def test_numbers_and_no_persons(server: SandboxServer) -> None:
    # A status is the one text of a client that reaches the page; angle brackets are no forbidden characters.
    upload(server, FILE.replace("paid", "<b>won"))
    page = requests.get(server.url, timeout=30).text

    for shown in ("PASSED: taken", "0.3 RUB", "9,223,372,036,853.01 EUR", "&lt;b&gt;won"):
        assert shown in page
    for hidden in ("ivan", "C1", "sandbox-token", "<b>"):
        assert hidden not in page


def test_paid_is_told_from_PAID(server: SandboxServer) -> None:  # noqa: N802
    upload(server, FILE)

    assert "PAID a status of the service 101 3" in words(server)
    assert "paid neither a status nor a goal; did you mean PAID? 101 1" in words(server)


def test_faults_of_rows_in_plain_words_with_their_count(server: SandboxServer) -> None:
    bad = FILE.replace("0.2", "2 RUB").replace("9223372036853.01", "much").replace("2025-03-04 10:00:00", "4.3.")
    upload(server, bad)

    told = words(server)
    assert "FAILED: refused whole: none of its rows counts Simplified orders 3 faults" in told
    assert "2 rows: revenue must be a decimal number with a point" in told
    assert "(the first is line 3)" in told
    assert "1 row: create_date_time must be a date" in told
    assert "much" not in told


def test_conversions_are_among_the_uploads_and_doubles_have_their_money(server: SandboxServer) -> None:
    row = "77,sale,1741082400,10,RUB\n"
    for _ in range(2):
        assert upload(server, "ClientId,Target,DateTime,Price,Currency\n" + row, "conversions").status_code == 200
    upload(server, "ClientId,Target,DateTime\n78,sale,soon\n", "conversions")

    told = words(server)
    assert told.count("Offline conversions") == 3
    assert "1 row left out for faults, the others were taken" in told
    assert "1 row: DateTime must be" in told
    assert "Conversions 1 1 once here; nobody knows of the real service 10 RUB more would count" in told


def test_what_came_twice_of_each_service(server: SandboxServer) -> None:
    for _ in range(2):
        upload(server, FILE)
        upload(server, "create_date_time,client_ids,revenue\n2025-03-05,77,6\n")
        assert import_order(server)["error"] == 0

    told = words(server)
    assert "Simplified orders 6 4 counts once" in told
    assert "Orders without id, equal to another 2 1 counts twice" in told
    assert "Altcraft's orders 1 1 counts once" in told
    assert "Altcraft's triggers 1 1 the customer may be written to twice" in told


def test_a_refused_import_is_told_without_the_order(server: SandboxServer) -> None:
    assert import_order(server, total_price="five", currency=5)["error"] == 400

    told = words(server)
    assert "data[0]: " in told
    assert "total_price must be a decimal number as text" in told
    assert "Petrov" not in told


def test_markets_pages_and_budget(server: SandboxServer) -> None:
    server.client.change_settings(market_orders_per_day=3)
    address = f"{server.url}/v2/campaigns/1001/stats/orders"
    period = {"dateFrom": "2025-03-04", "dateTo": "2025-03-04"}
    assert requests.post(address, json=period, headers=MARKET, timeout=30).status_code == 200
    assert requests.post(address, json=period, headers={"Api-Key": "other"}, timeout=30).status_code == 401

    told = words(server)
    assert "3 orders handed out" in told.replace("orders handed out 3", "3 orders handed out")
    assert "1001 200 3 orders, the last page" in told
    assert "1001 401 Api-Key is invalid or revoked" in told
    assert "getOrdersStats/campaignId 1001 2 10,000" in told


def test_quotas_name_nobody(server: SandboxServer) -> None:
    upload(server, FILE)

    assert "Writes of one user today 1 5,000" in words(server)
    server.client.change_settings(metrica_requests_per_day=1)
    assert upload(server, FILE).status_code == 429
    assert "429 Quota exceeded: requests per day of this user" in words(server)


def test_a_click_makes_a_service_fail_and_another_one_ends_it(server: SandboxServer) -> None:
    assert press(server, fault="metrica-503", times="all").url == f"{server.url}/#faults"
    press(server, fault="altcraft-token", times="1")

    assert [upload(server, FILE).status_code for _ in range(2)] == [503, 503]
    assert import_order(server)["error"] == 403
    told = words(server)
    assert "Fault 1 Metrica: Uploads get 503: met 2 until switched off Switch off fault 1" in told
    assert "Fault 2 Altcraft: The token may not import: met 1 of 1, used up Remove fault 2" in told
    assert "503 by fault 1" in told

    press(server, forget="1")
    assert upload(server, FILE).status_code == 200
    assert "Fault 1" not in words(server)
    press(server, afresh="1")
    assert server.client.faults() == server.client.uploads() == []


def test_every_button_is_a_fault_that_the_sandbox_takes(server: SandboxServer) -> None:
    page = requests.get(server.url, timeout=30).text
    buttons = re.findall(r'name="fault" value="([^"]+)"', page)
    for button in buttons:
        assert press(server, fault=button, times="3").ok

    made = words(server).partition("Faults ")[2]
    assert len(buttons) == len(server.client.faults()) >= 12
    for number in range(1, len(buttons) + 1):
        assert re.search(rf"Fault {number} (Metrica|Market|Altcraft): ", made)


def test_switches_show_what_is_set(server: SandboxServer) -> None:
    press(server, setting="uploads_fail_later", value="1")
    press(server, setting="processing_seconds", value="2.5")

    page = requests.get(server.url, timeout=30).text
    assert 'id="set-uploads_fail_later" name="value" value="0" role="switch" aria-checked="true"' in page
    assert 'aria-checked="false"' in page
    assert server.client.settings()["processing_seconds"] == 2.5
    for nonsense in (
        {"setting": "linked_share", "value": "0"},
        {"setting": "processing_seconds", "value": "-1"},
        {"fault": "no-such", "times": "1"},
        {"fault": "metrica-503", "times": "0"},
        {},
    ):
        assert press(server, **nonsense).status_code == 422


def test_the_buttons_are_for_the_page_only(server: SandboxServer) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    answer = requests.post(f"{server.url}/_sandbox/page", data={"afresh": "1"}, headers=headers, timeout=30)
    assert answer.status_code == 403
