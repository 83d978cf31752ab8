# SPDX-License-Identifier: Apache-2.0
"""Rows of the uploads, and what arrived of them."""

from __future__ import annotations

import json
from typing import Any

from airflow_provider_yandex_orders.sandbox.server import SandboxServer
from tests.matrix.kinds import KINDS, Conversions, SimpleOrders

ORDERS, CONVERSIONS = KINDS[0], KINDS[4]
assert isinstance(ORDERS, SimpleOrders)
assert isinstance(CONVERSIONS, Conversions)


class Store(dict[str, Any]):
    """A task's state store, as far as it is used: a mapping with ``set``."""

    def set(self, key: str, value: Any) -> None:
        self[key] = json.loads(json.dumps(value))


def sent(sandbox: SandboxServer) -> int:
    return sum(each["method"] == "POST" and "/data/" in each["path"] for each in sandbox.client.requests())


def orders(*numbers: int, day: int = 2) -> list[dict[str, Any]]:
    return [ORDERS.row(number, day) for number in numbers]


def conversions(*numbers: int) -> list[dict[str, Any]]:
    return [CONVERSIONS.row(number, 1) for number in numbers]
