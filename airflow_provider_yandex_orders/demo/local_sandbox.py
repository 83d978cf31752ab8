# SPDX-License-Identifier: Apache-2.0
"""The sandbox as the demo uses it: started on a free port, asked what it holds, its page saved."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.request import ProxyHandler, build_opener

from airflow_provider_yandex_orders.demo.children import Children, Process, child_environment
from airflow_provider_yandex_orders.demo.errors import DemoError
from airflow_provider_yandex_orders.demo.folder import Folder

PROCESSING_SECONDS = 3
START_TIMEOUT = 60.0
ANSWER_TIMEOUT = 30.0
ADDRESS = re.compile(r"^Sandbox: (http://\S+)\s*$", re.MULTILINE)


class Control:
    """The control API of a sandbox, as far as the demo needs it."""

    def __init__(self, url: str) -> None:
        self.url = url
        # A proxy of the environment knows nothing of this machine's ports.
        self._opener = build_opener(ProxyHandler({}))

    def add_fault(self, fault: Mapping[str, Any]) -> None:
        """Have the sandbox fail."""
        self.get("/_sandbox/faults", json.dumps(fault).encode())

    def get(self, path: str, body: bytes | None = None) -> bytes:
        """Ask the sandbox, and return its answer."""
        try:
            with self._opener.open(self.url + path, body, timeout=ANSWER_TIMEOUT) as answer:
                content: bytes = answer.read()
        except (OSError, HTTPException) as error:
            raise DemoError(f"The sandbox did not answer {path}: {error}") from error
        return content


class LocalSandbox:
    """A running sandbox."""

    def __init__(self, url: str, process: Process, folder: Folder) -> None:
        self.control = Control(url)
        self._process = process
        self._folder = folder

    @classmethod
    def start(cls, children: Children, folder: Folder) -> LocalSandbox:
        """Start one on a free port and wait until it says where it is."""
        command = [
            *(sys.executable, "-m", "airflow_provider_yandex_orders.sandbox"),
            *("--port", "0", "--processing-seconds", str(PROCESSING_SECONDS)),
        ]
        process = children.start(command, log=folder.sandbox_log, environment=child_environment())
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            if found := ADDRESS.search(folder.sandbox_log.read_text(errors="replace")):
                return cls(found[1], process, folder)
            if process.poll() is not None:
                raise DemoError(f"The sandbox ended with code {process.returncode}.", log=folder.sandbox_log)
            time.sleep(0.1)
        raise DemoError(f"The sandbox did not start within {START_TIMEOUT:.0f} s.", log=folder.sandbox_log)

    def save_page(self) -> None:
        """Save the page a browser would show."""
        self._folder.page.write_bytes(self.control.get("/"))

    def wait(self) -> None:
        """Wait until the sandbox ends, which it does not do by itself."""
        code = self._process.wait()
        raise DemoError(f"The sandbox ended with code {code}.", log=self._folder.sandbox_log)
