# SPDX-License-Identifier: Apache-2.0
"""Altcraft Platform: the orders of its Market, imported, asked for and listed.

A batch with one bad order is refused as a whole with ``error`` 400 and nothing of it is applied; the documentation does
not say what the platform does. Nothing needs to be set up: whatever an order refers to exists, unless its id begins
with ``unknown``, and the currencies are those of :data:`~.checks.CURRENCIES`.
"""

from typing import Final

from airflow_provider_yandex_orders.sandbox.altcraft import errors, orders, routes
from airflow_provider_yandex_orders.sandbox.service import Service

SERVICE: Final = Service(
    name="altcraft",
    schema=orders.SCHEMA,
    tables=(orders.TABLE,),
    router=routes.make_router,
    install=errors.install,
    presets=errors.PRESETS,
)
