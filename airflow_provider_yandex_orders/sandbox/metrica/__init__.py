# SPDX-License-Identifier: Apache-2.0
"""Yandex Metrica: counters, goals, orders and customers, offline conversions, a report on linked orders."""

from typing import Final

from airflow_provider_yandex_orders.sandbox.metrica import (
    conversions,
    errors,
    goals,
    routes,
    schema,
    storage,
    uploads,
)
from airflow_provider_yandex_orders.sandbox.metrica.routes import plain as plain
from airflow_provider_yandex_orders.sandbox.service import Service

SERVICE: Final = Service(
    name="metrica",
    schema="".join(part.SCHEMA for part in (goals, schema, storage, uploads, conversions)),
    tables=(
        goals.TABLE,
        schema.TABLE,
        *storage.TABLES,
        uploads.TABLE,
        conversions.TABLE,
        conversions.EFFECTS_TABLE,
        conversions.UPLOADS_TABLE,
    ),
    router=routes.make_router,
    install=errors.install,
    presets=errors.PRESETS,
)
