# SPDX-License-Identifier: Apache-2.0
"""What the page asks of the journal's documented views, and what it makes of the answers.

Every question names the DAGs that the one who asks may read; rows of others are not in its answer.
"""
# ruff: noqa: S608 - questions are put together from this module's own constants

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from airflow_provider_yandex_orders.journal.records import COUNTS, Destination
from airflow_provider_yandex_orders.journal.store import Journal

PERIODS = (7, 30, 90, 400)
"""Days that people can choose."""
PAGE = 50
"""Deliveries on a page."""
PARTS = 200
"""Parts of a delivery on a page."""
_EARLIER = 20
_OUTCOMES = {
    "rejected": "d.rows_rejected > 0",
    "open": "d.completed_at IS NULL",
    "bad": "EXISTS (SELECT 1 FROM parts b WHERE b.delivery_id = d.delivery_id AND b.state IN ('bad', 'refused'))",
}
_PLACE = ("service", "host", "counter", "entity")
_TASK = ("dag_id", "run_id", "task_id", "map_index")
_MOMENTS = ("started_at", "sent_at", "completed_at")
_COLUMNS = ("delivery_id", *_PLACE, *_TASK, *_MOMENTS, *COUNTS)
_SELECT = f"SELECT {', '.join(f'd.{name}' for name in _COLUMNS)}"
_OPEN = "('sending', 'accepted')"
_TAKEN = "('accepted', 'good')"
_ONCE = (
    "NOT (t.state = 'sending' AND EXISTS (SELECT 1 FROM parts l WHERE l.delivery_id = t.delivery_id "
    f"AND l.sha256 = t.sha256 AND l.state IN {_TAKEN}))"
)
"""Leaves out a part without an answer whose file a later try sent again, and the service took."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What people chose; an empty text chooses nothing.

    :param days: how far back.
    :param outcome: ``rejected``, ``open`` or ``bad``.
    """

    days: int = 30
    service: str = ""
    counter: str = ""
    entity: str = ""
    dag_id: str = ""
    task_id: str = ""
    outcome: str = ""

    @property
    def since(self) -> datetime:
        """The first moment of the period, in UTC and without a zone."""
        return datetime.combine(datetime.now(UTC).date() - timedelta(days=self.days - 1), datetime.min.time())

    def where(self, dags: Sequence[str]) -> tuple[str, dict[str, Any]]:
        """The condition on a delivery ``d``, and its values."""
        chosen = {
            name: value
            for name in ("service", "counter", "entity", "dag_id", "task_id")
            if (value := getattr(self, name))
        }
        terms = ["d.started_at >= :since", "d.dag_id IN :dags", *(f"d.{name} = :{name}" for name in chosen)]
        if self.outcome in _OUTCOMES:
            terms.append(_OUTCOMES[self.outcome])
        return " AND ".join(terms), {"since": self.since, "dags": list(dags), **chosen}


_ALWAYS = Filter(days=36_500)


