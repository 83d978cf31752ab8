# SPDX-License-Identifier: Apache-2.0
"""The argument that maps a CRM's statuses: operators read it while a DAG is parsed, so it needs little."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_yandex_orders.privacy import show
from airflow_provider_yandex_orders.rows import scalars
from airflow_provider_yandex_orders.rows.cells import cleaned
from airflow_provider_yandex_orders.rows.faults import BadValue

TRUTH = {"true": "1", "1": "true", "false": "0", "0": "false"}
"""Truth values as words and as numbers: databases have either."""


def read_status_map(status_map: Mapping[Any, str]) -> dict[str, str]:
    """The map by words as rows have them; truth values are ``true`` and ``false``, and ``""`` is an empty status.

    :raises BadValue: it cannot be obeyed.
    """
    mapped: dict[str, str] = {}
    for key, meant in status_map.items():
        plain = scalars.exact(key)
        if not isinstance(plain, (str, int)):
            raise BadValue(
                "bad_map",
                f"has a key that no row can have ({type(key).__name__})",
                'write words, whole numbers, True, or "" for an empty status',
            )
        word = cleaned(str(plain))
        word = word.lower() if word.lower() in TRUTH else word
        if mapped.setdefault(word, meant) != meant:
            raise BadValue("bad_map", f"says two things of {show(word)}", "leave one of them")
    return mapped
