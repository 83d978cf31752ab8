# SPDX-License-Identifier: Apache-2.0
"""Orders of the Altcraft Platform's Market, with their lines."""

from __future__ import annotations

from functools import partial

from airflow_provider_yandex_orders.rows import rules, types
from airflow_provider_yandex_orders.rows.kind import Field, RowKind

ORDER_PAGE = "https://guides.altcraft.com/en/developer-guide/market/market-objects/56249763"

MODES = {
    "email": ("email",),
    "email_profile": ("email",),
    "email_sub": ("email",),
    "phone": ("phone",),
    "phone_sub": ("phone",),
    "profile_id": ("profile_id",),
    "push_sub": ("provider", "subscription_id"),
    "custom": ("field_name", "field_value"),
    "custom_sub": ("field_name", "field_value"),
    "email_phone": ("email", "phone"),
    "email_phone_sub": ("email", "phone"),
}
"""How the platform finds the subscriber, and what it needs for that.

Source: https://guides.altcraft.com/en/developer-guide/37848489
"""

ALTCRAFT_ORDER_LINES = RowKind(
    name="altcraft_order_lines",
    page=ORDER_PAGE,
    key=("external_id",),
    label="external_id",
    status="status",
    rules=(
        partial(rules.exactly_one, fields=("sku", "product")),
        partial(rules.same_as, fields=("base_price_per_item", "min_price_per_item"), source="final_price_per_item"),
    ),
    fields=(
        Field(
            "order_external_id",
            types.ID,
            "Not sent: the order a line belongs to, where lines come from a source of their own.",
            sent=False,
        ),
        Field("external_id", types.ID, "The line's id, its own within the order.", required=True),
        Field(
            "status",
            types.status("new", "processing", "delivering", "delivered", "canceled", "refunded"),
            "new, processing, delivering, delivered, canceled, refunded, or a custom status of the platform.",
            required=True,
        ),
        Field("sku", types.ID, "The platform's `external_id` of the SKU; either this or `product`."),
        Field("product", types.ID, "The platform's `external_id` of the product; either this or `sku`."),
        Field("base_price_per_item", types.AMOUNT, "Price of one before discounts; the final one where it is empty."),
        Field("min_price_per_item", types.AMOUNT, "Least price of one; the final one where it is empty."),
        Field("final_price_per_item", types.AMOUNT, "Price of one after discounts.", required=True),
        Field("count", types.COUNT, "How many; one or more.", required=True),
        Field("custom_fields", types.VALUES, "Values by the id of the custom field."),
    ),
)

ALTCRAFT_ORDERS = RowKind(
    name="altcraft_orders",
    page=ORDER_PAGE,
    key=("external_id",),
    label="external_id",
    version="update_time",
    status="status",
    money="total_price",
    rules=(
        partial(rules.matching, field="matching", modes=MODES, any_of={"email_phone", "email_phone_sub"}),
        partial(rules.distinct, rows="lines", key="external_id"),
        partial(
            rules.total,
            field="total_price",
            rows="lines",
            price="final_price_per_item",
            count="count",
            added="delivery_cost",
        ),
    ),
    fields=(
        Field("external_id", types.ID, "The order's id with the sender; the platform keeps it.", required=True),
        Field("matching", types.choice(*MODES), f"How the subscriber is found: {', '.join(MODES)}.", default="email"),
        Field(
            "email", types.EMAIL, "For the modes with `email`; one of two will do for `email_phone`.", droppable=True
        ),
        Field("phone", types.FULL_PHONE, "For the modes with `phone`, with country code.", droppable=True),
        Field("profile_id", types.WORD, "For `profile_id`, which finds known profiles only.", droppable=True),
        Field("provider", types.TEXT, "For `push_sub`: the push provider.", droppable=True),
        Field("subscription_id", types.ID, "For `push_sub`: the subscription.", droppable=True),
        Field("field_name", types.TEXT, "For `custom` and `custom_sub`: the field to search.", droppable=True),
        Field("field_value", types.WORD, "For the same two: what it holds.", droppable=True),
        Field("endpoint", types.ID, "Additional id of the point of sale; must exist.", required=True),
        Field("tags", types.TEXT, "Tags.", many=True),
        Field(
            "status",
            types.status("new", "delivered", "paid", "canceled", "part_refunded"),
            "new, delivered, paid, canceled, part_refunded.",
            required=True,
        ),
        Field("delivery_cost", types.AMOUNT, "Cost of delivery."),
        Field("total_price", types.AMOUNT, "Lines and delivery; computed where it is empty."),
        Field("currency", types.ANY_CURRENCY, "A currency the platform has set up.", required=True),
        Field("create_time", types.MOMENT, "When the order was made; sent in UTC."),
        Field("update_time", types.MOMENT, "Last change, sent in UTC; of two rows of one order the later is sent."),
        Field("custom_fields", types.VALUES, "Values by the id of the custom field."),
        Field("region", types.ID, "Additional id of a region; must exist."),
        Field(
            "lines", types.ROWS, "The order's lines, at least one.", required=True, many=True, rows=ALTCRAFT_ORDER_LINES
        ),
    ),
)


ALTCRAFT_CUSTOM_FIELDS = RowKind(
    name="altcraft_custom_fields",
    page="https://guides.altcraft.com/en/developer-guide/market/market-objects/Custom-fields-array_56249775",
    key=("external_id",),
    label="external_id",
    rules=(partial(rules.needed_with, field="enum_values", other="value_type", value="enum"),),
    fields=(
        Field("external_id", types.ID, "The field's id, by which orders and lines give its value.", required=True),
        Field("name", types.TEXT, "What people see.", required=True),
        Field(
            "entity_type",
            types.choice("product", "sku", "order", "line_order"),
            "product, sku, order or line_order.",
            required=True,
        ),
        Field("required", types.FLAG, "Whether it must be filled.", required=True),
        Field(
            "value_type",
            types.choice("unicode", "int", "float", "bool", "enum", "date"),
            "unicode, int, float, bool, enum or date.",
            required=True,
        ),
        Field("default_value", types.RAW, "What it holds where nothing is given.", default=""),
        Field("enum_values", types.RAW, "The values of an enum; needed for one."),
    ),
)

ALTCRAFT_LINE_STATUSES = RowKind(
    name="altcraft_line_statuses",
    page="https://guides.altcraft.com/en/developer-guide/market/orders/56249746",
    key=("external_id",),
    label="external_id",
    fields=(
        Field("external_id", types.ID, "The status's id, as lines name it.", required=True),
        Field("name", types.TEXT, "What people see.", required=True),
        Field(
            "type",
            types.choice("delivered", "canceled", "refunded", "in_process"),
            "delivered, canceled, refunded or in_process.",
            required=True,
        ),
    ),
)
