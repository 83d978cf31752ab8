# SPDX-License-Identifier: Apache-2.0
"""Metrica's part of the page: totals, uploads with their faults in plain words, statuses, revenue, quotas."""

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from airflow_provider_yandex_orders.sandbox.metrica import goals, inspect, schema
from airflow_provider_yandex_orders.sandbox.metrica.entities import ORDERS, SIMPLE_ORDERS, STATUSES
from airflow_provider_yandex_orders.sandbox.metrica.quotas import Quotas, Use
from airflow_provider_yandex_orders.sandbox.metrica.summary import statuses
from airflow_provider_yandex_orders.sandbox.page.html import (
    Html,
    bar,
    foldable,
    items,
    join,
    parts,
    pill,
    plural,
    size,
    table,
    tiles,
)
from airflow_provider_yandex_orders.sandbox.service import Sandbox

_DAYS: Final = 14
_UPLOADS: Final = 20
_KINDS: Final = {
    "simple_orders": "Simplified orders",
    "orders": "Orders",
    "contacts": "Customers",
    "conversions": "Offline conversions",
}
_FAULT: Final = re.compile(r"(line|row) (\d+)(?:, column ([^:]+))?: (.*)", re.DOTALL)
_ENDS: Final = {
    "PASSED": ("good", "taken"),
    "PROCESSED": ("good", "processed"),
    "FAILED": ("bad", "refused whole: none of its rows counts"),
    "LINKAGE_FAILURE": ("bad", "none of its rows found a visitor"),
}
_UNDER_WAY: Final = ("plain", "being processed")
_OF_PEOPLE: Final = frozenset({"duplicate_ids"})
"""Notes whose examples are ids of orders or customers."""


def quotas(sandbox: Sandbox) -> list[Use]:
    """What is used of the quotas; only to be asked for in the event loop."""
    counted: Quotas = sandbox.memory.get("metrica_quotas") or Quotas()
    return counted.used(sandbox.settings)


def show(sandbox: Sandbox, kinds: Mapping[str, Any], used: Iterable[Use]) -> Html:
    """The part of the page."""
    conversions = kinds["conversions"]
    quota_rows = map(_quota, used)
    orders = [kinds["simple_orders"], kinds["orders"]]
    return join(
        tiles(
            (
                ("orders", sum(kind["orders"] for kind in orders)),
                ("customers uploaded", kinds["contacts"]["contacts"]),
                ("conversions", conversions["conversions"]),
                ("orders that found a visit", sum(kind["linked"] for kind in orders)),
            )
        ),
        parts(("Uploads", items("uploads", map(_upload, _newest(sandbox))))),
        Html('<div class="pair">'),
        parts(
            ("Orders by status", _statuses(sandbox)),
            ("Revenue of paid orders", _revenue(kind["paid_revenue_by_day"] for kind in orders)),
            (
                "Quotas",
                table("Requests, beside the most allowed", ("Quota", "Used", "Allowed", ""), quota_rows, {1, 2}),
            ),
        ),
        Html("</div>"),
    )


def _newest(sandbox: Sandbox) -> list[dict[str, Any]]:
    crm = inspect.upload_page(sandbox, None, limit=_UPLOADS, offset=0)["uploads"]
    conversions = inspect.upload_page(sandbox, None, kind="conversions", limit=_UPLOADS, offset=0)["uploads"]
    return sorted([*crm, *conversions], key=lambda upload: -float(upload["received_at"]))[:_UPLOADS]


def _upload(upload: Mapping[str, Any]) -> Html:
    of_conversions = upload["kind"] == "conversions"
    number = upload["id"] if of_conversions else upload["uploading_id"]
    status = upload["status"] if of_conversions else upload["api_validation_status"]
    rows = upload["source_quantity"] if of_conversions else upload["elements_count"]
    when = (upload["create_time"] if of_conversions else upload["datetime"])[:19].replace("T", " ")
    faults = upload["line_errors"] if of_conversions else upload.get("api_validation_errors", [])
    notes = upload["sandbox_notes"]
    kind, words = _ENDS.get(status, _UNDER_WAY)
    more = [] if of_conversions or upload["listed"] else ["not listed yet"]
    head = join(
        pill(f"{status}: {words}", kind),
        Html(" <strong>"),
        _KINDS[upload["kind"]],
        Html("</strong> "),
        *(pill(plural(len(faults), "fault"), "bad") for _ in faults[:1]),
        *(pill(plural(len(notes), "note"), "warn") for _ in notes[:1]),
        Html('<span class="soft">'),
        " · ".join((plural(rows, "row"), size(upload["bytes"]), f"counter {upload['counter_id']}", when, *more)),
        Html("</span>"),
    )
    inside = [*_said(faults), *_linked(upload), *map(_note, notes)]
    return foldable(f"upload-{number}", head, items("faults", inside) if inside else "")


