# SPDX-License-Identifier: Apache-2.0
"""What a client tells of its CRM: statuses, custom attributes, products.

Sources: https://yandex.ru/dev/metrika/en/management/openapi/schema/mapOrderStatuses ,
https://yandex.com/dev/metrika/en/management/openapi/schema/getOrderStatuses ,
https://yandex.ru/dev/metrika/ru/management/openapi/schema/createAttributes ,
https://yandex.ru/dev/metrika/ru/management/openapi/schema/getAttributes ,
https://yandex.ru/dev/metrika/ru/management/openapi/schema/createProducts .
Unstated or contradictory there and chosen here: names are of Latin letters, digits, ``_``, ``-``, ``:``; an object sent
again replaces the one of its name and leaves the others; two objects of one name in a body are refused;
``goal_action_ids`` is an array as the schema says, not a bare string as in the sample; an unknown field and a value of
a wrong type are ``invalid_json``; attributes of products are checked and not kept, as no call shows them; what is
listed under ``system_attributes`` is what the uploads of that kind take.
"""

import json
import re
import sqlite3
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from airflow_provider_yandex_orders.sandbox.metrica import fields
from airflow_provider_yandex_orders.sandbox.metrica.entities import CRM
from airflow_provider_yandex_orders.sandbox.metrica.errors import MetricaError
from airflow_provider_yandex_orders.sandbox.metrica.fields import Column, comma_list

TABLE: Final = "metrica_schema"
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS metrica_schema (
    counter_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    definition TEXT NOT NULL,
    PRIMARY KEY (counter_id, kind, name)
);
"""
ENTITY_TYPES: Final = ("CONTACT", "COMPANY", "ORDER", "SIMPLE_ORDER")
STATUS_TYPES: Final = ("IN_PROGRESS", "PAID", "CANCELLED", "SPAM", "OTHER")
_STATUS: Final = "status"
_PRODUCT: Final = "product"
_NAME: Final = re.compile(r"[\w:-]{1,255}", re.ASCII)
_LONGEST_SHOWN: Final = 4096
_MOST_GOALS: Final = 10
_MOST_PRODUCTS: Final = 160_000
_NAMES_AT_ONCE: Final = 500
_STATUS_FIELDS: Final = {"id": str, "type": str, "humanized": str, "goal_action_ids": list}
_PRODUCT_FIELDS: Final = {"name": str, "humanized": str}
_ATTRIBUTE_FIELDS: Final = {
    "name": str,
    "multivalued": bool,
    "humanized": str,
    "type_name": str,
    "type_group": str,
    "type_humanized": str,
}
_PREDEFINED: Final[Mapping[str, Column]] = MappingProxyType(
    {
        "text": Column(),
        "numeric": Column("a number with a point", rf"-?{fields.MONEY}"),
        "date": Column("a date", r"[0-9.-]++", "date"),
        "datetime": Column("a date-time", r"[0-9.: -]++", "date_time"),
        "email": Column("an e-mail in lower case Latin letters", fields.EMAIL),
    }
)
_GROUPS: Final[Mapping[str, frozenset[str] | None]] = MappingProxyType(
    {"PREDEFINED": frozenset(_PREDEFINED), "CUSTOM_LIST": None, "SYSTEM_LIST": frozenset({"product"})}
)
_TYPE_OF_FORM: Final = {"money": "numeric", "date": "date", "date_time": "datetime", "moment": "datetime"}


def map_statuses(connection: sqlite3.Connection, counter_id: int, document: object) -> None:
    """Keep the statuses of a request body; call inside a transaction."""
    statuses = _objects(document, "order_statuses", _STATUS_FIELDS, {"id", "type"})
    for status in statuses:
        _choice("type", status["type"], STATUS_TYPES)
        identifiers = status.setdefault("goal_action_ids", [])
        if not all(isinstance(name, str) and name for name in identifiers):
            raise MetricaError("invalid_json", "goal_action_ids holds identifiers", "goal_action_ids")
        if len(identifiers) > _MOST_GOALS or len(set(identifiers)) < len(identifiers):
            message = f"goal_action_ids holds at most {_MOST_GOALS} identifiers, each once"
            raise MetricaError("invalid_parameter", message, "goal_action_ids")
    _keep(connection, counter_id, _STATUS, statuses, "id")


def mapped_statuses(connection: sqlite3.Connection, counter_id: int) -> list[dict[str, Any]]:
    """The counter's own statuses."""
    return [{**status, "order_status_source": "USER"} for status in _kept(connection, counter_id, _STATUS)]


def status_types(connection: sqlite3.Connection, counter_id: int) -> dict[str, str]:
    """The type of each mapped status."""
    return {status["id"]: status["type"] for status in _kept(connection, counter_id, _STATUS)}


def create_attributes(connection: sqlite3.Connection, counter_id: int, entity_type: str, document: object) -> None:
    """Keep the custom attributes of a request body; call inside a transaction."""
    attributes = _objects(document, "attributes", _ATTRIBUTE_FIELDS, {"name", "multivalued"})
    for attribute in attributes:
        _check_type(attribute)
        if attribute["name"] in _system_columns(entity_type):
            raise MetricaError("invalid_parameter", "The id of a system attribute is taken", "name")
    _keep(connection, counter_id, entity_type, attributes, "name")


