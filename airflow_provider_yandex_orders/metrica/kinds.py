# SPDX-License-Identifier: Apache-2.0
"""The kinds of rows Metrica takes, and what a file of them is like: JSON or CSV, with custom attributes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.rows import types
from airflow_provider_yandex_orders.rows.kind import Field, RowKind
from airflow_provider_yandex_orders.rows.lists import goal_identifier, status_id
from airflow_provider_yandex_orders.rows.types import ATTRIBUTE

STATUSES = ("PAID", "IN_PROGRESS", "CANCELLED", "SPAM")

MONEY = 9223372036854
"""The greatest revenue and cost the service takes."""

_CREATED = Field(
    "create_date_time",
    types.DATE_TIME,
    "When the order was made, in the counter's zone; never changes after the first send.",
    required=True,
)
_GOALS = Field(
    "goals", types.GOALS, "Goals reached with the order, each with a price of its own or none.", many=True, most=100
)
_ADDRESSES = (
    Field("emails", types.EMAIL, "E-mail addresses.", many=True, most=50, hashed_into="emails_md5"),
    Field("phones", types.PHONE, "Phone numbers with country code.", many=True, most=50, hashed_into="phones_md5"),
    Field("emails_md5", types.MD5, "md5 sums of normalised e-mail addresses.", many=True, most=50),
    Field("phones_md5", types.MD5, "md5 sums of normalised phone numbers.", many=True, most=50),
)

SIMPLE_ORDERS = RowKind(
    name="simple_orders",
    family="crm",
    page="https://yandex.ru/dev/metrika/ru/management/openapi/schema/uploadSimpleOrders",
    key=("id",),
    label="id",
    version="update_date_time",
    created="create_date_time",
    identifiers=("client_ids", "emails", "phones", "emails_md5", "phones_md5"),
    status="order_status",
    money="revenue",
    fields=(
        Field(
            "id",
            types.ID,
            "The order's id in the CRM; later sends of the same id update it.",
            required=True,
            if_missing="require_id=False sends such rows, which double when sent again",
        ),
        replace(_CREATED, type=types.DAY_OR_TIME),
        Field("client_uniq_id", types.ID, "The customer's id in the CRM."),
        Field("client_ids", types.CLIENT_ID, "ClientIDs of Metrica: the best match.", many=True, most=500),
        *_ADDRESSES,
        Field(
            "order_status",
            types.status(*STATUSES, others=goal_identifier),
            "PAID, IN_PROGRESS, CANCELLED, SPAM, or the identifier of a JS-event goal.",
            default="PAID",
            default_told=True,
        ),
        Field("revenue", types.MONEY, "The order's total.", most=MONEY),
        Field("cost", types.MONEY, "What the order cost; goals then get revenue - cost.", most=MONEY),
        _GOALS,
        Field("currency", types.CURRENCY, "ISO 4217; the service takes RUB when it is empty."),
        Field(
            "update_date_time",
            types.DAY_OR_TIME,
            "Not sent: tells which of two rows of one order is the newer.",
            sent=False,
        ),
    ),
)


CONTACTS = RowKind(
    name="contacts",
    family="crm",
    page="https://yandex.com/dev/metrika/en/management/openapi/schema/uploadContactJson_1",
    key=("uniq_id",),
    label="uniq_id",
    version="update_date_time",
    fields=(
        Field("uniq_id", types.ID, "The customer's id in the CRM; orders refer to it.", required=True),
        Field("name", types.TEXT, "Name."),
        Field("birth_date", types.DATE, "Date of birth, 1970 or later; JSON only.", csv=False),
        Field("create_date_time", types.DATE_TIME, "When the customer was made, in the counter's zone."),
        Field("update_date_time", types.DATE_TIME, "Last change; of two rows of one customer the later is sent."),
        Field("client_ids", types.CLIENT_ID, "ClientIDs of Metrica: the best match.", many=True, most=500),
        Field("user_ids", types.ID, "UserIDs the site gave to Metrica; JSON only.", many=True, csv=False),
        *_ADDRESSES,
        Field("user_comment", types.TEXT, "A comment, 1,000 characters at most; JSON only.", most=1000, csv=False),
    ),
)


ORDERS = RowKind(
    name="orders",
    family="crm",
    page="https://yandex.com/dev/metrika/en/management/openapi/schema/uploadOrdersJson_1",
    key=("id",),
    label="id",
    version="update_date_time",
    created="create_date_time",
    owner="client_uniq_id",
    owner_limit=100_000,
    status="order_status",
    money="revenue",
    fields=(
        Field("id", types.ID, "The order's id in the CRM; later sends of the same id update it.", required=True),
        Field("client_uniq_id", types.ID, "The customer's id: `uniq_id` of the contact.", required=True),
        Field("client_type", types.choice("CONTACT"), "Only CONTACT.", default="CONTACT"),
        _CREATED,
        Field(
            "order_status",
            types.status(*STATUSES, others=status_id),
            "A status of the counter's mapping, PAID, IN_PROGRESS, CANCELLED, SPAM, or a goal identifier.",
            required=True,
        ),
        Field("update_date_time", types.DATE_TIME, "Last change; of two rows of one order the later is sent."),
        Field("finish_date_time", types.DATE_TIME, "When it was paid; else the first upload as paid."),
        Field("revenue", types.MONEY, "The order's total.", most=MONEY),
        Field("cost", types.MONEY, "What the order cost; goals then get revenue - cost.", most=MONEY),
        Field("currency", types.CURRENCY, "ISO 4217."),
        Field("products", types.PRODUCTS, "Products and quantities."),
        _GOALS,
        Field("user_comment", types.TEXT, "A comment, 1,000 characters at most; JSON only.", most=1000, csv=False),
    ),
)


OFFLINE_CONVERSIONS = RowKind(
    name="offline_conversions",
    family="offline",
    page="https://yandex.ru/dev/metrika/ru/management/openapi/offline_conversions/upload_1",
    # The service counts the same conversion once: a repeated row only changes its price.
    key=("ClientId", "UserId", "Yclid", "PurchaseId", "Target", "DateTime"),
    label="id",
    created="DateTime",
    not_future="DateTime",
    money="Price",
    identifiers=("ClientId", "UserId", "Yclid", "PurchaseId"),
    fields=(
        Field("ClientId", types.CLIENT_ID, "ClientID of Metrica, as text: the visit before the conversion."),
        Field("UserId", types.ID, "UserID the site gave to Metrica: the visit before the conversion."),
        Field("Yclid", types.CLICK_ID, "Click id of Direct: the visit of that click."),
        Field("PurchaseId", types.ID, "Id of an e-commerce purchase: the visit with that purchase."),
        Field("Target", types.TARGET, "Identifier of the JS-event goal, not its name.", required=True),
        Field("DateTime", types.UNIX_TIME, "When it happened; never in the future.", required=True),
        Field("Price", types.MONEY, "What the goal is worth."),
        Field("Currency", types.CURRENCY, "ISO 4217."),
        Field("id", types.ID, "Not sent: names the row in a rejects file.", sent=False),
    ),
)


def entities(family: str) -> frozenset[str]:
    """Names of the kinds whose uploads one list tells of.

    :param family: ``crm`` or ``offline``.
    """
    return frozenset(kind.name for kind in globals().values() if isinstance(kind, RowKind) and kind.family == family)


PART_BYTES = {"csv": 100_000_000, "json": 2_000_000}
"""Bytes of a part where the user names none. No limit is told for JSON bodies; integrations keep to this."""
ATTRIBUTES = 'attributes must be a mapping: {"attribute": "source column"}'
_ATTRIBUTE = re.compile(r"[\w:-]{1,255}")


def check_file(upload_format: str, attributes: Mapping[str, str] | None, kind: RowKind) -> None:
    """Make sure that format and attributes can work.

    :raises ConfigurationError: one cannot.
    """
    if upload_format not in tuple(PART_BYTES):  # rendering may leave a list
        raise ConfigurationError('upload_format must be "json" or "csv".')
    for name in attributes or {}:
        if not _ATTRIBUTE.fullmatch(name) or name in kind.field_names:
            raise ConfigurationError(
                f"attributes: {name!r} cannot be one: letters, digits, _ - and : only, 255 at most, and no field."
            )


def row_kind(upload_format: str, attributes: Mapping[str, str] | None, kind: RowKind) -> RowKind:
    """The rows as they are sent."""
    taken = kind.in_csv() if upload_format == "csv" else kind
    return taken.with_fields(
        tuple(Field(name, ATTRIBUTE, "A custom attribute.", inside="attribute_values") for name in attributes or ())
    )