def _said(faults: Iterable[str]) -> Iterator[str]:
    """Faults of rows, one line for each kind with its count and its first row."""
    kinds: dict[str, list[str]] = {}
    for fault in faults:
        found = _FAULT.fullmatch(fault)
        what = fault if found is None else f"{found[3]} {found[4]}" if found[3] else found[4]
        kinds.setdefault(what, []).append(f"{found[1]} {found[2]}" if found else "")
    for what, places in kinds.items():
        if places[0]:
            many = len(places) > 1
            yield f"{plural(len(places), 'row')}: {what} ({'the first is ' if many else ''}{places[0]})"
        else:
            yield what


def _linked(upload: Mapping[str, Any]) -> Iterator[str]:
    if "linked_quantity" in upload and upload["status"] in _ENDS:
        yield (
            f"{upload['linked_quantity']:,} found a visitor and a goal,"
            f" {upload['user_not_found_quantity']:,} no visitor, {upload['goal_not_found_quantity']:,} no goal"
        )
    if dropped := upload.get("source_quantity", 0) - upload.get("line_quantity", 0):
        yield f"{plural(dropped, 'row')} left out for faults, the others were taken"


def _note(note: Mapping[str, Any]) -> str:
    examples = "" if note["kind"] in _OF_PEOPLE else ", ".join(note["examples"])
    return f"{note['message']}: {note['count']:,}{f' ({examples})' if examples else ''}"


def _statuses(sandbox: Sandbox) -> Html:
    """Statuses with what the service takes them for: ``paid`` is not ``PAID``."""
    rows: list[tuple[int, str, Html, int]] = []
    with sandbox.store.connect() as connection:
        for entity in (SIMPLE_ORDERS, ORDERS):
            for counter, status, count in statuses(connection, entity):
                mapped = schema.status_types(connection, counter) if entity is ORDERS else {}
                taken = _taken_for(status, mapped, goals.identifiers(connection, counter))
                rows.append((counter, status, taken, count))
    rows.sort(key=lambda row: (-row[3], row[1]))
    most = Decimal(max((row[3] for row in rows), default=0))
    heads = ("Status", "Taken for", "Counter", "Orders", "")
    cells = (
        (
            join(Html("<code>"), status, Html("</code>")),
            taken,
            str(counter),
            count,
            bar(Decimal(count), most),
        )
        for counter, status, taken, count in rows
    )
    return table("Orders by status", heads, cells, {3}, cards=True)


def _taken_for(status: str, mapped: Mapping[str, str], known: set[str]) -> Html:
    if status in mapped:
        return join(f"mapped to {mapped[status]}")
    if status in STATUSES:
        return join("a status of the service")
    if status in known:
        return join("a goal of the counter")
    near = f"; did you mean {status.upper()}?" if status.upper() in STATUSES else ""
    return pill(f"neither a status nor a goal{near}", "warn")


def _revenue(modes: Iterable[Mapping[str, Mapping[str, str]]]) -> Html:
    totals: dict[tuple[str, str], Decimal] = {}
    for by_day in modes:
        for day, by_currency in by_day.items():
            for currency, revenue in by_currency.items():
                totals[day, currency] = totals.get((day, currency), Decimal(0)) + Decimal(revenue)
    last = sorted({day for day, _ in totals})[-_DAYS:]
    cells = [(day, currency, total) for (day, currency), total in sorted(totals.items()) if day in last]
    # Bars compare within a currency: between currencies lengths would mean nothing.
    most = {currency: max(value for _, name, value in cells if name == currency) for _, currency, _ in cells}
    rows = ((day, f"{revenue:,f} {currency}", bar(revenue, most[currency])) for day, currency, revenue in cells)
    return table(f"Revenue of paid orders, the last {_DAYS} days that have any", ("Day", "Revenue", ""), rows, {1})


def _quota(use: Use) -> tuple[object, ...]:
    used, allowed = (pill(f"{use.used:,}", "bad") if use.used >= use.most > 0 else use.used), use.most or "any number"
    return use.what, used, allowed, bar(Decimal(use.used), Decimal(use.most))
