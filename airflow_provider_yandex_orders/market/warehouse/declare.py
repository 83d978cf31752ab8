# SPDX-License-Identifier: Apache-2.0
"""The tables as a warehouse has them: those of the files, and what a load knows besides."""

from __future__ import annotations

from dataclasses import replace

from airflow_provider_yandex_orders.market.tables.declare import Column, Table, Type
from airflow_provider_yandex_orders.market.tables.order_stats import ORDERS, TABLES

_CAMPAIGN = Column("campaign_id", Type.INTEGER, "The store the order was fetched from.")

ADDED = (
    _CAMPAIGN,
    Column("fetched_at", Type.MOMENT, "When the fetch began that brought this version."),
    Column("is_final", Type.BOOLEAN, "Whether the order was over: cancelled, lost, or delivered and paid."),
    Column("content_sum", Type.TEXT, "Sum of all rows of the order: another one, another content."),
)
"""Columns of ``orders`` that no file has."""

WAREHOUSE_TABLES = tuple(
    replace(table, columns=table.columns + ADDED) if table is ORDERS else table for table in TABLES
)

CHANGED_AFTER_FINAL = Table(
    "changed_after_final",
    "One row a change of an order that was over, as a fetch saw it.",
    ("order_id", "moment"),
    (
        Column("order_id", Type.INTEGER, "The order's id on Market."),
        _CAMPAIGN,
        Column("was", Type.TEXT, "Its status before."),
        Column("became", Type.TEXT, "Its status since; the same where only amounts or items changed."),
        Column("moment", Type.MOMENT, "When the fetch began that saw the change."),
    ),
)

_OVER = frozenset(
    {"CANCELLED_BEFORE_PROCESSING", "CANCELLED_IN_PROCESSING", "CANCELLED_IN_DELIVERY", "RETURNED", "LOST"}
)
_OVER_ONCE_PAID = frozenset({"DELIVERED", "PARTIALLY_DELIVERED", "PARTIALLY_RETURNED"})


def is_final(status: object, paid: bool) -> bool:
    """Whether nothing more is expected of an order; one that is delivered waits for its money."""
    return status in _OVER or (paid and status in _OVER_ONCE_PAID)
