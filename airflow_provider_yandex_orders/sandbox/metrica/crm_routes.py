# SPDX-License-Identifier: Apache-2.0
"""Paths under ``/cdp/``: uploads of customers and orders, what was uploaded last, and the schema."""

from collections.abc import Callable
from sqlite3 import Connection
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from airflow_provider_yandex_orders.sandbox.metrica import bodies, params, schema, uploads
from airflow_provider_yandex_orders.sandbox.metrica.access import open_counter
from airflow_provider_yandex_orders.sandbox.metrica.csv_rows import DELIMITERS
from airflow_provider_yandex_orders.sandbox.metrica.entities import CONTACTS, ORDERS, SIMPLE_ORDERS, Entity
from airflow_provider_yandex_orders.sandbox.metrica.storage import MERGE_MODES
from airflow_provider_yandex_orders.sandbox.metrica.uploads import Upload
from airflow_provider_yandex_orders.sandbox.service import Sandbox

_COUNTER: Final = "/cdp/api/v1/counter/{counter_id}"
_MOST_UPLOADINGS: Final = 1000


def add_uploads(router: APIRouter, sandbox: Sandbox) -> None:
    """The list of uploads, and each way to upload."""

    @router.get(f"{_COUNTER}/last_uploadings")
    def last_uploadings(request: Request, counter_id: str) -> dict[str, Any]:
        counter = open_counter(request, sandbox.settings, counter_id, write=False)
        query = request.query_params
        limit = params.number(query, "limit", default=10, least=1, most=_MOST_UPLOADINGS)
        before = params.moment(query, "datetime_offset", counter.zone)
        params.choice("source", query.get("source", "API"), ["API"])
        return {"uploadings": uploads.last(sandbox, counter, before=before, limit=limit)}

    _add_csv(router, sandbox, SIMPLE_ORDERS, "simple_orders", mapped=False)
    for entity in (ORDERS, CONTACTS):
        _add_csv(router, sandbox, entity, f"{entity.kind}/csv", mapped=True)
        _add_json(router, sandbox, entity)


def _add_csv(router: APIRouter, sandbox: Sandbox, entity: Entity, path: str, *, mapped: bool) -> None:
    @router.post(f"{_COUNTER}/data/{path}")
    async def upload_csv(request: Request, counter_id: str) -> dict[str, Any]:
        counter = open_counter(request, sandbox.settings, counter_id, write=True)
        query = request.query_params
        mode = params.choice("merge_mode", params.required(query, "merge_mode"), MERGE_MODES)
        delimiter = params.choice("delimiter_type", query.get("delimiter_type", "COMMA"), list(DELIMITERS))
        if mapped and sandbox.settings.columns_mapping_required:
            params.required(query, "columns_mapping")
        mapping = params.pairs(query, "columns_mapping") if mapped else {}
        async with bodies.uploaded_file(request, sandbox.settings) as source:
            upload = Upload(entity, source, mode, "CSV", delimiter, mapping)
            return {"uploading": await run_in_threadpool(uploads.receive, sandbox, counter, upload)}


def _add_json(router: APIRouter, sandbox: Sandbox, entity: Entity) -> None:
    @router.post(f"{_COUNTER}/data/{entity.kind}/json")
    async def upload_json(request: Request, counter_id: str) -> dict[str, Any]:
        counter = open_counter(request, sandbox.settings, counter_id, write=True)
        query = request.query_params
        mode = params.choice("merge_mode", params.required(query, "merge_mode"), MERGE_MODES)
        async with bodies.uploaded_json(request, sandbox.settings) as source:
            upload = Upload(entity, source, mode, "JSON")
            return {"uploading": await run_in_threadpool(uploads.receive, sandbox, counter, upload)}


def add_schema(router: APIRouter, sandbox: Sandbox) -> None:
    """Statuses, attributes and products."""

    async def keep(request: Request, counter_id: str, write: Callable[[Connection, int, Any], None]) -> dict[str, bool]:
        counter = open_counter(request, sandbox.settings, counter_id, write=True)
        document = await bodies.json_body(request)

        def store() -> None:
            with sandbox.store.connect() as connection, sandbox.store.transaction(connection):
                write(connection, counter.id, document)

        await run_in_threadpool(store)
        return {"success": True}

    @router.post(f"{_COUNTER}/schema/order_statuses")
    async def map_statuses(request: Request, counter_id: str) -> dict[str, bool]:
        return await keep(request, counter_id, schema.map_statuses)

    @router.get(f"{_COUNTER}/schema/order_statuses")
    def statuses(request: Request, counter_id: str) -> dict[str, Any]:
        counter = open_counter(request, sandbox.settings, counter_id, write=False)
        with sandbox.store.connect() as connection:
            return {"order_statuses": schema.mapped_statuses(connection, counter.id)}

    @router.post(f"{_COUNTER}/schema/attributes")
    async def create_attributes(request: Request, counter_id: str) -> dict[str, bool]:
        def write(connection: Connection, counter: int, document: Any) -> None:
            schema.create_attributes(connection, counter, _entity_type(request), document)

        return await keep(request, counter_id, write)

    @router.get(f"{_COUNTER}/schema/attributes")
    def attributes(request: Request, counter_id: str) -> dict[str, Any]:
        counter = open_counter(request, sandbox.settings, counter_id, write=False)
        with sandbox.store.connect() as connection:
            return schema.attributes(connection, counter.id, _entity_type(request))

    @router.post(f"{_COUNTER}/schema/products")
    async def create_products(request: Request, counter_id: str) -> dict[str, bool]:
        return await keep(request, counter_id, schema.create_products)


def _entity_type(request: Request) -> str:
    name = "entity_type"
    return params.choice(name, params.required(request.query_params, name), schema.ENTITY_TYPES)
