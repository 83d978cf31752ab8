# SPDX-License-Identifier: Apache-2.0
"""Puts the services, the control API and the page together into one ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI, Request, Response
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from airflow_provider_yandex_orders.sandbox import altcraft, control, market, metrica, page
from airflow_provider_yandex_orders.sandbox.disturb import FaultMiddleware
from airflow_provider_yandex_orders.sandbox.service import Sandbox, Service
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings
from airflow_provider_yandex_orders.sandbox.traffic import TrafficMiddleware, is_service_call

SERVICES: Final[tuple[Service, ...]] = (metrica.SERVICE, market.SERVICE, altcraft.SERVICE)
"""Every imitated service; their paths do not collide, so they share one address."""


_CLIENT_LEFT: Final = 499
_GONE: Final = 410


class SandboxApp(FastAPI):
    """The application with its log and faults around everything else, where the server's own ``send`` is in reach."""

    def __init__(self, sandbox: Sandbox) -> None:
        @asynccontextmanager
        async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
            yield
            sandbox.close()

        # The stock documentation pages load scripts from elsewhere.
        super().__init__(title="Sandbox", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
        self.sandbox = sandbox
        self.add_exception_handler(ClientDisconnect, _nobody_there)
        self._entry = TrafficMiddleware(
            FaultMiddleware(self._answer, sandbox.faults, sandbox.closing), sandbox.requests
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one connection event from the server."""
        if is_service_call(scope) and (address := self.sandbox.address):
            if not scope["path"].startswith(f"{address}/"):
                await Response("The sandbox has moved to another address.", _GONE)(scope, receive, send)
                return
            scope["path"] = scope["path"].removeprefix(address)
        await self._entry(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super().__call__(metrica.plain(scope), receive, send)


def _nobody_there(_request: Request, _error: Exception) -> Response:
    """A client that gave up while sending is no error of the sandbox; the answer goes nowhere."""
    return Response(status_code=_CLIENT_LEFT)


def create_app(settings: SandboxSettings) -> SandboxApp:
    """A sandbox with its own state, ready for uvicorn."""
    sandbox = Sandbox(settings, SERVICES)
    app = SandboxApp(sandbox)
    for service in SERVICES:
        service.install(app)
        app.include_router(service.router(sandbox))
    app.include_router(control.make_router(sandbox))
    app.include_router(page.make_router(sandbox))
    return app
