# SPDX-License-Identifier: Apache-2.0
"""The pytest fixture ``yandex_sandbox``: a fresh sandbox on a free port for each test.

Loaded into every pytest run of whoever has the package installed, so the sandbox itself is imported by the
fixture only.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from airflow_provider_yandex_orders.sandbox.server import SandboxServer


@pytest.fixture
def yandex_sandbox() -> "Iterator[SandboxServer]":
    """A running sandbox: point connections at ``.url``, look and interfere through ``.client``.

    Uploads are listed at once; ``client.change_settings(processing_seconds=...)`` makes a test wait for them.
    """
    from airflow_provider_yandex_orders.sandbox.server import SandboxServer
    from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings

    with SandboxServer(SandboxSettings(processing_seconds=0)) as server:
        yield server
