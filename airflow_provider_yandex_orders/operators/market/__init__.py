# SPDX-License-Identifier: Apache-2.0
"""Operators of Yandex Market."""

from airflow_provider_yandex_orders.operators.market.fetch_order_stats import MarketFetchOrderStatsOperator, OrderStats
from airflow_provider_yandex_orders.operators.market.load_order_stats import (
    LoadedOrderStats,
    MarketLoadOrderStatsOperator,
)

__all__ = ["LoadedOrderStats", "MarketFetchOrderStatsOperator", "MarketLoadOrderStatsOperator", "OrderStats"]
