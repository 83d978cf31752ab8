# SPDX-License-Identifier: Apache-2.0
"""Offline conversions of Metrica: single goals reached away from the site."""

from __future__ import annotations

from airflow_provider_yandex_orders.rows.kind import Field, FieldType, RowKind

OFFLINE_CONVERSIONS = RowKind(
    name="offline_conversions",
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
