# SPDX-License-Identifier: Apache-2.0
"""Orders of Metrica's full mode: each points to a customer that is uploaded as a contact."""

from __future__ import annotations

from airflow_provider_yandex_orders.rows.kind import Field, FieldType, RowKind

ORDERS = RowKind(
    name="orders",
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
