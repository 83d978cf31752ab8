# SPDX-License-Identifier: Apache-2.0
"""An order of Yandex Market's statistics as an order of the Altcraft Platform.

Sources: https://yandex.ru/dev/market/partner-api/doc/ru/reference/orders-stats/getOrdersStats ,
https://guides.altcraft.com/en/developer-guide/market/market-objects/56249763 . Neither names the other: what stands for
what is this package's reading, and every table can be replaced.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_yandex_orders.rows.faults import BadValue

DELIVERY = "Доставка"
"""Name of the item that stands for the delivery."""
MARKET_OFFSET = "+03:00"
"""Market's dates are Moscow's."""

_STATUSES = {
    "PENDING": ("new", "new"),
    "RESERVED": ("new", "new"),
    "UNPAID": ("new", "new"),
    "PROCESSING": ("new", "processing"),
    "DELIVERY": ("new", "delivering"),
    "PICKUP": ("new", "delivering"),
    "DELIVERED": ("delivered", "delivered"),
    "PARTIALLY_DELIVERED": ("part_refunded", "delivered"),
    "PARTIALLY_RETURNED": ("part_refunded", "delivered"),
    "CANCELLED_BEFORE_PROCESSING": ("canceled", "canceled"),
    "CANCELLED_IN_PROCESSING": ("canceled", "canceled"),
    "CANCELLED_IN_DELIVERY": ("canceled", "canceled"),
    "RETURNED": ("canceled", "refunded"),
    "LOST": ("canceled", "canceled"),
}
"""Market's status of an order to the platform's of the order and of its lines."""

ORDER_STATUSES: Mapping[str, str] = MappingProxyType({word: order for word, (order, _) in _STATUSES.items()})
"""Market's status to the platform's, which has none for "on its way" and for a full return.

Others stay as they are: the import rejects them until they are mapped."""

LINE_STATUSES: Mapping[str, str] = MappingProxyType({word: line for word, (_, line) in _STATUSES.items()})
"""Market's status of the order to the platform's status of its lines; goods that came back say so themselves."""

CONTACT_FIELDS = (
    "matching",
    "email",
    "phone",
    "profile_id",
    "provider",
    "subscription_id",
    "field_name",
    "field_value",
    "tags",
)
"""What an order takes of its contact: what finds the subscriber, and tags. All else is Market's to tell."""

CURRENCIES: Mapping[str, str] = MappingProxyType({"RUR": "RUB"})

STATUS_FIELD = "market_status"
CUSTOM_FIELDS = (
    {
        "external_id": STATUS_FIELD,
        "name": "Status at Yandex Market",
        "entity_type": "order",
        "required": False,
        "value_type": "unicode",
        "default_value": "",
    },
)
"""Definition of the custom field with Market's own status, for ``custom_fields`` of the import."""


def altcraft_order(
    order: Mapping[str, Any],
    *,
    endpoint: str,
    contact: Mapping[str, Any] | None = None,
    prefix: str = "ym-",
    statuses: Mapping[str, str] = ORDER_STATUSES,
    line_statuses: Mapping[str, str] = LINE_STATUSES,
    currencies: Mapping[str, str] = CURRENCIES,
    regions: Mapping[str, str] | None = None,
    status_field: str | None = STATUS_FIELD,
) -> dict[str, Any]:
    """The order for an import, without its total, which the import computes.

    :param order: an element of ``orders`` in the answer of ``stats/orders``, amounts as exact numbers.
    :param endpoint: the platform's point of sale for the store the order is of.
    :param contact: what the CRM knows of the customer; of it the :data:`CONTACT_FIELDS` are taken. Market tells
        nothing.
    :param prefix: goes before Market's order id, so that ids of several systems stay apart.
    :param statuses: Market's status to the platform's.
    :param line_statuses: likewise for lines.
    :param currencies: Market's code to the platform's; others stay as they are.
    :param regions: Market's region id to the platform's; a region that is not here is not sent.
    :param status_field: the custom field that keeps Market's own status; ``None`` for none.
    :raises BadValue: a part of the order is of another kind than its documentation has.
    """
    number, status = _typed(order, "id", int, str), str(order.get("status") or "UNKNOWN")
    order_id = None if number is None else f"{prefix}{number}"
    items = _objects(order, "items")
    goods = [item for item in items if item.get("offerName") != DELIVERY and item.get("count") != 0]
    mapped = {
        "external_id": order_id,
        **{name: value for name, value in (contact or {}).items() if name in CONTACT_FIELDS},
        "endpoint": endpoint,
        "status": statuses.get(status, status),
        "delivery_cost": _delivery_cost(items),
        "currency": currencies.get(str(order.get("currency")), order.get("currency")),
        "create_time": _day(order.get("creationDate")),
        "update_time": _moment(order.get("statusUpdateDate")),
        "custom_fields": {status_field: status} if status_field else None,
        "region": (regions or {}).get(str((_typed(order, "deliveryRegion", Mapping) or {}).get("id"))),
        "lines": list(_lines(order_id, goods, line_statuses.get(status, "new")))
        or list(_removed(order_id, _objects(order, "initialItems"))),
    }
    return {name: value for name, value in mapped.items() if value is not None}


