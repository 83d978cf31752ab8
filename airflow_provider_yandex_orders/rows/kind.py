# SPDX-License-Identifier: Apache-2.0
"""How a kind of row is declared. A declaration is data: checks, files and docs are all made from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any

from airflow_provider_yandex_orders.rows.faults import Checked
from airflow_provider_yandex_orders.rows.options import CheckOptions
from airflow_provider_yandex_orders.rows.types import CURRENCIES, TEXT, Converter, FieldType

RowRule = Callable[[Checked, Mapping[str, str]], None]
"""Looks at the converted values of a row, whose columns it is given by field: completes them, or says what is wrong."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a row.

    :param name: the service's own name.
    :param required: a row without it is rejected.
    :param if_missing: what the one who cannot fill it may do.
    :param many: it holds a list.
    :param most: most elements of a list or characters of a text, or the greatest amount; 0: any.
    :param default: what is sent when the row has nothing: the service's own default, said aloud.
    :param default_told: whether the log counts rows that got the default.
    :param csv: whether the service takes it in CSV files too; all are taken in JSON.
    :param hashed_into: the field that takes md5 sums of its values when identifiers are hashed.
    :param sent: whether it goes to the service; one that does not only serves to compare rows.
    :param droppable: a bad value is left out and told; a rule of the kind says whether the row can do without it.
    :param rows: the kind of its elements, where they are rows themselves.
    :param inside: the object of a JSON row it stands in; empty: the row itself.
    """

    name: str
    type: FieldType
    meaning: str
    required: bool = False
    if_missing: str = ""
    many: bool = False
    most: int = 0
    default: Any = None
    default_told: bool = False
    csv: bool = True
    hashed_into: str | None = None
    sent: bool = True
    droppable: bool = False
    rows: RowKind | None = None
    inside: str = ""


@dataclass(frozen=True, slots=True)
class RowKind:
    """A kind of row.

    :param name: the kind's name, as in a delivery's ``entity``.
    :param fields: its fields, in the order they are written.
    :param key: the fields that identify a row; of rows with the same key only the newest is sent.
    :param label: the field that names a row in a rejects file.
    :param version: the field that tells which of two rows is newer.
    :param created: the field with the moment the linking window counts from.
    :param not_future: the field whose moment must have passed; rows still to come are deferred.
    :param owner: the field with the customer a row belongs to.
    :param owner_limit: most rows of one customer.
    :param identifiers: fields of which a row needs at least one.
    :param status: the field with the row's status.
    :param money: the field with what a row is worth.
    :param rules: what must hold between the fields of one row, in the order it is looked at.
    :param page: address of the service's page that describes it.
    :param family: which of the service's lists tells the state of its uploads, where there are several.
    """

    name: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    label: str
    page: str
    version: str | None = None
    created: str | None = None
    not_future: str | None = None
    owner: str | None = None
    owner_limit: int | None = None
    identifiers: tuple[str, ...] = ()
    status: str | None = None
    money: str | None = None
    rules: tuple[RowRule, ...] = ()
    family: str = ""

    @property
    def sent_fields(self) -> tuple[Field, ...]:
        """The fields that go to the service, in order."""
        return tuple(field for field in self.fields if field.sent)

    @property
    def amounts(self) -> list[str]:
        """Names of the fields that may be added up, and go to the service."""
        return [field.name for field in self.sent_fields if field.type.adds]

    @property
    def currency(self) -> str:
        """Name of the field with the currency of its amounts; empty where there is none."""
        return next((field.name for field in self.fields if field.type in CURRENCIES), "")

    @property
    def field_names(self) -> tuple[str, ...]:
        """Names a source may use."""
        return tuple(field.name for field in self.fields)

    def in_csv(self) -> RowKind:
        """The kind as CSV files have it: without the fields only JSON takes."""
        return replace(self, fields=tuple(field for field in self.fields if field.csv))

    def with_field(self, name: str | None, **changes: Any) -> RowKind:
        """The kind with one of its fields declared otherwise."""
        return replace(
            self, fields=tuple(replace(field, **changes) if field.name == name else field for field in self.fields)
        )

    def with_fields(self, fields: tuple[Field, ...]) -> RowKind:
        """The kind with more fields."""
        return replace(self, fields=(*self.fields, *fields))

    def with_defaults(self, defaults: Mapping[str, Any]) -> RowKind:
        """The kind with values, as they are sent, for fields a row has nothing in."""
        kind = self
        for name, value in defaults.items():
            kind = kind.with_field(name, default=value, default_told=False, required=False)
        return kind

    def with_statuses(self, words: tuple[str, ...]) -> RowKind:
        """The kind with more words for its status."""
        return self.with_field(self.status, type=self._status.type.with_words(words))

    def status_converter(self) -> Converter:
        """The converter of statuses as the service has them; a kind without one takes any text."""
        return self._status.type.converter(CheckOptions(counter_zone=lambda: UTC))

    @property
    def _status(self) -> Field:
        return next((field for field in self.fields if field.name == self.status), Field("", TEXT, ""))

    def for_changes(self) -> RowKind:
        """The kind of rows that change some fields of what the service has: no default stands for what is not said.

        A status is then needed: what the service takes without one is not documented.
        """
        untold = (replace(field, default=None) if field.default_told else field for field in self.fields)
        hint = "merge_mode UPDATE and APPEND need it, as the service may take its own default"
        return replace(self, fields=tuple(untold)).with_field(self.status, required=True, default=None, if_missing=hint)

    def with_identifier(self, name: str) -> RowKind:
        """The kind with one of its identifiers only."""
        others = set(self.identifiers) - {name}
        return replace(self, fields=tuple(field for field in self.fields if field.name not in others))
