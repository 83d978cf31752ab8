# SPDX-License-Identifier: Apache-2.0
"""Yandex Metrica: counters, goals, simplified orders and the list of uploads."""

from typing import Final

from airflow_provider_yandex_orders.sandbox.metrica import errors, goals, orders, routes, uploads
from airflow_provider_yandex_orders.sandbox.service import Service

SERVICE: Final = Service(
    name="metrica",
    schema=goals.SCHEMA + orders.SCHEMA + uploads.SCHEMA,
    tables=(goals.TABLE, orders.TABLE, uploads.TABLE),
    router=routes.make_router,
    install=errors.install,
    presets=errors.PRESETS,
)
