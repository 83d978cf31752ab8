# SPDX-License-Identifier: Apache-2.0
"""What an upload reads: a database query, files, a function's rows, or a small list of rows."""

from airflow_provider_yandex_orders.sources.base import RowStream, Source
from airflow_provider_yandex_orders.sources.callable import CallableSource
from airflow_provider_yandex_orders.sources.file import FileSource
from airflow_provider_yandex_orders.sources.market_orders import MarketOrdersSource
from airflow_provider_yandex_orders.sources.rows import RowsSource, as_source
from airflow_provider_yandex_orders.sources.sql import SqlSource

__all__ = [
    "CallableSource",
    "FileSource",
    "MarketOrdersSource",
    "RowStream",
    "RowsSource",
    "Source",
    "SqlSource",
    "as_source",
]
