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
                    "delivery_page": {
                        "description": "Whether Airflow's UI has the page of deliveries (Airflow 3.1 and newer).",
                        "version_added": "0.1.0",
                        "type": "boolean",
                        "example": "False",
                        "default": "True",
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


# Airflow's form folds what the extra holds away, so the id a task uses stands in the field of the login. A stored
# connection without a port is tested by Airflow 3.3 only where the token is typed once more: hence the hint.
_PORT = '443, so that "Test" works in Airflow 3.3; or: airflow connections test <id>'

_CONNECTION_TYPES: list[dict[str, Any]] = [
    {
        "connection-type": "yandex_metrica",
        "hook-class-name": f"{_PACKAGE}.hooks.metrica.MetricaHook",
        "hook-name": _METRICA,
        "ui-field-behaviour": {
            "hidden-fields": ["schema"],
            "relabeling": {"login": "Counter id", "password": "OAuth token (required)"},
            "placeholders": {
                "host": "https://api-metrika.yandex.net",
                "login": "12345678: the number beside the counter's name in Metrica",
                "password": "y0_...: the command `airflow yandex-orders token metrica` says how to get one",
                "port": _PORT,
            },
        },
        "conn-fields": {
            "token_issued": {
                "label": "Token issued on",
                "description": "Day the token was made. It lives about a year: in its last month tasks and Test warn.",
                "schema": {"type": ["string", "null"], "format": "date"},
            },
        },
    },
    {
        "connection-type": "yandex_market",
        "hook-class-name": f"{_PACKAGE}.hooks.market.MarketHook",
        "hook-name": _MARKET,
        "ui-field-behaviour": {
            "hidden-fields": ["schema"],
            "relabeling": {"login": "Campaign id (the store)", "password": "Api-Key (required)"},
            "placeholders": {
                "host": "https://api.partner.market.yandex.ru",
                "login": "1001: Test counts the stores of the key, MarketHook().campaigns() lists them",
                "password": "ACMA:...: the command `airflow yandex-orders token market` says how to get one",
                "port": _PORT,
            },
        },
        "conn-fields": {
            "auth_type": {
                "label": "The password is",
                "description": "What stands in the password field: a key of the seller's cabinet, or an OAuth token.",
                "schema": {
                    "type": "string",
                    "enum": ["api_key", "oauth"],
                    "values_display": {"api_key": "an Api-Key (ACMA:...)", "oauth": "an OAuth token (y0_...)"},
                    "default": "api_key",
                },
            },
        },
    },
    {
        "connection-type": "altcraft",
        "hook-class-name": f"{_PACKAGE}.hooks.altcraft.AltcraftHook",
        "hook-name": _ALTCRAFT,
        "ui-field-behaviour": {
            "hidden-fields": ["login", "schema"],
            "relabeling": {"host": "Host (required)", "password": "API token (required)"},
            "placeholders": {
                "host": "https://your-platform.example.com",
                "password": "the command `airflow yandex-orders token altcraft` says how to get one",
                "port": _PORT,
            },
        },
        "conn-fields": {
            "auth_type": {
                "label": "The token travels",
                "description": "All platforms take it in the request, newer ones as a header too.",
                "schema": {
                    "type": "string",
                    "enum": ["body", "bearer"],
                    "values_display": {"body": "in the request (every platform)", "bearer": "as a header"},
                    "default": "body",
                },
            }
        },
    },
]
