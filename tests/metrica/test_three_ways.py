# SPDX-License-Identifier: Apache-2.0
"""The 6,919 orders of the demo by each of the three ways: what the service holds equals the source, row for row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from airflow_provider_yandex_orders.demo import crm
from airflow_provider_yandex_orders.operators.metrica import (
    MetricaEnsureGoalsOperator,
    MetricaUploadContactsOperator,
    MetricaUploadOfflineConversionsOperator,
    MetricaUploadOrdersOperator,
    MetricaUploadSimpleOrdersOperator,
)
from airflow_provider_yandex_orders.sandbox.server import SandboxServer

TODAY = date(2026, 11, 20)
MOSCOW = ZoneInfo("Europe/Moscow")
ALL = crm.ORDERS + 1


@pytest.fixture(scope="module")
def source() -> list[dict[str, Any]]:
    return [dict(row) for row in crm.iter_orders(TODAY, broken=False)]


def made(row: Mapping[str, Any]) -> datetime:
    """When an order was made, in the counter's zone."""
    return datetime.fromisoformat(str(row["created_at"])).replace(tzinfo=timezone.utc).astimezone(MOSCOW)


def totals(rows: list[tuple[str, str, str, Decimal]]) -> dict[str, Any]:
    """Count, revenue a day and revenue a customer of (id, day, customer, revenue)."""
    days: Counter[str] = Counter()
    customers: Counter[str] = Counter()
    for _id, day, customer, revenue in rows:
        days[day] += revenue  # type: ignore[assignment]  # a Counter adds decimals just as well
        customers[customer] += revenue  # type: ignore[assignment]
    return {"count": len(rows), "ids": len({row[0] for row in rows}), "days": days, "customers": customers}


def of_source(source: list[dict[str, Any]]) -> dict[str, Any]:
    return totals(
        [(row["id"], f"{made(row):%Y-%m-%d}", row["customer_id"], Decimal(str(row["total"]))) for row in source]
    )


def of_held(held: list[dict[str, Any]]) -> dict[str, Any]:
    return totals(
        [(row["id"], row["create_date_time"][:10], row["client_uniq_id"], Decimal(str(row["revenue"]))) for row in held]
    )


def test_simple_orders(metrica: SandboxServer, run: Callable[..., Any], source: list[dict[str, Any]]) -> None:
    rows = [
        {
            "id": row["id"],
            "create_date_time": row["created_at"],
            "client_uniq_id": row["customer_id"],
            "client_ids": row["metrica_client_id"],
            "emails": row["email"],
            "phones": row["phone"],
            "order_status": row["status"],
            "revenue": row["total"],
        }
        for row in source
    ]
    delivery = run(MetricaUploadSimpleOrdersOperator, source=rows, source_timezone="UTC", status_map=crm.STATUS_MAP)
    assert (delivery["rows_sent"], delivery["values_dropped"]) == (crm.ORDERS, 0)
    assert of_held(metrica.client.orders(101, limit=ALL)) == of_source(source)


@pytest.mark.parametrize("upload_format", ["json", "csv"])
def test_contacts_and_orders(
    metrica: SandboxServer, run: Callable[..., Any], source: list[dict[str, Any]], upload_format: str
) -> None:
    customers = {
        row["customer_id"]: {
            "uniq_id": row["customer_id"],
            "client_ids": row["metrica_client_id"],
            "emails": row["email"],
            "phones": row["phone"],
        }
        for row in source
    }
    contacts = run(
        MetricaUploadContactsOperator, source=list(customers.values()), upload_format=upload_format, task_id="contacts"
    )
    assert contacts["rows_sent"] == crm.CUSTOMERS == len(metrica.client.contacts(101, limit=ALL))
    rows = [
        {
            "id": row["id"],
            "client_uniq_id": row["customer_id"],
            "create_date_time": row["created_at"],
            "order_status": row["status"],
            "revenue": row["total"],
            "cost": row["cost"],
            "currency": row["currency"],
        }
        for row in source
    ]
    delivery = run(
        MetricaUploadOrdersOperator,
        source=rows,
        source_timezone="UTC",
        status_map=crm.STATUS_MAP,
        upload_format=upload_format,
        max_part_rows=2000,
    )
    assert (delivery["rows_sent"], len(delivery["parts"])) == (crm.ORDERS, 4)
    held = metrica.client.orders(101, kind="orders", limit=ALL)
    assert of_held(held) == of_source(source)
    costs = {row["id"]: row["cost"] and Decimal(str(row["cost"])) for row in source}
    assert {row["id"]: row["cost"] and Decimal(str(row["cost"])) for row in held} == costs


def test_offline_conversions(metrica: SandboxServer, run: Callable[..., Any], source: list[dict[str, Any]]) -> None:
    run(MetricaEnsureGoalsOperator, goals={"order_paid": "Order paid"})
    rows = [
        {
            "id": row["id"],
            # The source has exact doubles of an order; the purchase tells them apart, as it does on a site.
            "PurchaseId": row["id"],
            "UserId": row["customer_id"],
            "Target": "order_paid",
            "DateTime": row["created_at"],
            "Price": row["total"],
            "Currency": row["currency"],
        }
        for row in source
    ]
    delivery = run(MetricaUploadOfflineConversionsOperator, source=rows, source_timezone="UTC")
    assert (delivery["rows_sent"], delivery["rows_deferred"], delivery["rows_duplicate"]) == (crm.ORDERS, 0, 0)
    held = metrica.client.conversions(101, limit=ALL)
    assert totals(
        [
            (
                row["PurchaseId"],
                f"{datetime.fromtimestamp(int(row['DateTime']), MOSCOW):%Y-%m-%d}",
                row["UserId"],
                Decimal(str(row["Price"])),
            )
            for row in held
        ]
    ) == of_source(source)
