# SPDX-License-Identifier: Apache-2.0
"""Airflow learns of the page of deliveries. Every process of Airflow imports this: the page itself is loaded when
somebody first opens it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from airflow.plugins_manager import AirflowPlugin
from airflow.providers.common.compat.sdk import conf

PREFIX = "/yandex-orders"


class _Page:
    """The page as an ASGI application."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        from airflow_provider_yandex_orders.ui.page import page

        await page(scope, receive, send)


_ON = hasattr(AirflowPlugin, "fastapi_apps") and conf.getboolean("yandex_orders", "delivery_page", fallback=True)


class YandexOrdersPlugin(AirflowPlugin):
    """The page of deliveries, where Airflow takes such pages (3.1 and newer) and ``[yandex_orders] delivery_page``
    does not switch it off."""

    name = "yandex_orders"
    fastapi_apps = [{"app": _Page(), "url_prefix": PREFIX, "name": "Yandex orders"}] if _ON else []
    external_views = (
        [
            {
                "name": "Deliveries",
                "href": f"{urlsplit(conf.get('api', 'base_url', fallback='')).path.rstrip('/')}{PREFIX}/",
                "destination": "nav",
                "category": "browse",
                "url_route": "yandex-orders",
            }
        ]
        if _ON
        else []
    )
