# SPDX-License-Identifier: Apache-2.0
"""The totals of Market's ready questions, from raw files alone: it shares no code with what it checks.

``python market_totals.py 1001=older.raw.jsonl.gz 1001=newer.raw.jsonl.gz ...``: files of a store, the older first. Each
order counts as the last file has it.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

OVER = ("CANCELLED_BEFORE_PROCESSING", "CANCELLED_IN_PROCESSING", "CANCELLED_IN_DELIVERY", "RETURNED", "LOST")
OVER_ONCE_PAID = ("DELIVERED", "PARTIALLY_DELIVERED", "PARTIALLY_RETURNED")
Key = tuple[Any, ...]
Totals = dict[str, dict[Key, list[Any]]]


def totals(files: Iterable[tuple[int, str]]) -> Totals:
    """By view and the key of its row, its sums."""
    orders: dict[int, tuple[int, dict[str, Any]]] = {}
    changed: dict[Key, list[Any]] = {}
    for store, path in files:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                order = json.loads(line, parse_float=Decimal)
                before = orders.get(order["id"])
                if before and before[1] != order and over(before[1]) and not order["fake"]:
                    changed[order["id"], before[1]["status"]] = [order["status"], paid(order)]
                orders[order["id"]] = store, order
    real = [(store, order) for store, order in orders.values() if not order["fake"]]
    return {
        "revenue_by_day_and_store": added(revenue(real)),
        "commissions_by_kind": added(commissions(real)),
        "returns_by_sku": added(units(real)),
        "unpaid_orders": added(unpaid(real)),
        "orders_changed_after_final": changed,
    }


def added(rows: Iterable[tuple[Key, list[Any]]]) -> dict[Key, list[Any]]:
    sums: dict[Key, list[Any]] = {}
    for key, amounts in rows:
        sums[key] = [one + other for one, other in zip(sums.get(key, [0] * len(amounts)), amounts, strict=True)]
    return sums


def revenue(orders: Iterable[tuple[int, dict[str, Any]]]) -> Iterator[tuple[Key, list[Any]]]:
    for store, order in orders:
        if not order["status"].startswith("CANCELLED"):
            prices = [(is_delivery(item), each) for item in order["items"] for each in item.get("prices") or []]
            goods = total(price for delivery, price in prices if price["type"] == "BUYER" and not delivery)
            delivery = total(price for delivery, price in prices if price["type"] == "BUYER" and delivery)
            by_market = total(price for _, price in prices if price["type"] in ("CASHBACK", "MARKETPLACE"))
            yield (order["creationDate"], store, order["currency"]), [1, goods, delivery, by_market, paid(order)]


def commissions(orders: Iterable[tuple[int, dict[str, Any]]]) -> Iterator[tuple[Key, list[Any]]]:
    for store, order in orders:
        kinds: dict[str, Decimal] = {}
        for each in order["commissions"]:
            kinds[each["type"]] = kinds.get(each["type"], Decimal(0)) + each["actual"]
        for kind, amount in kinds.items():
            yield (store, order["creationDate"][:7] + "-01", kind, order["currency"]), [1, amount]


def units(orders: Iterable[tuple[int, dict[str, Any]]]) -> Iterator[tuple[Key, list[Any]]]:
    for store, order in orders:
        here = [item for item in order["items"] if not is_delivery(item)]
        left: dict[str, int] = {}
        for item in here:
            left[item["shopSku"]] = left.get(item["shopSku"], 0) + item["count"]
        for item in order.get("initialItems") or here:
            yield (store, item["shopSku"]), [item["initialCount"], left.pop(item["shopSku"], 0), 0, 0]
        for item in here:
            for each in item.get("details") or []:
                back = {"REJECTED": 0, "RETURNED": 0, each["itemStatus"]: each["itemCount"]}
                yield (store, item["shopSku"]), [0, 0, back["REJECTED"], back["RETURNED"]]


def unpaid(orders: Iterable[tuple[int, dict[str, Any]]]) -> Iterator[tuple[Key, list[Any]]]:
    for store, order in orders:
        price = total(each for item in order["items"] for each in item["prices"] if each["type"] == "BUYER")
        if order["status"] in ("DELIVERED", "PARTIALLY_DELIVERED") and price > paid(order):
            yield (store, order["id"]), [price, paid(order), price - paid(order)]


def over(order: dict[str, Any]) -> bool:
    return order["status"] in OVER or (order["status"] in OVER_ONCE_PAID and bool(order["payments"]))


def paid(order: dict[str, Any]) -> Decimal:
    payments = order["payments"]
    return total(each for each in payments if each["type"] == "PAYMENT") - total(
        each for each in payments if each["type"] == "REFUND"
    )


def total(amounts: Iterable[dict[str, Any]]) -> Decimal:
    return sum((each["total"] for each in amounts), Decimal(0))


def is_delivery(item: dict[str, Any]) -> bool:
    return bool(item["offerName"] == "Доставка")


if __name__ == "__main__":
    named = (argument.split("=", 1) for argument in sys.argv[1:])
    found = totals((int(store), path) for store, path in named)
    shown = {view: {str(key): list(map(str, row)) for key, row in rows.items()} for view, rows in found.items()}
    json.dump(shown, sys.stdout, ensure_ascii=False, indent=1)
