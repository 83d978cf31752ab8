# SPDX-License-Identifier: Apache-2.0
"""Large files: every row arrives once, at once with others, and in flat memory."""

import io
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
import requests

from airflow_provider_yandex_orders.sandbox.metrica.csv_rows import CsvRows
from airflow_provider_yandex_orders.sandbox.metrica.entities import SIMPLE_ORDERS
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings

ROWS = 20_000
HEADER = "id,create_date_time,client_uniq_id,client_ids,emails,phones,order_status,revenue,cost,goals,currency\n"


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    with SandboxServer(SandboxSettings(processing_seconds=0)) as running:
        yield running


def rows(start: int, count: int) -> str:
    return "".join(
        f"A-{number},2025-03-{number % 28 + 1:02d} 15:20:00,C-{number % 997},170000000{number:09d},"
        f'"u{number}@x.example,v{number}@x.example",7999{number:07d},PAID,{number % 100}.01,,"g:300,h",RUB\n'
        for number in range(start, start + count)
    )


def send(server: SandboxServer, content: str) -> dict[str, object]:
    response = requests.post(
        f"{server.url}/cdp/api/v1/counter/101/data/simple_orders?merge_mode=SAVE",
        headers={"Authorization": "OAuth sandbox-token"},
        files={"file": ("data.csv", content, "text/csv")},
        timeout=300,
    )
    uploading: dict[str, object] = response.json()["uploading"]
    return uploading


def test_parallel_files_arrive_whole_and_once(server: SandboxServer) -> None:
    files = [HEADER + rows(part * ROWS, ROWS) for part in range(3)]
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda content: send(server, content), files))

    assert [answer["api_validation_status"] for answer in answers] == ["PASSED"] * 3
    assert [answer["elements_count"] for answer in answers] == [ROWS] * 3
    summary = server.client.summary(101)
    assert summary["orders"] == summary["rows_received"] == 3 * ROWS
    assert summary["orders_received_more_than_once"] == 0
    assert summary["customers"] == 997
    expected = sum((Decimal(f"{number % 100}.01") for number in range(3 * ROWS)), Decimal(0))
    assert sum(Decimal(day["RUB"]) for day in summary["revenue_by_day"].values()) == expected
    assert server.client.orders(101, limit=1, offset=3 * ROWS - 1)[0]["times_received"] == 1


def test_one_bad_row_at_the_end_keeps_all_out(server: SandboxServer) -> None:
    answer = send(server, HEADER + rows(0, ROWS) + "A-x,yesterday,,1,,,,,,,\n")

    assert answer["api_validation_status"] == "FAILED"
    assert answer["elements_count"] == ROWS + 1
    assert str(answer["api_validation_errors"]).startswith(f"['line {ROWS + 2}, column create_date_time")
    assert server.client.summary()["orders"] == 0


def test_reading_does_not_hold_the_file_in_memory() -> None:
    content = (HEADER + rows(0, ROWS)).encode()
    tracemalloc.start()
    try:
        with CsvRows(io.BytesIO(content), SIMPLE_ORDERS, 100) as file:
            before, _ = tracemalloc.get_traced_memory()
            assert sum(1 for _ in file.good()) == ROWS
            _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak - before < len(content) / 10
