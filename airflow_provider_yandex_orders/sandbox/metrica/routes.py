# SPDX-License-Identifier: Apache-2.0
"""Metrica's paths.

A path or a method that the sandbox does not have is answered in the service's shape with 404 ``not_found``.
"""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from airflow_provider_yandex_orders.sandbox.metrica import bodies, counters, crm_routes, goals, params, report
from airflow_provider_yandex_orders.sandbox.metrica.access import authorise, open_counter
from airflow_provider_yandex_orders.sandbox.metrica.conversion_routes import add_conversions
from airflow_provider_yandex_orders.sandbox.metrica.errors import MetricaError
from airflow_provider_yandex_orders.sandbox.service import Sandbox

_METHODS: Final = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def make_router(sandbox: Sandbox) -> APIRouter:
    """Every path of the service that the sandbox speaks."""
    router = APIRouter()
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
        raise MetricaError("not_found")

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
    path = "/management/v1/counter/{counter_id}/goals"

    @router.get(path)
    def goal_list(request: Request, counter_id: str) -> dict[str, Any]:
        counter = open_counter(request, sandbox.settings, counter_id, write=False)
        # Nothing can be deleted here, so both answers are the same.
        params.flag(request.query_params, "useDeleted", default=False)
        with sandbox.store.connect() as connection:
            return {"goals": goals.listed(connection, counter.id)}

    @router.post(path)
    async def add_goal(request: Request, counter_id: str) -> dict[str, Any]:
        counter = open_counter(request, sandbox.settings, counter_id, write=True)
        document = await bodies.json_body(request)

        def store() -> dict[str, Any]:
            with sandbox.store.connect() as connection, sandbox.store.transaction(connection):
                return goals.create(connection, counter.id, document)

        return {"goal": await run_in_threadpool(store)}


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
