# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: RUF001 - names of Russian goods are written in Russian
"""One generated order as ``stats/orders`` shows it: about two kilobytes, the same for the same number every time.

Sources: https://yandex.ru/dev/market/partner-api/doc/ru/reference/orders-stats/getOrdersStats and the official schema,
https://github.com/yandex-market/yandex-market-partner-api . Money is kept in hundredths here and written with two
decimals, as the service does.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final

import msgspec

from airflow_provider_yandex_orders.sandbox.market.life import COURSES, PAID, REFUNDED, SHORTENED, Day, Event, history

EPOCH: Final = date(2020, 1, 1)
"""The first day of every store."""
_PER_DAY: Final = 1_000_000
_END: Final = 100_000 * _PER_DAY
_STORES: Final = 10
_REGIONS: Final = ((213, "Москва"), (2, "Санкт-Петербург"), (65, "Новосибирск"), (54, "Екатеринбург"), (43, "Казань"))
_GOODS: Final = (
    "Чайник электрический Vitesse VS-1180, 1.7 л, стальной, с терморегулятором и подсветкой",
    "Кабель USB Type-C для быстрой зарядки, нейлоновая оплётка, длина 2 м, цвет чёрный матовый",
    "Набор контейнеров для хранения продуктов с крышками, стекло, герметичные, 5 предметов",
    "Настольная лампа светодиодная с беспроводной зарядкой, три режима света, складная, белая",
    "Рюкзак городской для ноутбука 15.6 дюйма, водоотталкивающая ткань, USB-порт, тёмно-серый",
)
_encode: Final = msgspec.json.Encoder(decimal_format="number").encode


def place(made: date, number: int) -> int:
    """The place of an order among all of its store."""
    return (made - EPOCH).days * _PER_DAY + number


def made_at(place: int) -> tuple[date, int]:
    """Day and number of the order at a place."""
    days, number = divmod(place, _PER_DAY)
    return EPOCH + timedelta(days=days), number


def place_of(campaign_id: int, order: int) -> int | None:
    """The place of the order with an id; none for an id of no order of the store."""
    found, store = divmod(order, _STORES)
    return found if 0 <= found < _END and store == campaign_id % _STORES else None


def order_id(made: date, number: int, campaign_id: int) -> int:
    """The id of an order, unlike those of other stores."""
    return place(made, number) * _STORES + campaign_id % _STORES


def has_cis(number: int) -> bool:
    """Whether an item of the order is marked."""
    return number % 7 == 0


def status_of(events: list[Event]) -> tuple[str, int]:
    """The status, and the days after which it came."""
    return next((word, days) for days, word in reversed(events) if word not in (PAID, REFUNDED))


def write(campaign_id: int, day: Day, number: int, now: datetime, *, changed: bool = False) -> bytes:
    """One order as JSON.

    :param changed: as it looks after one more change that came while a client went through the pages.
    """
    order = order_id(day.made, number, campaign_id)
    events = history(number, (now - day.moment(number)).days)
    happened = {word for _, word in events}
    status, since = status_of(events)
    draw = Random(order)  # noqa: S311 - the same order for the same number, nothing to guess
    items = [_item(draw, order, nth, marked=has_cis(number) and nth == 0) for nth in range(draw.choice((1, 2, 3)))]
    delivery = draw.choice((0, 9900, 19900))
    shown: dict[str, Any] = {
        "id": order,
        "creationDate": day.made,
        "statusUpdateDate": day.moment(number, since) + timedelta(minutes=changed),
        "status": status,
        "partnerOrderId": f"shop-{order}",
        "paymentType": "PREPAID" if number % 4 else "POSTPAID",
        "fake": number % 500 == 499,
        "deliveryRegion": dict(zip(("id", "name"), draw.choice(_REGIONS), strict=True)),
        "items": items,
        "currency": "RUR",
    }
    if COURSES[number % len(COURSES)] is COURSES[SHORTENED] and "DELIVERY" in happened:
        shown["initialItems"] = [{**item, "prices": None} for item in items]
        _shorten(items)
    returned = _returned(items, status)
    if delivery:
        prices = [{"type": "BUYER", "costPerItem": _money(delivery), "total": _money(delivery)}]
        items.append({"offerName": "Доставка", "count": 1, "prices": prices})
    shown["payments"] = _payments(order, day, events, _price(items), returned)
    shown["commissions"] = _commissions(draw, _price(items), happened)
    if changed:
        shown["commissions"].append({"type": "RETURN_PROCESSING", "actual": _money(1500)})
    if draw.random() < 0.3:
        amount = _money(draw.randrange(100, 30_000))
        shown["subsidies"] = [{"operationType": "ACCRUAL", "type": "YANDEX_CASHBACK", "amount": amount}]
    return _encode(shown)


def _item(draw: Random, order: int, nth: int, *, marked: bool) -> dict[str, Any]:
    cost, count = draw.randrange(9_900, 900_000), draw.choice((1, 1, 1, 2, 3))
    coupon = cost // 20 if draw.random() < 0.4 else 0
    prices = [_of_all("BUYER", cost - coupon, count), _of_all("CASHBACK", cost // 100, count)]
    if coupon:
        prices.append(_of_all("MARKETPLACE", coupon, count))
    item: dict[str, Any] = {
        "offerName": draw.choice(_GOODS),
        "marketSku": 100_000_000_000 + draw.randrange(10**9),
        "shopSku": f"SKU-{draw.randrange(10**6):06d}-{nth}",
        "count": count,
        "initialCount": count,
        "prices": prices,
        "warehouse": {"id": 301 + order % 3, "name": "Склад Софьино, приём и хранение товаров"},
        "bidFee": draw.choice((0, 150, 570, 1200)),
    }
    if coupon:
        item |= {"cofinanceThreshold": _money(cost), "cofinanceValue": _money(coupon)}
    if marked:
        item["cisList"] = [f"0104600000000001215sandbox{order}{unit}" for unit in range(count)]
    return item


def _shorten(items: list[dict[str, Any]]) -> None:
    """Take one unit out of the first item; an item without units left is gone."""
    first = items[0]
    if first["count"] == 1 and len(items) > 1:
        del items[0]
    elif first["count"] > 1:
        prices = first["prices"]
        items[0] = {
            **first,
            "count": first["count"] - 1,
            "prices": [{**price, "total": price["total"] - price["costPerItem"]} for price in prices],
        }


def _returned(items: list[dict[str, Any]], status: str) -> Decimal:
    """Mark what came back; the buyer's price of it."""
    back = {"RETURNED": len(items), "PARTIALLY_RETURNED": 1}.get(status, 0)
    total = Decimal(0)
    for item in items[:back]:
        units = item["count"] if status == "RETURNED" else 1
        item["details"] = [{"itemStatus": "RETURNED", "itemCount": units}]
        total += item["prices"][0]["costPerItem"] * units
    return total


