# SPDX-License-Identifier: Apache-2.0
"""The platform's paths, and what the control API shows of it. Every call is a POST, reads too."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool

from airflow_provider_yandex_orders.sandbox.altcraft import checks, definitions, orders
from airflow_provider_yandex_orders.sandbox.altcraft.access import authorise
from airflow_provider_yandex_orders.sandbox.altcraft.errors import BAD_REQUEST, NOT_FOUND, AltcraftError, envelope
from airflow_provider_yandex_orders.sandbox.altcraft.reading import read
from airflow_provider_yandex_orders.sandbox.service import Sandbox
from airflow_provider_yandex_orders.sandbox.traffic import tell

BASE: Final = "/api/v1.1/market/orders"
Limit = Annotated[int, Query(ge=1, le=100_000)]
Offset = Annotated[int, Query(ge=0)]
_MOST_LISTED: Final = 1000
_REPORTED: Final = 10


def make_router(sandbox: Sandbox) -> APIRouter:
    """Every path of the service that the sandbox speaks."""
    router = APIRouter()
    _add_import(router, sandbox)
    _add_reads(router, sandbox)
    _add_views(router, sandbox)

    @router.post("/api/v1.1/{rest:path}")
    async def unknown(request: Request) -> None:
        authorise(request, await read(request), sandbox.settings, write=False)
        raise AltcraftError(NOT_FOUND, "There is no such method")

    return router


def _add_import(router: APIRouter, sandbox: Sandbox) -> None:
    @router.post(f"{BASE}/import")
    async def import_orders(request: Request) -> dict[str, Any]:
        document = await read(request)
        authorise(request, document, sandbox.settings, write=True)
        skip, data = document.get("skip_triggers", False), document.get("data")
        if not isinstance(skip, bool):
            raise AltcraftError(BAD_REQUEST, "skip_triggers must be true or false")
        if not isinstance(data, list) or not data:
            raise AltcraftError(BAD_REQUEST, "data must be a list of orders")
        found = list(definitions.faults(document))
        for number, order in enumerate(data):
            external_id = order.get("external_id") if isinstance(order, dict) else None
            found += [f"data[{number}] ({external_id}): {fault}" for fault in checks.faults(order)]
        if found:
            more = f"; and {len(found) - _REPORTED} more" if len(found) > _REPORTED else ""
            raise AltcraftError(BAD_REQUEST, "; ".join(found[:_REPORTED]) + more)
        await run_in_threadpool(orders.store, sandbox, data, triggers=not skip)
        tell(request, f"{len(data):,} order{'s' * (len(data) > 1)}, triggers {'left out' if skip else 'started'}")
        return envelope(0, "")


def _add_reads(router: APIRouter, sandbox: Sandbox) -> None:
    @router.post(f"{BASE}/get_status")
    async def get_status(request: Request) -> dict[str, Any]:
        document = await read(request)
        authorise(request, document, sandbox.settings, write=False)
        number, external_id = document.get("id"), document.get("external_id")
        if (number is None) == (external_id is None):
            raise AltcraftError(BAD_REQUEST, "Either id or external_id must be given")
        if number is not None and not isinstance(number, int):
            raise AltcraftError(BAD_REQUEST, "id must be a number")
        row = await run_in_threadpool(orders.find, sandbox, number=number, external_id=external_id)
        if row is None:
            raise AltcraftError(NOT_FOUND, "Order not found")
        return envelope(0, "", result={"endpoint": row["endpoint"], "status": row["status"]})

    @router.post(f"{BASE}/list")
    async def order_list(request: Request) -> dict[str, Any]:
        document = await read(request)
        authorise(request, document, sandbox.settings, write=False)
        pointer, limit = document.get("from_id") or "0", document.get("limit", 100)
        if not (isinstance(pointer, str) and pointer.isascii() and pointer.isdigit()):
            raise AltcraftError(BAD_REQUEST, "from_id must be the pointer of an earlier answer")
        if not isinstance(limit, int) or not 1 <= limit <= _MOST_LISTED:
            raise AltcraftError(BAD_REQUEST, f"limit must be a number from 1 to {_MOST_LISTED}")
        found, following = await run_in_threadpool(
            orders.listed, sandbox, after=int(pointer), limit=limit, endpoint=document.get("endpoint")
        )
        return envelope(0, "", result=found, next_from_id=following)


def _add_views(router: APIRouter, sandbox: Sandbox) -> None:
    @router.get("/_sandbox/altcraft/orders")
    def stored(limit: Limit = 100, offset: Offset = 0) -> dict[str, Any]:
        return orders.page(sandbox, limit=limit, offset=offset)

    @router.get("/_sandbox/altcraft/summary")
    def summary() -> dict[str, Any]:
        return orders.summary(sandbox)
