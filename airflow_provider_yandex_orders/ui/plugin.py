# SPDX-License-Identifier: Apache-2.0
"""Airflow learns of the page of deliveries. Every process of Airflow imports this: the page itself is loaded when
somebody first opens it."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from airflow.plugins_manager import AirflowPlugin
from airflow.providers.common.compat.sdk import conf

PREFIX = "/yandex-orders"
_SENDING = (
    "MetricaUploadSimpleOrdersOperator",
    "MetricaUploadContactsOperator",
    "MetricaUploadOrdersOperator",
    "MetricaUploadOfflineConversionsOperator",
    "AltcraftImportOrdersOperator",
)


class _Page:
    """The page as an ASGI application."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        from airflow_provider_yandex_orders.ui.page import page

        await page(scope, receive, send)


_ON = hasattr(AirflowPlugin, "fastapi_apps") and conf.getboolean("yandex_orders", "delivery_page", fallback=True)


def _tab(base: str) -> list[dict[str, Any]]:
    """The page of a task's delivery as a tab of its own, where Airflow keeps such tabs to tasks of some operators (3.4
    and newer): elsewhere it would stand on every task of every DAG."""
    task = "dag_id={DAG_ID}&run_id={RUN_ID}&task_id={TASK_ID}&map_index={MAP_INDEX}"
    view: dict[str, Any] = {
        "name": "Delivery",
        "href": f"{base}/delivery?{task}",
        "destination": "task_instance",
        "url_route": "yandex-orders-delivery",
        "applies_to": {"operators": list(_SENDING)},
    }
    try:
        from airflow.api_fastapi.core_api.datamodels.plugins import ExternalViewResponse

        limit: Any = getattr(ExternalViewResponse(**view), "applies_to", None)
        is_limited = bool(limit.operators)
    except Exception:  # noqa: BLE001 - of a form that this Airflow does not know: the link on the task's page stays
        is_limited = False
    return [view] if is_limited else []


class YandexOrdersPlugin(AirflowPlugin):
    """The page of deliveries, where Airflow takes such pages (3.1 and newer) and ``[yandex_orders] delivery_page``
    does not switch it off."""

    name = "yandex_orders"
    fastapi_apps = [{"app": _Page(), "url_prefix": PREFIX, "name": "Yandex orders"}] if _ON else []

    @cached_property
    def external_views(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """Asked for by the server of Airflow's pages only."""
        base = f"{urlsplit(conf.get('api', 'base_url', fallback='')).path.rstrip('/')}{PREFIX}"
        page = {"destination": "nav", "category": "browse", "url_route": "yandex-orders"}
        return [{"name": "Deliveries", "href": f"{base}/", **page}, *_tab(base)] if _ON else []
