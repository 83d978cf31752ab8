# SPDX-License-Identifier: Apache-2.0
"""The schema of written tables, for readers that cannot tell it from empty files."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from airflow_provider_yandex_orders.tables.declare import Table


def schema_json(tables: Iterable[Table]) -> bytes:
    """Tables, keys and columns as JSON."""
    described = {
        table.name: {
            "note": table.note,
            "key": table.key,
            "columns": [
                {"name": column.name, "type": column.type.value, "note": column.note} for column in table.columns
            ],
        }
        for table in tables
    }
    return msgspec.json.format(msgspec.json.encode(described), indent=1) + b"\n"
