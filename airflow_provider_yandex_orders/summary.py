# SPDX-License-Identifier: Apache-2.0
"""What a task did, told from its result: the same lines in its log, in a report and at a terminal."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from airflow_provider_yandex_orders.log_lines import wrapped

log = logging.getLogger(__name__)

_NAMED = 20
_COUNTS = {
    "rows_read": "rows read",
    "rows_prepared": "prepared, not sent",
    "rows_sent": "sent",
    "rows_rejected": "rejected",
    "rows_duplicate": "duplicate",
    "rows_unchanged": "not sent: the destination has them",
    "rows_outdated": "not sent: older than what the destination has",
    "rows_deferred": "deferred to a later run",
    "rows_old": "too old to find a visit",
    "rows_late": "too late to change anything",
    "rows_future": "dated in the future",
    "values_dropped": "values dropped from rows that are sent",
    "orders": "orders",
    "pages": "pages",
    "requests": "requests",
    "orders_new": "new to the warehouse",
    "orders_changed": "changed there",
    "orders_unchanged": "the same as there",
    "orders_outdated": "older versions of an order, left out",
    "changed_after_final": "changed after they were final",
    "orders_without_id": "orders without an id, in the raw file alone",
}
_ALWAYS = {"rows_read", "rows_sent", "rows_rejected", "orders"}


def summary(result: Mapping[str, Any]) -> str:
    """What an upload, an import or a fetch did, for people and without personal data.

    :param result: what the task returned, or pushed under the key ``delivery``.
    :return: lines of 85 characters at most, but for paths.
    """
    return "\n".join(lines(result))


def tell(result: Mapping[str, Any]) -> None:
    """Put the summary into the log: as a warning, where something was rejected or dropped."""
    try:
        level = logging.WARNING if result.get("rows_rejected") or result.get("values_dropped") else logging.INFO
        for line in lines(result):
            log.log(level, "%s", line)
    except Exception as error:  # noqa: BLE001 - what only tells fails no task
        log.warning("The result could not be told (%s).", type(error).__name__)


def lines(result: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a summary."""
    place = f"counter {result['counter_id']}" if result.get("counter_id") else result.get("host")
    place = f"store {result['campaign_id']}" if "campaign_id" in result else place
    place = f"dataset {result['dataset']}" if "dataset" in result else place
    yield f"{result.get('entity', 'order statistics')}, {result['service']}{f', {place}' if place else ''}"
    yield from counts(result)
    for code, amount in (result.get("money") or {}).items():
        yield f"{Decimal(amount):>12,f}  {code}"
    yield from _faults("rejected", result.get("rejected"), result.get("rejected_path"))
    yield from _faults("dropped", result.get("dropped"), result.get("dropped_path"))
    yield from _path("deferred to a later run, in:", result.get("deferred_path"))
    parts = result.get("parts") or []
    ids = [str(part["upload_id"]) for part in parts if part.get("upload_id")]
    if ids:
        more = [f"and {len(ids) - _NAMED:,} more"] if len(ids) > _NAMED else []
        yield from wrapped(f"uploads: {', '.join([*ids[:_NAMED], *more])}")
    if parts:
        yield from _path(f"{len(parts)} part(s), the first:", parts[0]["path"])
    yield from _path("all parts are listed in:", result.get("parts_path"))
    for path in result.get("paths", []):
        yield from _path(f"{result['orders']:>12,}  orders, as the service has them:", path)
    for name, there in result.get("tables", {}).items():
        if "rows" in result:
            yield from _path(f"{result['rows'][name]:>12,}  rows of {name}:", there)
        else:
            yield f"{there:>12,}  rows of {name}"
    yield from _path("what the tables hold:", result.get("schema_path"))
    yield from (f"next: {what}" for what in _next(result))


def counts(result: Mapping[str, Any]) -> Iterator[str]:
    """How many there are of which sort, as far as there are any."""
    for name, meaning in _COUNTS.items():
        if name in result and (result[name] or name in _ALWAYS):
            yield f"{result[name]:>12,}  {meaning}"


def _faults(what: str, faults: Mapping[str, Mapping[str, Any]] | None, path: str | None) -> Iterator[str]:
    for code, told in (faults or {}).items():
        yield from wrapped(f"{what}: {told['rows']:,} {code}, first {told['first']}", "    ")
        yield from wrapped(f"    {told['reason']}", "    ")
        yield from wrapped(f"    fix: {told['fix']}", "    ")
    yield from _path("all in:", path)


def _path(named: str, path: str | None) -> Iterator[str]:
    if path:
        yield named
        yield f"    {path}"


def _next(result: Mapping[str, Any]) -> Iterator[str]:
    if result.get("rows_prepared"):
        yield "nothing is sent yet: a task whose source is this result sends the parts."
    elif result.get("rows_rejected"):
        yield "correct the rejected rows at their source; a later run or a clear sends them."
    elif result.get("values_dropped"):
        yield "correct the values that were dropped; their rows were sent without them."
    elif result.get("rows_deferred"):
        yield "send the deferred rows once it is time, by a task that reads that file."
