# SPDX-License-Identifier: Apache-2.0
"""The sandbox's own API under ``/_sandbox``: look at what arrived, order faults, change settings, start afresh.

It asks for no token and shows stored identifiers, so it belongs on a loopback address only. Bodies are JSON whatever
their Content-Type says, so that a bare ``curl -d`` works.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Annotated, Any, Final, Literal, get_type_hints

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import TypeAdapter

from airflow_provider_yandex_orders.sandbox.faults import FaultSpec
from airflow_provider_yandex_orders.sandbox.metrica import inspect, summary
from airflow_provider_yandex_orders.sandbox.service import Sandbox
from airflow_provider_yandex_orders.sandbox.settings import RUNTIME_SETTINGS, SandboxSettings

Limit = Annotated[int, Query(ge=1, le=100_000)]
Offset = Annotated[int, Query(ge=0)]

_CHANGES: Final = TypeAdapter(dict[str, float])
_KINDS: Final[Mapping[str, Callable[[float], object]]] = {
    name: kind for name, kind in get_type_hints(SandboxSettings).items() if name in RUNTIME_SETTINGS
}


def make_router(sandbox: Sandbox) -> APIRouter:
    """Every path of the control API."""
    router = APIRouter(prefix="/_sandbox")
    _add_views(router, sandbox)
    _add_faults(router, sandbox)
    _add_state(router, sandbox)
    return router


def _add_views(router: APIRouter, sandbox: Sandbox) -> None:
    @router.get("/orders")
    def orders(
        counter_id: int | None = None,
        kind: Literal["simple_orders", "orders"] = "simple_orders",
        limit: Limit = 100,
        offset: Offset = 0,
    ) -> dict[str, Any]:
        return inspect.order_page(sandbox, counter_id, kind=kind, limit=limit, offset=offset)

    @router.get("/contacts")
    def contacts(counter_id: int | None = None, limit: Limit = 100, offset: Offset = 0) -> dict[str, Any]:
        return inspect.contact_page(sandbox, counter_id, limit=limit, offset=offset)

    @router.get("/conversions")
    def conversions(counter_id: int | None = None, limit: Limit = 100, offset: Offset = 0) -> dict[str, Any]:
        return inspect.conversion_page(sandbox, counter_id, limit=limit, offset=offset)

    @router.get("/uploads")
    def uploads(
        counter_id: int | None = None,
        kind: Literal["simple_orders", "orders", "contacts", "conversions"] | None = None,
        limit: Limit = 100,
        offset: Offset = 0,
    ) -> dict[str, Any]:
        return inspect.upload_page(sandbox, counter_id, kind=kind, limit=limit, offset=offset)

    @router.get("/summary")
    def totals(counter_id: int | None = None) -> dict[str, Any]:
        return summary.summary(sandbox, counter_id)

    @router.get("/requests")
    async def requests() -> dict[str, Any]:
        return {"requests": sandbox.requests.entries()}


def _add_faults(router: APIRouter, sandbox: Sandbox) -> None:
    @router.post("/faults")
    async def add_fault(request: Request) -> dict[str, Any]:
        try:
            spec = FaultSpec.model_validate_json(await request.body())
            return sandbox.faults.add(spec).as_dict()
        except ValueError as error:
            raise HTTPException(422, str(error)) from error

    @router.get("/faults")
    async def faults() -> dict[str, Any]:
        known = [fault.as_dict() for fault in sandbox.faults.all()]
        return {"faults": known, "presets": sorted(sandbox.faults.presets)}

    @router.delete("/faults")
    async def clear_faults() -> dict[str, int]:
        return {"cleared": sandbox.faults.clear()}


def _add_state(router: APIRouter, sandbox: Sandbox) -> None:
    @router.post("/reset")
    def reset() -> dict[str, bool]:
        sandbox.reset()
        return {"success": True}

    @router.get("/settings")
    async def settings() -> dict[str, Any]:
        return _shown(sandbox)

    @router.post("/settings")
    async def change_settings(request: Request) -> dict[str, Any]:
        try:
            changes = _CHANGES.validate_json(await request.body())
        except ValueError as error:
            raise HTTPException(422, str(error)) from error
        if fixed := sorted(set(changes) - RUNTIME_SETTINGS):
            allowed = ", ".join(sorted(RUNTIME_SETTINGS))
            raise HTTPException(422, f"cannot be changed: {', '.join(fixed)}; can be: {allowed}")
        try:
            sandbox.change({name: _KINDS[name](value) for name, value in changes.items()})
        except ValueError as error:
            raise HTTPException(422, str(error)) from error
        return _shown(sandbox)


def _shown(sandbox: Sandbox) -> dict[str, Any]:
    """The settings without tokens and file names."""
    hidden = {"store", "write_tokens", "read_tokens"}
    return {name: value for name, value in asdict(sandbox.settings).items() if name not in hidden}