def attributes(connection: sqlite3.Connection, counter_id: int, entity_type: str) -> dict[str, Any]:
    """The system and custom attributes of an entity."""
    system = [
        {
            "name": name,
            "multivalued": column.multiple,
            "type_group": "PREDEFINED",
            "type_name": _TYPE_OF_FORM.get(column.form, "text"),
        }
        for name, column in _system_columns(entity_type).items()
    ]
    return {"system_attributes": system, "custom_attributes": _kept(connection, counter_id, entity_type)}


def attribute_columns(connection: sqlite3.Connection, counter_id: int, entity_type: str | None) -> dict[str, Column]:
    """The columns that the custom attributes of an entity add to its CSV."""
    if entity_type is None:
        return {}
    return {found["name"]: _column(found) for found in _kept(connection, counter_id, entity_type)}


def create_products(connection: sqlite3.Connection, counter_id: int, document: object) -> None:
    """Keep the product list of a request body; call inside a transaction."""
    if not isinstance(document, dict) or not {"attributes"} <= set(document) <= {"attributes", "items"}:
        raise MetricaError("invalid_json", 'The body must be {"attributes": [...], "items": [...]}')
    described = {"attributes": document["attributes"]}
    for attribute in _objects(described, "attributes", _ATTRIBUTE_FIELDS, {"name", "multivalued"}):
        _check_type(attribute)
    found = _objects({"items": document.get("items", [])}, "items", _PRODUCT_FIELDS, {"name"})
    if max(len(found), len(described["attributes"])) > _MOST_PRODUCTS:
        raise MetricaError("limit_exceeded", f"At most {_MOST_PRODUCTS} elements in a list", "items")
    _keep(connection, counter_id, _PRODUCT, found, "name")


def product_names(connection: sqlite3.Connection, counter_id: int, names: Iterable[str]) -> set[str]:
    """Those of the names that the product list has."""
    wanted, found = list(names), set[str]()
    for start in range(0, len(wanted), _NAMES_AT_ONCE):
        some = wanted[start : start + _NAMES_AT_ONCE]
        places = ", ".join("?" * len(some))
        query = f"SELECT name FROM metrica_schema WHERE counter_id = ? AND kind = ? AND name IN ({places})"  # noqa: S608 - question marks only
        found |= {row["name"] for row in connection.execute(query, (counter_id, _PRODUCT, *some))}
    return found


def _system_columns(entity_type: str) -> Mapping[str, Column]:
    kinds = {"SIMPLE_ORDER": "simple_orders", "ORDER": "orders", "CONTACT": "contacts"}
    return next((entity.columns for entity in CRM if entity.kind == kinds.get(entity_type)), {})


def _column(attribute: Mapping[str, Any]) -> Column:
    single = _PREDEFINED.get(attribute.get("type_name", "text"), _PREDEFINED["text"])
    if not attribute["multivalued"]:
        return single
    item = fields.ANY_ITEM if single.free else single.pattern
    return Column(f"a comma list, each {single.rule}", comma_list(item), "list")


def _check_type(attribute: Mapping[str, Any]) -> None:
    group = attribute.get("type_group", "PREDEFINED")
    _choice("type_group", group, tuple(_GROUPS))
    known = _GROUPS[group]
    if known is not None and "type_name" in attribute:
        _choice("type_name", attribute["type_name"], sorted(known))


def _choice(name: str, value: str, allowed: Iterable[str]) -> None:
    if value not in allowed:
        raise MetricaError("invalid_parameter", f"{name} must be one of {', '.join(allowed)}", name)


def _objects(document: object, name: str, known: Mapping[str, type], needed: set[str]) -> list[dict[str, Any]]:
    """The objects of the one list in a body, each with a name of its own."""
    if not isinstance(document, dict) or set(document) != {name} or not isinstance(document[name], list):
        raise MetricaError("invalid_json", f'The body must be {{"{name}": [...]}}', name)
    found: list[dict[str, Any]] = document[name]
    names = []
    for one in found:
        if not isinstance(one, dict) or not all(type(value) is known.get(field) for field, value in one.items()):
            raise MetricaError("invalid_json", f"An element has fields of {', '.join(known)} only", name)
        if missing := sorted(needed - set(one)):
            raise MetricaError("missing_parameter", f"An element needs {', '.join(missing)}", missing[0])
        own = one["id" if "id" in known else "name"]
        if not _NAME.fullmatch(own):
            raise MetricaError("invalid_parameter", "A name has 1 to 255 letters, digits, _, - and :", name)
        if len(one.get("humanized", "")) > _LONGEST_SHOWN:
            message = f"humanized has at most {_LONGEST_SHOWN} characters"
            raise MetricaError("invalid_parameter", message, "humanized")
        names.append(own)
    if len(set(names)) < len(names):
        raise MetricaError("invalid_parameter", "A name is there twice", name)
    return found


def _keep(connection: sqlite3.Connection, counter_id: int, kind: str, found: list[dict[str, Any]], name: str) -> None:
    rows = ((counter_id, kind, one[name], json.dumps(one, ensure_ascii=False)) for one in found)
    connection.executemany("INSERT OR REPLACE INTO metrica_schema VALUES (?, ?, ?, ?)", rows)


def _kept(connection: sqlite3.Connection, counter_id: int, kind: str) -> list[dict[str, Any]]:
    query = "SELECT definition FROM metrica_schema WHERE counter_id = ? AND kind = ? ORDER BY name"
    return [json.loads(row["definition"]) for row in connection.execute(query, (counter_id, kind))]
