# SPDX-License-Identifier: Apache-2.0
"""Metrica's paths.

A path or a method that the sandbox does not have is answered in the service's shape with 404 ``not_found``.
"""

from contextlib import AsyncExitStack
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from airflow_provider_yandex_orders.sandbox.metrica import counters, goals, params, uploads
from airflow_provider_yandex_orders.sandbox.metrica.access import authorise, open_counter
from airflow_provider_yandex_orders.sandbox.metrica.errors import MetricaError
from airflow_provider_yandex_orders.sandbox.metrica.orders import MERGE_MODES
from airflow_provider_yandex_orders.sandbox.metrica.orders_file import DELIMITERS
from airflow_provider_yandex_orders.sandbox.service import Sandbox

_METHODS: Final = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_JSON_TYPES: Final = frozenset({"application/json", "application/x-yametrika+json"})
_MOST_UPLOADINGS: Final = 1000


def make_router(sandbox: Sandbox) -> APIRouter:
    """Every path of the service that the sandbox speaks."""
    router = APIRouter()
    _add_counters(router, sandbox)
    _add_goals(router, sandbox)
    _add_uploads(router, sandbox)

    @router.api_route("/management/{rest:path}", methods=_METHODS)
    @router.api_route("/cdp/{rest:path}", methods=_METHODS)
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
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in _JSON_TYPES:
            raise MetricaError("invalid_json", "The Content-Type must be application/json")
        body = await request.body()

        def store() -> dict[str, Any]:
            with sandbox.store.connect() as connection, sandbox.store.transaction(connection):
                return goals.create(connection, counter.id, body)

        return {"goal": await run_in_threadpool(store)}


def _add_uploads(router: APIRouter, sandbox: Sandbox) -> None:
    @router.get("/cdp/api/v1/counter/{counter_id}/last_uploadings")
    def last_uploadings(request: Request, counter_id: str) -> dict[str, Any]:
        counter = open_counter(request, sandbox.settings, counter_id, write=False)
        query = request.query_params
        limit = params.number(query, "limit", default=10, least=1, most=_MOST_UPLOADINGS)
        before = params.moment(query, "datetime_offset", counter.zone)
        params.choice("source", query.get("source", "API"), ["API"])
        return {"uploadings": uploads.last(sandbox, counter, before=before, limit=limit)}

    @router.post("/cdp/api/v1/counter/{counter_id}/data/simple_orders")
    async def simple_orders(request: Request, counter_id: str) -> dict[str, Any]:
        counter = open_counter(request, sandbox.settings, counter_id, write=True)
        query = request.query_params
        mode = params.choice("merge_mode", params.required(query, "merge_mode"), MERGE_MODES)
        delimiter = params.choice("delimiter_type", query.get("delimiter_type", "COMMA"), list(DELIMITERS))
        async with AsyncExitStack() as stack:
            try:
                form = await stack.enter_async_context(request.form())
            except HTTPException as error:
                raise MetricaError("invalid_uploading", f"The multipart body is broken: {error.detail}") from error
            file = _file_of(form)
            if (file.size or 0) > sandbox.settings.max_upload_bytes:
                raise MetricaError("invalid_uploading", "The file is too large", "file")

            def take_in() -> dict[str, Any]:
                return uploads.receive_orders(sandbox, counter, file.file, merge_mode=mode, delimiter_type=delimiter)

            return {"uploading": await run_in_threadpool(take_in)}


def _file_of(form: FormData) -> UploadFile:
    files = [value for name, value in form.multi_items() if name == "file" and isinstance(value, UploadFile)]
    if not files:
        # Also when the part has no file name, or when a hand-made Content-Type hides the parts.
        raise MetricaError("missing_parameter", "A multipart part named file, with a file name, is required", "file")
    if len(files) > 1:
        raise MetricaError("invalid_parameter", "One part named file is expected", "file")
    return files[0]