def _lines(order_id: str | None, goods: list[Mapping[str, Any]], status: str) -> Iterator[dict[str, Any]]:
    for line_id, item in _named(order_id, goods):
        prices = {str(price.get("type")): _amount(price, "costPerItem") for price in _objects(item, "prices")}
        known = [price for price in prices.values() if price is not None]
        yield {
            "external_id": line_id,
            "status": _line_status(item, status),
            "sku": item.get("shopSku"),
            "base_price_per_item": sum(known, Decimal(0)) if known else None,
            "final_price_per_item": prices.get("BUYER"),
            "count": item.get("count"),
        }


def _removed(order_id: str | None, items: list[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Lines of an order all of whose goods were taken out: nothing is paid for them."""
    for line_id, item in _named(order_id, [item for item in items if item.get("offerName") != DELIVERY]):
        count = _count(item, "initialCount") or _count(item, "count") or 1
        sku = item.get("shopSku")
        yield {"external_id": line_id, "status": "canceled", "sku": sku, "final_price_per_item": "0", "count": count}


def _named(order_id: str | None, goods: list[Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Goods with an id of their own that stays the same as long as the order has the same goods."""
    seen: Counter[str] = Counter()
    for item in goods:
        sku = str(item.get("shopSku") or item.get("marketSku") or "")
        seen[sku] += 1
        yield f"{order_id}-{sku}" + (f"-{seen[sku]}" if seen[sku] > 1 else ""), item


def _line_status(item: Mapping[str, Any], status: str) -> str:
    """The order's own, unless all units were rejected or came back."""
    units = _count(item, "initialCount") or _count(item, "count")
    back = Counter[str]()
    for detail in _objects(item, "details"):
        back[str(detail.get("itemStatus"))] += _count(detail, "itemCount")
    if status not in ("canceled", "refunded") and units and back["RETURNED"] + back["REJECTED"] >= units:
        return "refunded" if back["RETURNED"] else "canceled"
    return status


def _delivery_cost(items: list[Mapping[str, Any]]) -> Decimal | None:
    costs = [
        _amount(price, "total" if price.get("total") is not None else "costPerItem") or Decimal(0)
        for item in items
        if item.get("offerName") == DELIVERY
        for price in _objects(item, "prices")
        if price.get("type") == "BUYER"
    ]
    return sum(costs, Decimal(0)) if costs else None


def _odd(name: str) -> BadValue:
    from airflow_provider_yandex_orders.rows.faults import BadValue

    return BadValue(
        "unreadable",
        f"{name} of this order of Market is not what the service's documentation says",
        "fetch the order anew, or take it out of the file and import it by hand",
    )


def _typed(of: Mapping[str, Any], name: str, *kinds: type) -> Any:
    found = of.get(name)
    if found is not None and (isinstance(found, bool) or not isinstance(found, kinds)):
        raise _odd(name)
    return found


def _objects(of: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = _typed(of, name, list) or []
    if not all(isinstance(each, Mapping) for each in found):
        raise _odd(name)
    return found


def _amount(of: Mapping[str, Any], name: str) -> Decimal | None:
    found = _typed(of, name, int, str, float, Decimal)
    with suppress(InvalidOperation):
        amount = None if found is None else Decimal(str(found))
        if amount is None or amount.is_finite():
            return amount
    raise _odd(name)


def _count(of: Mapping[str, Any], name: str) -> int:
    count: int = _typed(of, name, int) or 0
    return count


def _day(value: Any) -> str | None:
    return f"{value}T00:00:00{MARKET_OFFSET}" if value else None


def _moment(value: Any) -> str | None:
    if not value:
        return None
    text = str(value)
    try:
        has_zone = datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return text  # the import says what is wrong with it
    return text if has_zone else f"{text}{MARKET_OFFSET}"
