# SPDX-License-Identifier: Apache-2.0
"""Reads an uploaded JSON document, the whole of it in memory.

Sources: https://yandex.com/dev/metrika/en/management/openapi/schema/uploadOrdersJson_1 ,
https://yandex.com/dev/metrika/en/management/openapi/schema/uploadContactJson_1 ,
https://yandex.ru/dev/metrika/ru/data-import/date .
What the documentation leaves open or says in two ways, and what the sandbox chose:
* what is no JSON is ``invalid_json``; JSON that is not an object with the one list, or an empty list, is
  ``invalid_uploading``. A bad row makes the upload FAILED, as in CSV; a row is named by its number from 1;
* date-times are ``yyyy-MM-dd HH:mm:ss`` as the page about dates says, not ISO with ``Z`` as the schema says;
* ``products`` is an object as in the sample, not a number as in the schema;
* ``client_ids`` are strings as in the sample or integers as in the schema, no two the same;
* ``attribute_values`` is an object of attribute to value or values, as it is described now, or a list of lists that
  begin with the attribute, as it was; the attribute must be made first, and holds several values only if it may;
* null is no value of any field; an empty string or list counts as an absent one; an unknown field is a fault;
* an item of a list, a goal and a product hold no comma, a goal no colon: CSV could not say them.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import IO, Any, Final

from airflow_provider_yandex_orders.sandbox.metrica.bodies import read_json
from airflow_provider_yandex_orders.sandbox.metrica.entities import Entity
from airflow_provider_yandex_orders.sandbox.metrica.errors import MetricaError
from airflow_provider_yandex_orders.sandbox.metrica.fields import CONVERTERS, Column, unique, within_limit
from airflow_provider_yandex_orders.sandbox.metrica.rows import Rows, whole

_ATTRIBUTES: Final = "attribute_values"
_NOTHING: Final[Mapping[str, Column]] = MappingProxyType({})
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DAY_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
_MOST_DIGITS: Final = 100


class JsonRows(Rows):
    """One uploaded document."""

    def __init__(
        self, source: IO[bytes], entity: Entity, max_errors: int, attributes: Mapping[str, Column] = _NOTHING
    ) -> None:
        super().__init__(entity, max_errors)
        self._attributes = attributes
        source.seek(0)
        document = read_json(source.read(), exact=True)
        if not isinstance(document, dict) or set(document) != {entity.kind} or not _is_filled(document[entity.kind]):
            message = f'The body must be {{"{entity.kind}": [...]}} with at least one element'
            raise MetricaError("invalid_uploading", message, entity.kind)
        self._rows: list[Any] = document[entity.kind]

    def good(self) -> Iterator[tuple[object, ...]]:
        """Good rows, numbered from 1."""
        checks = {name: whole(column).fullmatch for name, column in self.columns.items()}
        for number, row in enumerate(self._rows, 1):
            self.elements += 1
            where = f"row {number}"
            if not isinstance(row, dict):
                self._add([f"{where}: must be an object"])
                continue
            faults = []
            known = {*self.columns, _ATTRIBUTES} if self.entity.attributes_of else self.columns
            if unknown := [str(place) for place, name in enumerate(row, 1) if name not in known]:
                faults.append(f"{where}: unknown fields, by number from the left: {', '.join(unknown[:20])}")
            texts: dict[str, str] = {}
            for name, column in self.columns.items():
                if name not in row:
                    continue
                text = _FORMS[column.form](row[name])
                if text is None or (text and not checks[name](text)):
                    faults.append(self._must(where, name))
                    text = None
                texts[name] = text or ""
            faults += [self._must(where, name) for name in self.entity.required if not row.get(name)]
            attributes = self._attributes_of(row.get(_ATTRIBUTES, {}))
            if attributes is None:
                faults.append(f"{where}, column {_ATTRIBUTES}: must be values of attributes that were made")
            if faults:
                self._add(dict.fromkeys(faults))
                continue
            values = tuple([texts.get(name, "") for name in self.columns])
            self._collect_names(values)
            yield (number, *values, attributes) if self.entity.attributes_of else (number, *values)

    def _attributes_of(self, sent: object) -> str | None:
        """Attributes as the store keeps them; none where one is wrong."""
        if isinstance(sent, list) and all(isinstance(pair, list) and pair for pair in sent):
            sent = {str(name): values for name, *values in sent}
        if not isinstance(sent, dict):
            return None
        found: dict[str, str | list[str]] = {}
        for name, value in sent.items():
            column = self._attributes.get(name)
            values = value if isinstance(value, list) else [value]
            texts = [one if isinstance(one, str) else _number(one) for one in values]
            if column is None or None in texts or (len(texts) > 1 and not column.multiple):
                return None
            cell = ",".join(filter(None, texts))
            if cell and not (whole(column).fullmatch(cell) and CONVERTERS.get(column.form, str)(cell)):
                return None
            if cell:
                found[name] = [text for text in texts if text] if column.multiple else cell
        return json.dumps(found, ensure_ascii=False) if found else ""


def _is_filled(value: object) -> bool:
    return isinstance(value, list) and len(value) > 0


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    number = Decimal(value)
    if abs(number.adjusted()) > _MOST_DIGITS:
        return None
    return format(number, "f")


def _is_item(value: object) -> bool:
    return isinstance(value, str) and bool(value) and "," not in value


def _list(value: object) -> str | None:
    return ",".join(value) if isinstance(value, list) and all(_is_item(item) for item in value) else None


def _set(value: object) -> str | None:
    text = _list(value)
    return None if text is None else unique(text)


def _money(value: object) -> str | None:
    text = _number(value)
    return None if text is None else within_limit(text)


def _ids(value: object) -> str | None:
    if not isinstance(value, list):
        return None
    return _set([str(item) if isinstance(item, int) and not isinstance(item, bool) else item for item in value])


def _goals(value: object) -> str | None:
    if not isinstance(value, list):
        return None
    found: list[str] = []
    for goal in value:
        if not isinstance(goal, dict) or not {"goal_action_id"} <= set(goal) <= {"goal_action_id", "price"}:
            return None
        identifier, price = goal["goal_action_id"], _number(goal.get("price", 0))
        if not _is_item(identifier) or ":" in identifier or price is None:
            return None
        found.append(f"{identifier}:{price}" if "price" in goal else identifier)
    return ",".join(found)


def _products(value: object) -> str | None:
    if not isinstance(value, dict):
        return None
    wrong = (not _is_item(name) or isinstance(count, bool) or type(count) is not int for name, count in value.items())
    return None if any(wrong) else ",".join(f"{name}:{count}" for name, count in value.items())


def _time(pattern: re.Pattern[str], form: str) -> Callable[[object], str | None]:
    def read(value: object) -> str | None:
        if value == "":
            return ""
        return CONVERTERS[form](value) if isinstance(value, str) and pattern.fullmatch(value) else None

    return read


_FORMS: Final[Mapping[str, Callable[[Any], str | None]]] = MappingProxyType(
    {
        "text": _text,
        "number": _number,
        "money": _money,
        "list": _list,
        "set": _set,
        "ids": _ids,
        "goals": _goals,
        "products": _products,
        "date": _time(_DAY, "date"),
        "date_time": _time(_DAY_TIME, "date_time"),
    }
)
"""How each form of a column looks in JSON: its canonical text, or none."""
