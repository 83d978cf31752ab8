# SPDX-License-Identifier: Apache-2.0
"""What came more than once, of all services: the question a sender asks first."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from airflow_provider_yandex_orders.sandbox.altcraft import orders
from airflow_provider_yandex_orders.sandbox.page.html import Html, join, pill, table
from airflow_provider_yandex_orders.sandbox.service import Sandbox

_WRITTEN_OVER = ("plain", "counts once: the later one is written over the first")
_ANOTHER = ("bad", "counts twice: each is an order of its own")
_NOBODY_KNOWS = ("warn", "once here; nobody knows of the real service")
_LETTER = ("bad", "the customer may be written to twice")


def show(sandbox: Sandbox, kinds: Mapping[str, Any]) -> Html:
    """The part of the page."""
    rows = [
        (name, held, again, join(pill(words, kind), *more) if again else pill("none came twice", "good"))
        for name, held, again, (kind, words), *more in _rows(kinds, orders.summary(sandbox))
        if held
    ]
    return table(
        "What came more than once", ("What", "Held", "More than once", "What that does"), rows, {1, 2}, cards=True
    )


def _rows(kinds: Mapping[str, Any], altcraft: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    for kind, name in (("simple_orders", "Simplified orders"), ("orders", "Orders"), ("contacts", "Customers")):
        held = "contacts" if kind == "contacts" else "orders"
        totals = kinds[kind]
        yield name, totals[held], totals[f"{held}_received_more_than_once"], _WRITTEN_OVER
    simple, conversions = kinds["simple_orders"], kinds["conversions"]
    yield (
        "Orders without id, equal to another",
        simple["orders_without_id"],
        simple["orders_without_id_again"],
        _ANOTHER,
    )
    yield (
        "Conversions",
        conversions["conversions"],
        conversions["conversions_received_more_than_once"],
        _NOBODY_KNOWS,
        *_money(conversions["revenue"], conversions["revenue_received"]),
    )
    yield "Altcraft's orders", altcraft["orders"], altcraft["orders_received_more_than_once"], _WRITTEN_OVER
    yield "Altcraft's triggers", altcraft["orders"], altcraft["triggers_started_more_than_once"], _LETTER


def _money(kept: dict[str, str], received: dict[str, str]) -> Iterator[str]:
    for currency, total in received.items():
        if more := Decimal(total) - Decimal(kept.get(currency, 0)):
            yield f" {more:,f} {currency or 'RUB'} more would count"
