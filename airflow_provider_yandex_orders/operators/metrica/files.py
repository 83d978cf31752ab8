# SPDX-License-Identifier: Apache-2.0
"""What a file of an upload is like: JSON or CSV, and custom attributes."""

from __future__ import annotations

import re
from collections.abc import Mapping

from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.rows.kind import Field, RowKind
from airflow_provider_yandex_orders.rows.types import ATTRIBUTE

PART_BYTES = {"csv": 100_000_000, "json": 2_000_000}
"""Bytes of a part where the user names none. No limit is told for JSON bodies; integrations keep to this."""
ATTRIBUTES = 'attributes must be a mapping: {"attribute": "source column"}'
_ATTRIBUTE = re.compile(r"[\w:-]{1,255}")


def check_file(upload_format: str, attributes: Mapping[str, str] | None, kind: RowKind) -> None:
    """Make sure that format and attributes can work.

    :raises ConfigurationError: one cannot.
    """
    if upload_format not in tuple(PART_BYTES):  # rendering may leave a list
        raise ConfigurationError('upload_format must be "json" or "csv".')
    for name in attributes or {}:
        if not _ATTRIBUTE.fullmatch(name) or name in kind.field_names:
            raise ConfigurationError(
                f"attributes: {name!r} cannot be one: letters, digits, _ - and : only, 255 at most, and no field."
            )


def row_kind(upload_format: str, attributes: Mapping[str, str] | None, kind: RowKind) -> RowKind:
    """The rows as they are sent."""
    taken = kind.in_csv() if upload_format == "csv" else kind
    return taken.with_fields(
        tuple(Field(name, ATTRIBUTE, "A custom attribute.", inside="attribute_values") for name in attributes or ())
    )