def _payments(order: int, day: Day, events: list[Event], total: Decimal, returned: Decimal) -> list[dict[str, Any]]:
    kinds = {PAID: ("PAYMENT", total), REFUNDED: ("REFUND", returned)}
    return [
        {
            "id": str(order * 10 + nth),
            "date": day.made + timedelta(days=days),
            "type": kinds[word][0],
            "source": "BUYER",
            "total": kinds[word][1],
            "paymentOrder": {"id": str(700_000 + days), "date": day.made + timedelta(days=days + 3)},
        }
        for nth, (days, word) in enumerate(events)
        if word in kinds
    ]


def _commissions(draw: Random, total: Decimal, happened: set[str]) -> list[dict[str, Any]]:
    cents = int(total * 100)
    billed = [("FEE", cents * draw.randrange(4, 12) // 100), ("LOYALTY_PARTICIPATION_FEE", cents // 200)]
    if "DELIVERY" in happened:
        billed += [("DELIVERY_TO_CUSTOMER", draw.randrange(5000, 50_000)), ("SORTING", 4500)]
    if PAID in happened:
        billed += [("AGENCY", 12), ("PAYMENT_TRANSFER", cents // 100)]
    return [{"type": kind, "actual": _money(amount)} for kind, amount in billed]


def _of_all(kind: str, cost: int, count: int) -> dict[str, Any]:
    return {"type": kind, "costPerItem": _money(cost), "total": _money(cost * count)}


def _price(items: list[dict[str, Any]]) -> Decimal:
    """What the buyer pays."""
    return sum((item["prices"][0]["total"] for item in items), Decimal(0))


def _money(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)
