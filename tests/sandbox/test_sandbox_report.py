# SPDX-License-Identifier: Apache-2.0
"""The report on CRM orders: which orders it counts, by day and status, and in which shape."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings
from tests.sandbox.metrica_calls import HEADERS, passed, send_json

DATE = "ym:s:date"
ALL, PAYED, SPAM, OTHER = (f"ym:s:cdpOrders{name}" for name in ("AllOrders", "Payed", "Spam", "Other"))
PERIOD = {"date1": "2025-03-01", "date2": "2025-03-31"}


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxServer]:
    with SandboxServer(SandboxSettings(processing_seconds=0, linked_share=1, linking_window=False)) as server:
        yield server


@pytest.fixture
def server(running: SandboxServer) -> SandboxServer:
    running.client.reset()
    return running


def send(server: SandboxServer, *rows: tuple[str, ...]) -> None:
    """Simplified orders: id, creation, status, revenue, cost, currency."""
    header = "id,create_date_time,order_status,revenue,cost,currency,client_ids\n"
    content = header + "".join(",".join([*row, *[""] * (6 - len(row)), "1"]) + "\n" for row in rows)
    response = requests.post(
        f"{server.url}/cdp/api/v1/counter/101/data/simple_orders?merge_mode=SAVE",
        headers=HEADERS,
        files={"file": ("data.csv", content)},
        timeout=30,
    )
    passed(response)


def ask(server: SandboxServer, **query: str) -> requests.Response:
    whole = {"ids": "101", **query}
    return requests.get(f"{server.url}/stat/v1/data", params=whole, headers=HEADERS, timeout=30)


def report(server: SandboxServer, *metrics: str, **query: str) -> dict[str, Any]:
    response = ask(server, metrics=",".join(metrics), **{**PERIOD, **query})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def totals(server: SandboxServer, *metrics: str, **query: str) -> list[float]:
    found: list[float] = report(server, *metrics, **query)["totals"]
    return found


def days_ago(days: int) -> str:
    return str((datetime.now(ZoneInfo("Europe/Moscow")) - timedelta(days=days)).date())


def test_orders_by_day_and_status(server: SandboxServer) -> None:
    send(
        server,
        ("A", "2025-03-04 10:00:00", "PAID"),
        ("B", "2025-03-04", "IN_PROGRESS"),
        ("C", "2025-03-05", "SPAM"),
        ("D", "2025-03-05", "won"),
        ("E", "2025-03-06", "CANCELLED"),
        ("F", "2025-04-01", "PAID"),
    )

    found = report(server, ALL, PAYED, SPAM, OTHER, dimensions=DATE, sort=DATE)

    assert found["data"] == [
        {"dimensions": [{"name": "2025-03-04"}], "metrics": [2.0, 1.0, 0.0, 0.0]},
        {"dimensions": [{"name": "2025-03-05"}], "metrics": [1.0, 0.0, 1.0, 1.0]},
        {"dimensions": [{"name": "2025-03-06"}], "metrics": [1.0, 0.0, 0.0, 0.0]},
    ]
    assert found["totals"] == [4.0, 1.0, 1.0, 1.0]
    assert (found["min"], found["max"]) == ([1.0, 0.0, 0.0, 0.0], [2.0, 1.0, 1.0, 1.0])
    assert found["total_rows"] == 3
    assert (found["sampled"], found["sample_share"], found["sample_size"], found["data_lag"]) == (False, 1.0, 5, 0)
    assert found["query"]["ids"] == [101]
    assert (found["query"]["date1"], found["query"]["date2"]) == ("2025-03-01", "2025-03-31")
    assert (found["query"]["metrics"], found["query"]["dimensions"]) == ([ALL, PAYED, SPAM, OTHER], [DATE])
    assert (found["query"]["limit"], found["query"]["offset"], found["query"]["sort"]) == (100, 1, [DATE])


def test_without_dimensions_there_is_one_row(server: SandboxServer) -> None:
    assert report(server, ALL)["data"] == [{"dimensions": [], "metrics": [0.0]}]
    empty = report(server, ALL, dimensions=DATE)
    assert (empty["data"], empty["total_rows"], empty["totals"], empty["min"]) == ([], 0, [0.0], [0.0])

    send(server, ("A", "2025-03-04", "PAID"))
    assert report(server, ALL)["data"] == [{"dimensions": [], "metrics": [1.0]}]


def test_pages_and_sorting(server: SandboxServer) -> None:
    send(
        server,
        *((f"{day}-{number}", f"2025-03-0{day}", "PAID") for day in range(1, 6) for number in range(day % 3 + 1)),
    )

    def days(**query: str) -> list[str]:
        rows = report(server, ALL, dimensions=DATE, **query)["data"]
        return [row["dimensions"][0]["name"][-1] for row in rows]

    assert days() == ["2", "5", "1", "4", "3"]
    assert days(sort=ALL) == ["3", "1", "4", "2", "5"]
    assert days(sort=f"-{DATE}") == ["5", "4", "3", "2", "1"]
    assert days(sort=f"{ALL},-{DATE}") == ["3", "4", "1", "5", "2"]
    assert days(sort=DATE, limit="2") == ["1", "2"]
    assert days(sort=DATE, limit="2", offset="5") == ["5"]
    assert report(server, ALL, dimensions=DATE, limit="1", offset="9")["total_rows"] == 5


def test_money_of_paid_orders(server: SandboxServer) -> None:
    send(
        server,
        ("A", "2025-03-04", "PAID", "100.10", "40", "RUB"),
        ("B", "2025-03-04", "PAID", "50", "", ""),
        ("C", "2025-03-04", "PAID", "9", "", "EUR"),
        ("D", "2025-03-04", "IN_PROGRESS", "1000", "", "RUB"),
    )

    names = [f"ym:s:cdpOrdersRUB{kind}" for kind in ("Revenue", "Profit", "AverageCheque")]
    assert totals(server, *names) == [150.1, 110.1, 75.05]
    assert totals(server, "ym:s:cdpOrders<currency>Revenue", currency="EUR") == [9.0]
    assert totals(server, "ym:s:cdpOrdersUSDAverageCheque") == [0.0]
    conversions = totals(server, "ym:s:cdpOrdersConversionIntoOrder", "ym:s:cdpOrdersConversionIntoPayment")
    assert conversions == [100.0, 75.0]


def test_linked_share_is_steady_and_adjustable(server: SandboxServer) -> None:
    send(server, *((f"A-{number}", "2025-03-04", "PAID") for number in range(400)))

    counts = []
    for share in (0.0, 0.5, 0.8, 1.0):
        server.client.change_settings(linked_share=share)
        (count,) = totals(server, ALL)
        assert totals(server, ALL) == [count]
        assert server.client.summary()["kinds"]["simple_orders"]["linked"] == count
        counts.append(count)
    assert counts[0] == 0
    assert 150 < counts[1] < 250 < counts[2] < 360
    assert counts[3] == 400


def test_window_of_21_days(server: SandboxServer) -> None:
    send(server, ("A", days_ago(21), "PAID"), ("B", days_ago(22), "PAID"), ("C", days_ago(0), "IN_PROGRESS"))
    period = {"date1": "30daysAgo", "date2": "today"}
    assert totals(server, ALL, **period) == [3.0]

    server.client.change_settings(linking_window=True)
    assert totals(server, ALL, **period) == [2.0]
    send(server, ("B", days_ago(0), "PAID"), ("A", days_ago(21), "SPAM"))
    assert totals(server, ALL, SPAM, **period) == [1.0, 1.0]


def test_orders_of_the_full_mode(server: SandboxServer) -> None:
    order = {"client_uniq_id": "C", "client_type": "CONTACT", "create_date_time": "2025-03-04 10:00:00"}
    orders = [{**order, "id": status, "order_status": status} for status in ("won", "lost", "PAID")]
    passed(send_json(server, "orders", orders))
    assert totals(server, ALL) == [0.0]

    passed(send_json(server, "contacts", [{"uniq_id": "C"}]))
    assert totals(server, ALL) == [0.0]
    assert server.client.summary()["kinds"]["orders"]["linked"] == 0

    contact = {"uniq_id": "C", "phones_md5": ["a" * 32]}
    passed(send_json(server, "contacts", [contact]))
    assert totals(server, ALL, PAYED, OTHER) == [3.0, 1.0, 2.0]

    url = f"{server.url}/cdp/api/v1/counter/101/schema/order_statuses"
    statuses = {"order_statuses": [{"id": "won", "type": "PAID"}]}
    assert requests.post(url, headers=HEADERS, json=statuses, timeout=30).json() == {"success": True}
    assert totals(server, ALL, PAYED, OTHER) == [3.0, 2.0, 1.0]
    send(server, ("won", "2025-03-04", "PAID"))
    assert totals(server, ALL, PAYED) == [4.0, 3.0]


def test_orders_show_after_their_processing_time(server: SandboxServer) -> None:
    send(server, ("A", "2025-03-04", "PAID"))
    server.client.change_settings(processing_seconds=7200)

    assert totals(server, ALL) == [0.0]


def test_defaults_and_other_parameters(server: SandboxServer) -> None:
    send(server, ("A", days_ago(0), "PAID"), ("B", days_ago(6), "PAID"), ("C", days_ago(7), "PAID"))

    found = ask(server, metrics=ALL, accuracy="full", lang="en", pretty="1", group="day").json()
    assert found["totals"] == [2.0]
    assert (found["query"]["date1"], found["query"]["date2"]) == (days_ago(6), days_ago(0))
    assert ask(server, metrics=ALL, date1="yesterday", date2="yesterday").json()["query"]["date1"] == days_ago(1)
    assert ask(server, ids="101,103", metrics=ALL).json()["query"]["ids"] == [101, 103]
    address = f"{server.url}/stat/v1/data/"
    assert requests.get(address, params={"ids": "101", "metrics": ALL}, headers=HEADERS, timeout=30).status_code == 200


@pytest.mark.parametrize(
    ("query", "status", "error_type"),
    [
        ({"ids": ""}, 400, "missing_parameter"),
        ({"metrics": ""}, 400, "missing_parameter"),
        ({"metrics": "ym:s:cdpOrdersPaid"}, 400, "invalid_parameter"),
        ({"metrics": "ym:s:visits"}, 400, "invalid_parameter"),
        ({"metrics": f"{ALL}, {PAYED}"}, 400, "invalid_parameter"),
        ({"metrics": ",".join([ALL] * 21)}, 400, "limit_exceeded"),
        ({"dimensions": "ym:s:trafficSource"}, 400, "invalid_parameter"),
        ({"dimensions": "date"}, 400, "invalid_parameter"),
        ({"sort": PAYED}, 400, "invalid_parameter"),
        ({"date1": "2020-10-25"}, 400, "invalid_parameter"),
        ({"date1": "2025-03-05", "date2": "2025-03-04"}, 400, "invalid_parameter"),
        ({"date1": "04.03.2025"}, 400, "invalid_parameter"),
        ({"date1": "20250304"}, 400, "invalid_parameter"),
        ({"date2": "tomorrow"}, 400, "invalid_parameter"),
        ({"limit": "0"}, 400, "invalid_parameter"),
        ({"limit": "100001"}, 400, "invalid_parameter"),
        ({"offset": "0"}, 400, "invalid_parameter"),
        ({"filters": "ym:s:date=='2025-03-04'"}, 400, "invalid_parameter"),
        ({"preset": "orders_sources"}, 400, "invalid_parameter"),
        ({"ids": "abc"}, 400, "invalid_parameter"),
        ({"ids": "101,104"}, 403, "access_denied"),
        ({"ids": "999"}, 404, "not_found"),
    ],
)
def test_queries_are_checked(server: SandboxServer, query: dict[str, str], status: int, error_type: str) -> None:
    response = ask(server, **{"metrics": ALL, **PERIOD, **query})

    assert (response.status_code, response.json()["errors"][0]["error_type"]) == (status, error_type)


def test_token_is_needed_and_reading_is_enough(server: SandboxServer) -> None:
    address, query = f"{server.url}/stat/v1/data", {"ids": "102", "metrics": ALL}
    reader = {"Authorization": "OAuth sandbox-read-token"}
    assert requests.get(address, params=query, headers=reader, timeout=30).status_code == 200
    assert requests.get(address, params=query, timeout=30).status_code == 401
    assert requests.get(f"{server.url}/stat/v1/other", headers=HEADERS, timeout=30).json()["code"] == 404
