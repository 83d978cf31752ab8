# SPDX-License-Identifier: Apache-2.0
"""What a service folder declares to take its place in the sandbox, and the state that all services share."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any, Final

from fastapi import APIRouter, FastAPI

from airflow_provider_yandex_orders.sandbox.faults import FaultBook, Preset
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings
from airflow_provider_yandex_orders.sandbox.store import Store
from airflow_provider_yandex_orders.sandbox.traffic import RequestLog

_UNDER_WAY_SECONDS: Final = 1.0


class Sandbox:
    """The state behind one running sandbox."""

    def __init__(self, settings: SandboxSettings, services: Sequence["Service"]) -> None:
        self._initial = settings
        self._services = services
        self.settings = settings
        self.store = Store(settings.store, [service.schema for service in services])
        self.faults = FaultBook({name: preset for service in services for name, preset in service.presets.items()})
        self.requests = RequestLog()
        self.memory: dict[str, Any] = {}
        """What services keep between requests and not in the store."""
        self.closing = Event()
        self.address = ""
        """Path in front of every path: ``/1``, or nothing."""
        self._moves = 0

    @property
    def fate(self) -> dict[str, float]:
        """What becomes of an upload that comes now: seconds it is listed later than others, whether it fails then."""
        lag = math.inf if self.settings.uploads_never_listed else self.settings.listing_lag_seconds
        return {"lag": lag, "fails": self.settings.uploads_fail_later}

    def change(self, changes: Mapping[str, Any]) -> SandboxSettings:
        """Apply new values of runtime settings; a ValueError leaves everything as it was."""
        self.settings = replace(self.settings, **changes)
        return self.settings

    def move(self) -> str:
        """Answer services' calls under another path than so far, and only there.

        :return: the path.
        """
        self._moves += 1
        self.address = f"/{self._moves}"
        return self.address

    def reset(self) -> None:
        """Back to the state of a fresh sandbox: no data, faults or log, and the settings of the start.

        Calls that are under way are waited for, so that none of them leaves something behind; not for long, as a fault
        can hold one back for an hour.
        """
        end = time.monotonic() + _UNDER_WAY_SECONDS
        while self.requests.under_way and time.monotonic() < end:
            time.sleep(0.01)
        self.store.clear([table for service in self._services for table in service.tables])
        self.faults.reset()
        self.requests.clear()
        self.memory.clear()
        self.settings = self._initial

    def close(self) -> None:
        """Let waiting answers go, and remove what was temporary."""
        self.closing.set()
        self.store.close()


@dataclass(frozen=True, slots=True)
class Service:
    """One imitated service."""

    name: str
    schema: str
    """SQL script that makes its tables where they are missing."""
    tables: tuple[str, ...]
    """Tables emptied by a reset."""
    router: Callable[[Sandbox], APIRouter]
    install: Callable[[FastAPI], None]
    """Hands the application the service's way to answer errors."""
    presets: Mapping[str, Preset] = field(default_factory=dict)
    """The service's documented error answers, by the name a fault can ask for."""
