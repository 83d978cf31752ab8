# SPDX-License-Identifier: Apache-2.0
"""Simplified orders of Metrica: an order with its customer's identifiers in one row."""

from __future__ import annotations

from airflow_provider_yandex_orders.rows.kind import Field, FieldType, RowKind

SIMPLE_ORDERS = RowKind(
    name="simple_orders",
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
