# SPDX-License-Identifier: Apache-2.0
"""The kinds of rows Metrica takes."""

from __future__ import annotations

from airflow_provider_yandex_orders.rows.kind import Field, FieldType, RowKind

SIMPLE_ORDERS = RowKind(
    name="simple_orders",
    family="crm",
    page="https://yandex.ru/dev/metrika/ru/management/openapi/schema/uploadSimpleOrders",
    key=("id",),
    label="id",
    version="update_date_time",
    created="create_date_time",
    identifiers=("client_ids", "emails", "phones", "emails_md5", "phones_md5"),
    statuses=("PAID", "IN_PROGRESS", "CANCELLED", "SPAM"),
    fields=(
        Field(
            "id",
            FieldType.KEY,
            "The order's id in the CRM; later sends of the same id update it.",
            required=True,
        ),
        Field(
            "create_date_time",
            FieldType.DATE_TIME,
            "When the order was made, in the counter's zone; never changes after the first send.",
            required=True,
        ),
        Field("client_uniq_id", FieldType.TEXT, "The customer's id in the CRM."),
        Field("client_ids", FieldType.CLIENT_ID, "ClientIDs of Metrica: the best match.", many=True),
        Field("emails", FieldType.EMAIL, "E-mail addresses.", many=True, hashed_into="emails_md5"),
        Field("phones", FieldType.PHONE, "Phone numbers with country code.", many=True, hashed_into="phones_md5"),
        Field("emails_md5", FieldType.MD5, "md5 sums of normalised e-mail addresses.", many=True),
        Field("phones_md5", FieldType.MD5, "md5 sums of normalised phone numbers.", many=True),
        Field(
            "order_status",
            FieldType.STATUS,
            "PAID, IN_PROGRESS, CANCELLED, SPAM, or the identifier of a JS-event goal.",
            default="PAID",
            default_told=True,
        ),
        Field("revenue", FieldType.MONEY, "The order's total."),
        Field("cost", FieldType.MONEY, "What the order cost; goals then get revenue - cost."),
        Field(
            "goals",
            FieldType.GOALS,
            "Goals reached with the order, each with a price of its own or none.",
            many=True,
        ),
        Field("currency", FieldType.CURRENCY, "ISO 4217; the service takes RUB when it is empty."),
        Field(
            "update_date_time",
            FieldType.DATE_TIME,
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
        Field("uniq_id", FieldType.TEXT, "The customer's id in the CRM; orders refer to it.", required=True),
        Field("name", FieldType.TEXT, "Name."),
        Field("birth_date", FieldType.DATE, "Date of birth; JSON only.", csv=False),
        Field("create_date_time", FieldType.DATE_TIME, "When the customer was made, in the counter's zone."),
        Field("update_date_time", FieldType.DATE_TIME, "Last change; of two rows of one customer the later is sent."),
        Field("client_ids", FieldType.CLIENT_ID, "ClientIDs of Metrica: the best match.", many=True),
        Field("user_ids", FieldType.TEXT, "UserIDs the site gave to Metrica; JSON only.", many=True, csv=False),
        Field("emails", FieldType.EMAIL, "E-mail addresses.", many=True, hashed_into="emails_md5"),
        Field("phones", FieldType.PHONE, "Phone numbers with country code.", many=True, hashed_into="phones_md5"),
        Field("emails_md5", FieldType.MD5, "md5 sums of normalised e-mail addresses.", many=True),
        Field("phones_md5", FieldType.MD5, "md5 sums of normalised phone numbers.", many=True),
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
    statuses=("PAID", "IN_PROGRESS", "CANCELLED", "SPAM"),
    own_statuses=True,
    fields=(
        Field("id", FieldType.TEXT, "The order's id in the CRM; later sends of the same id update it.", required=True),
        Field("client_uniq_id", FieldType.TEXT, "The customer's id: `uniq_id` of the contact.", required=True),
        Field("client_type", FieldType.CHOICE, "Only CONTACT.", default="CONTACT", choices=("CONTACT",)),
        Field(
            "create_date_time",
            FieldType.DATE_TIME,
            "When the order was made, in the counter's zone; never changes after the first send.",
            required=True,
        ),
        Field(
            "order_status",
            FieldType.STATUS,
            "A status of the counter's mapping, PAID, IN_PROGRESS, CANCELLED, SPAM, or a goal identifier.",
            required=True,
        ),
        Field("update_date_time", FieldType.DATE_TIME, "Last change; of two rows of one order the later is sent."),
        Field("finish_date_time", FieldType.DATE_TIME, "When it was paid; else the first upload as paid."),
        Field("revenue", FieldType.MONEY, "The order's total."),
        Field("cost", FieldType.MONEY, "What the order cost; goals then get revenue - cost."),
        Field("currency", FieldType.CURRENCY, "ISO 4217."),
        Field("products", FieldType.PRODUCTS, "Products and quantities."),
        Field(
            "goals", FieldType.GOALS, "Goals reached with the order, each with a price of its own or none.", many=True
        ),
    ),
)


OFFLINE_CONVERSIONS = RowKind(
    name="offline_conversions",
    family="offline",
    page="https://yandex.ru/dev/metrika/ru/management/openapi/offline_conversions/upload_1",
    # The service counts the same conversion once: a repeated row only changes its price.
    key=("ClientId", "UserId", "Yclid", "PurchaseId", "Target", "DateTime"),
    label="id",
    not_future="DateTime",
    identifiers=("ClientId", "UserId", "Yclid", "PurchaseId"),
    fields=(
        Field("ClientId", FieldType.CLIENT_ID, "ClientID of Metrica, as text: the visit before the conversion."),
        Field("UserId", FieldType.TEXT, "UserID the site gave to Metrica: the visit before the conversion."),
        Field("Yclid", FieldType.CLIENT_ID, "Click id of Direct: the visit of that click."),
        Field("PurchaseId", FieldType.TEXT, "Id of an e-commerce purchase: the visit with that purchase."),
        Field("Target", FieldType.TARGET, "Identifier of the JS-event goal, not its name.", required=True),
        Field("DateTime", FieldType.UNIX_TIME, "When it happened; never in the future.", required=True),
        Field("Price", FieldType.MONEY, "What the goal is worth."),
        Field("Currency", FieldType.CURRENCY, "ISO 4217."),
        Field("id", FieldType.TEXT, "Not sent: names the row in a rejects file.", sent=False),
    ),
)


def entities(family: str) -> frozenset[str]:
    """Names of the kinds whose uploads one list tells of.

    :param family: ``crm`` or ``offline``.
    """
    return frozenset(kind.name for kind in globals().values() if isinstance(kind, RowKind) and kind.family == family)
