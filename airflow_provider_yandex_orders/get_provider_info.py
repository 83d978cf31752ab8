# SPDX-License-Identifier: Apache-2.0
"""What Airflow learns of this package. Every Airflow process calls it: nothing is imported here."""

from __future__ import annotations

from typing import Any

_PACKAGE = "airflow_provider_yandex_orders"
_METRICA = "Yandex Metrica"
_MARKET = "Yandex Market"
_ALTCRAFT = "Altcraft Platform"
_DOCS = {
    _METRICA: "https://yandex.ru/dev/metrika/",
    _MARKET: "https://yandex.ru/dev/market/partner-api/doc/ru/",
    _ALTCRAFT: "https://guides.altcraft.com/en/developer-guide/market",
}
_MODULES = {_METRICA: "metrica", _MARKET: "market", _ALTCRAFT: "altcraft"}


def get_provider_info() -> dict[str, Any]:
    """The provider's parts, in the form Airflow's provider schema asks for."""
    return {
        "package-name": "airflow-provider-yandex-orders",
        "name": "Yandex orders",
        "description": "Uploads of customers, orders and offline conversions to Yandex Metrica and of orders to the "
        "Altcraft Platform, with checks before sending, resumed uploads and waits; order statistics of Yandex Market "
        "to files for a warehouse.",
        "integrations": [
            {"integration-name": name, "external-doc-url": url, "tags": ["service"]} for name, url in _DOCS.items()
        ],
        "hooks": _modules("hooks", _METRICA, _MARKET, _ALTCRAFT),
        "operators": _modules("operators", _METRICA, _MARKET, _ALTCRAFT),
        "sensors": _modules("sensors", _METRICA, _ALTCRAFT),
        "triggers": _modules("triggers", _METRICA, _ALTCRAFT),
        "extra-links": [f"{_PACKAGE}.ui.links.{name}Link" for name in ("Delivery", "Rejects", "Counter", "Cabinet")],
        "connection-types": _CONNECTION_TYPES,
        "notifications": [f"{_PACKAGE}.notifications.delivery.DeliveryNotifier"],
        "asset-uris": [
            {
                "schemes": ["yandex-metrica", "yandex-market", "altcraft"],
                "handler": f"{_PACKAGE}.assets.sanitize_uri",
                "factory": f"{_PACKAGE}.assets.create_asset",
                "to_openlineage_converter": f"{_PACKAGE}.assets.convert_asset_to_openlineage",
            }
        ],
        "cli": [f"{_PACKAGE}.cli.get_cli_commands"],
        "config": {
            "yandex_orders": {
                "description": "Settings of the Yandex orders provider.",
                "options": {
                    "staging_path": {
                        "description": "Folder or object storage URL for the parts and rejects of uploads, and the "
                        "pages of fetches, whose task names none. Empty: a folder under AIRFLOW_HOME. Where workers "
                        "are several machines, name a place all of them see, so that a retry can resume.",
                        "version_added": "0.1.0",
                        "type": "string",
                        "example": "s3://aws_default@company-airflow/yandex-orders",
                        "default": "",
                    },
                    "journal_conn_id": {
                        "description": "Connection (PostgreSQL or SQLite) of the journal of deliveries, the memory of "
                        "what was sent. Empty: a SQLite file under AIRFLOW_HOME. Where workers are several machines, "
                        "name a PostgreSQL that all of them reach.",
                        "version_added": "0.1.0",
                        "type": "string",
                        "example": "yandex_orders_journal",
                        "default": "",
                    },
                    "journal_days": {
                        "description": "How many days the journal remembers, 30 at least. Rows it forgot are sent "
                        "again where a source still has them.",
                        "version_added": "0.1.0",
                        "type": "integer",
                        "example": "400",
                        "default": "400",
                    },
                },
            }
        },
    }


def _modules(kind: str, *integrations: str) -> list[dict[str, Any]]:
    """Each integration's module of one kind."""
    return [
        {"integration-name": integration, "python-modules": [f"{_PACKAGE}.{kind}.{_MODULES[integration]}"]}
        for integration in integrations
    ]


def connection_type(conn_type: str) -> dict[str, Any]:
    """The declaration of one connection type."""
    return next(entry for entry in _CONNECTION_TYPES if entry["connection-type"] == conn_type)


_CONNECTION_TYPES: list[dict[str, Any]] = [
    {
        "connection-type": "yandex_metrica",
        "hook-class-name": f"{_PACKAGE}.hooks.metrica.MetricaHook",
        "hook-name": _METRICA,
        "ui-field-behaviour": {
            "hidden-fields": ["login", "schema", "port"],
            "relabeling": {"password": "OAuth token"},
            "placeholders": {"host": "https://api-metrika.yandex.net"},
        },
        "conn-fields": {
            "counter_id": {
                "label": "Counter id",
                "description": "The counter a task uses when it names none.",
                "schema": {"type": ["string", "null"], "pattern": "^[0-9]*$"},
            },
            "token_issued": {
                "label": "Token issued on",
                "description": "Day the token was made (2026-01-31): a note for people, as a token lives about a year.",
                "schema": {"type": ["string", "null"], "format": "date"},
            },
        },
    },
    {
        "connection-type": "yandex_market",
        "hook-class-name": f"{_PACKAGE}.hooks.market.MarketHook",
        "hook-name": _MARKET,
        "ui-field-behaviour": {
            "hidden-fields": ["login", "schema", "port"],
            "relabeling": {"password": "Api-Key"},
            "placeholders": {"host": "https://api.partner.market.yandex.ru"},
        },
        "conn-fields": {
            "campaign_id": {
                "label": "Campaign id",
                "description": "The store a task uses when it names none.",
                "schema": {"type": ["string", "null"], "pattern": "^[0-9]*$"},
            },
            "auth_type": {
                "label": "Kind of token",
                "description": "api_key (default), or oauth where the password is an OAuth token.",
                "schema": {"type": ["string", "null"], "enum": ["api_key", "oauth", None]},
            },
        },
    },
    {
        "connection-type": "altcraft",
        "hook-class-name": f"{_PACKAGE}.hooks.altcraft.AltcraftHook",
        "hook-name": _ALTCRAFT,
        "ui-field-behaviour": {
            "hidden-fields": ["login", "schema", "port"],
            "relabeling": {"password": "API token"},
            "placeholders": {"host": "https://your-platform.example.com"},
        },
        "conn-fields": {
            "auth_type": {
                "label": "Token goes",
                "description": "body: as a field of the request, which every platform takes; bearer: as a header.",
                "schema": {"type": ["string", "null"], "enum": ["body", "bearer", "", None]},
            }
        },
    },
]
