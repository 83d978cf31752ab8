# SPDX-License-Identifier: Apache-2.0
"""The orders that the demo's CRM keeps in a broken form, and what is wrong with each.

Every fault is put in place of one sound order, so the number of orders stays that of the source.
"""

from __future__ import annotations

from collections import Counter
from datetime import date

Row = dict[str, str | None]

BROKEN_ORDERS: dict[str, str] = {
    "CD-01668-4": "no_identifier",
    "CD-03299-2": "malformed_email",
    "CD-05265-1": "text_total",
    "CD-07186-1": "negative_total",
    "CD-09041-1": "unknown_status",
    "CD-11044-3": "float_id",
    "CD-12798-4": "malformed_email",
    "CD-14456-1": "impossible_date",
    "CD-16091-5": "no_identifier",
    "CD-15096-12": "unknown_status",
    "CD-07405-1": "negative_total",
    "CD-21381-2": "float_id",
    "CD-23163-1": "malformed_email",
}
"""Order id to what is wrong with it."""

BROKEN: dict[str, int] = dict(Counter(BROKEN_ORDERS.values()))
"""What is wrong, and how many orders have it."""

SENT_ANYWAY = frozenset({"malformed_email"})
"""Faults that cost a value, not the row: its other identifier is good."""

REJECTED = sum(count for fault, count in BROKEN.items() if fault not in SENT_ANYWAY)
"""How many orders cannot be sent at all."""

DROPPED = sum(count for fault, count in BROKEN.items() if fault in SENT_ANYWAY)
"""How many orders go out without one of their values."""


def spoil(row: Row, phone: str, *, today: date, strict_types: bool) -> None:
    """Break `row` in place, if it is one of the broken orders.

    :param phone: the customer's phone, for a row that must keep one good identifier
    :param today: as in :func:`crm.iter_orders`
    :param strict_types: break it in a way that a database with strict column types can still hold
    """
    match BROKEN_ORDERS.get(row["id"] or ""):
        case "no_identifier":
            # Blank in one CRM is not NULL in another: both must count as nothing.
            blank = "" if row["id"] == "CD-16091-5" else None
            row.update(metrica_client_id=blank, email=blank, phone=blank)
        case "malformed_email":
            row.update(email=f"client {row['customer_id']} at example.com", phone=phone)
        case "text_total":
            row.update(total="NaN" if strict_types else "12,50 USD", cost=None)
        case "negative_total":
            row.update(total=f"-{row['total']}", cost=None)
        case "unknown_status":
            # The slash keeps it from being taken for the identifier of a goal.
            row.update(status="return/exchange")
        case "float_id":
            row.update(metrica_client_id="1.3E+17")
        case "impossible_date":
            # A strict type refuses the 30th of February, but not the zero day of spreadsheets.
            unreal = "1899-12-30 00:00:00" if strict_types else f"{today.year}-02-30 10:15:00"
            row.update(created_at=unreal)
