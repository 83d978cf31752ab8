# SPDX-License-Identifier: Apache-2.0
"""Operators of Yandex Market."""

from airflow_provider_yandex_orders.operators.market.fetch_order_stats import MarketFetchOrderStatsOperator, OrderStats

__all__ = ["MarketFetchOrderStatsOperator", "OrderStats"]
