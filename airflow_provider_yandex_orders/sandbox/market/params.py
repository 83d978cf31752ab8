# SPDX-License-Identifier: Apache-2.0
"""Query parameters, and how a bad one is refused."""

from starlette.datastructures import QueryParams

from airflow_provider_yandex_orders.sandbox.market.errors import MarketError


def number(query: QueryParams, name: str, *, default: int, least: int, most: int) -> int:
    """A whole number within bounds; a greater one is refused, not cut down."""
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise MarketError("market_bad_request", f"Type mismatch: '{text[:40]}'")
    if int(text) > most:
        raise MarketError(
            "market_bad_request", f"Parameter {name} must be less than or equal to '{most}' (rejected value: '{text}')"
        )
    if int(text) < least:
        raise MarketError(
            "market_bad_request",
            f"Parameter {name} must be greater than or equal to '{least}' (rejected value: '{text}')",
        )
    return int(text)
