# SPDX-License-Identifier: Apache-2.0
"""Altcraft's part of the page: what the platform holds, and its imports with what was wrong in them."""

from decimal import Decimal
from typing import Final

from airflow_provider_yandex_orders.sandbox.altcraft import orders
from airflow_provider_yandex_orders.sandbox.page.html import Html, bar, join, parts, size, table, tiles
from airflow_provider_yandex_orders.sandbox.page.requests import entry
from airflow_provider_yandex_orders.sandbox.service import Sandbox

_IMPORT: Final = "/market/orders/import"
_SHOWN: Final = 10


def show(sandbox: Sandbox) -> Html:
    """The part of the page."""
    held = orders.summary(sandbox)
    imports = [one for one in sandbox.requests.entries() if one["path"].endswith(_IMPORT)]
    most = Decimal(max(held["by_status"].values(), default=0))
    by_status = sorted(held["by_status"].items(), key=lambda pair: (-pair[1], pair[0]))
    money = ((f"{currency} in orders", Decimal(total)) for currency, total in held["total_by_currency"].items())
    return join(
        tiles(
            (
                ("orders", held["orders"]),
                ("lines", held["lines"]),
                ("triggers started", held["triggers_started"]),
                *money,
            )
        ),
        parts(
            (
                "Imports",
                table(
                    "The newest imports",
                    ("When", "Size", "Answer"),
                    (
                        (one["time"][11:19], size(one["request_bytes"]), entry(one))
                        for one in imports[: -_SHOWN - 1 : -1]
                    ),
                ),
            ),
            (
                "Orders by status",
                table(
                    "Altcraft's orders by status",
                    ("Status", "Orders", ""),
                    ((status, count, bar(Decimal(count), most)) for status, count in by_status),
                    {1},
                ),
            ),
        ),
    )
