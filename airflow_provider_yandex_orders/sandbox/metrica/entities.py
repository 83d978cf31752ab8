# SPDX-License-Identifier: Apache-2.0
"""What can be uploaded, declared: columns, key, what a row must have.

Sources: https://yandex.ru/dev/metrika/ru/management/openapi/schema/uploadSimpleOrders ,
https://yandex.ru/dev/metrika/en/data-import/orders-data , https://yandex.ru/dev/metrika/en/data-import/contacts-data ,
https://yandex.com/dev/metrika/en/management/openapi/schema/uploadOrdersJson_1 ,
https://yandex.com/dev/metrika/en/management/openapi/schema/uploadContactJson_1 ,
https://yandex.ru/dev/metrika/ru/management/openapi/offline_conversions/upload_1 .

Unstated or contradictory there and chosen here:
* a status or a goal may name an identifier that is no goal of the counter (the vendor's sample does): the upload passes
  and carries a note;
* only simplified orders take a date without a time as their creation date;
* an order without a currency is in roubles in both modes;
* ``update_date_time`` and ``finish_date_time`` stay as sent: the service's automatic values show nowhere;
* a conversion without an identifier is taken and not attributed, as the newer description says; a file may do without
  all of their columns; one of the type CHATS needs no Target;
* Yclid is digits, UserId and PurchaseId are any text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from airflow_provider_yandex_orders.sandbox.metrica import fields
from airflow_provider_yandex_orders.sandbox.metrica.fields import Column, comma_list

STATUSES: Final = frozenset({"PAID", "IN_PROGRESS", "CANCELLED", "SPAM"})
"""Statuses that need no mapping, each its own type."""

ATTRIBUTES: Final = "attributes"
"""Where the store keeps custom attributes, as a JSON object."""


@dataclass(frozen=True, slots=True)
class Entity:
    """One kind of upload."""

    kind: str
    """Its name in the control API."""
    table: str
    columns: Mapping[str, Column]
    """In the order the store keeps them."""
    required: tuple[str, ...]
    """Every row has a value in each of these."""
    key: str = "id"
    """The column by which a later row finds the stored one."""
    needs: tuple[str, ...] = ()
    """Every row has a value in at least one of these."""
    defaults: Mapping[str, str] = field(default_factory=dict)
    attributes_of: str | None = None
    """The entity of the attributes call whose custom attributes are columns here; none: it takes no others."""

    @property
    def stored(self) -> tuple[str, ...]:
        """The names of the stored values."""
        return (*self.columns, ATTRIBUTES) if self.attributes_of else tuple(self.columns)


_TEXT: Final = Column()
_COMMENT: Final = Column("at most 1000 characters", "(?s:.{1,1000}+)", in_csv=False)
_MONEY: Final = Column(f"a decimal number with a point, at most {fields.MOST_MONEY}", fields.MONEY, "money")
_CURRENCY: Final = Column("an ISO 4217 code, three capitals", fields.CURRENCY)
_DATE_TIME: Final = Column("a date-time in one of the documented forms, 1970 or later", form="date_time")
_HASHES: Final = Column("at most 50 different md5 hashes, 32 lower case hex digits", comma_list(fields.MD5, 50), "set")
_GOALS: Final = Column(
    "at most 100 goals as goal_id[:price],goal_id2",
    comma_list(rf"{fields.GOAL}(?::{fields.MONEY})?", 100),
    "goals",
    names="goal",
)
_IDENTIFIER_COLUMNS: Final[Mapping[str, Column]] = {
    "client_ids": Column("at most 500 different ClientIDs, decimal digits only", comma_list(fields.DIGITS, 500), "ids"),
    "emails": Column("at most 50 different e-mails in lower case Latin letters", comma_list(fields.EMAIL, 50), "set"),
    "phones": Column("at most 50 different phones, digits only", comma_list(fields.DIGITS, 50), "set"),
    "emails_md5": _HASHES,
    "phones_md5": _HASHES,
}
IDENTIFIERS: Final = tuple(_IDENTIFIER_COLUMNS)
"""By these the service finds a visitor."""

SIMPLE_ORDERS: Final = Entity(
    kind="simple_orders",
    table="metrica_simple_orders",
    columns=MappingProxyType(
        {
            "id": _TEXT,
            "create_date_time": Column("a date or date-time in one of the nine formats, 1970 or later", form="moment"),
            "client_uniq_id": _TEXT,
            **_IDENTIFIER_COLUMNS,
            "order_status": Column(
                "PAID, IN_PROGRESS, CANCELLED, SPAM or the identifier of a JavaScript-event goal",
                fields.IDENTIFIER,
                names="status",
            ),
            "revenue": _MONEY,
            "cost": _MONEY,
            "goals": _GOALS,
            "currency": _CURRENCY,
        }
    ),
    required=("create_date_time",),
    needs=IDENTIFIERS,
    defaults=MappingProxyType({"order_status": "PAID", "currency": "RUB"}),
)

ORDERS: Final = Entity(
    kind="orders",
    table="metrica_full_orders",
    columns=MappingProxyType(
        {
            "id": _TEXT,
            "client_uniq_id": _TEXT,
            "client_type": Column("CONTACT", "CONTACT"),
            "create_date_time": _DATE_TIME,
            "update_date_time": _DATE_TIME,
            "finish_date_time": _DATE_TIME,
            "order_status": Column(names="status"),
            "revenue": _MONEY,
            "cost": _MONEY,
            "currency": _CURRENCY,
            "products": Column(
                "products as name:quantity,name2:quantity2", comma_list(fields.PRODUCT), "products", names="product"
            ),
            "goals": _GOALS,
            "user_comment": _COMMENT,
        }
    ),
    required=("id", "client_uniq_id", "client_type", "create_date_time", "order_status"),
    defaults=MappingProxyType({"currency": "RUB"}),
    attributes_of="ORDER",
)

CONTACTS: Final = Entity(
    kind="contacts",
    table="metrica_contacts",
    columns=MappingProxyType(
        {
            "uniq_id": _TEXT,
            "name": _TEXT,
            "birth_date": Column("a date, 1970 or later", form="date", in_csv=False),
            "create_date_time": _DATE_TIME,
            "update_date_time": _DATE_TIME,
            **_IDENTIFIER_COLUMNS,
            "user_ids": Column("ids without commas", comma_list(fields.ANY_ITEM), "list", in_csv=False),
            "company_uniq_id": Column(in_csv=False),
            "user_comment": _COMMENT,
        }
    ),
    required=("uniq_id",),
    key="uniq_id",
    attributes_of="CONTACT",
)

CONVERSIONS: Final = Entity(
    kind="conversions",
    table="metrica_conversions",
    columns=MappingProxyType(
        {
            "ClientId": Column("a ClientID, decimal digits only", fields.DIGITS),
            "UserId": _TEXT,
            "Yclid": Column("a Yclid, decimal digits only", fields.DIGITS),
            "PurchaseId": _TEXT,
            "Target": Column("the identifier of a goal", fields.IDENTIFIER, names="goal"),
            "DateTime": Column("Unix time in seconds, in the past", form="unix"),
            "Price": Column("a decimal number with a point", fields.MONEY, "number"),
            "Currency": _CURRENCY,
        }
    ),
    required=("Target", "DateTime"),
)
VISITOR: Final = ("ClientId", "UserId", "Yclid", "PurchaseId")
"""By the first of these that is filled the service finds the visit of a conversion."""

CRM: Final[tuple[Entity, ...]] = (SIMPLE_ORDERS, ORDERS, CONTACTS)
"""What merges into stored objects and shows in the list of uploads."""
