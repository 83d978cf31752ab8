# SPDX-License-Identifier: Apache-2.0
"""Waits of minutes that no test sits out: no argument shortens them, so this reaches into the package."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from airflow_provider_yandex_orders.delivery import memory
from airflow_provider_yandex_orders.hooks import market
from airflow_provider_yandex_orders.journal import lease
from airflow_provider_yandex_orders.triggers import base


def shorten(
    put: Callable[[Any, str, Any], None] = setattr,
    *,
    ask_every: float = 0.05,
    patience: float | None = None,
    limit: float | None = None,
    last_poll: float | None = None,
    one_more: float | None = None,
    listed_within: float | None = None,
) -> None:
    """Wait less in this process.

    :param put: sets an attribute: ``monkeypatch.setattr``, where it is to be put back.
    :param ask_every: seconds between two looks whether a destination is free.
    :param patience: seconds until a task whose destination is taken is handed back.
    :param limit: seconds the turn of a task that died goes on.
    :param last_poll: seconds a trigger whose time is up still hears its poll.
    :param one_more: those it has besides for each id.
    :param listed_within: seconds within which the service may list what it took.
    """
    given = (
        (lease, "_ASK_EVERY", ask_every),
        (lease, "PATIENCE", patience),
        (market, "PATIENCE", patience),
        (lease, "LIMIT", limit),
        (base, "LAST_POLL", last_poll),
        (base, "ONE_MORE", one_more),
        (memory, "LISTED_WITHIN", None if listed_within is None else timedelta(seconds=listed_within)),
    )
    for module, name, pause in given:
        if pause is not None:
            put(module, name, pause)
