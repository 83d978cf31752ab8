# SPDX-License-Identifier: Apache-2.0
"""The page at ``/``: what has arrived so far, in numbers. It shows no customer, no order id and no file content."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from html import escape
from pathlib import Path
from string import Template
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from airflow_provider_yandex_orders.sandbox.metrica import inspect
from airflow_provider_yandex_orders.sandbox.metrica.summary import statuses_and_revenue, summary
from airflow_provider_yandex_orders.sandbox.service import Sandbox

_DAYS: Final = 31
_UPLOADS: Final = 20
_NOTHING: Final = "<p>Nothing yet.</p>"


def make_router(sandbox: Sandbox) -> APIRouter:
    """The one path of the page."""
    template = Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
    router = APIRouter()

    @router.get("/", response_class=HTMLResponse)
    def show() -> HTMLResponse:
        by_status, paid_by_day = statuses_and_revenue(sandbox, None)
        uploads = inspect.upload_page(sandbox, None, limit=_UPLOADS, offset=0)
        parts = {
            "totals": _totals(summary(sandbox, None)["kinds"], uploads["total"]),
            "statuses": _statuses(by_status),
            "revenue": _revenue(paid_by_day),
            "uploads": _uploads(uploads["uploads"]),
        }
        return HTMLResponse(template.substitute(parts))

    return router


def _totals(kinds: Mapping[str, Mapping[str, Any]], uploads: int) -> str:
    simple, full, contacts, conversions = (
        kinds[kind] for kind in ("simple_orders", "orders", "contacts", "conversions")
    )
    again = simple["orders_received_more_than_once"] + full["orders_received_more_than_once"]
    kept, received = conversions["revenue"], conversions["revenue_received"]
    money_again = (
        (f"{currency or 'RUB'} in conversions received again", Decimal(total) - Decimal(kept.get(currency, 0)))
        for currency, total in received.items()
    )
    numbers = (
        ("Simplified orders", simple["orders"]),
        ("Orders", full["orders"]),
        ("Rows of orders received", simple["rows_received"] + full["rows_received"]),
        ("Orders received more than once", again),
        ("Orders without id equal to another", simple["orders_without_id_again"]),
        ("Customers", contacts["contacts"]),
        ("Conversions", conversions["conversions"]),
        ("Rows of conversions received", conversions["rows_received"]),
        ("Conversions received more than once", conversions["conversions_received_more_than_once"]),
        *((name, money) for name, money in money_again if money),
        ("CRM uploads", uploads),
    )
    return "".join(f"<div><dt>{escape(name)}</dt><dd>{value:,}</dd></div>" for name, value in numbers)


def _statuses(by_status: Mapping[str, int]) -> str:
    most = max(by_status.values(), default=0)
    rows = (
        (escape(status), f"{count:,}", _bar(Decimal(count), Decimal(most)))
        for status, count in sorted(by_status.items(), key=lambda pair: (-pair[1], pair[0]))
    )
    return _table(("Status", "Orders", ""), rows, numbers={1}, wide=2)


def _revenue(by_day: Mapping[str, Mapping[str, str]]) -> str:
    last = sorted(by_day)[-_DAYS:]
    cells = [(day, currency, Decimal(by_day[day][currency])) for day in last for currency in sorted(by_day[day])]
    # Bars compare within a currency: between currencies lengths would mean nothing.
    most = {currency: max(value for _, name, value in cells if name == currency) for _, currency, _ in cells}
    rows = ((day, escape(currency), f"{revenue:,f}", _bar(revenue, most[currency])) for day, currency, revenue in cells)
    return _table(("Day", "Currency", "Revenue", ""), rows, numbers={2}, wide=3)


def _uploads(uploads: Iterable[Mapping[str, Any]]) -> str:
    rows = (
        (
            escape(upload["datetime"]),
            str(upload["counter_id"]),
            escape(upload["kind"]),
            _status(upload["api_validation_status"]),
            f"{upload['elements_count']:,}",
            f"{upload['bytes']:,}",
            escape(upload["merge_mode"]),
            "yes" if upload["listed"] else "not yet",
            escape(", ".join(f"{note['kind']}: {note['count']:,}" for note in upload["sandbox_notes"])),
        )
        for upload in uploads
    )
    heads = ("Counter time", "Counter", "Kind", "Status", "Rows", "Bytes", "Mode", "Listed", "Notes")
    return _table(heads, rows, numbers={4, 5})


def _status(status: str) -> str:
    return escape(status) if status == "PASSED" else f'<span class="bad">{escape(status)}</span>'


def _bar(value: Decimal, most: Decimal) -> str:
    share = 100 * value / most if most else Decimal(0)
    return f'<span class="bar" style="width:{share:.1f}%"></span>'


def _table(
    heads: tuple[str, ...], rows: Iterable[tuple[str, ...]], *, numbers: set[int], wide: int | None = None
) -> str:
    """A table of cells that are HTML already, or a word for its absence."""

    def kind(place: int) -> str:
        return ' class="number"' if place in numbers else ' class="wide"' if place == wide else ""

    body = "".join(
        "<tr>" + "".join(f"<td{kind(place)}>{cell}</td>" for place, cell in enumerate(row)) + "</tr>" for row in rows
    )
    head = "".join(f"<th{kind(place)}>{name}</th>" for place, name in enumerate(heads))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if body else _NOTHING
