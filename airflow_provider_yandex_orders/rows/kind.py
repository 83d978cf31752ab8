# SPDX-License-Identifier: Apache-2.0
"""How a kind of row is declared. A declaration is data: checks, files and docs are all made from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class FieldType(Enum):
    """What a field holds; each has one converter in :mod:`~airflow_provider_yandex_orders.rows.convert`."""

    TEXT = "text"
    KEY = "key"
    CLIENT_ID = "ClientID"
    EMAIL = "e-mail"
    PHONE = "phone"
    MD5 = "md5"
    DATE_TIME = "date-time"
    MONEY = "decimal"
    CURRENCY = "currency"
    STATUS = "status"
    GOALS = "goal[:price]"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a row.

    :param name: the service's own name.
    :param type: what it holds.
    :param note: its meaning, for the docs.
    :param required: a row without it is rejected.
    :param many: it holds a list.
    :param default: what is sent when the row has nothing: the service's own default, said aloud.
    :param hashed_into: the field that takes md5 sums of its values when identifiers are hashed.
    :param sent: whether it goes to the service; one that does not only serves to compare rows.
    """

    name: str
    type: FieldType
    note: str
    required: bool = False
    many: bool = False
    default: str | None = None
    hashed_into: str | None = None
    sent: bool = True


@dataclass(frozen=True, slots=True)
class RowKind:
    """A kind of row.

    :param name: the kind's name, as in a delivery's ``entity``.
    :param fields: its fields, in the order they are written.
    :param key: the field that identifies a row; of rows with the same key only the newest is sent.
    :param version: the field that tells which of two rows is newer; without it the later row is.
    :param created: the field with the moment the linking window counts from.
    :param identifiers: fields of which a row needs at least one.
    :param statuses: words a ``STATUS`` field takes besides goal identifiers.
    :param page: address of the service's page that describes it.
    """

    name: str
    fields: tuple[Field, ...]
    key: str
    page: str
    version: str | None = None
    created: str | None = None
    identifiers: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()

    @property
    def sent_fields(self) -> tuple[Field, ...]:
        """The fields that go to the service, in order."""
        return tuple(field for field in self.fields if field.sent)

    @property
    def field_names(self) -> tuple[str, ...]:
        """Names a source may use."""
        return tuple(field.name for field in self.fields)
