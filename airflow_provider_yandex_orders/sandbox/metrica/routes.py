# SPDX-License-Identifier: Apache-2.0
"""Metrica's paths.

A path that the sandbox does not have is answered in the service's shape with 404 ``not_found``, a method that a path
does not have with 405. HEAD is GET without its body. A path may end in ``.json``, as older descriptions have it.
"""

from collections.abc import AsyncIterator
from typing import Any, Final

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.routing import Match
from starlette.types import Scope

from airflow_provider_yandex_orders.sandbox.metrica import bodies, counters, crm_routes, goals, params, report
from airflow_provider_yandex_orders.sandbox.metrica.access import authorise, open_counter
from airflow_provider_yandex_orders.sandbox.metrica.conversion_routes import add_conversions
from airflow_provider_yandex_orders.sandbox.metrica.errors import MetricaError
from airflow_provider_yandex_orders.sandbox.metrica.quotas import Quotas
from airflow_provider_yandex_orders.sandbox.service import Sandbox

_ROOTS: Final = ("/management/", "/cdp/", "/stat/")
_METHODS: Final = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def plain(scope: Scope) -> Scope:
    """A request in the form that the routes know."""
    if not scope.get("path", "").startswith(_ROOTS):
        return scope
    method = "GET" if scope["method"] == "HEAD" else scope["method"]
    return {**scope, "path": scope["path"].removesuffix(".json"), "method": method}


def make_router(sandbox: Sandbox) -> APIRouter:
    """Every path of the service that the sandbox speaks."""

    async def within_quotas(request: Request) -> AsyncIterator[None]:
        quotas: Quotas = sandbox.memory.setdefault("metrica_quotas", Quotas())
        with quotas.one(request, sandbox.settings):
            yield

    router = APIRouter(dependencies=[Depends(within_quotas)])
    _add_counters(router, sandbox)
    _add_goals(router, sandbox)
    crm_routes.add_uploads(router, sandbox)
    crm_routes.add_schema(router, sandbox)
    add_conversions(router, sandbox)
    _add_report(router, sandbox)

    @router.api_route("/management/{rest:path}", methods=_METHODS)
    @router.api_route("/cdp/{rest:path}", methods=_METHODS)
    @router.api_route("/stat/{rest:path}", methods=_METHODS)
    def unknown(request: Request) -> None:
        authorise(request, sandbox.settings, write=False)
        other_method = any(route.matches(request.scope)[0] is Match.PARTIAL for route in router.routes)
        raise MetricaError("method_not_allowed" if other_method else "not_found")

    return router


def _add_counters(router: APIRouter, sandbox: Sandbox) -> None:
    @router.get("/management/v1/counters")
    def counter_list(request: Request) -> dict[str, Any]:
        authorise(request, sandbox.settings, write=False)
        fields = params.words(request.query_params, "field")
        rows, page = counters.select(sandbox.settings, request.query_params)
        with sandbox.store.connect() as connection:
            found = [counter.as_dict(fields, goals.listed(connection, counter.id)) for counter in page]
        return {"rows": rows, "counters": found}

    @router.get("/management/v1/counter/{counter_id}")
    def counter(request: Request, counter_id: str) -> dict[str, Any]:
        found = open_counter(request, sandbox.settings, counter_id, write=False)
        fields = params.words(request.query_params, "field")
        with sandbox.store.connect() as connection:
            return {"counter": found.as_dict(fields, goals.listed(connection, found.id))}


def _add_goals(router: APIRouter, sandbox: Sandbox) -> None:
    counters_goals = "/management/v1/counter/{counter_id}/goals"
    one_goal = "/management/v1/counter/{counter_id}/goal/{goal_id}"

    async def write(request: Request, counter_id: str, goal_id: str | None = None) -> dict[str, Any]:
        counter = open_counter(request, sandbox.settings, counter_id, write=True)
        document = await bodies.json_body(request)

        def store() -> dict[str, Any]:
            with sandbox.store.connect() as connection, sandbox.store.transaction(connection):
                return goals.keep(connection, counter.id, document, goal_id)

        return {"goal": await run_in_threadpool(store)}

    @router.get(counters_goals)
    def goal_list(request: Request, counter_id: str) -> dict[str, Any]:
        counter = open_counter(request, sandbox.settings, counter_id, write=False)
        deleted = params.flag(request.query_params, "useDeleted", default=False)
        with sandbox.store.connect() as connection:
            return {"goals": goals.listed(connection, counter.id, deleted=deleted)}

    @router.post(counters_goals)
    async def add_goal(request: Request, counter_id: str) -> dict[str, Any]:
        return await write(request, counter_id)

    @router.get(one_goal)
    def goal(request: Request, counter_id: str, goal_id: str) -> dict[str, Any]:
        counter = open_counter(request, sandbox.settings, counter_id, write=False)
        with sandbox.store.connect() as connection:
            return {"goal": goals.find(connection, counter.id, goal_id)}

    @router.put(one_goal)
    async def change_goal(request: Request, counter_id: str, goal_id: str) -> dict[str, Any]:
        return await write(request, counter_id, goal_id)

    @router.delete(one_goal)
    def delete_goal(request: Request, counter_id: str, goal_id: str) -> dict[str, bool]:
        counter = open_counter(request, sandbox.settings, counter_id, write=True)
        with sandbox.store.connect() as connection, sandbox.store.transaction(connection):
            goals.delete(connection, counter.id, goal_id)
        return {"success": True}


def _add_report(router: APIRouter, sandbox: Sandbox) -> None:
    @router.get("/stat/v1/data")
    @router.get("/stat/v1/data/")
    def data(request: Request) -> dict[str, Any]:
        authorise(request, sandbox.settings, write=False)
        query = request.query_params
        found = [
            open_counter(request, sandbox.settings, counter_id, write=False)
            for counter_id in dict.fromkeys(report.counter_ids(query))
        ]
        return report.data(sandbox, found, query)
