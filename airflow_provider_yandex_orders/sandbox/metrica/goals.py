# SPDX-License-Identifier: Apache-2.0
"""Goals: kept as they were sent, doubled when sent twice, joined by the CRM ones after the first good upload.

Sources: https://yandex.ru/dev/metrika/ru/management/openapi/goal/addGoal ,
https://yandex.ru/dev/metrika/ru/management/openapi/goal/goals ,
https://yandex.ru/dev/metrika/ru/management/formats (what a GET gives may be sent back).
Unstated or contradictory there and chosen here:
* the fields that belong to the service (``id``, ``status``, ``goal_source``, ``class``) are taken and passed over; a
  field that no description has is ``invalid_json``;
* of the types only JavaScript events (``action``) are looked at closely: they have one condition. Other goals are kept
  as they are;
* an event is found by its identifier where the condition is ``exact`` or ``contain``, as live counters have both;
* a raw ``+`` in an identifier is refused, as it must be written ``%2B``;
* a goal that is not there, or deleted, is ``not_found``; PUT replaces the whole goal.
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
    goal TEXT NOT NULL,
    identifier TEXT,
    deleted INTEGER NOT NULL DEFAULT 0
);
"""
_FIRST_ID: Final = 300_000_001
_NAME_LENGTH: Final = 255
_PRICE_BOUND: Final = 1e15
_ACTION: Final = "action"
_TYPES: Final = (
    *(_ACTION, "url", "number", "step", "phone", "email", "payment_system", "messenger", "file", "search", "social"),
    *("visit_duration", "chat"),
)
_CONDITION_TYPES: Final = ("exact", "contain", "start", "regexp", "action")
_LITERAL_TYPES: Final = frozenset({"exact", "contain"})
_FORBIDDEN: Final = re.compile(r'[/\\&#?="+]')
_FLAGS: Final = ("basket", "order", "")
_OF_THE_SERVICE: Final = frozenset({"id", "status", "goal_source", "class"})
_LISTS: Final = ("conditions", "steps")
_NUMBERS: Final = ("default_price", "is_favorite", "is_retargeting", "prev_goal_id", "depth", "duration")
_FIELDS: Final = _OF_THE_SERVICE | {"name", "type", "flag", "hide_phone_number", *_LISTS, *_NUMBERS}
_CRM_GOALS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "cdp_order_in_progress": "CRM: order created",
        "cdp_order_paid": "CRM: order paid",
        "cdp_order_cancelled": "CRM: order canceled",
        "cdp_order_spam": "CRM: spam order",
    }
)


def listed(connection: sqlite3.Connection, counter_id: int, *, deleted: bool = False) -> list[dict[str, Any]]:
    """The goals of a counter, oldest first."""
    query = "SELECT * FROM metrica_goals WHERE counter_id = ? AND deleted <= ? ORDER BY id"
    return [_as_dict(row) for row in connection.execute(query, (counter_id, deleted))]


def identifiers(connection: sqlite3.Connection, counter_id: int) -> set[str]:
    """The identifiers that orders and conversions may name."""
    rows = connection.execute(
        "SELECT identifier FROM metrica_goals WHERE counter_id = ? AND identifier IS NOT NULL", (counter_id,)
    )
    return {row["identifier"] for row in rows}


def find(connection: sqlite3.Connection, counter_id: int, goal_id: str) -> dict[str, Any]:
    """One goal."""
    number = int(goal_id) if goal_id.isascii() and goal_id.isdigit() and len(goal_id) < 19 else 0
    query = "SELECT * FROM metrica_goals WHERE counter_id = ? AND id = ? AND NOT deleted"
    row = connection.execute(query, (counter_id, number)).fetchone()
    if row is None:
        raise MetricaError("not_found")
    return _as_dict(row)


def keep(
    connection: sqlite3.Connection, counter_id: int, document: object, goal_id: str | None = None
) -> dict[str, Any]:
    """Check the document of a request and store its goal, in place of another one if so; call inside a transaction."""
    known = None if goal_id is None else find(connection, counter_id, goal_id)
    goal = _read(document)
    if known is not None and goal.get("id", known["id"]) != known["id"]:
        raise MetricaError("invalid_parameter", "The goal has another id than the path", "id")
    goal["goal_source"] = known["goal_source"] if known else "user"
    return find(connection, counter_id, str(_store(connection, counter_id, goal, known["id"] if known else None)))


def delete(connection: sqlite3.Connection, counter_id: int, goal_id: str) -> None:
    """Take a goal out; call inside a transaction."""
    goal = find(connection, counter_id, goal_id)
    connection.execute("UPDATE metrica_goals SET deleted = 1, identifier = NULL WHERE id = ?", (goal["id"],))


def ensure_crm_goals(connection: sqlite3.Connection, counter_id: int) -> None:
    """Make the four order goals of a counter that never had one; call inside a transaction."""
    if not any(goal["goal_source"] == "auto" for goal in listed(connection, counter_id, deleted=True)):
        for goal_type, name in _CRM_GOALS.items():
            _store(connection, counter_id, {"name": name, "type": goal_type, "goal_source": "auto", "conditions": []})


def _store(connection: sqlite3.Connection, counter_id: int, goal: Mapping[str, Any], goal_id: int | None = None) -> int:
    if goal_id is None:
        goal_id = connection.execute(
            "SELECT max(?, coalesce(max(id), 0) + 1) FROM metrica_goals", (_FIRST_ID,)
        ).fetchone()[0]
    kept = {name: value for name, value in goal.items() if name == "goal_source" or name not in _OF_THE_SERVICE}
    identifier = None
    if goal["type"] == _ACTION and goal["conditions"][0]["type"] in _LITERAL_TYPES:
        identifier = goal["conditions"][0]["url"]
    connection.execute(
        "INSERT OR REPLACE INTO metrica_goals (id, counter_id, goal, identifier) VALUES (?, ?, ?, ?)",
        (goal_id, counter_id, json.dumps(kept, ensure_ascii=False), identifier),
    )
    return goal_id


def _as_dict(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "default_price": 0.0,
        "is_favorite": 0,
        "flag": "",
        **json.loads(row["goal"]),
        "status": "Deleted" if row["deleted"] else "Active",
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
    if goal.get("type") not in _TYPES:
        raise MetricaError("invalid_parameter", f"The type of a goal is one of {', '.join(_TYPES)}", "type")
    for field in _NUMBERS:
        # Documented booleans are numbers in some answers, which may be sent back.
        if not isinstance(number := goal.get(field, 0), int | float) or not abs(number) < _PRICE_BOUND:
            raise MetricaError("invalid_json", f"{field} must be a number", field)
    for field in _LISTS:
        if not isinstance(goal.get(field, []), list):
            raise MetricaError("invalid_json", f"{field} must be a list", field)
    if goal["type"] == _ACTION:
        _check_conditions(goal.get("conditions"))
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
