# SPDX-License-Identifier: Apache-2.0
"""Market's paths.

A path that the sandbox does not have is answered in the service's shape with 404, a method with 405.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from airflow_provider_yandex_orders.sandbox.market import budget, campaigns, filters, tokens
from airflow_provider_yandex_orders.sandbox.market.access import Caller, authorise
from airflow_provider_yandex_orders.sandbox.market.errors import MarketError
from airflow_provider_yandex_orders.sandbox.market.life import MOSCOW
from airflow_provider_yandex_orders.sandbox.market.listing import Listing
from airflow_provider_yandex_orders.sandbox.market.params import number
from airflow_provider_yandex_orders.sandbox.service import Sandbox
from airflow_provider_yandex_orders.sandbox.traffic import tell

_METHODS: Final = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE"]
_JSON: Final = "application/json"
_ORDERS: Final = "getOrdersStats"
_CAMPAIGNS_LIMIT: Final = 1000
_TOKEN_LIMIT: Final = 100
_PAGE: Final = 200

Work = Callable[[Caller], Awaitable[bytes]]


def make_router(sandbox: Sandbox) -> APIRouter:
    """Every path of the service that the sandbox speaks."""
    router, calls = APIRouter(), APIRouter()
    parallel = budget.Parallel()

    async def answer(request: Request, entity: str, resource: str, limit: int, work: Work) -> Response:
        """Do the work between the service's checks; every answer carries the state of the budget."""
        started = time.monotonic()
        spent = await run_in_threadpool(budget.spend, sandbox, f"{resource}/{entity}", limit)
        status, settings = 200, sandbox.settings
        try:
            with parallel.one(entity, settings.market_parallel_requests):
                budget.check(spent, settings.market_window_seconds, resource)
                body = await work(authorise(request, settings))
                await asyncio.sleep(max(0.0, started + settings.market_latency_seconds - time.monotonic()))
        except MarketError as error:
            status, body = error.status, msgspec.json.encode(error.as_dict())
            tell(request, error.message, refused=True)
        return Response(body, status, spent.headers(), f"{_JSON}; charset=utf-8")

    @calls.post("/campaigns/{campaign_id}/stats/orders")
    async def order_stats(request: Request, campaign_id: str) -> Response:
        async def work(caller: Caller) -> bytes:
            if not caller.reads_orders:
                raise MarketError("market_no_scope")
            campaign = campaigns.find(campaign_id)
            if request.headers.get("content-type", _JSON).partition(";")[0].strip().lower() != _JSON:
                raise MarketError("market_unsupported_media_type")
            body = await request.body()
            return await run_in_threadpool(_order_page, sandbox, campaign.id, request, body)

        limit = sandbox.settings.market_requests_per_window
        return await answer(request, f"campaignId {campaign_id[:20]}", _ORDERS, limit, work)

    @calls.get("/campaigns")
    async def campaign_list(request: Request) -> Response:
        async def work(_caller: Caller) -> bytes:
            settings = sandbox.settings
            shown = campaigns.page(
                request.query_params, settings.market_stores_per_page, numbered=settings.market_numbered_pages
            )
            return msgspec.json.encode(shown)

        return await answer(request, "businessId 5001", "getCampaigns", _CAMPAIGNS_LIMIT, work)

    @calls.post("/auth/token")
    async def token_info(request: Request) -> Response:
        async def work(caller: Caller) -> bytes:
            if not caller.api_key:
                raise MarketError("market_forbidden", "The method takes an Api-Key only")
            key = {"name": caller.name, "authScopes": caller.scopes}
            return msgspec.json.encode({"status": "OK", "result": {"apiKey": key}})

        return await answer(request, "businessId 5001", "getAuthTokenInfo", _TOKEN_LIMIT, work)

    @calls.api_route("/campaigns/{campaign_id}/stats/orders", methods=_METHODS)
    @calls.api_route("/campaigns", methods=_METHODS)
    @calls.api_route("/auth/token", methods=_METHODS)
    def wrong_method(request: Request) -> None:
        authorise(request, sandbox.settings)
        raise MarketError("market_wrong_method")

    router.include_router(calls, prefix="/v2")
    router.include_router(calls)  # the documentation of 2025 lets the version be left out

    @router.api_route("/v2/{rest:path}", methods=_METHODS)
    def unknown(request: Request) -> None:
        authorise(request, sandbox.settings)
        raise MarketError("market_not_found", "Unknown path")

    return router


def _order_page(sandbox: Sandbox, campaign_id: int, request: Request, body: bytes) -> bytes:
    settings = sandbox.settings
    limit = number(request.query_params, "limit", default=100, least=1, most=_PAGE)
    asked = filters.read(body)
    filters.check_period(asked, settings.market_longest_period_days)
    whole = f"{campaign_id} {asked}"
    place = tokens.read(request.query_params, whole, limit)
    known = datetime.now(MOSCOW) - timedelta(seconds=settings.market_lag_seconds)
    listing = Listing(campaign_id, asked, known.replace(second=0, microsecond=0), settings.market_orders_per_day)
    found = listing.page(place, limit, settings.market_changes_per_page)
    given = sandbox.memory.setdefault("market_given", Counter())
    given[campaign_id] += len(found.orders)
    tell(request, f"{len(found.orders)} orders{'' if found.following else ', the last page'}")
    result: dict[str, Any] = {"orders": [msgspec.Raw(order) for order in found.orders]}
    following = found.following
    if 0 < settings.market_stuck_page <= place.number:
        following = place
    if following is not None:
        result["paging"] = {"nextPageToken": tokens.write(following, whole, limit)}
    return msgspec.json.encode({"status": "OK", "result": result})
