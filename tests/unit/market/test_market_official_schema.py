# SPDX-License-Identifier: Apache-2.0
"""What this package knows of Market's calls against the official schema, where that is at hand."""

from __future__ import annotations

import pytest

from airflow_provider_yandex_orders.market import api as service
from airflow_provider_yandex_orders.market.access import SCOPES
from airflow_provider_yandex_orders.market.tables import order_stats
from airflow_provider_yandex_orders.market.tables.declare import Table, Type
from airflow_provider_yandex_orders.sandbox.market import filters as sandbox_filters
from tests.support.market_official import resolve, schema_of, specification

KINDS = {
    "integer": {Type.INTEGER},
    "string": {Type.TEXT},
    "boolean": {Type.BOOLEAN},
    "number": {Type.DECIMAL},
    "array": {Type.JSON},
}
FORMATS = {"date": Type.DATE, "date-time": Type.MOMENT}


def test_statuses_are_those_of_the_schema() -> None:
    official = set(schema_of("OrderStatsStatusType")["enum"])
    assert set(service.STATUSES) == official == sandbox_filters.STATUSES


def test_scopes_are_words_of_the_schema() -> None:
    assert set(SCOPES) <= set(schema_of("ApiKeyScopeType")["enum"])


def test_page_sizes_are_those_of_the_schema() -> None:
    parameters = specification()["components"]["parameters"]
    assert parameters["PageLimit200"]["schema"]["maximum"] == service.MOST_ORDERS
    assert parameters["PageLimit100WithoutDefault"]["schema"]["maximum"] == service.MOST_CAMPAIGNS


@pytest.mark.parametrize(
    ("table", "name"),
    [
        (order_stats.ORDERS, "OrdersStatsOrderDTO"),
        (order_stats.ITEMS, "OrdersStatsItemDTO"),
        (order_stats.PRICES, "OrdersStatsPriceDTO"),
        (order_stats.DETAILS, "OrdersStatsDetailsDTO"),
        (order_stats.PAYMENTS, "OrdersStatsPaymentDTO"),
        (order_stats.COMMISSIONS, "OrdersStatsCommissionDTO"),
        (order_stats.SUBSIDIES, "OrdersStatsSubsidyDTO"),
    ],
    ids=lambda value: value.name if isinstance(value, Table) else value,
)
def test_every_field_has_a_column_of_its_type(table: Table, name: str) -> None:
    columns = {column.source: column for column in table.columns if column.source}
    for field, described in schema_of(name)["properties"].items():
        schema = resolve(described)
        if "anyOf" in schema:
            schema = resolve(schema["anyOf"][0])
        if field in table.parts:
            continue
        inner = {f"{field}.{part}": resolve(each) for part, each in schema.get("properties", {}).items()}
        for source, each in (inner or {field: schema}).items():
            column = columns.pop(source)
            expected = {FORMATS[each["format"]]} if each.get("format") in FORMATS else KINDS[each["type"]]
            assert column.type in expected or column.hundredths
    assert set(columns) <= {"buyerType"}  # real answers have it, the schema does not
