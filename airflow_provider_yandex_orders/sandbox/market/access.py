# SPDX-License-Identifier: Apache-2.0
"""Who may do what: the ``Api-Key`` header or an OAuth token, and the scopes of a key.

Sources: https://yandex.ru/dev/market/partner-api/doc/ru/concepts/api-key ,
https://yandex.ru/dev/market/partner-api/doc/ru/concepts/authorization ,
https://yandex.ru/dev/market/partner-api/doc/ru/concepts/error-codes .
Unstated there and chosen here: with both headers the key decides; every token is taken under either header. Of
``X-Business-Id`` the form is checked: no path here names a business that it could differ from.
"""

import re
from dataclasses import dataclass
from typing import Final

from fastapi import Request

from airflow_provider_yandex_orders.sandbox.market.errors import MarketError
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings

FINANCE_TOKEN: Final = "sandbox-finance-token"  # noqa: S105 - the sandbox's own
"""A key that sees the stores and lacks every scope that order statistics ask for."""

_ORDER_SCOPES: Final = frozenset(
    {
        "ALL_METHODS",
        "ALL_METHODS_READ_ONLY",
        "INVENTORY_AND_ORDER_PROCESSING",
        "INVENTORY_AND_ORDER_PROCESSING_READ_ONLY",
    }
)
_BEARER: Final = "Bearer "


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls."""

    name: str
    scopes: tuple[str, ...]
    api_key: bool

    @property
    def reads_orders(self) -> bool:
        """Whether order statistics are open; OAuth tokens have no scopes by method."""
        return not self.api_key or not _ORDER_SCOPES.isdisjoint(self.scopes)


def authorise(request: Request, settings: SandboxSettings) -> Caller:
    """Check the token."""
    business = request.headers.get("x-business-id")
    if business is not None and not re.fullmatch("0*[1-9][0-9]{0,18}", business):
        raise MarketError("market_bad_request", "Type mismatch: 'X-Business-Id'")
    key = request.headers.get("api-key")
    if key is not None:
        caller = _caller(key.strip(), settings, api_key=True)
        if caller is None:
            raise MarketError("market_unauthorized")
        return caller
    header = request.headers.get("authorization", "")
    if not header.startswith(_BEARER):
        raise MarketError("market_unauthorized", "Api-Key or Authorization header is missing or has a wrong form")
    caller = _caller(header.removeprefix(_BEARER), settings, api_key=False)
    if caller is None:
        raise MarketError("market_forbidden", "OAuth token is invalid")
    return caller


def _caller(token: str, settings: SandboxSettings, *, api_key: bool) -> Caller | None:
    if token in settings.write_tokens:
        return Caller("Sandbox", ("ALL_METHODS",), api_key)
    if token in settings.read_tokens:
        return Caller("Sandbox, reading", ("INVENTORY_AND_ORDER_PROCESSING_READ_ONLY", "PRICING"), api_key)
    if token == FINANCE_TOKEN:
        return Caller("Sandbox, finance", ("FINANCE_AND_ACCOUNTING",), api_key)
    return None
