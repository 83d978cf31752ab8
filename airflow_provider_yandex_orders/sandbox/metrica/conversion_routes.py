# SPDX-License-Identifier: Apache-2.0
"""Paths of offline conversions."""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from airflow_provider_yandex_orders.sandbox.metrica import bodies, conversions, params
from airflow_provider_yandex_orders.sandbox.metrica.access import open_counter
from airflow_provider_yandex_orders.sandbox.service import Sandbox

_PATH: Final = "/management/v1/counter/{counter_id}/offline_conversions"
_MOST: Final = 2_147_483_647


def add_conversions(router: APIRouter, sandbox: Sandbox) -> None:
    """The upload, one upload by its id, and the list of them."""

    @router.post(f"{_PATH}/upload")
    async def upload(request: Request, counter_id: str) -> dict[str, Any]:
        counter = open_counter(request, sandbox.settings, counter_id, write=True)
        query = request.query_params
        comment = params.comment(query, "comment")
        upload_type = params.choice("type", query.get("type", "BASIC"), conversions.TYPES)
        legacy = query.get("client_id_type")
        if legacy is not None:
            params.choice("client_id_type", legacy, list(conversions.CLIENT_ID_TYPES))
        async with bodies.uploaded_file(request, sandbox.settings) as source:

            def take_in() -> dict[str, Any]:
                return conversions.receive(
                    sandbox, counter, source, comment=comment, upload_type=upload_type, client_id_type=legacy
                )

            return {"uploading": await run_in_threadpool(take_in)}

    @router.get(f"{_PATH}/uploading/{{upload_id}}")
    def uploading(request: Request, counter_id: str, upload_id: str) -> dict[str, Any]:
        counter = open_counter(request, sandbox.settings, counter_id, write=False)
        return {"uploading": conversions.find(sandbox, counter, upload_id)}

    @router.get(f"{_PATH}/uploadings")
    def uploadings(request: Request, counter_id: str) -> dict[str, Any]:
        counter = open_counter(request, sandbox.settings, counter_id, write=False)
        query = request.query_params
        upload_type = params.choice("type", query.get("type", "BASIC"), conversions.TYPES)
        limit = params.number(query, "limit", default=10_000, least=1, most=_MOST)
        offset = params.number(query, "offset", default=0, least=0, most=_MOST)
        found = conversions.listed(sandbox, counter, upload_type=upload_type, limit=limit, offset=offset)
        return {"uploadings": found}
