# SPDX-License-Identifier: Apache-2.0
"""Market's error answers, and the same as presets for faults.

Source: https://yandex.ru/dev/market/partner-api/doc/ru/concepts/error-codes . The pages name messages and one ``code``
only (``UNAUTHORIZED``); the other codes are the sandbox's own words, as free as the schema leaves them.
"""

import json
import time
from collections.abc import Callable, Mapping
from email.utils import formatdate
from types import MappingProxyType
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from airflow_provider_yandex_orders.sandbox.faults import Answer, Preset
from airflow_provider_yandex_orders.sandbox.traffic import tell

ERRORS: Final[Mapping[str, tuple[int, str, str]]] = MappingProxyType(
    {
        "market_bad_request": (400, "BAD_REQUEST", "Illegal input"),
        "market_bad_page_token": (400, "BAD_REQUEST", "Bad page token"),
        "market_too_long_period": (400, "BAD_REQUEST", "Too long time period. Maximum is 30 days"),
        "market_unauthorized": (401, "UNAUTHORIZED", "Api-Key is invalid or revoked"),
        "market_forbidden": (403, "FORBIDDEN", "Access denied"),
        "market_no_scope": (403, "FORBIDDEN", "The token has none of the scopes this method needs"),
        "market_not_found": (404, "NOT_FOUND", "Campaign not found"),
        "market_wrong_method": (405, "METHOD_NOT_ALLOWED", "Method not allowed"),
        "market_unsupported_media_type": (415, "UNSUPPORTED_MEDIA_TYPE", "Content type is missing or unknown"),
        "market_parallel": (420, "ENHANCE_YOUR_CALM", "Hit rate limit of 4 parallel requests for campaignId 1001"),
        "market_quota": (
            420,
            "ENHANCE_YOUR_CALM",
            "Hit rate limit of 10000 requests per 1 hour for resource getOrdersStats for campaignId 1001",
        ),
        "market_migrating": (423, "LOCKED", "The store is being migrated"),
        "market_internal": (500, "INTERNAL_ERROR", "Internal server error"),
        "market_unavailable": (503, "SERVICE_UNAVAILABLE", "Service temporarily unavailable. Please, try again later"),
    }
)
"""Error: HTTP status, ``code`` and message."""

_QUOTA_SECONDS: Final = 1800


def error_body(code: str, message: str) -> dict[str, Any]:
    """An error body in the service's shape."""
    return {"status": "ERROR", "errors": [{"code": code, "message": message}]}


class MarketError(Exception):
    """Ends a request with an error answer."""

    def __init__(self, name: str, message: str | None = None) -> None:
        self.status, self.code, usual = ERRORS[name]
        self.message = message or usual
        super().__init__(self.message)

    def as_dict(self) -> dict[str, Any]:
        """The body of the answer."""
        return error_body(self.code, self.message)


def install(app: FastAPI) -> None:
    """Make the application answer a MarketError in the service's shape."""

    @app.exception_handler(MarketError)
    async def answer(request: Request, error: MarketError) -> JSONResponse:
        tell(request, error.message, refused=True)
        return JSONResponse(error.as_dict(), status_code=error.status)


def _preset(name: str) -> Callable[[int | None], Answer]:
    def make(status: int | None) -> Answer:
        usual, code, message = ERRORS[name]
        headers = {"content-type": "application/json; charset=utf-8"}
        if name == "market_quota":
            until = formatdate(time.time() + _QUOTA_SECONDS, usegmt=True)
            headers |= {
                "x-ratelimit-resource-limit": "10000",
                "x-ratelimit-resource-remaining": "0",
                "x-ratelimit-resource-until": until,
            }
        return Answer(status or usual, json.dumps(error_body(code, message)).encode(), headers)

    return make


PRESETS: Final[Mapping[str, Preset]] = MappingProxyType({name: _preset(name) for name in ERRORS})
"""The hourly quota's preset is whole again half an hour after it was ordered; a fault's ``headers`` can say else."""
