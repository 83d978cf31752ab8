# SPDX-License-Identifier: Apache-2.0
"""The platform's envelope and its error answers, and the same as presets for faults.

Source: https://guides.altcraft.com/en/developer-guide/api-interaction . The table there could be read up to code 403;
HTTP 200 is said to speak of the transport only, so errors come with it here. Code 404 for an order that is not there is
chosen here.
"""

import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from airflow_provider_yandex_orders.sandbox.faults import Answer, Preset
from airflow_provider_yandex_orders.sandbox.traffic import tell

BAD_REQUEST: Final = 400
NO_TOKEN: Final = 401
REFUSED: Final = 403
NOT_FOUND: Final = 404

_NAMED: Final = re.compile(r"(?<=\]) \([^;]*?\)(?=: )")
"""The sender's id of an order, in a text about it."""

_PRESETS: Final[Mapping[str, tuple[int, int, str]]] = MappingProxyType(
    {
        "altcraft_bad_request": (200, BAD_REQUEST, "Incorrect request"),
        "altcraft_no_token": (200, NO_TOKEN, "API token required"),
        "altcraft_tariff_limit": (200, 402, "Tariff limit reached"),
        "altcraft_refused": (200, REFUSED, "Access denied"),
        "altcraft_unknown_error": (200, 5001, "Something that no table lists"),
        "altcraft_too_many": (429, 429, "Too many requests"),
        "altcraft_bad_gateway": (502, 502, "Bad gateway"),
        "altcraft_unavailable": (503, 503, "Service unavailable"),
        "altcraft_timeout": (504, 504, "Gateway timeout"),
    }
)
"""Preset: HTTP status, ``error`` and a text in the sandbox's words."""


def envelope(code: int, text: str, **content: Any) -> dict[str, Any]:
    """An answer in the platform's shape."""
    return {"error": code, "error_text": text, **content}


class AltcraftError(Exception):
    """Ends a request with an error answer."""

    def __init__(self, code: int, text: str) -> None:
        self.code = code
        self.text = text
        super().__init__(text)


def install(app: FastAPI) -> None:
    """Make the application answer an AltcraftError in the platform's shape."""

    @app.exception_handler(AltcraftError)
    async def answer(request: Request, error: AltcraftError) -> JSONResponse:
        tell(request, _NAMED.sub("", error.text), refused=True)
        return JSONResponse(envelope(error.code, error.text))


def _preset(name: str) -> Callable[[int | None], Answer]:
    def make(status: int | None) -> Answer:
        usual, code, text = _PRESETS[name]
        body = json.dumps(envelope(code, text))
        return Answer(status or usual, body.encode(), {"content-type": "application/json; charset=utf-8"})

    return make


PRESETS: Final[Mapping[str, Preset]] = MappingProxyType({name: _preset(name) for name in _PRESETS})
