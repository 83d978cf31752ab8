# SPDX-License-Identifier: Apache-2.0
"""Market's part of the page: what was read of which store, and the hour's budget."""

import time
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from airflow_provider_yandex_orders.sandbox.market import budget
from airflow_provider_yandex_orders.sandbox.page.html import Html, bar, join, parts, table, tiles
from airflow_provider_yandex_orders.sandbox.page.requests import entry
from airflow_provider_yandex_orders.sandbox.service import Sandbox

_ORDERS: Final = "/stats/orders"
_SHOWN: Final = 10


def show(sandbox: Sandbox) -> Html:
    """The part of the page."""
    asked = [one for one in sandbox.requests.entries() if one["path"].endswith(_ORDERS)]
    good = [one for one in asked if one["status"] == 200]
    given: Mapping[str, int] = sandbox.memory.get("market_given", {})
    return join(
        tiles(
            (
                ("orders handed out", sum(given.values())),
                ("pages handed out", len(good)),
                ("requests refused or broken off", len(asked) - len(good)),
                ("orders a store gets a day", sandbox.settings.market_orders_per_day),
            )
        ),
        parts(
            (
                "Requests for order statistics",
                table(
                    "The newest requests for order statistics",
                    ("When", "Store", "Answer"),
                    ((one["time"][11:19], _store(one), entry(one)) for one in asked[: -_SHOWN - 1 : -1]),
                ),
            ),
            (
                "Quotas",
                table("Requests of this window", ("Resource", "Used", "Allowed", ""), _budgets(sandbox), {1, 2}),
            ),
        ),
    )


def _store(one: Mapping[str, Any]) -> str:
    return str(one["path"].removesuffix(_ORDERS).rpartition("/")[2])


def _budgets(sandbox: Sandbox) -> list[tuple[object, ...]]:
    most = sandbox.settings.market_requests_per_window
    query = f"SELECT resource, used FROM {budget.TABLE} WHERE until > ? ORDER BY 1"  # noqa: S608 - a name of our own
    with sandbox.store.connect() as connection:
        rows = connection.execute(query, (time.time(),)).fetchall()
    return [(row["resource"], row["used"], most, bar(Decimal(row["used"]), Decimal(most))) for row in rows]
