# SPDX-License-Identifier: Apache-2.0
"""The page at ``/``: what the services hold, what came twice, and faults switched on by a click.

It shows no customer, no order id and no file content. Every part works without a script; the script only spares the
reader the reloading.
"""

from pathlib import Path
from string import Template
from typing import Final

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from airflow_provider_yandex_orders.sandbox.metrica.summary import summary
from airflow_provider_yandex_orders.sandbox.page import altcraft, doubles, faults, market, metrica, requests
from airflow_provider_yandex_orders.sandbox.service import Sandbox

_FOLDER: Final = Path(__file__).parent
_HERE: Final = frozenset({"same-origin", "none", None})
_SEE_OTHER: Final = 303


def make_router(sandbox: Sandbox) -> APIRouter:
    """The page, and what its buttons call."""
    parts = {name: (_FOLDER / name).read_text(encoding="utf-8") for name in ("page.css", "page.js")}
    template = Template((_FOLDER / "page.html").read_text(encoding="utf-8"))
    router = APIRouter()

    @router.get("/", response_class=HTMLResponse)
    async def show(request: Request) -> HTMLResponse:
        quotas = metrica.quotas(sandbox)  # these live in the event loop

        def render() -> str:
            kinds = summary(sandbox, None)["kinds"]
            return template.substitute(
                style=parts["page.css"],
                script=parts["page.js"],
                address=f"{str(request.base_url).rstrip('/')}{sandbox.address}",
                doubles=doubles.show(sandbox, kinds),
                metrica=metrica.show(sandbox, kinds, quotas),
                market=market.show(sandbox),
                altcraft=altcraft.show(sandbox),
                choices=faults.choices(),
                faults=faults.show(sandbox),
                switches=faults.switches(sandbox),
                requests=requests.show(sandbox),
            )

        return HTMLResponse(await run_in_threadpool(render))

    @router.post("/_sandbox/page")
    async def press(request: Request) -> Response:
        if request.headers.get("sec-fetch-site") not in _HERE:
            raise HTTPException(403, "only the sandbox's own page has these buttons")
        async with request.form() as form:
            pressed = {name: str(value) for name, value in form.items()}
        try:
            place = await run_in_threadpool(faults.press, sandbox, pressed)
        except (KeyError, ValueError) as error:
            raise HTTPException(422, str(error)) from error
        return RedirectResponse(f"/#{place}", _SEE_OTHER)

    return router
