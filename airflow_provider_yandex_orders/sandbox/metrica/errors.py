# SPDX-License-Identifier: Apache-2.0
"""Metrica's error answers, and the same as presets for faults.

Sources: https://yandex.ru/dev/metrika/ru/intro/errors , https://yandex.ru/dev/metrika/ru/intro/quotas .
The pages name HTTP 429 for quotas, their English versions 420 and old ones 403: a preset's status can be overridden to
try each.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from airflow_provider_yandex_orders.sandbox.faults import Answer, Preset
from airflow_provider_yandex_orders.sandbox.traffic import tell

ERRORS: Final[Mapping[str, tuple[int, str]]] = MappingProxyType(
    {
        "backend_error": (503, "The service is not available, try again later"),
        "timeout": (504, "The request took too long"),
        "quota_requests_by_ip": (429, "Quota exceeded: requests per second of this IP address"),
        "quota_parallel_requests": (429, "Quota exceeded: parallel requests of this user"),
        "quota_requests_by_uid": (429, "Quota exceeded: requests per day of this user"),
        "quota_requests_by_counter_id": (429, "Quota exceeded: requests per day of this counter"),
        "quota_delegate_requests": (429, "Quota exceeded: added representatives per hour"),
        "quota_grants_requests": (429, "Quota exceeded: access requests per hour"),
        "invalid_token": (403, "Invalid oauth_token"),
        "unauthorized": (401, "Authorization is required"),
        "access_denied": (403, "Access is denied"),
        "counter_in_connect": (403, "Access to this counter is managed by an organisation"),
        "invalid_parameter": (400, "A parameter has a wrong value"),
        "missing_parameter": (400, "A required parameter is missing"),
        "invalid_uploading": (400, "The uploaded file cannot be read"),
        "invalid_json": (400, "The body is not valid JSON for this method"),
        "limit_exceeded": (400, "Too many objects"),
        "query_error": (400, "The report query is wrong"),
        "too_much_rows": (400, "The report has too many rows"),
        "filter_limits": (400, "The filter is too complex"),
        "not_found": (404, "Object not found"),
        # Not in the table of errors: the word is the sandbox's.
        "method_not_allowed": (405, "The method is not supported by this path"),
        "not_acceptable": (406, "Format is not supported"),
        "conflict": (409, "Integrity would be violated"),
    }
)
"""Error type: HTTP status and a message in the sandbox's words, except where the real one is known."""

TOO_MANY_REPORTS: Final = "Quota exceeded: report requests of this user in 5 minutes"

NOT_FOUND: Final = 404

NO_SUCH_OBJECT: Final = "No object with specified ID."
"""What the live service is reported to say, with 400, of an id it does not know."""


def error_body(error_type: str, message: str, status: int, location: str | None = None) -> dict[str, Any]:
    """An error body in the service's shape; ``location`` is left out where there is none, as in real answers."""
    error = {"error_type": error_type, "message": message}
    if location is not None:
        error["location"] = location
    return {"errors": [error], "code": status, "message": message}


class MetricaError(Exception):
    """Ends a request with an error answer."""

    def __init__(self, error_type: str, message: str | None = None, location: str | None = None) -> None:
        self.error_type = error_type
        self.status, usual = ERRORS[error_type]
        self.message = message or usual
        self.location = location
        super().__init__(self.message)

    def as_dict(self) -> dict[str, Any]:
        """The body of the answer."""
        return error_body(self.error_type, self.message, self.status, self.location)


def install(app: FastAPI) -> None:
    """Make the application answer a MetricaError in the service's shape."""

    @app.exception_handler(MetricaError)
    async def answer(request: Request, error: MetricaError) -> JSONResponse:
        tell(request, error.message, refused=True)
        return JSONResponse(error.as_dict(), status_code=error.status)

    @app.exception_handler(HTTPException)
    async def no_route(request: Request, error: HTTPException) -> Response:
        """What no service has, in the shape of the one that the sandbox was first made for."""
        if error.status_code != NOT_FOUND or request.scope["path"].startswith("/_sandbox"):
            return await http_exception_handler(request, error)
        return JSONResponse(MetricaError("not_found").as_dict(), NOT_FOUND)


def _preset(error_type: str, message: str | None = None) -> Preset:
    def make(status: int | None) -> Answer:
        usual, words = ERRORS[error_type]
        code = status or usual
        body = json.dumps(error_body(error_type, message or words, code))
        return Answer(code, body.encode(), {"content-type": "application/json; charset=utf-8"})

    return make


PRESETS: Final[Mapping[str, Preset]] = MappingProxyType(
    {
        **{name: _preset(name) for name in ERRORS},
        "unknown_upload": _preset("invalid_parameter", NO_SUCH_OBJECT),
        # 200 requests to /stat/v1/data in 5 minutes; which type the answer names is not documented.
        "quota_reports": _preset("quota_requests_by_uid", TOO_MANY_REPORTS),
    }
)
"""Every error type by its name, and answers that differ from the usual one of their type."""
