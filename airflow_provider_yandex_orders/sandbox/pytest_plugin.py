# SPDX-License-Identifier: Apache-2.0
"""The pytest fixture ``yandex_sandbox``: a sandbox that is fresh for each test.

Loaded into every pytest run of whoever has the package installed, so the sandbox itself is imported by the
fixtures only.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from airflow_provider_yandex_orders.sandbox.server import SandboxServer


@pytest.fixture(scope="session")
def _yandex_sandbox_server() -> "Iterator[SandboxServer]":
    """The one server behind ``yandex_sandbox``: starting it takes a hundred times as long as emptying it."""
    from airflow_provider_yandex_orders.sandbox.server import SandboxServer
    from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings

    with SandboxServer(SandboxSettings(processing_seconds=0)) as server:
        yield server


@pytest.fixture
def yandex_sandbox(_yandex_sandbox_server: "SandboxServer") -> "SandboxServer":
    """A running sandbox: point connections at ``.url``, look and interfere through ``.client``.

    Each test finds it empty, with the settings of its start and at another address than the test before. Uploads are
    listed at once; ``client.change_settings(processing_seconds=...)`` makes a test wait for them.
    """
    _yandex_sandbox_server.renew()
    return _yandex_sandbox_server
