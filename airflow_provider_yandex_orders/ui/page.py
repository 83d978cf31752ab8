# SPDX-License-Identifier: Apache-2.0
"""The page of deliveries: Airflow's rights, the journal's answers, HTML that needs no script to be read."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, urlencode

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import ConnectionDetails
from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import Depends, FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader
from pydantic import BeforeValidator, Field
from starlette.exceptions import HTTPException

from airflow_provider_yandex_orders.exceptions import PassingError, PermanentError
from airflow_provider_yandex_orders.journal.store import open_journal
from airflow_provider_yandex_orders.ui import questions
from airflow_provider_yandex_orders.ui.questions import Filter

_HERE = Path(__file__).parent
_LONGEST_KEY = 1000
_HEADERS = {
    # What a search found names nobody, and still is nothing to keep.
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; frame-ancestors 'self'; base-uri 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

_templates = Environment(
    loader=FileSystemLoader(_HERE / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)
_templates.policies["json.dumps_kwargs"] = {}  # in the order they are given, not sorted
_templates.filters |= {
    "number": lambda value: f"{value:,}".replace(",", "\u202f"),
    "moment": lambda value: f"{value:%Y-%m-%d %H:%M:%S}" if value else "",
    "query": lambda values: urlencode({name: value for name, value in values.items() if value not in ("", None)}),
}

page = FastAPI(openapi_url=None)
page.mount("/static", StaticFiles(directory=_HERE / "static"), name="static")


def _readable(user: GetUserDep) -> list[str]:
    """DAGs that the one who asks may read."""
    return sorted(get_auth_manager().get_authorized_dag_ids(user=user))


Dags = Annotated[list[str], Depends(_readable)]
Number = Annotated[int, Field(ge=-1, le=2**31 - 1)]
"""An id, or an index: what the database holds as one."""
# Airflow's tabs leave the name of what a task has not in their address.
MapIndex = Annotated[Number, BeforeValidator(lambda given: -1 if given == "{MAP_INDEX}" else given)]


def _chosen(
    days: str = "",
    service: str = "",
    counter: str = "",
    entity: str = "",
    dag_id: str = "",
    task_id: str = "",
    outcome: str = "",
) -> Filter:
    """The filter of an address; what is not a choice chooses nothing."""
    period = int(days) if days in map(str, questions.PERIODS) else Filter().days
    return Filter(period, service, counter, entity, dag_id, task_id, outcome)


Chosen = Annotated[Filter, Depends(_chosen)]


@page.get("/")
def deliveries(user: GetUserDep, dags: Dags, chosen: Chosen, before: Number | None = None) -> HTMLResponse:
    """The deliveries of a period."""
    with open_journal() as journal:
        found = questions.page_of(journal, chosen, dags, before)
        days = questions.by_day(journal, chosen, dags)
        told: dict[str, Any] = {
            "days": days,
            "charts": _charts(chosen, days, lines := questions.linked(journal, chosen, dags)),
            "linked": lines,
            "options": questions.options(journal, chosen, dags),
            "reasons": questions.reasons(journal, chosen, dags),
            "money": questions.money(journal, chosen, dags),
            "waiting": questions.waited_for(journal, chosen, dags),
            "requests": {
                conn_id: requests
                for conn_id, requests in questions.requests_today(journal).items()
                if get_auth_manager().is_authorized_connection(
                    method="GET", details=ConnectionDetails(conn_id=conn_id), user=user
                )
            },
            "named": journal.named,
        }
    more = len(found) > questions.PAGE
    older = found[questions.PAGE - 1].delivery_id if more else None
    totals = {name: sum(day[name] for day in days.values()) for name in next(iter(days.values()), {})}
    return _html(
        "list.html",
        chosen=chosen,
        address=asdict(chosen),
        is_filtered=chosen != Filter(chosen.days),
        found=found[: questions.PAGE],
        older=older,
        before=before,
        totals=totals,
        periods=questions.PERIODS,
        **told,
    )


@page.get("/delivery")
def delivery(
    dags: Dags,
    delivery_id: Number | None = None,
    dag_id: str = "",
    run_id: str = "",
    task_id: str = "",
    map_index: MapIndex = -1,
    after: Number = 0,
) -> HTMLResponse:
    """One delivery: by its id, or the newest of a task instance."""
    with open_journal() as journal:
        if delivery_id is not None:
            found = questions.one(journal, dags, delivery_id=delivery_id)
        else:
            found = questions.one(journal, dags, dag_id=dag_id, run_id=run_id, task_id=task_id, map_index=map_index)
        if not found:
            raise HTTPException(404)
        shown = found[0]
        task = {name: getattr(shown, name) for name in ("dag_id", "run_id", "task_id", "map_index")}
        others = questions.one(journal, dags, **task)
        parts = questions.parts_of(journal, shown.delivery_id, after)
        reasons = questions.rejected(journal, shown.delivery_id)
    more = len(parts) > questions.PARTS
    return _html(
        "delivery.html",
        one=shown,
        others=[other for other in others if other.delivery_id != shown.delivery_id],
        is_newest=others[0].delivery_id == shown.delivery_id,
        parts=parts[: questions.PARTS],
        after=parts[questions.PARTS - 1]["part_id"] if more else None,
        reasons=reasons,
        paths=[
            (words, shown.result[name])
            for words, name in (
                ("Rejected rows", "rejected_path"),
                ("Dropped values", "dropped_path"),
                ("Deferred rows", "deferred_path"),
                ("List of parts", "parts_path"),
            )
            if shown.result.get(name)
        ],
    )


@page.get("/search")
def no_search(_user: GetUserDep) -> HTMLResponse:
    """The address of a search, opened again: there is no key in it."""
    return _html("search.html", asked=False, found=[])


@page.post("/search")
async def search(request: Request, dags: Dags) -> HTMLResponse:
    """Where and when a row of one key was sent. The key comes in the body, and goes nowhere from here."""
    body = b""
    async for chunk in request.stream():
        body += chunk[: 10 * _LONGEST_KEY]
        if len(body) >= 10 * _LONGEST_KEY:
            break
    form = parse_qs(body.decode(errors="replace"))
    key = form.get("key", [""])[0].strip()[:_LONGEST_KEY]

    def sendings() -> list[dict[str, Any]]:
        with open_journal() as journal:
            return questions.sendings(journal, dags, key)

    return _html("search.html", asked=bool(key), found=await run_in_threadpool(sendings) if key else [])


def _charts(chosen: Filter, days: dict[str, dict[str, int]], lines: dict[str, Any]) -> dict[str, Any]:
    """What the script draws: moments in seconds, and a row of numbers for each line."""
    every = [f"{day}" for day in questions.days_of(chosen)]
    names = {"rows_sent": "sent", "rows_unchanged": "unchanged", "rows_rejected": "rejected"}
    rows = {words: [days.get(day, {}).get(name, 0) for day in every] for name, words in names.items()}
    shares = {name: [line.get(day, {}).get("share") for day in every] for name, line in lines.items()}
    return {"days": every, "rows": rows, "shares": shares}


def _html(template: str, status: int = 200, **told: Any) -> HTMLResponse:
    return HTMLResponse(_templates.get_template(template).render(**told), status_code=status, headers=_HEADERS)


@page.exception_handler(HTTPException)
@page.exception_handler(RequestValidationError)
async def _refused(request: Request, error: HTTPException | RequestValidationError) -> HTMLResponse | RedirectResponse:
    """Nobody is signed in: to Airflow's own sign-in and back. Else there is no such delivery, or none for this user."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    if status in (401, 403):
        back = request.url.path if request.method == "GET" else f"{request.scope['root_path']}/"
        asked = f"?{request.url.query}" if request.url.query and request.method == "GET" else ""
        return RedirectResponse(get_auth_manager().get_url_login(next_url=back + asked), status_code=303)
    return _html("missing.html", status=status)


@page.exception_handler(PassingError)
@page.exception_handler(PermanentError)
async def _no_journal(_request: Request, error: Exception) -> HTMLResponse:
    """The journal cannot be read: its error says what to do."""
    return _html("unreachable.html", status=503, said=str(error))
