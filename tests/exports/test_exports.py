# SPDX-License-Identifier: Apache-2.0
"""The page "your export": each block carries its file through; the service holds the orders and the money it has."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_yandex_orders.__main__ import main
from airflow_provider_yandex_orders.operators.metrica import MetricaUploadSimpleOrdersOperator
from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from airflow_provider_yandex_orders.sources import FileSource

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs" / "your_export.md").read_text(encoding="utf-8")
BLOCKS = {
    name: code
    for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    for name in re.findall(r'_id="(\w+)"', code)
}
EMAIL, PHONE = "walnut@example.com", "79990000001"

# Of each file: its orders in the counter's zone (Moscow), and how many rows went which way.
HELD: dict[str, dict[str, tuple[str, str, str, str]]] = {
    "shopify": {
        "#1001": ("2026-11-20 13:01:40", "PAID", "66.95", "EUR"),
        "#1002": ("2026-11-20 14:15:00", "IN_PROGRESS", "28.95", "EUR"),
        "#1003": ("2026-11-19 10:59:12", "CANCELLED", "6.00", "EUR"),
    },
    "woocommerce": {
        "1187": ("2026-11-20 13:01:40", "PAID", "66.95", "EUR"),
        "1188": ("2026-11-20 14:15:00", "IN_PROGRESS", "24.00", "EUR"),
        "1189": ("2026-11-20 15:30:00", "CANCELLED", "6.00", "EUR"),
    },
    "lines": {
        "1187": ("2026-11-20 13:01:40", "PAID", "68.00", "EUR"),
        "1188": ("2026-11-20 14:15:00", "IN_PROGRESS", "24.00", "EUR"),
    },
    "insales": {
        "5012": ("2026-11-20 10:01:40", "PAID", "2390.5", "RUB"),
        "5013": ("2026-11-20 11:15:00", "IN_PROGRESS", "500", "RUB"),
        "5014": ("2026-11-20 12:30:00", "CANCELLED", "1890.5", "RUB"),
    },
    "onec": {
        "0000-000045": ("2026-11-20 09:07:00", "PAID", "2345.60", ""),
        "0000-000046": ("2026-11-20 11:15:00", "IN_PROGRESS", "500", ""),
        "0000-000047": ("2026-11-03 18:30:05", "CANCELLED", "12000", ""),
    },
    "bitrix24": {
        "2101": ("2026-11-20 10:01:40", "PAID", "2345.60", ""),
        "2102": ("2026-11-20 11:15:00", "IN_PROGRESS", "500", ""),
        "2103": ("2026-11-19 12:30:00", "CANCELLED", "1000", ""),
    },
    "amocrm": {
        "31001": ("2026-11-20 10:01:40", "PAID", "2345", ""),
        "31002": ("2026-11-20 11:15:00", "IN_PROGRESS", "500", ""),
        "31003": ("2026-11-19 12:30:00", "CANCELLED", "", ""),
    },
    "excel_russian": {
        "0045": ("2026-11-20 10:01:00", "PAID", "2345.60", "RUB"),
        "0046": ("2026-11-20 11:15:00", "IN_PROGRESS", "500", "RUB"),
        "0047": ("2026-11-03 09:07:00", "PAID", "12000", "RUB"),
    },
    "excel_english": {
        "A-0045": ("2026-11-20 18:01:00", "PAID", "2345.6", "USD"),
        "A-0046": ("2026-11-20 19:15:00", "IN_PROGRESS", "500", "USD"),
        "A-0047": ("2026-11-03 17:07:00", "PAID", "12000", "USD"),
    },
    "excel": {
        "0045": ("2026-11-20 10:01:00", "PAID", "2345.6", ""),
        "46": ("2026-11-20 11:15:00", "IN_PROGRESS", "500", ""),
        "0047": ("2026-11-03 09:07:00", "CANCELLED", "12000", ""),
    },
}
COUNTS = {  # read, rejected, duplicate
    "shopify": (5, 0, 2),
    "woocommerce": (5, 0, 2),
    "lines": (5, 0, 3),
    "onec": (4, 1, 0),
}
FIRST = {  # identifiers of the first order
    "shopify": ([EMAIL], ["35312221701"]),
    "woocommerce": ([EMAIL], ["35312221701"]),
    "lines": ([EMAIL], []),
    "bitrix24": ([EMAIL, "oak@example.com"], [PHONE, "79990000011"]),
    "excel_english": ([EMAIL], ["12125550145"]),
}


def test_every_export_is_on_the_page() -> None:
    files = {path.stem for path in (TESTS / "exports").iterdir() if path.suffix in (".csv", ".jsonl", ".xlsx")}
    assert set(BLOCKS) == set(HELD) == files


@pytest.mark.parametrize("name", HELD)
def test_orders_and_money_arrive(
    name: str,
    metrica: SandboxServer,
    context: Callable[..., Any],
    tmp_path: Path,
) -> None:
    if name == "excel":
        pytest.importorskip("python_calamine")
    names = {"MetricaUploadSimpleOrdersOperator": MetricaUploadSimpleOrdersOperator, "FileSource": FileSource}
    exec(BLOCKS[name].replace('"exports/', f'"{TESTS}/exports/'), names)  # the page's own code, wherever this runs
    task: Any = names["upload"]
    task.staging_path = str(tmp_path)
    delivery = task.execute(context())

    orders = sorted(metrica.client.orders(101), key=lambda order: str(order["id"]))
    assert {order["id"] for order in orders} == set(HELD[name])
    for order in orders:
        made, status, revenue, currency = HELD[name][order["id"]]
        assert (order["create_date_time"], order["order_status"]) == (made, status), order["id"]
        assert order["currency"] in ((currency,) if currency else (None, "", "RUB"))
        assert (Decimal(order["revenue"]) == Decimal(revenue)) if revenue else not order["revenue"]
    emails, phones = FIRST.get(name, ([EMAIL], [PHONE]))
    assert (orders[0]["emails"], orders[0]["phones"]) == (emails, phones)
    read, rejected, duplicate = COUNTS.get(name, (3, 0, 0))
    assert (delivery["rows_read"], delivery["rows_rejected"], delivery["rows_duplicate"]) == (read, rejected, duplicate)
    assert (delivery["rows_sent"], delivery["values_dropped"]) == (len(HELD[name]), 0)


def test_the_pages_command_says_the_same(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(TESTS)
    (line,) = re.findall(r"^python -m airflow_provider_yandex_orders (check .*?)\n```", PAGE, re.MULTILINE | re.DOTALL)
    assert main(shlex.split(line.replace("\\\n", " "))) == 0
    told = capsys.readouterr().out
    assert "order_status: PAID 1, IN_PROGRESS 1, CANCELLED 1" in told
    assert "revenue: 14,845.60" in told
    assert "create_date_time: 2026-11-03 18:30:05 to 2026-11-20 11:15:00" in told
    assert "Good: the upload would send 3 of 4 rows." in told
