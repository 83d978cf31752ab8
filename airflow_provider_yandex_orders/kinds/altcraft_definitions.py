# SPDX-License-Identifier: Apache-2.0
"""What an import of orders may define on its way: custom fields and custom statuses of lines."""

from __future__ import annotations

from airflow_provider_yandex_orders.rows.kind import Field, FieldType, RowKind
from airflow_provider_yandex_orders.rows.rules import NeededWith

ALTCRAFT_CUSTOM_FIELDS = RowKind(
    name="altcraft_custom_fields",
    page="https://guides.altcraft.com/en/developer-guide/market/market-objects/Custom-fields-array_56249775",
    key=("external_id",),
    label="external_id",
    rules=(NeededWith("enum_values", "value_type", "enum"),),
    fields=(
        Field(
            "external_id", FieldType.TEXT, "The field's id, by which orders and lines give its value.", required=True
        ),
        Field("name", FieldType.TEXT, "What people see.", required=True),
        Field(
            "entity_type",
            FieldType.CHOICE,
            "product, sku, order or line_order.",
            required=True,
            choices=("product", "sku", "order", "line_order"),
        ),
        Field("required", FieldType.FLAG, "Whether it must be filled.", required=True),
        Field(
            "value_type",
            FieldType.CHOICE,
            "unicode, int, float, bool, enum or date.",
            required=True,
            choices=("unicode", "int", "float", "bool", "enum", "date"),
        ),
        Field("default_value", FieldType.RAW, "What it holds where nothing is given.", default=""),
        Field("enum_values", FieldType.RAW, "The values of an enum; needed for one."),
    ),
)

ALTCRAFT_LINE_STATUSES = RowKind(
    name="altcraft_line_statuses",
    page="https://guides.altcraft.com/en/developer-guide/market/orders/56249746",
    key=("external_id",),
    label="external_id",
    fields=(
        Field("external_id", FieldType.TEXT, "The status's id, as lines name it.", required=True),
        Field("name", FieldType.TEXT, "What people see.", required=True),
        Field(
            "type",
            FieldType.CHOICE,
            "delivered, canceled, refunded or in_process.",
            required=True,
            choices=("delivered", "canceled", "refunded", "in_process"),
        ),
    ),
)
