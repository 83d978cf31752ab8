# SPDX-License-Identifier: Apache-2.0
"""What Airflow learns of this package. Every Airflow process calls it: nothing is imported here."""

from __future__ import annotations

from typing import Any

_PACKAGE = "airflow_provider_yandex_orders"
_METRICA = "Yandex Metrica"


def get_provider_info() -> dict[str, Any]:
    """The provider's parts, in the form Airflow's provider schema asks for."""
    return {
        "package-name": "airflow-provider-yandex-orders",
        "name": "Yandex orders",
        "description": "Uploads of customers, orders and offline conversions to Yandex Metrica, with checks before "
        "sending, resumed uploads and waits.",
        "integrations": [
            {
                "integration-name": _METRICA,
                "external-doc-url": "https://yandex.ru/dev/metrika/",
                "tags": ["service"],
            }
        ],
        "hooks": [{"integration-name": _METRICA, "python-modules": [f"{_PACKAGE}.hooks.metrica"]}],
        "operators": [{"integration-name": _METRICA, "python-modules": [f"{_PACKAGE}.operators.metrica"]}],
        "sensors": [{"integration-name": _METRICA, "python-modules": [f"{_PACKAGE}.sensors.metrica"]}],
        "triggers": [{"integration-name": _METRICA, "python-modules": [f"{_PACKAGE}.triggers.metrica"]}],
        "connection-types": _CONNECTION_TYPES,
        "config": {
            "yandex_orders": {
                "description": "Settings of the Yandex orders provider.",
                "options": {
                    "staging_path": {
                        "description": "Folder or object storage URL for the parts and rejects of uploads whose "
                        "task names none. Empty: a folder under AIRFLOW_HOME. Where workers are several "
                        "machines, name a place all of them see, so that a retry can resume.",
                        "version_added": "0.1.0",
                        "type": "string",
                        "example": "s3://aws_default@company-airflow/yandex-orders",
                        "default": "",
                    }
                },
            }
        },
    }


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
            }
        },
    },
]
