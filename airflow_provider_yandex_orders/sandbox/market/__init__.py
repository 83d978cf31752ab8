# SPDX-License-Identifier: Apache-2.0
"""Yandex Market: stores, the token's scopes and order statistics page by page."""

from typing import Final

from airflow_provider_yandex_orders.sandbox.market import budget, errors, routes
from airflow_provider_yandex_orders.sandbox.service import Service

SERVICE: Final = Service(
    name="market",
    schema=budget.SCHEMA,
    tables=(budget.TABLE,),
    router=routes.make_router,
    install=errors.install,
    presets=errors.PRESETS,
)
