# SPDX-License-Identifier: Apache-2.0
"""Which cells of a simple_orders file the sandbox takes, column by column."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxServer]:
    with SandboxServer(SandboxSettings(processing_seconds=0)) as server:
        yield server


@pytest.fixture
def server(running: SandboxServer) -> SandboxServer:
    running.client.reset()
    return running


def send(server: SandboxServer, content: str) -> dict[str, Any]:
    response = requests.post(
        f"{server.url}/cdp/api/v1/counter/101/data/simple_orders?merge_mode=SAVE",
        headers={"Authorization": "OAuth sandbox-token"},
        files={"file": ("data.csv", content, "text/csv")},
        timeout=30,
    )
    assert response.status_code == 200, response.text
    uploading: dict[str, Any] = response.json()["uploading"]
    return uploading


def cell_file(column: str, cell: str) -> str:
    """A file of one row in which only the given cell and what every row needs is filled."""
    cells = {"create_date_time": "2025-03-04", "client_ids": "12345", column: cell}
    quoted = ",".join('"' + value.replace('"', '""') + '"' for value in cells.values())
    return f"{','.join(cells)}\n{quoted}\n"


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("04.03.2025", "2025-03-04"),
        ("04.03.25", "2025-03-04"),
        ("2025-03-04", "2025-03-04"),
        ("04.03.2025 15:20:07", "2025-03-04 15:20:07"),
        ("04.03.2025 15:20", "2025-03-04 15:20:00"),
        ("04.03.25 15:20:07", "2025-03-04 15:20:07"),
        ("04.03.25 15:20", "2025-03-04 15:20:00"),
        ("2025-03-04 15:20:07", "2025-03-04 15:20:07"),
        ("2025-03-04 15:20", "2025-03-04 15:20:00"),
    ],
)
def test_nine_date_formats(server: SandboxServer, written: str, stored: str) -> None:
    assert send(server, cell_file("create_date_time", written))["api_validation_status"] == "PASSED"
    assert server.client.orders()[0]["create_date_time"] == stored


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("create_date_time", ""),
        ("create_date_time", "2025-03-04T15:20:07"),
        ("create_date_time", "2025-03-04 15:20:07Z"),
        ("create_date_time", "2025-03-04 15:20:07+03:00"),
        ("create_date_time", "2025-03-04 15:20:07.5"),
        ("create_date_time", "1741090807"),
        ("create_date_time", "4.3.2025"),
        ("create_date_time", "03/04/2025"),
        ("create_date_time", "2025-02-30"),
        ("create_date_time", "2025-W10-2"),
        ("create_date_time", "2025-03-04 24:00"),
        ("create_date_time", "1969-12-31"),
        ("create_date_time", " 2025-03-04"),
        ("create_date_time", "２０２５-03-04"),
        ("client_ids", "1.7E+18"),
        ("client_ids", "123, 456"),
        ("client_ids", "123,,456"),
        ("client_ids", "-5"),
        ("client_ids", "123,45,123"),
        ("client_ids", ",".join(map(str, range(1, 502)))),
        ("emails", "a@x.example,b@x.example,a@x.example"),
        ("emails", ",".join(f"a{number}@x.example" for number in range(51))),
        ("phones", "79990000000,79990000000"),
        ("phones", ",".join(map(str, range(79990000000, 79990000051)))),
        ("emails_md5", ",".join(["3c56ff8fef0f6c65b36b2d25720fe276"] * 2)),
        ("phones_md5", ",".join(f"{number:032x}" for number in range(51))),
        ("revenue", "9223372036854.5"),
        ("cost", "10000000000000"),
        ("goals", ",".join(f"g{number}" for number in range(101))),
        ("emails", "Mail@x.example"),
        ("emails", "почта@x.example"),
        ("emails", "mail"),
        ("emails", "mail@x"),
        ("emails", "a@x.example, b@x.example"),
        ("emails", "a@x.example,"),
        ("phones", "+79990000000"),
        ("phones", "7 (999) 000-00-00"),
        ("phones", "79990000000;79990000001"),
        ("emails_md5", "3C56FF8FEF0F6C65B36B2D25720FE276"),
        ("emails_md5", "3c56ff8fef0f6c65b36b2d25720fe27"),
        ("phones_md5", "f09f2c3d48f31e2a802944ade2e5aec5f0"),
        ("order_status", "won/lost"),
        ("order_status", 'say "yes"'),
        ("revenue", "1500,50"),
        ("revenue", "1 500.50"),
        ("revenue", "-1"),
        ("revenue", "1e3"),
        ("revenue", "NaN"),
        ("cost", ".5"),
        ("cost", "5."),
        ("goals", "g:"),
        ("goals", ":300"),
        ("goals", "g:1,5:h"),
        ("goals", "g:300, h"),
        ("goals", "g?"),
        ("currency", "rub"),
        ("currency", "RUR "),
        ("currency", "₽"),
    ],
)
def test_bad_cell_fails_the_upload_and_names_line_and_column(server: SandboxServer, column: str, cell: str) -> None:
    answer = send(server, cell_file(column, cell))

    assert answer["api_validation_status"] == "FAILED"
    assert answer["elements_count"] == 1
    (error,) = answer["api_validation_errors"]
    assert error.startswith(f"line 2, column {column}: ")
    assert not cell or f"{cell!r}" not in error
    assert server.client.orders() == []


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("id", 'заказ №1, "срочный"\nвторая строка'),
        ("id", "a\x1fb"),
        ("emails", "first.last+tag@sub.x.example"),
        ("emails_md5", "3c56ff8fef0f6c65b36b2d25720fe276,f09f2c3d48f31e2a802944ade2e5aec5"),
        ("order_status", "CANCELLED"),
        ("order_status", "call ok"),
        ("order_status", "crm:won"),
        ("revenue", "0009223372036853.123456789"),
        ("revenue", "9223372036854"),
        ("client_ids", ",".join(map(str, range(1, 501)))),
        ("emails", ",".join(f"a{number}@x.example" for number in range(50))),
        ("phones", ",".join(map(str, range(79990000000, 79990000050)))),
        ("goals", ",".join(f"g{number}" for number in range(100))),
        ("goals", "g:300.50,h,i j:0"),
        ("currency", "EUR"),
    ],
)
def test_good_cell_is_stored_as_sent(server: SandboxServer, column: str, cell: str) -> None:
    assert send(server, cell_file(column, cell))["api_validation_status"] == "PASSED"
    stored = server.client.orders()[0][column]
    assert stored == (cell.split(",") if isinstance(stored, list) else cell)
