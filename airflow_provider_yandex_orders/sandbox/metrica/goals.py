# SPDX-License-Identifier: Apache-2.0
"""Goals: kept as they were sent, doubled when sent twice, joined by the CRM ones after the first good upload.

Sources: https://yandex.ru/dev/metrika/ru/management/openapi/goal/addGoal ,
https://yandex.ru/dev/metrika/ru/management/openapi/goal/goals .
Unstated or contradictory there and chosen here: only JavaScript-event goals (``action``) can be made; a goal has one
condition; an unknown field, also the optional ``is_favorite`` and ``is_retargeting``, is ``invalid_json``, as clients
report from the live service; a raw ``+`` in an identifier is refused, as it must be written ``%2B``.
"""

import json
import re
import sqlite3
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from airflow_provider_yandex_orders.sandbox.metrica.errors import MetricaError

TABLE: Final = "metrica_goals"
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS metrica_goals (
    id INTEGER PRIMARY KEY,
    counter_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    goal_source TEXT NOT NULL,
    default_price REAL NOT NULL,
    flag TEXT NOT NULL,
    conditions TEXT NOT NULL,
    identifier TEXT
);
"""
_FIRST_ID: Final = 300_000_001
_NAME_LENGTH: Final = 255
_PRICE_BOUND: Final = 1e15
_CONDITION_TYPES: Final = ("exact", "contain", "start", "regexp", "action")
_LITERAL_TYPES: Final = frozenset({"exact", "contain"})
_FORBIDDEN: Final = re.compile(r'[/\\&#?="+]')
_FLAGS: Final = ("basket", "order", "")
_FIELDS: Final = frozenset({"name", "type", "conditions", "default_price", "flag"})
_CRM_GOALS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "cdp_order_in_progress": "CRM: order created",
        "cdp_order_paid": "CRM: order paid",
        "cdp_order_cancelled": "CRM: order canceled",
        "cdp_order_spam": "CRM: spam order",
    }
)


def listed(connection: sqlite3.Connection, counter_id: int) -> list[dict[str, Any]]:
    """The goals of a counter, oldest first."""
    rows = connection.execute("SELECT * FROM metrica_goals WHERE counter_id = ? ORDER BY id", (counter_id,))
    return [_as_dict(row) for row in rows]


def identifiers(connection: sqlite3.Connection, counter_id: int) -> set[str]:
    """The identifiers that orders and conversions may name."""
    rows = connection.execute(
        "SELECT identifier FROM metrica_goals WHERE counter_id = ? AND identifier IS NOT NULL", (counter_id,)
    )
    return {row["identifier"] for row in rows}


def create(connection: sqlite3.Connection, counter_id: int, document: object) -> dict[str, Any]:
    """Check the document of a request and store the goal it describes; call inside a transaction."""
    goal = _read(document)
    condition = goal["conditions"][0]
    identifier = condition["url"] if condition["type"] == "exact" else None
    price = float(goal.get("default_price", 0))
    row = (
        "user",
        price,
        goal.get("flag", ""),
        json.dumps(goal["conditions"], ensure_ascii=False),
        identifier,
    )
    goal_id = _insert(connection, counter_id, goal["name"], goal["type"], row)
    return _as_dict(connection.execute("SELECT * FROM metrica_goals WHERE id = ?", (goal_id,)).fetchone())


def ensure_crm_goals(connection: sqlite3.Connection, counter_id: int) -> None:
    """Make the four order goals of a counter that has none; call inside a transaction."""
    query = "SELECT count(*) FROM metrica_goals WHERE counter_id = ? AND goal_source = 'auto'"
    if connection.execute(query, (counter_id,)).fetchone()[0] == 0:
        for goal_type, name in _CRM_GOALS.items():
            _insert(connection, counter_id, name, goal_type, ("auto", 0.0, "", "[]", None))


def _insert(
    connection: sqlite3.Connection,
    counter_id: int,
    name: str,
    goal_type: str,
    rest: tuple[str, float, str, str, str | None],
) -> int:
    top = connection.execute("SELECT max(id) FROM metrica_goals").fetchone()[0]
    goal_id = _FIRST_ID if top is None else int(top) + 1
    connection.execute(
        "INSERT INTO metrica_goals VALUES (?,?,?,?,?,?,?,?,?)", (goal_id, counter_id, name, goal_type, *rest)
    )
    return goal_id


def _as_dict(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "type": row["type"],
        "default_price": row["default_price"],
        "goal_source": row["goal_source"],
        "is_favorite": 0,
        "status": "Active",
        "conditions": json.loads(row["conditions"]),
        "flag": row["flag"],
    }


def _read(document: object) -> dict[str, Any]:
    if not isinstance(document, dict) or not isinstance(document.get("goal"), dict) or len(document) != 1:
        raise MetricaError("invalid_json", 'The body must be {"goal": {...}}')
    goal: dict[str, Any] = document["goal"]
    if unknown := sorted(set(goal) - _FIELDS):
        raise MetricaError("invalid_json", f"Unknown fields of a goal: {', '.join(unknown)}", "goal")
    name = goal.get("name")
    if not isinstance(name, str) or not name.strip():
        raise MetricaError("missing_parameter", "A goal needs a name", "name")
    if len(name) > _NAME_LENGTH:
        raise MetricaError("invalid_parameter", f"A name has at most {_NAME_LENGTH} characters", "name")
    if goal.get("type") != "action":
        raise MetricaError("invalid_parameter", "The sandbox makes goals of the type action only", "type")
    _check_conditions(goal.get("conditions"))
    price = goal.get("default_price", 0)
    if isinstance(price, bool) or not isinstance(price, int | float) or not abs(price) < _PRICE_BOUND:
        raise MetricaError("invalid_json", "default_price must be a number", "default_price")
    if goal.get("flag", "") not in _FLAGS:
        raise MetricaError("invalid_parameter", "flag must be basket, order or empty", "flag")
    return goal


def _check_conditions(conditions: object) -> None:
    if not isinstance(conditions, list) or len(conditions) != 1 or not isinstance(conditions[0], dict):
        raise MetricaError("invalid_parameter", "A goal of the type action needs one condition", "conditions")
    condition: dict[str, Any] = conditions[0]
    if set(condition) != {"type", "url"} or not all(isinstance(value, str) for value in condition.values()):
        raise MetricaError("invalid_json", "A condition is a type and a url", "conditions")
    if condition["type"] not in _CONDITION_TYPES:
        allowed = ", ".join(_CONDITION_TYPES)
        raise MetricaError("invalid_parameter", f"The type of a condition is one of {allowed}", "conditions")
    if not condition["url"].strip():
        raise MetricaError("missing_parameter", "A condition needs an identifier in url", "conditions")
    if condition["type"] in _LITERAL_TYPES and _FORBIDDEN.search(condition["url"]):
        raise MetricaError("invalid_parameter", "The identifier holds a forbidden character", "conditions")
