# SPDX-License-Identifier: Apache-2.0
"""What a service folder declares to take its place in the sandbox, and the state that all services share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any

from fastapi import APIRouter, FastAPI

from airflow_provider_yandex_orders.sandbox.faults import FaultBook, Preset
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings
from airflow_provider_yandex_orders.sandbox.store import Store
from airflow_provider_yandex_orders.sandbox.traffic import RequestLog


class Sandbox:
    """The state behind one running sandbox."""

    def __init__(self, settings: SandboxSettings, services: Sequence["Service"]) -> None:
        self._initial = settings
        self._services = services
        self.settings = settings
        self.store = Store(settings.store, [service.schema for service in services])
        self.faults = FaultBook({name: preset for service in services for name, preset in service.presets.items()})
        self.requests = RequestLog()
        self.closing = Event()

    def change(self, changes: Mapping[str, Any]) -> SandboxSettings:
        """Apply new values of runtime settings; a ValueError leaves everything as it was."""
        self.settings = replace(self.settings, **changes)
        return self.settings

    def reset(self) -> None:
        """Back to the state of a fresh sandbox: no data, faults or log, and the settings of the start."""
        self.store.clear([table for service in self._services for table in service.tables])
        self.faults.clear()
        self.requests.clear()
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
