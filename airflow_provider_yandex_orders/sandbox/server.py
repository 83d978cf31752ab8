# SPDX-License-Identifier: Apache-2.0
"""Runs a sandbox in a thread of this process, and talks to its control API.

::

    with SandboxServer(SandboxSettings(processing_seconds=0)) as server:
        server.client.add_fault(preset="backend_error", path="simple_orders")
        ...  # point a connection at server.url
        assert server.client.summary(101)["orders_received_more_than_once"] == 0
"""

import socket
import threading
import time
from types import TracebackType
from typing import Any, Final, Literal, Self

import requests
import uvicorn

from airflow_provider_yandex_orders.sandbox.app import create_app
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings

_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 10.0
_CONTROL_SECONDS: Final = 120.0
_KEPT_SECONDS: Final = 75
"""A connection without requests is kept as long as web servers do."""


class SandboxClient:
    """The control API of a sandbox, one method a call; an HTTP error raises ``requests.HTTPError``."""

    def __init__(self, url: str) -> None:
        self._base = f"{url.rstrip('/')}/_sandbox"
        self._session = requests.Session()
        # A proxy from the environment would not reach a loopback address.
        self._session.trust_env = False

    def orders(
        self, counter_id: int | None = None, *, kind: str = "simple_orders", limit: int = 100, offset: int = 0
    ) -> list[dict[str, Any]]:
        """Stored orders of one mode, ``simple_orders`` or ``orders``, in the order of their first arrival."""
        return self._list("orders", counter_id=counter_id, kind=kind, limit=limit, offset=offset)

    def contacts(self, counter_id: int | None = None, *, limit: int = 100, offset: int = 0) -> list[dict[str, Any]]:
        """Stored customers in the order of their first arrival."""
        return self._list("contacts", counter_id=counter_id, limit=limit, offset=offset)

    def conversions(self, counter_id: int | None = None, *, limit: int = 100, offset: int = 0) -> list[dict[str, Any]]:
        """Stored offline conversions in the order of their first arrival."""
        return self._list("conversions", counter_id=counter_id, limit=limit, offset=offset)

    def uploads(
        self, counter_id: int | None = None, *, kind: str | None = None, limit: int = 100, offset: int = 0
    ) -> list[dict[str, Any]]:
        """Accepted uploads, newest first: those of CRM data, or of one kind, also ``conversions``."""
        return self._list("uploads", counter_id=counter_id, kind=kind, limit=limit, offset=offset)

    def summary(self, counter_id: int | None = None) -> dict[str, Any]:
        """Totals over the stored simplified orders, and under ``kinds`` over everything."""
        return self._get("summary", counter_id=counter_id)

    def altcraft_orders(self, *, limit: int = 100, offset: int = 0) -> list[dict[str, Any]]:
        """Orders the Altcraft side holds, in the order of their first arrival."""
        found: list[dict[str, Any]] = self._get("altcraft/orders", limit=limit, offset=offset)["orders"]
        return found

    def altcraft_summary(self) -> dict[str, Any]:
        """Totals over them."""
        return self._get("altcraft/summary")

    def requests(self) -> list[dict[str, Any]]:
        """The log of service calls, oldest first."""
        return self._list("requests")

    def add_fault(self, **spec: Any) -> dict[str, Any]:
        """Put a fault in force; the arguments are those of the control API."""
        return self._call("POST", "faults", json=spec)

    def faults(self) -> list[dict[str, Any]]:
        """Faults with their counts, in the order they are asked."""
        return self._list("faults")

    def clear_faults(self) -> None:
        """Forget every fault."""
        self._call("DELETE", "faults")

    def settings(self) -> dict[str, Any]:
        """The settings in force."""
        return self._get("settings")

    def change_settings(self, **changes: float) -> dict[str, Any]:
        """Change runtime settings, such as ``processing_seconds``."""
        return self._call("POST", "settings", json=changes)

    def reset(self) -> None:
        """Back to the state of a fresh sandbox."""
        self._call("POST", "reset")

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def _list(self, path: str, **query: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._get(path, **query)[path]
        return found

    def _get(self, path: str, **query: Any) -> dict[str, Any]:
        return self._call("GET", path, params=query)

    def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        response = self._session.request(method, f"{self._base}/{path}", timeout=_CONTROL_SECONDS, **arguments)
        if not response.ok:
            message = f"{response.status_code} from the sandbox for {path}: {response.text}"
            raise requests.HTTPError(message, response=response)
        answer: dict[str, Any] = response.json()
        return answer


class SandboxServer:
    """A running sandbox between ``with`` and its end; port 0 takes a free one."""

    def __init__(
        self,
        settings: SandboxSettings | None = None,
        port: int = 0,
        host: str = "127.0.0.1",
        http: Literal["auto", "h11", "httptools"] = "auto",
    ) -> None:
        self._settings = settings or SandboxSettings()
        self._address = (host, port)
        self._http: Literal["auto", "h11", "httptools"] = http
        self.url = ""
        """Base address, without a slash at the end; empty until started."""
        self.client = SandboxClient("")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether the server's thread is alive."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Listen, and return when requests are taken; an address in use is an OSError, an unfit store a ValueError."""
        host, port = self._address
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family)
        name = f"[{host}]" if ":" in host else host
        self._root = f"http://{name}:{listener.getsockname()[1]}"
        self.url = self._root
        self.client = SandboxClient(self._root)
        try:
            app = create_app(self._settings)
        except ValueError:
            listener.close()
            raise
        self._sandbox = app.sandbox
        config = uvicorn.Config(
            app,
            http=self._http,
            ws="none",
            lifespan="on",
            access_log=False,
            # None: the host process keeps its own logging set-up.
            log_config=None,
            timeout_keep_alive=_KEPT_SECONDS,
            timeout_graceful_shutdown=int(_STOP_SECONDS) // 2,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="yandex-sandbox", daemon=True
        )
        self._thread.start()
        end = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > end:
                listener.close()
                raise RuntimeError("the sandbox did not start; see the log of uvicorn.error")
            time.sleep(0.005)

    def renew(self) -> None:
        """Become a fresh sandbox at another address: an empty one, with the settings of the start.

        ``url`` gets a new path, so that whoever remembers a sandbox by its address takes this for another one, and
        requests that come late to an address of before change nothing. A stopped server is started again.
        """
        if not self.running:
            self.start()
        self.url = f"{self._root}{self._sandbox.move()}"
        self.client.reset()

    def stop(self) -> None:
        """Let running answers end, then close the port and remove what was temporary."""
        self._sandbox.closing.set()
        self._server.should_exit = True
        self._thread.join(_STOP_SECONDS)
        self.client.close()
