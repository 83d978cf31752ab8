# SPDX-License-Identifier: Apache-2.0
"""What follows a delivery: a DAG that starts whenever an upload of this package has ended well, also where nothing was
new.

Every upload emits an event of its asset, such as `yandex-metrica://api-metrika.yandex.net/12345/simple_orders`, and all
go through one alias. Schedule by the alias, as here, for deliveries to all places; for those to one place schedule by
its asset: `schedule=[create_asset(service="metrica", place=12345, entity="simple_orders")]`. Airflow 2.11 knows only
the latter, and only where the upload names that asset among its `outlets`.
"""

from __future__ import annotations

import logging

import pendulum
from airflow.providers.common.compat.sdk import DAG, Asset, AssetAlias, task

from airflow_provider_yandex_orders.assets import DELIVERED, create_asset

log = logging.getLogger(__name__)

# Airflow 2.11, whose assets have no names, asks its database for an alias whenever it reads this file.
ANY_PLACE = AssetAlias(DELIVERED) if hasattr(Asset, "name") else None

with DAG(
    "orders_delivered",
    description="Follows every delivery of orders",
    schedule=[ANY_PLACE or create_asset(service="metrica", place=12345, entity="simple_orders")],
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    tags=["yandex-orders"],
    doc_md=__doc__,
) as dag:

    @task
    def look_at_deliveries(**context: object) -> list[dict[str, object]]:
        """The counts of what was delivered, which a check, a report or a load may go by."""
        given = context.get("triggering_asset_events") or context.get("triggering_dataset_events")  # 2.11
        extras: list[dict[str, object]] = []
        for events in dict(given or {}).values():  # type: ignore[call-overload]
            # An event stands under its asset and under the alias.
            extras += [dict(event.extra) for event in events if dict(event.extra) not in extras]
        for extra in extras:
            log.info("%s: %s rows sent, %s rejected.", extra["entity"], extra["rows_sent"], extra["rows_rejected"])
        return extras

    look_at_deliveries()
