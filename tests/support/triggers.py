# SPDX-License-Identifier: Apache-2.0
"""A trigger as the triggerer runs it."""

from __future__ import annotations

import asyncio
from typing import Any

from airflow.providers.common.compat.module_loading import import_string


async def first_event(trigger: Any) -> dict[str, Any]:
    """The one event of a trigger."""
    (payload,) = [event.payload async for event in trigger.run()]
    assert isinstance(payload, dict)
    return payload


def fired(trigger: Any) -> dict[str, Any]:
    """The one event of a trigger made anew from what Airflow stores of it."""
    path, arguments = trigger.serialize()
    again = import_string(path)(**arguments)
    assert again.serialize() == (path, arguments)
    return asyncio.run(first_event(again))