@dataclass
class Delivery:
    """One delivery and what is told of it: ``row`` holds the columns of the view."""

    row: dict[str, Any]
    parts: dict[str, int] = field(default_factory=dict)
    """How many are in which state."""
    accepted: int = 0
    money: dict[str, Decimal] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.row[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def state(self) -> tuple[str, str]:
        """A word for how far it is, and its kind: ``good``, ``bad``, ``open`` or ``told``."""
        if self.parts.get("bad") or self.parts.get("refused"):
            return "refused in part" if self.accepted else "refused", "bad"
        if self.parts.get("sending"):
            return "no answer yet", "open"
        if self.completed_at is None:
            return ("waiting", "open") if self.sent_at else ("not all sent", "open")
        if self.rows_rejected:
            return "done, with rejects", "told"
        return "done", "good"


def options(journal: Journal, chosen: Filter, dags: Sequence[str]) -> dict[str, list[str]]:
    """What there is to choose from in the period, by the filter's names."""
    where, given = Filter(days=chosen.days).where(dags)
    found = journal.ask(
        f"SELECT DISTINCT d.service, d.counter, d.entity, d.dag_id FROM deliveries d WHERE {where}", **given
    )
    names = ("service", "counter", "entity", "dag_id")
    return {name: sorted({row[number] for row in found} - {""}) for number, name in enumerate(names)}


def by_day(journal: Journal, chosen: Filter, dags: Sequence[str]) -> dict[str, dict[str, int]]:
    """Counts of each day of the period that has any."""
    where, given = chosen.where(dags)
    sums = ", ".join(f"sum(d.{name}) AS {name}" for name in COUNTS)
    question = (
        f"SELECT date(d.started_at) AS day, count(*) AS deliveries, {sums} FROM deliveries d WHERE {where} GROUP BY 1"
    )
    days = {
        str(row[0]): {
            "deliveries": row[1],
            **{name: int(row[2 + at] or 0) for at, name in enumerate(COUNTS)},
            "accepted": 0,
        }
        for row in journal.ask(question, **given)
    }
    taken = (
        "SELECT date(d.started_at), sum(coalesce(t.rows_accepted, t.rows)) FROM deliveries d "
        f"JOIN parts t ON t.delivery_id = d.delivery_id WHERE {where} AND t.state IN {_TAKEN} GROUP BY 1"
    )
    for day, rows in journal.ask(taken, **given):
        if str(day) in days:  # else its first delivery began since the first question
            days[str(day)]["accepted"] = int(rows or 0)
    return dict(sorted(days.items()))


def page_of(journal: Journal, chosen: Filter, dags: Sequence[str], before: int | None = None) -> list[Delivery]:
    """A page of deliveries, the newest first, and one more where there are more.

    :param before: only those before this id.
    """
    where, given = chosen.where(dags)
    if before is not None:
        where, given = f"{where} AND d.delivery_id < :before", {**given, "before": before}
    found = journal.ask(
        f"{_SELECT} FROM deliveries d WHERE {where} ORDER BY d.delivery_id DESC LIMIT {PAGE + 1}", **given
    )
    return with_parts(journal, [_delivery(row) for row in found])


def reasons(journal: Journal, chosen: Filter, dags: Sequence[str]) -> list[tuple[str, int]]:
    """Rejected rows by code, the most first."""
    where, given = chosen.where(dags)
    question = (
        "SELECT r.code, sum(r.rows) AS rejected FROM deliveries d "
        f"JOIN rejected_by_reason r ON r.delivery_id = d.delivery_id WHERE {where} GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    return [(code, int(rows)) for code, rows in journal.ask(question, **given)]


def money(journal: Journal, chosen: Filter, dags: Sequence[str]) -> dict[str, Decimal]:
    """What was sent, by currency. Amounts are summed here: databases would round them."""
    where, given = chosen.where(dags)
    question = (
        f"SELECT m.currency, m.amount FROM deliveries d JOIN money m ON m.delivery_id = d.delivery_id WHERE {where}"
    )
    return _summed(journal.ask(question, **given))


def waited_for(journal: Journal, chosen: Filter, dags: Sequence[str]) -> list[dict[str, Any]]:
    """Parts that went out and were not answered or not judged, by destination."""
    where, given = chosen.where(dags)
    question = (
        "SELECT d.service, d.host, d.counter, d.entity, t.state, count(*), sum(t.rows), min(t.sent_at) "
        f"FROM deliveries d JOIN parts t ON t.delivery_id = d.delivery_id WHERE {where} "
        f"AND t.state IN {_OPEN} AND {_ONCE} GROUP BY 1, 2, 3, 4, 5 ORDER BY 8"
    )
    names = (*_PLACE, "state", "parts", "rows", "since")
    found = [dict(zip(names, row, strict=True)) for row in journal.ask(question, **given)]
    return [{**row, "rows": int(row["rows"] or 0), "since": _moment(row["since"])} for row in found]


def linked(journal: Journal, chosen: Filter, dags: Sequence[str]) -> dict[str, dict[str, dict[str, Any]]]:
    """The share of orders that found a visit: by line of the chart, by day. Of destinations that one may see."""
    seen = {place[:3] for place in _places(journal, chosen, dags)}
    question = (
        "SELECT l.day, l.service, l.host, l.counter, l.entity, l.orders_sent, l.orders_linked, l.share "
        "FROM linked_by_day l WHERE l.day >= :first ORDER BY l.day"
    )
    lines: defaultdict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for day, *place, entity, sent, found, share in journal.ask(question, first=chosen.since.date()):
        if tuple(place) in seen and chosen.entity in ("", entity):
            name = f"counter {place[-1]}, {entity.replace('_', ' ')}"
            lines[name][str(day)] = {"sent": sent, "linked": found, "share": None if share is None else float(share)}
    return dict(lines)


def requests_today(journal: Journal) -> dict[str, dict[str, int]]:
    """Requests of today in UTC, of all and of waits, by the connection that made them."""
    told: defaultdict[str, dict[str, int]] = defaultdict(lambda: {"all": 0, "waits": 0})
    today = datetime.now(UTC).date()
    for account, requests in journal.ask("SELECT account, requests FROM requests_by_day WHERE day = :day", day=today):
        whose, _, conn_id = account.rpartition("the connection ")
        told[conn_id]["waits" if whose.startswith("waits") else "all"] += int(requests)
    return dict(told)


def one(journal: Journal, dags: Sequence[str], **which: Any) -> list[Delivery]:
    """Deliveries of one task instance, the newest first; of a ``delivery_id``, that one."""
    where = " AND ".join(f"d.{name} = :{name}" for name in which)
    found = journal.ask(
        f"{_SELECT}, d.result FROM deliveries d WHERE {where} AND d.dag_id IN :dags "
        f"ORDER BY d.delivery_id DESC LIMIT {_EARLIER}",
        dags=list(dags),
        **which,
    )
    return with_parts(journal, [_delivery(row) for row in found])


def parts_of(journal: Journal, delivery_id: int, after: int = 0) -> list[dict[str, Any]]:
    """Parts of a delivery in the order they were planned, and one more where there are more.

    :param after: only those after this id.
    """
    names = (
        "part_id",
        "number",
        "state",
        "path",
        "rows",
        "bytes",
        "upload_id",
        "status",
        "rows_accepted",
        "sent_at",
        "judged_at",
    )
    found = journal.ask(
        f"SELECT {', '.join(names)} FROM parts WHERE delivery_id = :id AND part_id > :after "
        f"ORDER BY part_id LIMIT {PARTS + 1}",
        id=delivery_id,
        after=after,
    )
    return [_told(names, row) for row in found]


def rejected(journal: Journal, delivery_id: int) -> list[tuple[str, int]]:
    """Rejected rows of a delivery by code, the most first."""
    question = "SELECT code, rows FROM rejected_by_reason WHERE delivery_id = :id ORDER BY rows DESC, code"
    return [(code, int(rows)) for code, rows in journal.ask(question, id=delivery_id)]


def sendings(journal: Journal, dags: Sequence[str], key: str) -> list[dict[str, Any]]:
    """When a row of this key went out and what became of it, the newest first: at any destination one may see.

    The key itself stays here: the journal is asked for its keyed sums.
    """
    sums = [journal.sums(Destination(*place)).key(key) for place in _places(journal, _ALWAYS, dags)]
    names = ("sent_at", *_PLACE, *_TASK, "delivery_id", "version", "state", "upload_id")
    found = journal.ask(
        f"SELECT {', '.join(names)} FROM sent_rows WHERE key_sum IN :sums AND dag_id IN :dags ORDER BY sent_at DESC",
        sums=sums,
        dags=list(dags),
    )
    return [_told(names, row) for row in found]


def _places(journal: Journal, chosen: Filter, dags: Sequence[str]) -> list[tuple[str, ...]]:
    where, given = chosen.where(dags)
    question = f"SELECT DISTINCT d.service, d.host, d.counter, d.entity FROM deliveries d WHERE {where}"
    return [tuple(row) for row in journal.ask(question, **given)]


def with_parts(journal: Journal, found: list[Delivery]) -> list[Delivery]:
    """Deliveries, with what became of their parts and what they were worth."""
    ids = {delivery.delivery_id: delivery for delivery in found}
    question = (
        "SELECT t.delivery_id, t.state, count(*), sum(coalesce(t.rows_accepted, t.rows)) FROM parts t "
        f"WHERE t.delivery_id IN :ids AND {_ONCE} GROUP BY 1, 2"
    )
    for delivery_id, state, count, rows in journal.ask(question, ids=list(ids)):
        ids[delivery_id].parts[state] = count
        ids[delivery_id].accepted += int(rows or 0) if state in _TAKEN else 0
    worth: defaultdict[int, list[Any]] = defaultdict(list)
    for delivery_id, *amount in journal.ask(
        "SELECT delivery_id, currency, amount FROM money WHERE delivery_id IN :ids", ids=list(ids)
    ):
        worth[delivery_id].append(amount)
    for delivery_id, amounts in worth.items():
        ids[delivery_id].money = _summed(amounts)
    return found


def _summed(amounts: Iterable[Any]) -> dict[str, Decimal]:
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for currency, amount in amounts:
        sums[currency] += Decimal(amount)
    return dict(sorted(sums.items()))


def _delivery(row: Any) -> Delivery:
    told = _told(_COLUMNS, row[: len(_COLUMNS)])
    for name in COUNTS:
        told[name] = int(told[name] or 0)
    told["result"] = json.loads(row[len(_COLUMNS)] or "{}") if len(row) > len(_COLUMNS) else {}
    return Delivery(told)


def _told(names: Sequence[str], row: Iterable[Any]) -> dict[str, Any]:
    told = dict(zip(names, row, strict=True))
    return {name: _moment(value) if name.endswith("_at") else value for name, value in told.items()}


def _moment(value: Any) -> datetime | None:
    """SQLite gives text."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def days_of(chosen: Filter) -> list[date]:
    """Every day of the period, the empty ones too."""
    return [chosen.since.date() + timedelta(days=number) for number in range(chosen.days)]
