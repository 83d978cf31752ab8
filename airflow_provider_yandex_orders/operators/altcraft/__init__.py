# SPDX-License-Identifier: Apache-2.0
"""Operators for the Altcraft Platform."""

from airflow_provider_yandex_orders.operators.altcraft.import_orders import AltcraftImportOrdersOperator

__all__ = ["AltcraftImportOrdersOperator"]
